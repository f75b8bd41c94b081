#include "disclosure/bound/closing.h"

#include <numeric>
#include <random>
#include <vector>

#include "disclosure/bound/covering.h"
#include "disclosure/bound/cut_master.h"
#include "disclosure/bound/whole_attack.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"

namespace sluis::disclosure {
namespace {

using testing::CostOf;
using testing::ForEachPattern;
using testing::IsSafe;
using testing::Optimum;
using testing::SmallTable;
using testing::TinyProblem;

std::vector<int32_t> Everyone(const ProtectionModel& model) {
  std::vector<int32_t> all(model.attackers().size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Random covering programs over the cells of a tiny table, some coefficients below 0, some cells fixed, against
// enumeration; then the same with one more cut, so that solutions of the first are at hand.
TEST(Covering, FindsTheCheapestPatternThatEnumerationFinds) {
  std::mt19937_64 random(61);
  int solved = 0;
  int impossible = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const SmallTable table = TinyProblem(random, false);
    const ProtectionModel model(table.system);
    std::vector<int32_t> free;
    for (int32_t i = 0; i < model.num_cells(); ++i) {
      if (model.state(i) == CellState::kFree) free.push_back(i);
    }
    std::vector<uint8_t> lower(static_cast<size_t>(model.num_cells()), 0);
    std::vector<uint8_t> upper(lower.size(), 1);
    for (const int32_t cell : free) {
      if (random() % 6 == 0) lower[static_cast<size_t>(cell)] = upper[static_cast<size_t>(cell)] = random() % 2;
    }
    Covering covering(model);
    std::vector<CapacityCut> cuts;
    for (size_t size = 1; size <= 5; ++size) {
      CapacityCut& cut = cuts.emplace_back();
      cut.need = 1 + static_cast<int64_t>(random() % 9);
      for (const int32_t cell : free) {
        if (random() % 3 != 0) continue;
        const bool negative = random() % 8 == 0;
        cut.cell.push_back(cell);
        cut.coefficient.push_back(negative ? -static_cast<int64_t>(random() % 4) - 1
                                           : 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(cut.need)));
      }
      std::optional<int64_t> cheapest;
      ForEachPattern(table.system, [&](const std::vector<uint8_t>& pattern) {
        for (const int32_t cell : free) {
          const auto i = static_cast<size_t>(cell);
          if (pattern[i] < lower[i] || pattern[i] > upper[i]) return;
        }
        for (const CapacityCut& each : cuts) {
          int64_t sum = 0;
          for (size_t k = 0; k < each.cell.size(); ++k) {
            sum += each.coefficient[k] * pattern[static_cast<size_t>(each.cell[k])];
          }
          if (sum < each.need) return;
        }
        const int64_t cost = CostOf(table.system, pattern);
        if (!cheapest || cost < *cheapest) cheapest = cost;
      });
      const auto answer = covering.Solve(cuts, lower, upper, {});
      SLUIS_ASSERT_OK(answer);
      ASSERT_TRUE(answer->complete);
      EXPECT_EQ(answer->pattern.empty(), !cheapest.has_value());
      if (cheapest) {
        EXPECT_EQ(answer->cost, *cheapest);
        EXPECT_EQ(answer->cost, CostOf(table.system, answer->pattern));
      }
      ++(cheapest ? solved : impossible);
      const auto again = covering.Solve(cuts, lower, upper, {});
      SLUIS_ASSERT_OK(again);
      EXPECT_EQ(again->solved, 0);
      EXPECT_EQ(again->pattern, answer->pattern);
    }
  }
  EXPECT_GT(solved, 50);
  EXPECT_GT(impossible, 20);
}

TEST(WholeAttack, AgreesWithTheAttackWhateverItRemembers) {
  std::mt19937_64 random(62);
  int safe = 0;
  int unsafe = 0;
  for (int trial = 0; trial < 6; ++trial) {
    const SmallTable table = TinyProblem(random, trial % 2 == 1);
    const ProtectionModel model(table.system);
    WholeAttack attack(model);
    ForEachPattern(table.system, [&](const std::vector<uint8_t>& pattern) {
      if (random() % 8 != 0) return;
      const auto answer = attack.Ask(pattern, Everyone(model), 1, {});
      SLUIS_ASSERT_OK(answer);
      EXPECT_TRUE(answer->complete);
      EXPECT_EQ(answer->fall_short.empty(), IsSafe(table.system, pattern));
      ++(answer->fall_short.empty() ? safe : unsafe);
    });
  }
  EXPECT_GT(safe, 20);
  EXPECT_GT(unsafe, 20);
}

TEST(WholeAttack, IsTheSameForAnyNumberOfThreadsAndStops) {
  std::mt19937_64 random(63);
  const SmallTable table = testing::ThreeWayProblem(random, 40);
  const ProtectionModel model(table.system);
  std::vector<uint8_t> pattern(static_cast<size_t>(model.num_cells()), 0);
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    pattern[static_cast<size_t>(i)] = model.state(i) == CellState::kSuppressed || random() % 6 == 0;
  }
  WholeAttack one(model);
  WholeAttack three(model);
  const auto alone = one.Ask(pattern, Everyone(model), 1, {});
  const auto together = three.Ask(pattern, Everyone(model), 3, {});
  SLUIS_ASSERT_OK(alone);
  SLUIS_ASSERT_OK(together);
  EXPECT_EQ(alone->fall_short, together->fall_short);
  EXPECT_EQ(alone->iterations, together->iterations);
  EXPECT_GT(alone->programs, 0);
  const auto again = one.Ask(pattern, Everyone(model), 1, {});
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ(again->fall_short, alone->fall_short);
  EXPECT_EQ(again->programs, static_cast<int64_t>(alone->fall_short.size()));  // the others are known
  WholeAttack stopped(model);
  const auto nothing = stopped.Ask(pattern, Everyone(model), 2, [] { return true; });
  SLUIS_ASSERT_OK(nothing);
  EXPECT_FALSE(nothing->complete);
  EXPECT_TRUE(nothing->fall_short.empty());
}

// Rounds from no cut at all: each bound is below the optimum, each completed pattern protects, and the end is the
// optimum that enumeration finds.
TEST(Closing, EndsAtTheOptimum) {
  std::mt19937_64 random(64);
  int solved = 0;
  for (int trial = 0; trial < 30; ++trial) {
    SmallTable table = TinyProblem(random, trial % 3 == 2);
    if (trial % 2 == 1) {  // some cells cost nothing
      for (int64_t& cost : table.system.cost) cost = random() % 3 == 0 ? 0 : cost;
    }
    const std::optional<int64_t> optimum = Optimum(table.system);
    if (!optimum) continue;
    ++solved;
    const ProtectionModel model(table.system);
    Closing closing(model);
    const std::vector<uint8_t> lower(static_cast<size_t>(model.num_cells()), 0);
    const std::vector<uint8_t> upper(lower.size(), 1);
    bool ended = false;
    for (int round = 0; round < 100 && !ended; ++round) {
      const auto found = closing.Round(lower, upper, {});
      SLUIS_ASSERT_OK(found);
      ASSERT_TRUE(found->complete);
      ASSERT_FALSE(found->none);
      EXPECT_LE(found->bound, *optimum);
      if (!found->pattern.empty()) {
        EXPECT_TRUE(IsSafe(table.system, found->pattern));
        EXPECT_EQ(found->cost, CostOf(table.system, found->pattern));
        EXPECT_GE(found->cost, *optimum);
      }
      ended = found->fall_short == 0;
      if (ended) {
        EXPECT_EQ(found->bound, *optimum);
        EXPECT_EQ(found->cost, *optimum);
      }
    }
    EXPECT_TRUE(ended);
    // With everything published that is free, nothing protects any more, or nothing had to be suppressed.
    const auto closed = closing.Round(lower, lower, {});
    SLUIS_ASSERT_OK(closed);
    EXPECT_TRUE(closed->none || closed->bound == 0);
  }
  EXPECT_GT(solved, 20);
}

TEST(Closing, LeavesAnUnfinishedProgramWithoutABound) {
  std::mt19937_64 random(65);
  const SmallTable table = TinyProblem(random, false);
  const ProtectionModel model(table.system);
  Closing closing(model);
  const std::vector<uint8_t> lower(static_cast<size_t>(model.num_cells()), 0);
  const std::vector<uint8_t> upper(lower.size(), 1);
  const auto round = closing.Round(lower, upper, {.stop = [] { return true; }});
  SLUIS_ASSERT_OK(round);
  EXPECT_TRUE(round->pattern.empty());
  EXPECT_GT(round->fall_short, 0);  // nobody was asked
}

}  // namespace
}  // namespace sluis::disclosure
