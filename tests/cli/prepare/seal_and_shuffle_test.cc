#include "cli/prepare/seal_and_shuffle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/seal/sealed_row.h"
#include "linker/encode/match_key.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using testing::AmountBytes;

struct Opened {
  std::string pseudonyms;
  std::string attributes;
  friend auto operator<=>(const Opened&, const Opened&) = default;
};

class SealAndShuffleTest : public testing::PrepareTest {
 protected:
  absl::StatusOr<SpoolHeader> Seal(const std::string& reg, const PseudonymisedRows& rows, RandomSource& random,
                                   const SealOptions& options = {}) {
    SpoolHeader header;
    header.permit_id = permit_.id;
    header.permit_sha256 = permit_.sha256;
    header.register_name = reg;
    header.delivery_id = "d1";
    return SealAndShuffle(permit_, header, rows, *cache_, *spill_, random, path_, spool_key_, options);
  }

  // Reads the spool as linker and gate together would, which in Sluis nobody can.
  std::vector<Opened> OpenSpool(const SpoolHeader& header) {
    const auto data_key = common::OpenSealed(gate_, header.sealed_data_key);
    EXPECT_THAT(data_key, common::testing::IsOk());
    const auto key = common::SecretBytes::CopyOf(common::AsBytes(*data_key));
    const std::string context =
        common::SealedRowContext(header.permit_sha256, header.register_name, header.delivery_id);
    auto reader = SpoolReader::Open(path_, spool_key_, header);
    EXPECT_THAT(reader, common::testing::IsOk());
    std::vector<Opened> records;
    SpoolChunk chunk;
    while (true) {
      const auto more = (*reader)->Next(chunk);
      EXPECT_THAT(more, common::testing::IsOk());
      if (!more.ok() || !*more) {
        return records;
      }
      const std::size_t width = header.match_keys.size() * 32;
      for (std::size_t i = 0; i < chunk.count; ++i) {
        const auto row = common::AeadOpen(key, context, chunk.rows.substr(i * header.row_bytes, header.row_bytes));
        EXPECT_THAT(row, common::testing::IsOk());
        records.push_back({chunk.pseudonyms.substr(i * width, width), row.ok() ? *row : ""});
      }
    }
  }

  std::string path_ = root_ + "/spool";
  common::SecretBytes spool_key_ = common::SecretBytes::Random(32);
  testing::SeededRandom random_{20241122};
};

TEST_F(SealAndShuffleTest, KeepsEveryRecordWithItsPseudonymsAndDigests) {
  const auto rows = Run("persons", "d1", Persons(0, 100));
  SLUIS_ASSERT_OK(rows);
  SealOptions options;
  options.chunk_records = 16;
  options.memory_bytes = 4096;  // several temporary files
  std::uint64_t last_progress = 0;
  options.progress = [&](std::uint64_t done) { last_progress = done; };
  const auto header = Seal("persons", *rows, random_, options);
  SLUIS_ASSERT_OK(header);
  EXPECT_EQ(last_progress, 100u);
  EXPECT_EQ(header->record_count, 100u);
  EXPECT_EQ(header->match_keys, (std::vector<std::string>{"bsn", "birth_name"}));
  EXPECT_EQ(header->row_bytes, 8 + common::kAeadOverhead);
  EXPECT_EQ(header->chunk_sha256.size(), 7u);
  EXPECT_EQ(header->content_sha256, ContentDigest(header->chunk_sha256));
  std::vector<Opened> expected;
  for (int i = 0; i < 100; ++i) {
    const auto pseudonym = [&](const std::string& key, const std::vector<std::string>& values) {
      const std::vector<std::string_view> views(values.begin(), values.end());
      const auto* match_key = permit_.FindMatchKey(key);
      const auto input = linker::MatchKeyInput(*match_key, views);
      return input->has_value() ? PseudonymOf(match_key->purpose, **input) : std::string(32, '\0');
    };
    const testing::Row row = Persons(i, 1)[0];
    expected.push_back({pseudonym("bsn", row.components[0]) + pseudonym("birth_name", row.components[1]),
                        AmountBytes(static_cast<std::uint64_t>(i))});
  }
  std::vector<Opened> opened = OpenSpool(*header);
  EXPECT_NE(opened, expected) << "not shuffled";
  std::ranges::sort(opened);
  std::ranges::sort(expected);
  EXPECT_EQ(opened, expected);
}

