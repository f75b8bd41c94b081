#include "common/bytes/secret.h"

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);

std::string Exposed(const SecretBytes& secret) { return std::string(AsChars(secret.ExposeForUse())); }

TEST(SecretBytes, StartsAsZeros) {
  EXPECT_EQ(Exposed(SecretBytes(5)), std::string(5, '\0'));
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_TRUE(SecretBytes(0).empty());
}

TEST(SecretBytes, MovingEmptiesTheSource) {
  SecretBytes first = SecretBytes::CopyOf(AsBytes("first"));
  const std::uint8_t* const bytes = first.ExposeForUse().data();
  SecretBytes second = std::move(first);
  EXPECT_EQ(second.ExposeForUse().data(), bytes);
  EXPECT_EQ(Exposed(second), "first");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(first.ExposeForUse().data(), nullptr);

  SecretBytes third = SecretBytes::CopyOf(AsBytes("third"));
  third = std::move(second);
  EXPECT_EQ(Exposed(third), "first");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretBytes, MovingOntoItselfKeepsTheBytes) {
  SecretBytes secret = SecretBytes::CopyOf(AsBytes("kept"));
  SecretBytes& same = secret;
  secret = std::move(same);
  EXPECT_EQ(Exposed(secret), "kept");
}

TEST(SecretBytes, CloneIsACopyOfItsOwn) {
  SecretBytes secret = SecretBytes::CopyOf(AsBytes("abc"));
  const SecretBytes clone = secret.Clone();
  secret.ExposeForFilling()[0] = 'x';
  EXPECT_EQ(Exposed(clone), "abc");
  EXPECT_EQ(Exposed(secret), "xbc");
  EXPECT_TRUE(SecretBytes().Clone().empty());
}

TEST(SecretBytes, RandomDiffers) { EXPECT_NE(Exposed(SecretBytes::Random(32)), Exposed(SecretBytes::Random(32))); }

TEST(SecretBytesDeathTest, ReadingPastTheEndStopsTheProcess) {
  const SecretBytes secret = SecretBytes::Random(32);
  const volatile std::uint8_t* bytes = secret.ExposeForUse().data();
  EXPECT_DEATH({ [[maybe_unused]] const std::uint8_t byte = bytes[32]; }, "");
}

TEST(SecretBytesDeathTest, AWriteInFrontOfTheBytesStopsTheProcessWhenFreed) {
  EXPECT_DEATH(
      {
        SecretBytes secret = SecretBytes::Random(32);
        volatile std::uint8_t* bytes = secret.ExposeForFilling().data();
        bytes[-1] = static_cast<std::uint8_t>(bytes[-1] + 1);
        secret = SecretBytes();
      },
      "");
}

TEST(SecretBytesDeathTest, FreedBytesAreGone) {
  EXPECT_DEATH(
      {
        SecretBytes secret = SecretBytes::Random(32);
        const volatile std::uint8_t* bytes = secret.ExposeForUse().data();
        secret = SecretBytes();
        [[maybe_unused]] const std::uint8_t byte = bytes[0];
      },
      "");
}

TEST(Wipe, OverwritesEveryByteAndKeepsTheSize) {
  std::string text = "a passphrase that is longer than the small-string buffer";
  const std::size_t size = text.size();
  Wipe(text);
  EXPECT_EQ(text, std::string(size, '\0'));
  std::array<std::uint8_t, 3> bytes = {1, 2, 3};
  Wipe(std::span<std::uint8_t>(bytes).subspan(0, 2));
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 3>{0, 0, 3}));
}

TEST(ConstantTimeEqual, ComparesBytesAndLengths) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual(std::string("a\0b", 3), std::string("a\0b", 3)));
  EXPECT_FALSE(ConstantTimeEqual(std::string("a\0b", 3), std::string("a\0c", 3)));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abcd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", ""));
}

TEST(Hex, RoundTripsEveryByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  const std::string hex = HexEncode(bytes);
  EXPECT_EQ(hex.substr(0, 6), "000102");
  EXPECT_EQ(hex.substr(508), "feff");
  const auto decoded = HexDecode(hex);
  SLUIS_ASSERT_OK(decoded);
  EXPECT_EQ(*decoded, bytes);
  EXPECT_EQ(HexDecode("FEff").value(), "\xfe\xff");
  EXPECT_EQ(HexEncode(""), "");
  EXPECT_EQ(HexDecode("").value(), "");
}

TEST(HexDecode, RefusesWhatIsNotHexadecimal) {
  for (const std::string& bad : {std::string("a"), std::string("abc"), std::string("0g"), std::string("g0"),
                                 std::string("0x12"), std::string(" 12 "), std::string("12:34 "), std::string("12\n\n"),
                                 std::string("12\0\0", 4), std::string("\xc3\xa9")}) {
    EXPECT_THAT(HexDecode(bad), StatusIs(absl::StatusCode::kInvalidArgument, "not hexadecimal"));
  }
}

// RFC 4648, section 10.
TEST(Base64, AgreesWithRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    const auto decoded = Base64Decode(text);
    SLUIS_ASSERT_OK(decoded);
    EXPECT_EQ(*decoded, bytes);
  }
}

TEST(Base64Decode, RefusesWhatIsNotCanonical) {
  for (const char* bad : {
           "Zg",            // no padding
           "Zg=",           // half the padding
           "Zg===",         // too much
           "Zm9v=",         // padding where none is due
           "Zh==",          // bits behind the last byte
           "Zm9=",          // the same with one '='
           "Zm9vZg==Zg==",  // two texts
           "-__-",          // the URL alphabet
           "Zm9v\n",
           " Zm9v",
           "Zm 9v",
           "Z",
           "====",
           "Zm9v!",
       }) {
    EXPECT_THAT(Base64Decode(bad), StatusIs(absl::StatusCode::kInvalidArgument, "not base 64")) << bad;
  }
}

TEST(BigEndian, RoundTripsAndKeepsTheOrderOfNumbers) {
  std::string previous32;
  for (const std::uint32_t value : {0u, 1u, 0x7fu, 0x80u, 0xffu, 0x100u, 0x01020304u, 0x7fffffffu, 0x80000000u, ~0u}) {
    std::string bytes;
    AppendBigEndian32(bytes, value);
    ASSERT_EQ(bytes.size(), 4u);
    EXPECT_EQ(ReadBigEndian32(bytes), value);
    EXPECT_LT(previous32, bytes);
    previous32 = bytes;
  }
  std::string previous64;
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{0xff}, std::uint64_t{0x100}, std::uint64_t{0xffffffff},
        std::uint64_t{0x0102030405060708}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    std::string bytes;
    AppendBigEndian64(bytes, value);
    ASSERT_EQ(bytes.size(), 8u);
    EXPECT_EQ(ReadBigEndian64(bytes), value);
    EXPECT_LT(previous64, bytes);
    previous64 = bytes;
  }
  std::string both = "x";
  AppendBigEndian32(both, 0x01020304);
  EXPECT_EQ(both, std::string("x\1\2\3\4"));
}

}  // namespace
}  // namespace sluis::common
