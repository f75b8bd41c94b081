#include "disclosure/suppress/suppress.h"

#include <limits>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"
#include "tests/disclosure/suppress/random_problem.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::CostOf;
using testing::EnumerateIntervals;
using testing::IsSafe;
using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::RandomProblem;
using testing::SmallTable;
using testing::WholeInterval;

TEST(Suppress, ProtectsWhatEnumerationSaysIsProtected) {
  std::mt19937_64 random(21);
  int solved = 0;
  for (int trial = 0; trial < 150; ++trial) {
    const SmallTable table = RandomProblem({2 + trial % 2, 3}, random, 4);
    const auto result = Suppress(table.system, {});
    if (!result.ok()) {
      // Refused only if suppressing everything would not do either.
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, "cannot be protected"));
      EXPECT_FALSE(IsSafe(table.system, table.system.suppressible));
      continue;
    }
    ++solved;
    const Measure& measure = table.system.measures[0];
    const std::vector<WholeInterval> truth = EnumerateIntervals(table, 0, result->pattern);
    for (size_t i = 0; i < truth.size(); ++i) {
      if (measure.reason[i] == PrimaryReason::kNone) continue;
      EXPECT_EQ(result->pattern[i], 1);
      EXPECT_LE(truth[i].low, measure.value[i] - measure.lower_level[i]);
      EXPECT_GE(truth[i].high, measure.value[i] + measure.upper_level[i]);
    }
    int64_t exact = 0;
    for (size_t i = 0; i < truth.size(); ++i) exact += result->pattern[i] != 0 && truth[i].low == truth[i].high ? 1 : 0;
    EXPECT_EQ(exact, result->recomputable);
    SLUIS_EXPECT_OK(CheckCertificate(table.system, result->pattern, result->certificate));
  }
  EXPECT_GT(solved, 50);
}

TEST(Suppress, PassesTheAttackOnThreeDimensionalTables) {
  std::mt19937_64 random(22);
  int solved = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const SmallTable table = RandomProblem({2, 3, 3}, random, 30);
    const auto result = Suppress(table.system, {});
    if (!result.ok()) continue;
    ++solved;
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
    const auto exact = FindExact(Publish(table.system, 0, result->pattern, true), {});
    SLUIS_ASSERT_OK(exact);
    EXPECT_EQ(static_cast<int64_t>(exact->exact_cells.size()), result->recomputable);
  }
  EXPECT_GT(solved, 80);
}

TEST(Suppress, NeverBeatsTheOptimumAndRarelyMissesItByMuch) {
  // Brute force over all 2^12 patterns of a 2 x 3 table, cheapest safe one first found by cost.
  std::mt19937_64 random(23);
  int64_t total = 0;
  int64_t optimum_total = 0;
  for (int trial = 0; trial < 6; ++trial) {
    SmallTable table =
        MakeSmallTable({2, 3}, {"value"}, [&](size_t) { return 2 + static_cast<int64_t>(random() % 20); });
    MakePrimary(table.system, 0, table.inner[random() % 6], 2);
    SetUpperBounds(table.system);
    const auto result = Suppress(table.system, {});
    SLUIS_ASSERT_OK(result);
    int64_t optimum = std::numeric_limits<int64_t>::max();
    for (uint32_t mask = 0; mask < 1u << 12; ++mask) {
      Pattern pattern(12);
      bool covers = true;
      for (int32_t i = 0; i < 12; ++i) {
        pattern[static_cast<size_t>(i)] = mask >> i & 1;
        covers = covers && (pattern[static_cast<size_t>(i)] != 0 || !table.system.IsPrimary(i));
      }
      if (!covers || CostOf(table.system, pattern) >= optimum || !IsSafe(table.system, pattern)) continue;
      optimum = CostOf(table.system, pattern);
    }
    EXPECT_EQ(CostOf(table.system, result->pattern), result->secondary_cost);
    EXPECT_GE(result->secondary_cost, optimum);
    total += result->secondary_cost;
    optimum_total += optimum;
  }
  EXPECT_LE(total, optimum_total * 3 / 2);
}

TEST(Suppress, LeavesNoSecondaryCellThatIsNotNeeded) {
  std::mt19937_64 random(24);
  int tried = 0;
  for (int trial = 0; trial < 30; ++trial) {
    const SmallTable table = RandomProblem({4, 5}, random, 40);
    const auto result = Suppress(table.system, {});
    if (!result.ok() || result->conceal_lps > 0) continue;
    for (int32_t i = 0; i < table.system.num_cells; ++i) {
      if (result->pattern[static_cast<size_t>(i)] == 0 || table.system.IsPrimary(i)) continue;
      Pattern without = result->pattern;
      without[static_cast<size_t>(i)] = 0;
      EXPECT_FALSE(IsSafe(table.system, without)) << "trial " << trial << " cell " << i;
      ++tried;
    }
  }
  EXPECT_GT(tried, 50);
}

