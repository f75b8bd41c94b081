#include "linker/kernel/all_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "common/status/matchers.h"
#include "linker/kernel/packed_rows.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using testing::NaiveOverlap;
using testing::RandomRow;
using testing::RandomTable;
using testing::SupportedKernels;

constexpr std::uint64_t kSeed = 11;

PairVisitor AppendTo(std::vector<FoundPair>* found) {
  return [found](std::span<const FoundPair> pairs) {
    EXPECT_FALSE(pairs.empty());
    EXPECT_LE(pairs.size(), kVisitPairs);
    found->insert(found->end(), pairs.begin(), pairs.end());
    return absl::OkStatus();
  };
}

std::vector<FoundPair> Sorted(std::vector<FoundPair> pairs) {
  std::sort(pairs.begin(), pairs.end(),
            [](const FoundPair& x, const FoundPair& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return pairs;
}

template <typename Accept>
std::vector<FoundPair> NaivePairs(const EncodingTable& a, const EncodingTable& b, const Accept& accept) {
  std::vector<FoundPair> pairs;
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (std::uint32_t j = 0; j < b.rows(); ++j) {
      const Overlap overlap = NaiveOverlap(a, i, b, j);
      if (accept(overlap)) {
        pairs.push_back({i, j, overlap});
      }
    }
  }
  return pairs;
}

// Compares every kernel, pruned and not, on one and three threads with the naive result, and their orders with each
// other.
void ExpectNaiveResult(const EncodingTable& a, const EncodingTable& b, Ratio threshold, const std::string& what) {
  const std::vector<FoundPair> expected =
      NaivePairs(a, b, [&](const Overlap& overlap) { return overlap.DiceAtLeast(threshold); });
  std::vector<FoundPair> first_order;
  for (const Kernel kernel : SupportedKernels()) {
    for (const bool prune : {false, true}) {
      for (const unsigned threads : {1u, 3u}) {
        std::vector<FoundPair> found;
        const auto stats =
            AllPairsAbove(a, b, threshold, AppendTo(&found), {.kernel = kernel, .threads = threads, .prune = prune});
        SLUIS_ASSERT_OK(stats);
        EXPECT_EQ(stats->found, found.size());
        EXPECT_EQ(stats->pairs, a.rows() * b.rows());
        if (first_order.empty()) {
          first_order = found;
        }
        ASSERT_EQ(found, first_order) << what << ": order, " << KernelName(kernel) << " prune " << prune;
        ASSERT_EQ(Sorted(found), expected)
            << what << ": " << KernelName(kernel) << " prune " << prune << " threads " << threads << " threshold "
            << threshold.numerator << "/" << threshold.denominator;
      }
    }
  }
}

// Rows of b near rows of a at all distances, so that every threshold has pairs on both sides.
EncodingTable NoisyCopies(const EncodingTable& a, std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  EncodingTable b = EmptyTable(a.bits());
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<std::uint64_t> row(a.row(r % a.rows()).begin(), a.row(r % a.rows()).end());
    const std::vector<std::uint64_t> noise =
        RandomRow(a.bits(), 0.5 * static_cast<double>(r) / static_cast<double>(rows), &random);
    for (std::size_t w = 0; w < row.size(); ++w) {
      row[w] ^= noise[w];
    }
    AppendRow(&b, row);
  }
  return b;
}

TEST(AllPairsAbove, EqualsTheNaiveResultForEveryWidth) {
  for (std::uint32_t bits = 64; bits <= 4096; bits += 64) {
    const EncodingTable a = RandomTable(bits, 13, 0.35, kSeed + bits);
    const EncodingTable b = NoisyCopies(a, 21, kSeed + 2 * bits);
    ExpectNaiveResult(a, b, {4, 5}, std::to_string(bits) + " bits");
  }
}

