#include "linker/cluster/assignment.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using ::testing::ElementsAre;

double Sum(const std::vector<ScoredPair>& pairs, double threshold) {
  double sum = 0;
  for (const ScoredPair& pair : pairs) {
    sum += pair.log_odds - threshold;
  }
  return sum;
}

// The largest sum over all ways to give every row of b, from `row` on, nothing or a row of a; `used`: taken rows of a.
double BruteForce(std::uint32_t row, std::uint32_t rows_b, std::uint32_t used, bool share, double threshold,
                  const std::map<std::pair<std::uint32_t, std::uint32_t>, double>& weights) {
  if (row == rows_b) {
    return 0;
  }
  double best = BruteForce(row + 1, rows_b, used, share, threshold, weights);
  for (const auto& [pair, weight] : weights) {
    if (pair.second == row && weight > threshold && (share || (used >> pair.first & 1) == 0)) {
      const double rest = BruteForce(row + 1, rows_b, used | 1u << pair.first, share, threshold, weights);
      best = std::max(best, weight - threshold + rest);
    }
  }
  return best;
}

void ExpectObeys(const std::vector<ScoredPair>& pairs, Cardinality cardinality) {
  std::set<std::uint32_t> a;
  std::set<std::uint32_t> b;
  for (const ScoredPair& pair : pairs) {
    EXPECT_TRUE(a.insert(pair.a).second || cardinality == Cardinality::kOneToMany);
    EXPECT_TRUE(b.insert(pair.b).second);
  }
}

TEST(AssignPairs, PrefersTheLargestSumToTheLargestPair) {
  const std::vector<ScoredPair> pairs = {{0, 0, 9}, {0, 1, 7}, {1, 0, 6}};
  const absl::StatusOr<Assignment> assignment = AssignPairs(2, 2, pairs);
  SLUIS_ASSERT_OK(assignment);
  EXPECT_THAT(assignment->pairs, ElementsAre(pairs[1], pairs[2]));
  EXPECT_EQ(assignment->stats.components, 1u);
  EXPECT_EQ(assignment->stats.largest_component, 4u);
}

TEST(AssignPairs, LeavesRowsAloneWhereThatSumsToMore) {
  const std::vector<ScoredPair> pairs = {{0, 0, 9}, {0, 1, 3}, {1, 0, 4}};
  const absl::StatusOr<Assignment> assignment = AssignPairs(2, 2, pairs);
  SLUIS_ASSERT_OK(assignment);
  EXPECT_THAT(assignment->pairs, ElementsAre(pairs[0]));
}

TEST(AssignPairs, OneToManyGivesEveryRowOfBItsBest) {
  const std::vector<ScoredPair> pairs = {{1, 0, 2}, {0, 0, 9}, {0, 1, 7}, {1, 1, 7}, {1, 2, -1}};
  const absl::StatusOr<Assignment> assignment = AssignPairs(2, 3, pairs, {.cardinality = Cardinality::kOneToMany});
  SLUIS_ASSERT_OK(assignment);
  EXPECT_THAT(assignment->pairs, ElementsAre(ScoredPair{0, 0, 9}, ScoredPair{0, 1, 7}));
  EXPECT_EQ(assignment->stats.largest_component, 3u);
}

TEST(AssignPairs, TakesNothingThatDoesNotExceedTheThreshold) {
  const std::vector<ScoredPair> pairs = {{0, 0, 0}, {1, 1, -3}, {2, 2, 2}, {3, 3, 2.5}};
  EXPECT_THAT(AssignPairs(4, 4, pairs)->pairs, ElementsAre(pairs[2], pairs[3]));
  EXPECT_THAT(AssignPairs(4, 4, pairs, {.threshold = 2})->pairs, ElementsAre(pairs[3]));
  EXPECT_THAT(AssignPairs(0, 0, {})->pairs, ElementsAre());
}

TEST(AssignPairs, CountsTheLargerOfAPairGivenTwice) {
  const std::vector<ScoredPair> pairs = {{0, 0, 1}, {0, 0, 5}, {0, 1, 3}};
  EXPECT_THAT(AssignPairs(1, 2, pairs)->pairs, ElementsAre(pairs[1]));
}