TEST(Suppress, IsSafeWithLittleOrNoCleanupToo) {
  std::mt19937_64 random(25);
  for (int trial = 0; trial < 20; ++trial) {
    const SmallTable table = RandomProblem({4, 5}, random, 40);
    SuppressOptions options;
    options.max_cleanup_lps = 0;
    const auto quick = Suppress(table.system, options);
    const auto thorough = Suppress(table.system, {});
    ASSERT_EQ(quick.ok(), thorough.ok());
    if (!quick.ok()) continue;
    EXPECT_EQ(quick->cleanup_lps, 0);
    EXPECT_TRUE(IsSafe(table.system, quick->pattern));
    EXPECT_GE(quick->secondary_cost, thorough->secondary_cost);
    options = {};
    options.max_cleanup_iterations = 5;
    const auto short_of_steps = Suppress(table.system, options);
    SLUIS_ASSERT_OK(short_of_steps);
    EXPECT_LE(short_of_steps->cleanup_lps, thorough->cleanup_lps);
    EXPECT_TRUE(IsSafe(table.system, short_of_steps->pattern));
  }
}

TEST(Suppress, GivesTheSameResultTwice) {
  std::mt19937_64 random(26);
  const SmallTable table = RandomProblem({3, 4, 5}, random, 60);
  const auto first = Suppress(table.system, {});
  const auto second = Suppress(table.system, {});
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(first->pattern, second->pattern);
  EXPECT_EQ(EncodeCertificate(first->certificate), EncodeCertificate(second->certificate));
}

TEST(Suppress, SharesOnePatternBetweenMeasuresWithDifferentPrimaries) {
  std::mt19937_64 random(27);
  int solved = 0;
  for (int trial = 0; trial < 40; ++trial) {
    SmallTable table = MakeSmallTable({4, 4}, {"count", "wages"}, [&](size_t m) {
      return static_cast<int64_t>(m == 0 ? random() % 9 : random() % 4 == 0 ? 0 : random() % 5000);
    });
    for (const int32_t cell : table.inner) {
      const size_t i = static_cast<size_t>(cell);
      if (table.system.measures[0].value[i] > 0 && table.system.measures[0].value[i] < 2) {
        MakePrimary(table.system, 0, cell, 1);
      } else if (table.system.suppressible[i] != 0 && random() % 8 == 0) {
        MakePrimary(table.system, 1, cell, 100);
      }
    }
    SetUpperBounds(table.system);
    const auto result = Suppress(table.system, {});
    if (!result.ok()) continue;
    ++solved;
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
    int64_t exact = 0;
    for (const int32_t m : {0, 1}) {
      const auto report = FindExact(Publish(table.system, m, result->pattern, true), {});
      SLUIS_ASSERT_OK(report);
      exact += static_cast<int64_t>(report->exact_cells.size());
      for (const int32_t cell : report->exact_cells) EXPECT_FALSE(table.system.IsPrimary(m, cell));
    }
    EXPECT_EQ(exact, result->recomputable);
  }
  EXPECT_GT(solved, 25);
}

TEST(Suppress, AMeasureThatOnlyFollowsIsNotRecomputable) {
  // Wages choose the rectangle, and no level is asked of the counts; they must be hidden all the same.
  SmallTable table = MakeSmallTable({3, 3}, {"count", "wages"},
                                    [n = int64_t{0}](size_t m) mutable { return m == 0 ? 20 : 100 + ++n; });
  MakePrimary(table.system, 1, table.inner[0], 30);
  SetUpperBounds(table.system);
  const auto result = Suppress(table.system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->recomputable, 0);
  EXPECT_EQ(result->primary_cells, 1);
  EXPECT_EQ(result->secondary_cells, 3);
  for (const int32_t m : {0, 1}) {
    const auto report = FindExact(Publish(table.system, m, result->pattern, false), {});
    SLUIS_ASSERT_OK(report);
    EXPECT_TRUE(report->exact_cells.empty());
  }
}

TEST(Suppress, SuppressesAParentTogetherWithItsOnlyChild) {
  // Regions: total -> {1, 2}; 2 -> {3} only. Suppressing the child alone would protect nothing.
  const TableShape shape = TableShape::Create({{.parent = {-1, 0, 0, 2}}, {.parent = {-1, 0, 0}}}).value();
  const std::vector<std::string> names = {"value"};
  CellSystem system = MakeCellSystem(shape.num_cells(), names);
  system.relations = shape.BuildRelations();
  system.measures[0].value = {70, 30, 40, 30, 10, 20, 40, 20, 20, 40, 20, 20};
  system.cost = system.measures[0].value;
  MakePrimary(system, 0, 10, 5);  // child 3, first sex
  MarkEmptyCells(system);
  SetUpperBounds(system);
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pattern[10], 1);
  EXPECT_EQ(result->pattern[7], 1);
  EXPECT_TRUE(IsSafe(system, result->pattern));
}

