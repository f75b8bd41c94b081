#include "linker/encode/encoding_bytes.h"

#include <random>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;

EncodingPlan Plan(EncodingProfile profile, std::size_t features, std::uint32_t bits = 128) {
  EncodingPlan plan;
  plan.label = "p";
  plan.profile = profile;
  plan.bits = bits;
  for (std::size_t i = 0; i < features; ++i) plan.features.push_back({std::string("f") + std::to_string(i)});
  return plan;
}

Encoding Random(const EncodingPlan& plan, std::uint64_t present, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  Encoding encoding;
  encoding.words_per_row = plan.EncodedBits() / 64;
  encoding.words.resize(plan.Encodings() * encoding.words_per_row);
  encoding.present = present;
  for (std::size_t i = 0; i < encoding.words.size(); ++i) {
    const std::size_t feature = i / encoding.words_per_row;
    const bool has = plan.profile == EncodingProfile::kRecordLevel ? present != 0 : encoding.HasFeature(feature);
    encoding.words[i] = has ? engine() | 1 : 0;
  }
  return encoding;
}

TEST(EncodingBytes, HasTheDocumentedBytesAtRecordLevel) {
  const EncodingPlan plan = Plan(EncodingProfile::kRecordLevel, 4);
  EXPECT_EQ(EncodingBytes(plan), 16u);
  Encoding encoding;
  encoding.words_per_row = 2;
  encoding.words = {0x0807060504030201, 0x100F0E0D0C0B0A09};
  encoding.present = 0b0101;
  std::string bytes = "x";
  AppendEncodingBytes(plan, encoding, bytes);
  EXPECT_EQ(bytes, std::string("x\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10"));
  Encoding read;
  SLUIS_ASSERT_OK(ReadEncodingBytes(plan, bytes.substr(1), read));
  EXPECT_EQ(read.words, encoding.words);
  EXPECT_EQ(read.words_per_row, 2u);
  EXPECT_EQ(read.present, 0b1111u) << "which features are missing is not told";
  // A record without an encoding is all zero, whatever it has.
  SLUIS_ASSERT_OK(ReadEncodingBytes(plan, std::string(16, '\0'), read));
  EXPECT_EQ(read.present, 0u);
}

TEST(EncodingBytes, HasTheDocumentedBytesAtFieldLevel) {
  const EncodingPlan plan = Plan(EncodingProfile::kFieldLevel, 3, 64);
  EXPECT_EQ(EncodingBytes(plan), 3 * 8u + 8u);
  Encoding encoding;
  encoding.words_per_row = 1;
  encoding.words = {1, 0, 2};
  encoding.present = 0b101;
  std::string bytes;
  AppendEncodingBytes(plan, encoding, bytes);
  const std::string zeros(7, '\0');
  EXPECT_EQ(bytes, "\x01" + zeros + std::string(8, '\0') + "\x02" + zeros + "\x05" + zeros);
}

TEST(EncodingBytes, ReadsBackWhatItWrote) {
  for (const EncodingProfile profile : {EncodingProfile::kRecordLevel, EncodingProfile::kFieldLevel}) {
    for (const std::size_t features : {1u, 5u, 63u, 64u}) {
      const EncodingPlan plan = Plan(profile, features);
      const std::uint64_t all = ~std::uint64_t{0} >> (64 - features);
      for (const std::uint64_t present : {all, all & 0x5555555555555555u}) {
        const Encoding encoding = Random(plan, present, features);
        std::string bytes;
        AppendEncodingBytes(plan, encoding, bytes);
        ASSERT_EQ(bytes.size(), EncodingBytes(plan));
        Encoding read;
        SLUIS_ASSERT_OK(ReadEncodingBytes(plan, bytes, read));
        EXPECT_EQ(read.words, encoding.words);
        EXPECT_EQ(read.present, profile == EncodingProfile::kFieldLevel ? present : all);
      }
    }
  }
}

// The linker reads what any custodian sent: whatever the bytes are, the result keeps Encoding's rules.
TEST(EncodingBytes, MakesAnEncodingOfAnyBytesOfTheRightLength) {
  const EncodingPlan plan = Plan(EncodingProfile::kFieldLevel, 3, 64);
  Encoding read;
  // All bits set: no feature beyond the third.
  SLUIS_ASSERT_OK(ReadEncodingBytes(plan, std::string(32, '\xff'), read));
  EXPECT_EQ(read.present, 0b111u);
  // Words of a feature that is said to be missing are dropped; a feature that is said to be there without words is not.
  std::string bytes(32, '\0');
  bytes[0] = 1;
  bytes[24] = 0b110;
  SLUIS_ASSERT_OK(ReadEncodingBytes(plan, bytes, read));
  EXPECT_EQ(read.words, (std::vector<std::uint64_t>{0, 0, 0}));
  EXPECT_EQ(read.present, 0u);
}

TEST(EncodingBytes, RefusesAnotherLength) {
  const EncodingPlan plan = Plan(EncodingProfile::kRecordLevel, 4);
  Encoding read;
  for (const std::size_t size : {0u, 15u, 17u, 24u}) {
    EXPECT_THAT(ReadEncodingBytes(plan, std::string(size, '\1'), read),
                StatusIs(absl::StatusCode::kInvalidArgument, "the plan's have 16"));
  }
}

}  // namespace
}  // namespace sluis::linker