TEST_F(SealAndShuffleTest, ResumesFromAnyChunk) {
  const auto rows = Run("jobs", "d1", Jobs(0, 10));
  SLUIS_ASSERT_OK(rows);
  SealOptions options;
  options.chunk_records = 3;
  const auto header = Seal("jobs", *rows, random_, options);
  SLUIS_ASSERT_OK(header);
  for (std::uint64_t first = 0; first <= 4; ++first) {
    const auto reader = SpoolReader::Open(path_, spool_key_, *header);
    SLUIS_ASSERT_OK(reader);
    SpoolChunk chunk;
    for (std::uint64_t expected = first; expected < 4; ++expected) {
      ASSERT_TRUE(*(*reader)->Next(chunk, first));
      EXPECT_EQ(chunk.number, expected);
      EXPECT_EQ(chunk.count, expected < 3 ? 3u : 1u);
      EXPECT_EQ(chunk.sha256, header->chunk_sha256[expected]);
      EXPECT_EQ(chunk.sha256, common::Sha256(chunk.pseudonyms + chunk.rows));
    }
    EXPECT_FALSE(*(*reader)->Next(chunk, first));
  }
  SpoolHeader foreign = *header;
  foreign.chunk_sha256[1][0] ^= 1;
  const auto reader = SpoolReader::Open(path_, spool_key_, foreign);
  SpoolChunk chunk;
  ASSERT_TRUE(*(*reader)->Next(chunk));
  EXPECT_THAT((*reader)->Next(chunk), StatusIs(absl::StatusCode::kDataLoss, "not the one"));
}

TEST_F(SealAndShuffleTest, AnEmptyRegisterGivesAnEmptySpool) {
  const auto rows = Run("jobs", "d1", {});
  SLUIS_ASSERT_OK(rows);
  const auto header = Seal("jobs", *rows, random_);
  SLUIS_ASSERT_OK(header);
  EXPECT_EQ(header->record_count, 0u);
  EXPECT_EQ(header->content_sha256, common::Sha256(""));
  EXPECT_TRUE(OpenSpool(*header).empty());
}

// Every permutation of three records must be equally likely, the two temporary files included. 6 permutations, 40
// expected in each: under uniformity the statistic is chi-square with 5 degrees of freedom, above 37.5 with probability
// 1e-6 (Wilson-Hilferty). Without the shuffle within the files 123 is far more likely than 321.
TEST_F(SealAndShuffleTest, EveryOrderIsEquallyLikely) {
  const auto rows = Run("jobs", "d1", Jobs(1, 3));
  SLUIS_ASSERT_OK(rows);
  SealOptions options;
  options.memory_bytes = 3 * (32 + 48);  // room for one record and a half in a file: two files
  std::map<std::string, int> seen;
  for (int run = 0; run < 6 * 40; ++run) {
    const auto header = Seal("jobs", *rows, random_, options);
    SLUIS_ASSERT_OK(header);
    std::string order;
    for (const Opened& record : OpenSpool(*header)) {
      order += record.attributes[2];
    }
    ++seen[order];
  }
  double statistic = (6 - static_cast<double>(seen.size())) * 40;
  for (const auto& [order, count] : seen) {
    statistic += (count - 40.0) * (count - 40.0) / 40.0;
  }
  EXPECT_LT(statistic, 37.5);
}