// Small weights out of few make ties, contested rows and shared optima common.
TEST(AssignPairs, EqualsBruteForceOnSmallGraphs) {
  std::mt19937 random(20251122);
  for (int round = 0; round < 4000; ++round) {
    const std::uint32_t rows_a = 1 + random() % 6;
    const std::uint32_t rows_b = 1 + random() % 6;
    const std::uint32_t values = 1 + random() % 12;
    const double threshold = random() % 3 == 0 ? 1.5 : 0;
    std::vector<ScoredPair> pairs;
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> weights;
    for (std::uint32_t a = 0; a < rows_a; ++a) {
      for (std::uint32_t b = 0; b < rows_b; ++b) {
        if (random() % 3 != 0) {
          const float weight = static_cast<float>(random() % values) * 0.75f - 1;
          pairs.push_back({a, b, weight});
          weights[{a, b}] = weight;
        }
      }
    }
    std::shuffle(pairs.begin(), pairs.end(), random);
    for (const Cardinality cardinality : {Cardinality::kOneToOne, Cardinality::kOneToMany}) {
      const bool share = cardinality == Cardinality::kOneToMany;
      const auto result = AssignPairs(rows_a, rows_b, pairs, {.cardinality = cardinality, .threshold = threshold});
      SLUIS_ASSERT_OK(result);
      ExpectObeys(result->pairs, cardinality);
      EXPECT_DOUBLE_EQ(Sum(result->pairs, threshold), BruteForce(0, rows_b, 0, share, threshold, weights));
      std::shuffle(pairs.begin(), pairs.end(), random);
      EXPECT_EQ(AssignPairs(rows_a, rows_b, pairs, {.cardinality = cardinality, .threshold = threshold})->pairs,
                result->pairs);
    }
  }
}

// On larger graphs, optimality by duality: no augmenting path or cycle improves it, which a Bellman-Ford search over
// the residual graph would find. Nodes: rows of a, then of b, then "nobody"; an arc's length is what the change costs.
TEST(AssignPairs, LeavesNoImprovingPathInLargerGraphs) {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    constexpr std::uint32_t kRows = 60;
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    std::vector<ScoredPair> pairs;
    for (int i = 0; i < 400; ++i) {
      const std::uint32_t a = random() % kRows;
      const std::uint32_t b = random() % kRows;
      if (seen.emplace(a, b).second) {
        pairs.push_back({a, b, static_cast<float>(1 + random() % 40) * 0.25f});
      }
    }
    const absl::StatusOr<Assignment> result = AssignPairs(kRows, kRows, pairs);
    SLUIS_ASSERT_OK(result);
    ExpectObeys(result->pairs, Cardinality::kOneToOne);
    std::set<std::pair<std::uint32_t, std::uint32_t>> taken;
    std::vector<bool> free(2 * kRows, true);
    for (const ScoredPair& pair : result->pairs) {
      taken.emplace(pair.a, pair.b);
      free[pair.a] = free[kRows + pair.b] = false;
    }
    struct Arc {
      std::uint32_t from, to;
      double length;
    };
    std::vector<Arc> arcs;
    for (const ScoredPair& pair : pairs) {
      const bool in = taken.contains({pair.a, pair.b});
      arcs.push_back(in ? Arc{kRows + pair.b, pair.a, pair.log_odds} : Arc{pair.a, kRows + pair.b, -pair.log_odds});
    }
    for (std::uint32_t a = 0; a < kRows; ++a) {
      // A free row may start a path; a row that lost its partner may stay alone. For columns the other way round.
      arcs.push_back(free[a] ? Arc{2 * kRows, a, 0} : Arc{a, 2 * kRows, 0});
      arcs.push_back(free[kRows + a] ? Arc{kRows + a, 2 * kRows, 0} : Arc{2 * kRows, kRows + a, 0});
    }
    std::vector<double> distance(2 * kRows + 1, 0);
    bool changed = true;
    for (std::uint32_t step = 0; step <= 2 * kRows + 1 && changed; ++step) {
      changed = false;
      for (const Arc& arc : arcs) {
        if (distance[arc.from] + arc.length < distance[arc.to]) {
          distance[arc.to] = distance[arc.from] + arc.length;
          changed = true;
        }
      }
    }
    EXPECT_FALSE(changed) << "a change of negative length exists in round " << round;
  }
}