TEST(AllPairsAbove, EqualsTheNaiveResultForOddSizesFillsAndThresholds) {
  for (const double fill : {0.004, 0.1, 0.35, 0.5, 0.9, 0.998}) {
    for (const auto& [rows_a, rows_b] : {std::pair<std::size_t, std::size_t>{1, 1}, {3, 9}, {67, 31}, {5, 263}}) {
      const EncodingTable a = RandomTable(1024, rows_a, fill, kSeed);
      const EncodingTable b = NoisyCopies(a, rows_b, kSeed + 1);
      for (const Ratio threshold : {Ratio{1, 4294967295}, Ratio{3, 10}, Ratio{4, 5}, Ratio{999, 1000}, Ratio{1, 1}}) {
        ExpectNaiveResult(a, b, threshold, "fill " + std::to_string(fill));
      }
    }
  }
}

TEST(AllPairsAbove, NeverLinksAllZeroEncodings) {
  EncodingTable a = EmptyTable(1024);
  std::vector<std::uint64_t> one_bit(16);
  one_bit[15] = std::uint64_t{1} << 63;
  for (int r = 0; r < 9; ++r) {
    AppendRow(&a, r % 3 == 0 ? one_bit : std::vector<std::uint64_t>(16));
  }
  ExpectNaiveResult(a, a, {1, 1}, "all-zero rows");
  const EncodingTable zeros = [] {
    EncodingTable table = EmptyTable(1024);
    AppendRow(&table, std::vector<std::uint64_t>(16));
    return table;
  }();
  ExpectNaiveResult(zeros, zeros, {1, 1000}, "nothing but all-zero rows");
}

TEST(AllPairsAbove, FindsEveryPairOfEqualEncodings) {
  std::mt19937_64 random(kSeed);
  const std::vector<std::uint64_t> row = RandomRow(1024, 0.35, &random);
  EncodingTable a = EmptyTable(1024);
  EncodingTable b = EmptyTable(1024);
  for (int r = 0; r < 260; ++r) {
    AppendRow(&a, row);
    AppendRow(&b, row);
  }
  ExpectNaiveResult(a, b, {1, 1}, "equal rows");
  std::vector<FoundPair> found;
  SLUIS_ASSERT_OK(AllPairsAbove(a, b, {1, 1}, AppendTo(&found)));
  EXPECT_EQ(found.size(), 260u * 260u);
}

// Pairs built to lie exactly on 4/5, one bit inside, and one bit outside, at every popcount: x of the a bits shared.
TEST(AllPairsAbove, DecidesExactlyOnTheThreshold) {
  EncodingTable a = EmptyTable(1024);
  EncodingTable b = EmptyTable(1024);
  std::mt19937_64 random(kSeed);
  std::size_t exact = 0;
  const auto row_of = [](std::uint32_t begin, std::uint32_t end) {
    std::vector<std::uint64_t> row(16);
    for (std::uint32_t bit = begin; bit < end; ++bit) {
      const std::uint32_t place = bit * 397 % 1024;  // 397 is odd: a permutation, so that all words have bits
      row[place / 64] |= std::uint64_t{1} << (place % 64);
    }
    return row;
  };
  for (std::uint32_t bits = 5; bits <= 500; bits += 45) {
    AppendRow(&a, row_of(0, bits));
    for (const std::uint32_t shift : {bits / 5 - 1, bits / 5, bits / 5 + 1}) {
      AppendRow(&b, row_of(shift, bits + shift));  // common = bits - shift, Dice = 1 - shift / bits
    }
  }
  for (std::size_t i = 0; i < a.rows(); ++i) {
    const Overlap overlap = NaiveOverlap(a, i, b, 3 * i + 1);
    exact += 10 * overlap.common == 4 * (overlap.bits_a + overlap.bits_b) ? 1 : 0;
  }
  ASSERT_EQ(exact, a.rows());
  ExpectNaiveResult(a, b, {4, 5}, "on the threshold");
  ExpectNaiveResult(a, b, {3435973837, 4294967295}, "just above 4/5");
  ExpectNaiveResult(a, b, {3435973835, 4294967295}, "just below 4/5");
}