// Spearman's rank correlation of n = 2,000 records has standard deviation 1 / sqrt(n - 1) = 0.0224 if the orders are
// independent; 5 of these are exceeded with probability below 1e-6.
TEST_F(SealAndShuffleTest, OutputOrderSaysNothingAboutInputOrder) {
  std::vector<testing::Row> input = Jobs(0, 2000);
  for (testing::Row& row : input) {
    row.components[0][0] = "the same person";  // one evaluation
  }
  const auto rows = Run("jobs", "d1", input);
  SLUIS_ASSERT_OK(rows);
  SystemRandom random;
  SealOptions options;
  options.memory_bytes = 32u << 10;
  const auto header = Seal("jobs", *rows, random, options);
  SLUIS_ASSERT_OK(header);
  std::map<std::string, int> position;
  for (int i = 0; i < 2000; ++i) {
    position[AmountBytes(static_cast<std::uint64_t>(i))] = i;
  }
  double squares = 0;
  int out = 0;
  for (const Opened& record : OpenSpool(*header)) {
    const double difference = position.at(record.attributes) - out++;
    squares += difference * difference;
  }
  ASSERT_EQ(out, 2000);
  EXPECT_LT(std::abs(1 - 6 * squares / (2000.0 * (2000.0 * 2000.0 - 1))), 5 / std::sqrt(1999.0));
}

TEST_F(SealAndShuffleTest, SealsEachDeliveryUnderAKeyOfItsOwn) {
  const auto rows = Run("jobs", "d1", Jobs(0, 1));
  SLUIS_ASSERT_OK(rows);
  const auto first = Seal("jobs", *rows, random_);
  const auto second = Seal("jobs", *rows, random_);
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  EXPECT_NE(*common::OpenSealed(gate_, first->sealed_data_key), *common::OpenSealed(gate_, second->sealed_data_key));
  EXPECT_NE(first->content_sha256, second->content_sha256);
}

TEST_F(SealAndShuffleTest, SaysHowMuchMemoryItNeeds) {
  const auto rows = Run("jobs", "d1", Jobs(0, 200));
  SLUIS_ASSERT_OK(rows);
  SealOptions options;
  options.memory_bytes = 100;
  EXPECT_THAT(Seal("jobs", *rows, random_, options),
              StatusIs(absl::StatusCode::kResourceExhausted, "needs at least 1 MiB of memory"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  options = {};
  options.chunk_records = 8'193;
  EXPECT_THAT(Seal("jobs", *rows, random_, options), StatusIs(absl::StatusCode::kInvalidArgument, "chunk_records"));
}

TEST_F(SealAndShuffleTest, ChunksOfWideRowsStayBelowTwoMebibytes) {
  permit_.registers[1].fields.resize(1000, permit_.registers[1].fields[0]);
  std::vector<testing::Row> input = Jobs(0, 300);
  for (testing::Row& row : input) {
    row.components[0][0] = "the same person";
    row.attributes.assign(8000, 'A');
  }
  const auto rows = Run("jobs", "d1", input);
  SLUIS_ASSERT_OK(rows);
  const auto header = Seal("jobs", *rows, random_);
  SLUIS_ASSERT_OK(header);
  EXPECT_EQ(header->chunk_records, (2u << 20) / (32 + 8000 + common::kAeadOverhead));
  EXPECT_EQ(header->chunk_sha256.size(), 2u);
  EXPECT_EQ(OpenSpool(*header).size(), 300u);
}

// With a bound of three quarters of 2^64 the plain remainder would fall into the lowest third with probability 1/2
// instead of 1/3. Of 3,000 draws 1,000 are expected there, standard deviation 25.8; six of these are 155.
TEST(UniformBelow, DoesNotFavourSmallNumbers) {
  SystemRandom random;
  constexpr std::uint64_t kThird = 1ull << 62;
  int low = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t number = UniformBelow(random, 3 * kThird);
    ASSERT_LT(number, 3 * kThird);
    low += number < kThird ? 1 : 0;
  }
  EXPECT_NEAR(low, 1000, 155);
  EXPECT_EQ(UniformBelow(random, 1), 0u);
}

}  // namespace
}  // namespace sluis::cli