TEST(Suppress, TiesTablesThatShowTheSameCell) {
  // Two tables of three cells each, whose totals are the same published number, and a primary in the first.
  const std::vector<std::string> names = {"value"};
  CellSystem system = MakeCellSystem(3, names);
  const std::vector<int32_t> parts = {1, 2};
  system.relations.Add(0, parts);
  system.measures[0].value = {30, 10, 20};
  system.cost = {1, 100, 100};
  CellSystem other = system;
  SLUIS_ASSERT_OK(AppendSystem(system, other));
  const std::vector<int32_t> same = {3};
  system.relations.Add(0, same);
  MakePrimary(system, 0, 1, 5);
  MarkEmptyCells(system);
  SetUpperBounds(system);
  system.measures[0].upper_bound.assign(6, 60);
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_TRUE(IsSafe(system, result->pattern));
  EXPECT_EQ(result->pattern[0], result->pattern[3]);  // one total cannot hide while the other is shown
}

TEST(Suppress, AcceptsATableOfOnePrimaryCell) {
  const std::vector<std::string> names = {"count", "wages"};
  CellSystem system = MakeCellSystem(1, names);
  system.measures[0].value = {2};
  system.measures[1].value = {5000};
  MakePrimary(system, 0, 0, 3);
  MakePrimary(system, 1, 0, 1000);
  MarkEmptyCells(system);
  SetUpperBounds(system);
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pattern, Pattern{1});
  EXPECT_EQ(result->certificate.claims.size(), 4u);
  EXPECT_TRUE(IsSafe(system, result->pattern));
}

TEST(Suppress, ProtectsAPrimaryGrandTotal) {
  // One part only: the total is the same number and is suppressed with it.
  const std::vector<std::string> names = {"value"};
  CellSystem system = MakeCellSystem(2, names);
  const std::vector<int32_t> part = {1};
  system.relations.Add(0, part);
  system.measures[0].value = {3, 3};
  MakePrimary(system, 0, 1, 2);
  MarkEmptyCells(system);
  SetUpperBounds(system);
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pattern, (Pattern{1, 1}));
}

TEST(Suppress, AcceptsEmptySystemsAndSystemsWithoutPrimaries) {
  const std::vector<std::string> names = {"value"};
  const auto empty = Suppress(MakeCellSystem(0, names), {});
  SLUIS_ASSERT_OK(empty);
  EXPECT_TRUE(empty->pattern.empty());
  const SmallTable table = MakeSmallTable({2, 2}, {"value"}, [](size_t) { return 4; });
  const auto nothing = Suppress(table.system, {});
  SLUIS_ASSERT_OK(nothing);
  EXPECT_EQ(nothing->pattern, Pattern(9, 0));
  EXPECT_TRUE(nothing->certificate.claims.empty());
}

TEST(Suppress, RefusesWhatCannotBeProtectedAndSaysHowMany) {
  SmallTable table = MakeSmallTable({3, 3}, {"value"}, [](size_t) { return 10; });
  MakePrimary(table.system, 0, table.inner[0], 3);
  MakePrimary(table.system, 0, table.inner[4], 3);
  SetUpperBounds(table.system);
  for (int32_t i = 0; i < table.system.num_cells; ++i) {
    table.system.suppressible[static_cast<size_t>(i)] = table.system.IsPrimary(i);  // all others were released before
  }
  EXPECT_THAT(Suppress(table.system, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, "2 primary cells cannot be protected"));
}

TEST(Suppress, RefusesAnInvalidSystem) {
  SmallTable table = MakeSmallTable({2, 2}, {"value"}, [](size_t) { return 10; });
  table.system.measures[0].value[0] -= 1;
  EXPECT_THAT(Suppress(table.system, {}), StatusIs(absl::StatusCode::kInvalidArgument, "relation 0"));
}

TEST(Suppress, RespectsCellsThatMustBePublished) {
  SmallTable table = MakeSmallTable({3, 3}, {"value"}, [n = int64_t{0}](size_t) mutable { return 10 * ++n; });
  MakePrimary(table.system, 0, table.inner[0], 3);
  SetUpperBounds(table.system);
  const auto free = Suppress(table.system, {});
  SLUIS_ASSERT_OK(free);
  for (size_t i = 0; i < free->pattern.size(); ++i) {
    if (free->pattern[i] == 0 || table.system.IsPrimary(static_cast<int32_t>(i))) continue;
    CellSystem bound = table.system;
    bound.suppressible[i] = 0;
    const auto result = Suppress(bound, {});
    SLUIS_ASSERT_OK(result);
    EXPECT_EQ(result->pattern[i], 0);
    EXPECT_TRUE(IsSafe(bound, result->pattern));
  }
}

}  // namespace
}  // namespace sluis::disclosure