// More rows than one block and one tile have; compared without pruning as the oracle, which the tests above hold
// against the naive result.
TEST(AllPairsAbove, PrunedEqualsBruteForceOverManyTiles) {
  for (const double fill : {0.1, 0.35, 0.5}) {
    EncodingTable a = RandomTable(1024, 5003, fill, kSeed);
    const EncodingTable b = NoisyCopies(a, 1037, kSeed + 3);
    for (const Ratio threshold : {Ratio{1, 2}, Ratio{7, 10}, Ratio{4, 5}, Ratio{19, 20}}) {
      std::vector<FoundPair> brute;
      SLUIS_ASSERT_OK(AllPairsAbove(a, b, threshold, AppendTo(&brute), {.prune = false}));
      ASSERT_FALSE(brute.empty());
      for (const unsigned threads : {1u, 4u}) {
        std::vector<FoundPair> pruned;
        const auto stats = AllPairsAbove(a, b, threshold, AppendTo(&pruned), {.threads = threads});
        SLUIS_ASSERT_OK(stats);
        ASSERT_EQ(pruned, brute) << fill << " " << threshold.numerator << "/" << threshold.denominator;
        EXPECT_LE(stats->pairs_in_windows, stats->pairs);
      }
    }
  }
}

TEST(AllPairsAbove, ComparesFewPairsInFullWhenPruning) {
  const EncodingTable a = RandomTable(1024, 3000, 0.35, kSeed);
  const EncodingTable b = NoisyCopies(a, 3000, kSeed + 1);
  std::vector<FoundPair> found;
  const auto stats = AllPairsAbove(a, b, {4, 5}, AppendTo(&found));
  SLUIS_ASSERT_OK(stats);
  EXPECT_LT(stats->words_in_windows, 8 * stats->pairs_in_windows);
  // The sample of 4,096 pairs and the cost of a survivor make the width such that far fewer than 1 % survive.
  EXPECT_LT(stats->pairs_in_full, stats->pairs / 100);
  EXPECT_GE(stats->pairs_in_full, stats->found);
}

TEST(HammingWithin, EqualsTheNaiveResult) {
  for (const double fill : {0.02, 0.35}) {
    EncodingTable a = RandomTable(320, 71, fill, kSeed);
    AppendRow(&a, std::vector<std::uint64_t>(5));
    EncodingTable b = NoisyCopies(a, 140, kSeed + 1);
    AppendRow(&b, std::vector<std::uint64_t>(5));
    for (const std::uint32_t distance : {0u, 1u, 40u, 100u, 320u, 4294967295u}) {
      const auto expected = NaivePairs(a, b, [&](const Overlap& overlap) { return overlap.hamming() <= distance; });
      ASSERT_FALSE(expected.empty());
      for (const Kernel kernel : SupportedKernels()) {
        for (const bool prune : {false, true}) {
          std::vector<FoundPair> found;
          SLUIS_ASSERT_OK(HammingWithin(a, b, distance, AppendTo(&found), {.kernel = kernel, .prune = prune}));
          ASSERT_EQ(Sorted(found), expected) << KernelName(kernel) << " prune " << prune << " within " << distance;
        }
      }
    }
  }
}

TEST(FoldRow, NeverIncreasesADistance) {
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 200; ++trial) {
    EncodingTable rows = EmptyTable(1024);
    AppendRow(&rows, RandomRow(1024, 0.3, &random));
    AppendRow(&rows, RandomRow(1024, 0.05 * (trial % 20), &random));
    const std::uint32_t distance = NaiveOverlap(rows, 0, rows, 1).hamming();
    for (std::uint32_t words = 1; words <= 16; ++words) {
      EncodingTable folded = EmptyTable(64 * words);
      for (const std::size_t r : {0, 1}) {
        std::vector<std::uint64_t> row(words);
        kernel::FoldRow(rows.row(r), row);
        AppendRow(&folded, row);
      }
      const std::uint32_t folded_distance = NaiveOverlap(folded, 0, folded, 1).hamming();
      ASSERT_LE(folded_distance, distance);
      ASSERT_EQ(folded_distance % 2, distance % 2);
      if (words == 16) {
        ASSERT_EQ(folded_distance, distance);
      }
    }
  }
}

