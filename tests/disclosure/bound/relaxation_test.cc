#include "disclosure/bound/relaxation.h"

#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "disclosure/bound/integer_master.h"
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
using Programs = SeparationRequest::Programs;

// A tiny problem that has a safe pattern.
struct Solvable {
  const SmallTable& table;
  const ProtectionModel& model;
  Relaxation& relaxation;
  int64_t optimum;  // the least cost of a safe pattern
};

// Calls `visit` with each solvable one of a dozen problems, its relaxation tightened as far as `programs` go. Returns
// how many there were.
int ForEachSolvable(std::mt19937_64& random, Programs programs, const std::function<void(const Solvable&)>& visit) {
  int solvable = 0;
  for (int trial = 0; trial < 12; ++trial) {
    const SmallTable table = TinyProblem(random, trial % 3 == 2);
    const std::optional<int64_t> optimum = Optimum(table.system);
    if (!optimum) continue;
    ++solvable;
    const ProtectionModel model(table.system);
    const auto relaxation = Relaxation::Create(model, {});
    EXPECT_THAT(relaxation, common::testing::IsOk());
    if (!relaxation.ok()) continue;
    SLUIS_EXPECT_OK((*relaxation)->Tighten(programs, 0));
    visit({.table = table, .model = model, .relaxation = **relaxation, .optimum = *optimum});
  }
  return solvable;
}

TEST(Separator, AgreesWithTheAttackOnEveryPattern) {
  std::mt19937_64 random(41);
  int safe = 0;
  int unsafe = 0;
  for (int trial = 0; trial < 4; ++trial) {
    const SmallTable table = TinyProblem(random, trial % 2 == 1);
    const ProtectionModel model(table.system);
    Separator separator(model);
    ForEachPattern(table.system, [&](const std::vector<uint8_t>& pattern) {
      if (random() % 8 != 0) return;
      const std::vector<double> x(pattern.begin(), pattern.end());
      const auto found =
          separator.Separate({.x = x, .weight = x, .programs = Programs::kExact, .min_violation = 1e-6, .threads = 1});
      SLUIS_ASSERT_OK(found);
      const bool holds = found->reached == static_cast<int64_t>(model.attackers().size());
      EXPECT_EQ(holds, IsSafe(table.system, pattern));
      EXPECT_EQ(holds, found->cuts.empty());
      EXPECT_EQ(found->unknown, 0);
      ++(holds ? safe : unsafe);
    });
  }
  EXPECT_GT(safe, 20);
  EXPECT_GT(unsafe, 20);
}

TEST(Relaxation, BoundIsBelowTheOptimum) {
  std::mt19937_64 random(42);
  int tight = 0;
  const int solved = ForEachSolvable(random, Programs::kExact, [&](const Solvable& it) {
    EXPECT_LE(it.relaxation.bound(), it.optimum);
    tight += it.relaxation.bound() == it.optimum ? 1 : 0;
    // Nothing is cheaper than the optimum, and fixing cells against it cuts off no cheaper pattern.
    it.relaxation.SetBest(it.optimum);
    SLUIS_ASSERT_OK(it.relaxation.Tighten(Programs::kExact, 0));
    EXPECT_LE(it.relaxation.bound(), it.optimum);
  });
  EXPECT_GT(solved, 8);
  EXPECT_GT(tight, 3);
}

TEST(Relaxation, IntegerProgramsAndCutsInTurnFindTheOptimum) {
  std::mt19937_64 random(43);
  const int solved = ForEachSolvable(random, Programs::kNone, [&](const Solvable& it) {
    bool found = false;
    for (int round = 0; round < 200 && !found; ++round) {
      const auto answer = it.relaxation.SolveInteger({});
      SLUIS_ASSERT_OK(answer);
      ASSERT_TRUE(answer->optimal);
      EXPECT_LE(answer->cost, it.optimum);
      const auto fall_short = it.relaxation.CutOff(answer->pattern);
      SLUIS_ASSERT_OK(fall_short);
      EXPECT_EQ(*fall_short == 0, IsSafe(it.table.system, answer->pattern));
      if (*fall_short > 0) continue;
      found = true;
      EXPECT_EQ(answer->cost, it.optimum);
      EXPECT_EQ(it.relaxation.bound(), it.optimum);
    }
    EXPECT_TRUE(found);
  });
  EXPECT_GT(solved, 8);
}

