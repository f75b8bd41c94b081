#include "linker/kernel/similarity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/matchers.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using testing::NaiveOverlap;
using testing::RandomTable;
using testing::SupportedKernels;

constexpr std::uint64_t kSeed = 7;

TEST(EncodingTable, CreateFailsUnlessWidthIsAMultipleOf64UpTo4096) {
  for (const std::uint32_t bits : {0u, 32u, 100u, 1025u, 4160u}) {
    EXPECT_THAT(EncodingTable::Create(bits), StatusIs(absl::StatusCode::kInvalidArgument, "encoding width"));
  }
  for (const std::uint32_t bits : {64u, 192u, 1024u, 4096u}) {
    SLUIS_EXPECT_OK(EncodingTable::Create(bits));
  }
}

TEST(EncodingTable, AppendFailsOnAnotherWidthAndNamesTheRow) {
  EncodingTable table = EmptyTable(128);
  AppendRow(&table, {1, 2});
  EXPECT_THAT(table.Append(std::vector<std::uint64_t>{1}), StatusIs(absl::StatusCode::kInvalidArgument, "at row 1"));
  EXPECT_EQ(table.rows(), 1u);
}

TEST(EncodingTable, KeepsRowsAndPopcountsOnACacheLine) {
  EncodingTable table = EmptyTable(192);
  for (std::uint64_t r = 0; r < 1000; ++r) {
    AppendRow(&table, {r, ~std::uint64_t{0}, 5});
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(table.data()) % 64, 0u);
  }
  EXPECT_EQ(table.row(999)[0], 999u);
  EXPECT_EQ(table.popcount(999), 8u + 64u + 2u);  // 999 is 0b1111100111
  EXPECT_EQ(table.popcount(0), 66u);
}

TEST(Overlap, GivesTheSimilaritiesOfAKnownPair) {
  const Overlap overlap{3, 4, 6};
  EXPECT_DOUBLE_EQ(overlap.dice(), 0.6);
  EXPECT_DOUBLE_EQ(overlap.jaccard(), 3.0 / 7);
  EXPECT_EQ(overlap.hamming(), 4u);
}

TEST(Overlap, DecidesExactlyOnTheThreshold) {
  const Overlap overlap{3, 4, 6};
  EXPECT_TRUE(overlap.DiceAtLeast({3, 5}));
  EXPECT_FALSE(overlap.DiceAtLeast({600'000'001, 1'000'000'000}));
  EXPECT_TRUE(overlap.DiceAtLeast({599'999'999, 1'000'000'000}));
  EXPECT_TRUE(overlap.JaccardAtLeast({3, 7}));
  EXPECT_FALSE(overlap.JaccardAtLeast({428'571'429, 1'000'000'000}));
}

TEST(Overlap, OfTwoAllZeroEncodingsIsNoSimilarity) {
  const Overlap overlap{0, 0, 0};
  EXPECT_EQ(overlap.dice(), 0.0);
  EXPECT_EQ(overlap.jaccard(), 0.0);
  EXPECT_FALSE(overlap.DiceAtLeast({1, 1'000'000}));
  EXPECT_FALSE(overlap.JaccardAtLeast({1, 1'000'000}));
}

TEST(PairScores, EqualTheNaiveOverlapForEveryWidthAndKernel) {
  for (std::uint32_t bits = 64; bits <= 4096; bits += 64) {
    const EncodingTable a = RandomTable(bits, 7, 0.4, kSeed + bits);
    const EncodingTable b = RandomTable(bits, 5, 0.6, kSeed + bits + 1);
    std::vector<CandidatePair> pairs;
    for (std::uint32_t i = 0; i < 7; ++i) {
      for (std::uint32_t j = 0; j < 5; ++j) {
        pairs.push_back({6 - i, j});
      }
    }
    for (const Kernel kernel : SupportedKernels()) {
      const auto scores = PairScores(pairs, a, b, kernel);
      SLUIS_ASSERT_OK(scores);
      ASSERT_EQ(scores->size(), pairs.size());
      for (std::size_t p = 0; p < pairs.size(); ++p) {
        ASSERT_EQ((*scores)[p], NaiveOverlap(a, pairs[p].a, b, pairs[p].b)) << bits << KernelName(kernel);
      }
    }
  }
}

TEST(PairScores, OfNoPairsAreNone) {
  const EncodingTable table = EmptyTable(1024);
  const auto scores = PairScores({}, table, table);
  SLUIS_ASSERT_OK(scores);
  EXPECT_TRUE(scores->empty());
}

TEST(PairScores, FailIfWidthsDifferOrARowDoesNotExist) {
  const EncodingTable a = RandomTable(128, 2, 0.5, kSeed);
  const EncodingTable b = RandomTable(192, 2, 0.5, kSeed);
  EXPECT_THAT(PairScores({}, a, b), StatusIs(absl::StatusCode::kInvalidArgument, "must be equal"));
  const std::vector<CandidatePair> pairs = {{1, 1}, {2, 0}};
  EXPECT_THAT(PairScores(pairs, a, a), StatusIs(absl::StatusCode::kInvalidArgument, "candidate pair 1"));
}

}  // namespace
}  // namespace sluis::linker