TEST(AllPairsAbove, OfEmptyTablesVisitsNothing) {
  const EncodingTable none = EmptyTable(1024);
  const EncodingTable some = RandomTable(1024, 10, 0.35, kSeed);
  std::vector<FoundPair> found;
  for (const auto& [a, b] : {std::pair{&none, &some}, std::pair{&some, &none}, std::pair{&none, &none}}) {
    for (const bool prune : {false, true}) {
      SLUIS_ASSERT_OK(AllPairsAbove(*a, *b, {1, 2}, AppendTo(&found), {.threads = 2, .prune = prune}));
    }
  }
  EXPECT_TRUE(found.empty());
}

TEST(AllPairsAbove, FailsOnBadArguments) {
  const EncodingTable a = RandomTable(1024, 2, 0.35, kSeed);
  const EncodingTable b = RandomTable(512, 2, 0.35, kSeed);
  std::vector<FoundPair> found;
  EXPECT_THAT(AllPairsAbove(a, b, {4, 5}, AppendTo(&found)),
              StatusIs(absl::StatusCode::kInvalidArgument, "must be equal"));
  for (const Ratio threshold : {Ratio{0, 5}, Ratio{6, 5}, Ratio{0, 0}, Ratio{1, 0}}) {
    EXPECT_THAT(AllPairsAbove(a, a, threshold, AppendTo(&found)),
                StatusIs(absl::StatusCode::kInvalidArgument, "threshold"));
  }
  EXPECT_THAT(AllPairsAbove(a, a, {4, 5}, AppendTo(&found), {.threads = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, "threads"));
}

TEST(AllPairsAbove, StopsOnRequestAndLeavesAPrefixOfTheFullResult) {
  const EncodingTable a = RandomTable(256, 9001, 0.5, kSeed);
  const EncodingTable b = RandomTable(256, 1100, 0.5, kSeed + 1);
  std::vector<FoundPair> full;
  SLUIS_ASSERT_OK(AllPairsAbove(a, b, {1, 2}, AppendTo(&full)));
  for (const unsigned threads : {1u, 4u}) {
    std::stop_source source;
    std::vector<FoundPair> found;
    const auto result = AllPairsAbove(a, b, {1, 2},
                                      [&](std::span<const FoundPair> pairs) {
                                        found.insert(found.end(), pairs.begin(), pairs.end());
                                        source.request_stop();
                                        return absl::OkStatus();
                                      },
                                      {.threads = threads, .stop = source.get_token()});
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kCancelled, "stopped on request"));
    ASSERT_FALSE(found.empty());
    ASSERT_LT(found.size(), full.size());
    EXPECT_TRUE(std::equal(found.begin(), found.end(), full.begin()));
  }
}

TEST(AllPairsAbove, ReturnsTheVisitorsErrorAndVisitsNoMore) {
  const EncodingTable a = RandomTable(256, 9001, 0.5, kSeed);
  const EncodingTable b = RandomTable(256, 600, 0.5, kSeed + 1);
  for (const unsigned threads : {1u, 4u}) {
    int visits = 0;
    const auto result =
        AllPairsAbove(a, b, {1, 2},
                      [&](std::span<const FoundPair>) {
                        return ++visits == 2 ? absl::ResourceExhaustedError("no room for links") : absl::OkStatus();
                      },
                      {.threads = threads});
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kResourceExhausted, "no room for links"));
    EXPECT_EQ(visits, 2);
  }
}

}  // namespace
}  // namespace sluis::linker