TEST(AssignPairs, TreatsComponentsAlone) {
  // The same component, with ties, twice: alone and behind another one.
  const std::vector<ScoredPair> alone = {{0, 0, 2}, {0, 1, 2}, {1, 0, 2}, {1, 1, 2}, {2, 1, 2}};
  std::vector<ScoredPair> together = {{0, 0, 5}, {0, 1, 4}};
  for (const ScoredPair& pair : alone) {
    together.push_back({pair.a + 1, pair.b + 2, pair.log_odds});
  }
  const std::vector<ScoredPair> expected = AssignPairs(3, 2, alone)->pairs;
  const std::vector<ScoredPair> result = AssignPairs(4, 4, together)->pairs;
  ASSERT_EQ(result.size(), expected.size() + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(result[i + 1].a, expected[i].a + 1);
    EXPECT_EQ(result[i + 1].b, expected[i].b + 2);
  }
}

TEST(AssignPairs, SolvesAHubOf100000Rows) {
  constexpr std::uint32_t kLeaves = 100'000;
  std::vector<ScoredPair> pairs;
  for (std::uint32_t leaf = 0; leaf < kLeaves; ++leaf) {
    pairs.push_back({leaf, 0, leaf == 777 ? 4.5f : 4.0f});
    pairs.push_back({0, leaf, 3.0f});
  }
  const absl::StatusOr<Assignment> result = AssignPairs(kLeaves, kLeaves, pairs);
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(Sum(result->pairs, 0), 7.5);
  EXPECT_EQ(result->stats.largest_component, 2 * kLeaves);
  EXPECT_LT(result->stats.edges_scanned, 20 * pairs.size());
}

TEST(AssignPairs, SolvesAGiantComponentOfTies) {
  constexpr std::uint32_t kRows = 50'000;
  std::mt19937 random(5);
  std::vector<ScoredPair> pairs;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    pairs.push_back({row, row, 1});
    for (int i = 0; i < 5; ++i) {
      pairs.push_back({row, static_cast<std::uint32_t>(random() % kRows), 1});
    }
  }
  const absl::StatusOr<Assignment> result = AssignPairs(kRows, kRows, pairs);
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pairs.size(), kRows);  // the diagonal shows that all can be matched
  ExpectObeys(result->pairs, Cardinality::kOneToOne);
}

TEST(AssignPairs, RefusesWhatIsNotANumberAndRowsOutOfRange) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  const auto assign = [](std::vector<ScoredPair> pairs) { return AssignPairs(2, 2, pairs).status(); };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(assign({{0, 0, 1}, {0, 0, nan}}), StatusIs(invalid, "pair 1: log odds"));
  EXPECT_THAT(assign({{0, 0, infinite}}), StatusIs(invalid, "pair 0: log odds"));
  EXPECT_THAT(assign({{0, 0, 2e6f}}), StatusIs(invalid, "1,000,000"));
  EXPECT_THAT(assign({{2, 0, 1}}), StatusIs(invalid, "pair 0: row out of range"));
  EXPECT_THAT(assign({{0, 2, 1}}), StatusIs(invalid, "pair 0: row out of range"));
  EXPECT_THAT(AssignPairs(1, 1, {}, {.threshold = nan}), StatusIs(invalid, "threshold"));
  EXPECT_THAT(assign({{0, 0, 1e6f}, {1, 1, -1e6f}}), IsOk());
}

TEST(AssignPairs, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const std::vector<ScoredPair> pairs = {{0, 0, 1}, {0, 1, 1}};
  EXPECT_THAT(AssignPairs(1, 2, pairs, {.stop = source.get_token()}),
              StatusIs(absl::StatusCode::kCancelled, "stopped"));
}

}  // namespace
}  // namespace sluis::linker
