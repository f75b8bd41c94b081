#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "common/status/matchers.h"
#include "linker/candidate/bit_sampling.h"
#include "linker/candidate/block_comparer.h"
#include "linker/candidate/keyed_rows.h"
#include "linker/candidate/match_sample.h"
#include "linker/candidate/nearest_lists.h"
#include "linker/kernel/kernel.h"
#include "tests/linker/candidate/sources.h"

namespace sluis::linker::candidate {
namespace {

using linker::testing::AppendRow;
using linker::testing::EmptyTable;
using linker::testing::NaiveOverlap;
using linker::testing::RandomTable;
using linker::testing::SupportedKernels;

TEST(DiceUnits, OrdersLikeTheFractions) {
  for (std::uint32_t bits = 1; bits <= 40; ++bits) {
    for (std::uint32_t common = 0; common <= bits; ++common) {
      for (std::uint32_t other_bits = 4096; other_bits > 4090; --other_bits) {
        const std::uint32_t other_common = common * other_bits / bits;
        // common / bits against other_common / other_bits, both with equal popcounts on the two sides.
        const auto exact = std::uint64_t{common} * other_bits <=> std::uint64_t{other_common} * bits;
        EXPECT_EQ(DiceUnits(common, bits, bits) <=> DiceUnits(other_common, other_bits, other_bits), exact);
      }
    }
  }
  EXPECT_EQ(DiceUnits(0, 0, 0), 0u);
  EXPECT_EQ(DiceUnits(4096, 4096, 4096), kDiceOne);
}

TEST(NearestLists, KeepsTheNearestWhateverTheOrder) {
  constexpr std::uint32_t kKeep = 5;
  std::mt19937_64 random(3);
  std::vector<Neighbour> offered;
  for (std::uint32_t other = 0; other < 60; ++other) {
    offered.emplace_back(other, 1 + static_cast<std::uint32_t>(random() % 8));  // many ties
  }
  std::vector<Neighbour> expected = offered;
  std::sort(expected.begin(), expected.end(), std::greater<>());
  expected.resize(kKeep);
  for (int round = 0; round < 20; ++round) {
    std::vector<Neighbour> order = offered;
    order.insert(order.end(), offered.begin(), offered.end());  // each twice
    std::shuffle(order.begin(), order.end(), random);
    NearestLists lists(3, kKeep);
    for (const Neighbour neighbour : order) {
      lists.Offer(1, neighbour);
    }
    lists.Offer(2, offered[0]);
    lists.Finish(0, 3);
    EXPECT_THAT(lists.of(1), ::testing::ElementsAreArray(expected));
    EXPECT_TRUE(lists.of(0).empty());
    EXPECT_THAT(lists.of(2), ::testing::ElementsAre(offered[0]));
    for (const Neighbour neighbour : offered) {
      EXPECT_EQ(lists.WouldHold(1, neighbour),
                std::find(expected.begin(), expected.end(), neighbour) != expected.end());
      EXPECT_TRUE(lists.WouldHold(2, neighbour));
    }
  }
}

TEST(Neighbour, PrefersTheSmallerRowAmongEquals) {
  EXPECT_GT(Neighbour(3, 7), Neighbour(4, 7));
  EXPECT_GT(Neighbour(9, 8), Neighbour(4, 7));
  EXPECT_EQ(Neighbour(9, 8).row(), 9u);
  EXPECT_EQ(Neighbour(9, 8).dice_units(), 8u);
  EXPECT_FALSE(Neighbour());
  EXPECT_TRUE(Neighbour(0xffff'fffd, 0));
}

TEST(SortByKey, SortsStablyForAnyKeyWidthAndThreads) {
  std::mt19937_64 random(5);
  for (const std::uint32_t key_bits : {1u, 7u, 11u, 12u, 21u, 32u}) {
    for (const unsigned threads : {1u, 2u, 5u}) {
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3000}}) {
        AlignedVector<KeyedRow> rows;
        for (std::uint32_t row = 0; row < size; ++row) {
          rows.push_back(MakeKeyedRow(static_cast<std::uint32_t>(random() >> (64 - key_bits)), row));
        }
        AlignedVector<KeyedRow> expected = rows;
        std::sort(expected.begin(), expected.end());  // rows ascend, so stable and by row are the same
        AlignedVector<KeyedRow> buffer;
        SortByKey(key_bits, threads, &rows, &buffer);
        EXPECT_EQ(rows, expected) << key_bits << " bits, " << threads << " threads";
      }
    }
  }
}

TEST(KeyRows, LeavesOutRowsWithoutKey) {
  for (const unsigned threads : {1u, 3u}) {
    AlignedVector<KeyedRow> keyed;
    KeyRows(
        10, threads, [](std::size_t row) { return row % 3 == 1; },
        [](std::size_t row) { return static_cast<std::uint32_t>(100 + row); }, &keyed);
    EXPECT_THAT(keyed, ::testing::ElementsAre(MakeKeyedRow(101, 1), MakeKeyedRow(104, 4), MakeKeyedRow(107, 7)));
  }
}

TEST(BitWeights, FavoursBitsNearOneHalfAndAvoidsConstantOnes) {
  // Bit 0: always set in a. Bit 1: never set in b. Bit 2: half in both. Bit 3: half in a, a tenth in b.
  EncodingTable a = EmptyTable(64);
  EncodingTable b = EmptyTable(64);
  for (std::uint64_t r = 0; r < 100; ++r) {
    AppendRow(&a, {1 | (r % 2) << 1 | (r % 2) << 2 | (r % 2) << 3});
    AppendRow(&b, {(r % 2) | (r % 2) << 2 | std::uint64_t{r % 10 == 0} << 3});
  }
  const std::vector<std::uint32_t> weights = BitWeights(a, b);
  EXPECT_EQ(weights[0], 0u);
  EXPECT_EQ(weights[1], 0u);
  EXPECT_EQ(weights[2], 65'536u);
  EXPECT_EQ(weights[3], static_cast<std::uint32_t>(std::ceil(65'536 * 0.36)));
  EXPECT_EQ(weights[4], 0u);
}

TEST(DrawBits, DrawsByWeightWithoutRepetitionAndContinues) {
  std::vector<std::uint32_t> weights(64);
  weights[3] = 30'000;
  weights[10] = 10'000;
  weights[60] = 10'000;
  std::map<std::uint16_t, int> first;
  constexpr int kTables = 5000;
  for (std::uint32_t table = 0; table < kTables; ++table) {
    const std::vector<std::uint16_t> three = DrawBits(weights, 9, 1, table);
    EXPECT_THAT(three, ::testing::UnorderedElementsAre(3, 10, 60));
    EXPECT_THAT(DrawBits(weights, 2, 1, table), ::testing::ElementsAre(three[0], three[1]));
    ++first[three[0]];
  }
  // Binomial with p = 0.6: standard deviation 35; five of them pass a fair draw but for one seed in a million.
  EXPECT_NEAR(first[3], 0.6 * kTables, 175);
  EXPECT_NE(DrawBits(weights, 3, 1, 0), DrawBits(std::vector<std::uint32_t>(64, 1), 3, 1, 0));
  EXPECT_TRUE(DrawBits(std::vector<std::uint32_t>(64), 3, 1, 0).empty());
}

TEST(Agreements, EqualTheShareOfDrawsThatAgree) {
  // For equal weights the probability of agreement in k draws is hypergeometric, so exact; counted here over draws.
  const EncodingTable rows = RandomTable(128, 2, 0.5, 8);
  const std::vector<std::uint32_t> weights(128, 500);
  const Agreements agreements(weights);
  EXPECT_NEAR(agreements.effective_bits(), 128, 1e-9);
  const Overlap overlap = NaiveOverlap(rows, 0, rows, 1);
  const double agreement = agreements.Of(rows.row(0), rows.row(1));
  EXPECT_NEAR(agreement, 1 - overlap.hamming() / 128.0, 1e-12);
  constexpr std::uint32_t kTables = 5'000;
  for (const std::uint32_t bits : {1u, 3u, 6u}) {
    double met = 0;
    for (std::uint32_t table = 0; table < kTables; ++table) {
      const auto drawn = DrawBits(weights, bits, 77, table);
      met += SampledBits(rows.row(0), drawn) == SampledBits(rows.row(1), drawn) ? 1 : 0;
    }
    const double expected = agreements.InAll(agreement, bits);
    EXPECT_NEAR(met / kTables, expected, 5 * std::sqrt(expected * (1 - expected) / kTables)) << bits;
  }
  EXPECT_NEAR(agreements.InAnyTable(0.9, 4, 10), 1 - std::pow(1 - agreements.InAll(0.9, 4), 10), 1e-12);
  EXPECT_EQ(agreements.InAll(1, 8), 1);
  EXPECT_EQ(agreements.InAll(0.02, 8), 0);  // fewer than 8 bits agree
}

TEST(BlockComparer, FindsExactlyThePairsAboveTheBound) {
  using Found = std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>;
  for (const std::uint32_t bits : {64u, 192u, 1024u}) {
    EncodingTable a = RandomTable(bits, 1500, 0.3, 21);
    const EncodingTable b = RandomTable(bits, 700, 0.3, 22);
    for (const Kernel kernel : SupportedKernels()) {
      const auto instructions = kernel::SelectInstructionSet(kernel);
      SLUIS_ASSERT_OK(instructions);
      // Sizes on both sides of packing and of tiles; rows in any order.
      for (const auto& [size_a, size_b] : {std::pair{3, 5}, std::pair{1, 270}, std::pair{33, 300}, {1100, 30}}) {
        std::vector<std::uint32_t> rows_a(static_cast<std::size_t>(size_a));
        std::vector<std::uint32_t> rows_b(static_cast<std::size_t>(size_b));
        for (std::uint32_t i = 0; i < rows_a.size(); ++i) {
          rows_a[i] = i * 7 % 1500;
        }
        for (std::uint32_t i = 0; i < rows_b.size(); ++i) {
          rows_b[i] = i * 11 % 700;
        }
        const std::uint32_t bound = DiceUnits(3, 8, 8);
        Found found;
        std::size_t count = 0;
        const SimilarPairSink sink = [&](std::span<const SimilarPair> pairs) {
          for (const SimilarPair& pair : pairs) {
            found.emplace(pair.a, pair.b, pair.dice_units);
            ++count;
          }
        };
        BlockComparer between(a, b, **instructions);
        between.Compare(rows_a, rows_b, bound, sink);
        Found expected;
        for (const std::uint32_t row_a : rows_a) {
          for (const std::uint32_t row_b : rows_b) {
            const Overlap overlap = NaiveOverlap(a, row_a, b, row_b);
            if (overlap.DiceAtLeast({3, 8})) {
              expected.emplace(row_a, row_b, DiceUnits(overlap.common, overlap.bits_a, overlap.bits_b));
            }
          }
        }
        EXPECT_EQ(found, expected) << bits << " bits, " << size_a << " x " << size_b;
        EXPECT_EQ(count, expected.size());

        found.clear();
        count = 0;
        BlockComparer within(b, b, **instructions);
        within.CompareWithin(rows_b, bound, sink);
        expected.clear();
        for (std::size_t i = 0; i < rows_b.size(); ++i) {
          for (std::size_t j = i + 1; j < rows_b.size(); ++j) {
            const Overlap overlap = NaiveOverlap(b, rows_b[i], b, rows_b[j]);
            if (overlap.DiceAtLeast({3, 8})) {
              expected.emplace(rows_b[i], rows_b[j], DiceUnits(overlap.common, overlap.bits_a, overlap.bits_b));
            }
          }
        }
        EXPECT_EQ(found, expected) << bits << " bits, within " << size_b;
        EXPECT_EQ(count, expected.size());
      }
    }
  }
}

TEST(MatchProbabilities, SeparateMatchesFromStrangers) {
  // 1,000 rows, each with 500 strangers of similarity about normal (0.3, 0.05), and 300 with a match of (0.8, 0.05).
  std::mt19937_64 random(9);
  std::normal_distribution<double> stranger(0.3, 0.05);
  std::normal_distribution<double> match(0.8, 0.05);
  const auto units = [](double share) { return static_cast<std::uint32_t>(std::clamp(share, 0.01, 1.0) * kDiceOne); };
  for (const std::uint32_t k : {2u, 8u}) {
    for (const std::size_t matches : {std::size_t{0}, std::size_t{300}, std::size_t{1000}}) {
      std::vector<std::uint32_t> nearest;
      std::vector<std::uint32_t> kth;
      for (std::size_t r = 0; r < 1000; ++r) {
        std::vector<std::uint32_t> similarities;
        for (int s = 0; s < 500; ++s) {
          similarities.push_back(units(stranger(random)));
        }
        if (r < matches) {
          similarities.push_back(units(match(random)));
        }
        std::sort(similarities.begin(), similarities.end(), std::greater<>());
        nearest.push_back(similarities[0]);
        kth.push_back(similarities[k - 1]);
      }
      const std::vector<double> probabilities = MatchProbabilities(nearest, kth, k);
      const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
      // Two standard errors of a share of 1,000 rows, at most 32 rows; and a Gumbel tail is heavier than the normal
      // one.
      EXPECT_NEAR(sum, static_cast<double>(matches), 50) << "k " << k;
      const auto middle = probabilities.begin() + static_cast<std::ptrdiff_t>(matches);
      if (matches > 0) {
        EXPECT_GT(std::accumulate(probabilities.begin(), middle, 0.0), 0.97 * static_cast<double>(matches));
      }
      EXPECT_LT(std::accumulate(middle, probabilities.end(), 0.0), 30) << "k " << k;
    }
  }
}

}  // namespace
}  // namespace sluis::linker::candidate