TEST(Relaxation, CompletesAPatternAndItsBoundStillHolds) {
  std::mt19937_64 random(45);
  int completed = 0;
  ForEachSolvable(random, Programs::kNone, [&](const Solvable& it) {
    // Primary cells and one other, that the optimum may do without.
    std::vector<uint8_t> start(static_cast<size_t>(it.table.system.num_cells), 0);
    std::vector<int32_t> others;
    for (int32_t i = 0; i < it.table.system.num_cells; ++i) {
      start[static_cast<size_t>(i)] = it.model.state(i) == CellState::kSuppressed;
      if (it.model.state(i) == CellState::kFree) others.push_back(i);
    }
    const auto kept = static_cast<size_t>(others[random() % others.size()]);
    start[kept] = 1;
    const auto whole = it.relaxation.Complete(start, {});
    SLUIS_ASSERT_OK(whole);
    EXPECT_EQ(whole->pattern[kept], 1);
    EXPECT_EQ(whole->fall_short == 0, IsSafe(it.table.system, whole->pattern));
    if (whole->fall_short == 0) {
      ++completed;
      EXPECT_GE(CostOf(it.table.system, whole->pattern), it.optimum);
    }
    // Cells that were held for the completion do not count for the bound.
    EXPECT_LE(it.relaxation.bound(), it.optimum);
    SLUIS_ASSERT_OK(it.relaxation.Tighten(Programs::kExact, 0));
    EXPECT_LE(it.relaxation.bound(), it.optimum);
  });
  EXPECT_GT(completed, 5);
}

TEST(Relaxation, IsTheSameForAnyNumberOfThreads) {
  std::mt19937_64 random(44);
  const SmallTable table = testing::ThreeWayProblem(random, 25);
  const ProtectionModel model(table.system);
  std::vector<std::vector<double>> x;
  std::vector<uint8_t> primary(static_cast<size_t>(table.system.num_cells), 0);
  for (int32_t i = 0; i < table.system.num_cells; ++i) primary[static_cast<size_t>(i)] = table.system.IsPrimary(i);
  std::vector<std::vector<uint8_t>> completed;
  for (const int32_t threads : {1, 2, 4}) {
    const auto relaxation =
        Relaxation::Create(model, {.threads = threads, .max_steps = 200'000, .stop = {}, .progress = {}});
    SLUIS_ASSERT_OK(relaxation);
    SLUIS_ASSERT_OK((*relaxation)->Tighten(Programs::kCapped, 0.001));
    x.emplace_back((*relaxation)->x().begin(), (*relaxation)->x().end());
    EXPECT_GT((*relaxation)->bound(), 0);
    IntegerMasterOptions few;
    few.max_nodes = 100;
    few.max_iterations = 2'000;
    auto whole = (*relaxation)->Complete(primary, few);
    SLUIS_ASSERT_OK(whole);
    completed.push_back(std::move(whole->pattern));
  }
  EXPECT_EQ(x[0], x[1]);
  EXPECT_EQ(x[0], x[2]);
  EXPECT_EQ(completed[0], completed[1]);
  EXPECT_EQ(completed[0], completed[2]);
}

TEST(Relaxation, BeginsNoRoundWithoutSteps) {
  std::mt19937_64 random(45);
  const SmallTable table = TinyProblem(random, false);
  const ProtectionModel model(table.system);
  const auto relaxation = Relaxation::Create(model, {.threads = 1, .max_steps = 0, .stop = {}, .progress = {}});
  SLUIS_ASSERT_OK(relaxation);
  SLUIS_ASSERT_OK((*relaxation)->Tighten(Programs::kExact, 0));
  EXPECT_EQ((*relaxation)->statistics().rounds, 0);
}

}  // namespace
}  // namespace sluis::disclosure
