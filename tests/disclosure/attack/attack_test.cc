#include "disclosure/attack/attack.h"

#include <atomic>
#include <cmath>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::EnumerateIntervals;
using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::SmallTable;
using testing::WholeInterval;

using Pattern = std::vector<uint8_t>;

// Inner cells 1..9 row by row, in a 3 x 3 table with margins (16 cells, row 0 and column 0 are the totals).
SmallTable OneToNine() {
  int64_t next = 0;
  return MakeSmallTable({3, 3}, {"value"}, [&next](size_t) { return ++next; });
}

Pattern Suppressed(const SmallTable& table, const std::vector<int32_t>& cells) {
  Pattern pattern(static_cast<size_t>(table.system.num_cells), 0);
  for (const int32_t cell : cells) pattern[static_cast<size_t>(cell)] = 1;
  return pattern;
}

SmallTable RandomTable(const std::vector<int32_t>& sizes, std::mt19937_64& random, uint64_t values) {
  return MakeSmallTable(sizes, {"value"}, [&](size_t) { return static_cast<int64_t>(random() % values); });
}

Pattern RandomPattern(const SmallTable& table, std::mt19937_64& random) {
  Pattern pattern(static_cast<size_t>(table.system.num_cells), 0);
  for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = table.system.suppressible[i] != 0 && random() % 2 == 0;
  return pattern;
}

TEST(FindIntervals, EqualsEnumerationOnTwoDimensionalTables) {
  // A two-dimensional table is a transportation polytope: its vertices are whole numbers, so both must agree exactly.
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 120; ++trial) {
    const SmallTable table = RandomTable({2 + trial % 2, 3}, random, 3);
    const Pattern pattern = RandomPattern(table, random);
    const auto report = FindIntervals(Publish(table.system, 0, pattern, true), {});
    SLUIS_ASSERT_OK(report);
    const std::vector<WholeInterval> truth = EnumerateIntervals(table, 0, pattern);
    for (const FeasibilityInterval& interval : report->intervals) {
      const WholeInterval& expected = truth[static_cast<size_t>(interval.cell)];
      EXPECT_NEAR(interval.low, static_cast<double>(expected.low), 1e-6) << "trial " << trial;
      EXPECT_NEAR(interval.high, static_cast<double>(expected.high), 1e-6) << "trial " << trial;
    }
  }
}

TEST(FindIntervals, ContainsEnumerationOnThreeDimensionalTables) {
  std::mt19937_64 random(12);
  for (int trial = 0; trial < 120; ++trial) {
    const SmallTable table = RandomTable({2, 2, 2}, random, 3);
    const Pattern pattern = RandomPattern(table, random);
    const auto report = FindIntervals(Publish(table.system, 0, pattern, true), {});
    SLUIS_ASSERT_OK(report);
    const std::vector<WholeInterval> truth = EnumerateIntervals(table, 0, pattern);
    for (const FeasibilityInterval& interval : report->intervals) {
      const WholeInterval& expected = truth[static_cast<size_t>(interval.cell)];
      EXPECT_LE(interval.low, static_cast<double>(expected.low) + 1e-6);
      EXPECT_GE(interval.high, static_cast<double>(expected.high) - 1e-6);
    }
  }
}

TEST(FindExact, EqualsEnumerationOnTwoDimensionalTables) {
  std::mt19937_64 random(13);
  int exact_seen = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const SmallTable table = RandomTable({2 + trial % 2, 3}, random, 3);
    const Pattern pattern = RandomPattern(table, random);
    const auto report = FindExact(Publish(table.system, 0, pattern, true), {});
    SLUIS_ASSERT_OK(report);
    const std::vector<WholeInterval> truth = EnumerateIntervals(table, 0, pattern);
    std::vector<int32_t> expected;
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] != 0 && truth[i].low == truth[i].high) expected.push_back(static_cast<int32_t>(i));
    }
    EXPECT_EQ(report->exact_cells, expected);
    exact_seen += static_cast<int>(expected.size());
  }
  EXPECT_GT(exact_seen, 100);  // the control: the attack does find what is there to be found
}

TEST(FindExact, FindsTheOnlySuppressedCellOfARow) {
  const SmallTable table = OneToNine();
  const auto report = FindExact(Publish(table.system, 0, Suppressed(table, {5}), false), {});
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->exact_cells, (std::vector<int32_t>{5}));
}

TEST(FindExact, FindsNothingInARectangle) {
  const SmallTable table = OneToNine();
  const auto report = FindExact(Publish(table.system, 0, Suppressed(table, {5, 6, 9, 10}), false), {});
  SLUIS_ASSERT_OK(report);
  EXPECT_TRUE(report->exact_cells.empty());
  EXPECT_EQ(report->effort.suppressed_cells, 4);
  EXPECT_EQ(report->effort.components, 1);
  EXPECT_EQ(report->effort.largest_component, 4);
}

TEST(FindExact, UsesThatValuesAreWholeNumbers) {
  // x + y = 1, x + z = 1 and y + z = w <= 1 leave x in [0.5, 1], and y and z in [0, 0.5]: one whole number in each.
  PublishedTable table;
  const std::vector<std::vector<int32_t>> pairs = {{0, 1}, {0, 2}, {1, 2}};
  const int32_t totals[] = {4, 5, 3};
  for (size_t k = 0; k < 3; ++k) table.relations.Add(totals[k], pairs[k]);
  table.published = {0, 0, 0, 0, 1, 1};
  table.value = {0, 0, 0, 0, 1, 1};
  table.upper_bound = {kNoUpperBound, kNoUpperBound, kNoUpperBound, 1, kNoUpperBound, kNoUpperBound};
  const auto report = FindExact(table, {});
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->exact_cells, (std::vector<int32_t>{0, 1, 2}));
}

TEST(FindExact, FindsWhatOnlyAllRelationsTogetherTell) {
  // Sums of pairs of three cells: no relation alone gives any of them, the three together give all.
  PublishedTable table;
  const std::vector<std::vector<int32_t>> pairs = {{0, 1}, {0, 2}, {1, 2}};
  for (int32_t k = 0; k < 3; ++k) table.relations.Add(3 + k, pairs[static_cast<size_t>(k)]);
  table.published = {0, 0, 0, 1, 1, 1};
  table.value = {0, 0, 0, 30, 40, 50};
  table.upper_bound.assign(6, kNoUpperBound);
  const auto report = FindExact(table, {});
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->exact_cells, (std::vector<int32_t>{0, 1, 2}));
}

TEST(FindIntervals, HasNoUpperEndWhereNothingBoundsACell) {
  PublishedTable table;
  table.published = {0};
  table.value = {0};
  table.upper_bound = {kNoUpperBound};
  const auto report = FindIntervals(table, {});
  SLUIS_ASSERT_OK(report);
  ASSERT_EQ(report->intervals.size(), 1u);
  EXPECT_EQ(report->intervals[0].low, 0);
  EXPECT_TRUE(std::isinf(report->intervals[0].high));
}

TEST(FindIntervals, KnownExample) {
  // Rows (20, 50, 10), (8, 19, 22), (17, 32, 12) with the four cells of rows 1-2 and columns 2-3 suppressed: the cell
  // 19 lies in [9, 29] because at most 10 can move from the cell 10, and at most 19 from itself.
  const std::vector<int64_t> values = {20, 50, 10, 8, 19, 22, 17, 32, 12};
  size_t next = 0;
  const SmallTable table = MakeSmallTable({3, 3}, {"value"}, [&](size_t) { return values[next++]; });
  const auto report = FindIntervals(Publish(table.system, 0, Suppressed(table, {6, 7, 10, 11}), true), {});
  SLUIS_ASSERT_OK(report);
  ASSERT_EQ(report->intervals.size(), 4u);
  const double low[] = {28, 0, 9, 0};
  const double high[] = {60, 32, 41, 32};
  for (size_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(report->intervals[k].low, low[k], 1e-6);
    EXPECT_NEAR(report->intervals[k].high, high[k], 1e-6);
  }
}

TEST(FindIntervals, KeepsWholeUnitsInLargeAmounts) {
  const int64_t large = kMaxAmount / 8;
  int64_t next = 0;
  const SmallTable table = MakeSmallTable({2, 2}, {"value"}, [&](size_t) { return large + (++next); });
  const auto report = FindIntervals(Publish(table.system, 0, Suppressed(table, {4, 5, 7, 8}), true), {});
  SLUIS_ASSERT_OK(report);
  EXPECT_NEAR(report->intervals[0].low, 0, 1e-3 * static_cast<double>(large) / 1e6);
  const auto exact = FindExact(Publish(table.system, 0, Suppressed(table, {4}), false), {});
  SLUIS_ASSERT_OK(exact);
  EXPECT_EQ(exact->exact_cells, (std::vector<int32_t>{4}));
}

TEST(VerifyLevels, FindsEveryShortfallOfPrimariesWithoutCompany) {
  SmallTable table = OneToNine();
  MakePrimary(table.system, 0, 5, 1);
  MakePrimary(table.system, 0, 10, 2);
  const auto report = VerifyLevels(table.system, Suppressed(table, {5, 10}), {});
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->levels, 4);
  EXPECT_EQ(report->shortfalls, (std::vector<Shortfall>{{.measure = 0, .cell = 5, .below = true},
                                                        {.measure = 0, .cell = 5, .below = false},
                                                        {.measure = 0, .cell = 10, .below = true},
                                                        {.measure = 0, .cell = 10, .below = false}}));
}

TEST(VerifyLevels, ReportsAPublishedPrimary) {
  SmallTable table = OneToNine();
  MakePrimary(table.system, 0, 5, 1);
  const auto report = VerifyLevels(table.system, Suppressed(table, {}), {});
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->shortfalls.size(), 2u);
}

TEST(VerifyLevels, SeesTheWidthNotOnlyTheAmbiguity) {
  // In the rectangle of cells 1, 2, 4, 5 the first can move by 1 down and by 2 up, not further.
  for (const int64_t width : {1, 2, 3}) {
    SmallTable table = OneToNine();
    MakePrimary(table.system, 0, 5, width);
    const auto report = VerifyLevels(table.system, Suppressed(table, {5, 6, 9, 10}), {});
    SLUIS_ASSERT_OK(report);
    EXPECT_EQ(report->shortfalls.size(), width == 3 ? 1u : 0u) << width;
  }
}

TEST(VerifyLevels, EqualsEnumeration) {
  std::mt19937_64 random(14);
  for (int trial = 0; trial < 100; ++trial) {
    SmallTable table = RandomTable({2, 3}, random, 4);
    Pattern pattern = RandomPattern(table, random);
    for (const int32_t cell : table.inner) {
      if (pattern[static_cast<size_t>(cell)] != 0 && random() % 2 == 0) {
        MakePrimary(table.system, 0, cell, 1 + static_cast<int64_t>(random() % 3));
      }
    }
    SetUpperBounds(table.system);
    const std::vector<WholeInterval> truth = EnumerateIntervals(table, 0, pattern);
    std::vector<Shortfall> expected;
    const Measure& measure = table.system.measures[0];
    for (int32_t i = 0; i < table.system.num_cells; ++i) {
      const size_t at = static_cast<size_t>(i);
      if (measure.reason[at] == PrimaryReason::kNone) continue;
      if (truth[at].low > measure.value[at] - measure.lower_level[at]) expected.push_back({0, i, true});
      if (truth[at].high < measure.value[at] + measure.upper_level[at]) expected.push_back({0, i, false});
    }
    const auto report = VerifyLevels(table.system, pattern, {});
    SLUIS_ASSERT_OK(report);
    EXPECT_EQ(report->shortfalls, expected);
  }
}

TEST(FindExact, RefusesATableThatContradictsItself) {
  const SmallTable table = OneToNine();
  PublishedTable published = Publish(table.system, 0, Suppressed(table, {5, 6, 9, 10}), false);
  published.value[15] += 1;
  EXPECT_THAT(FindExact(published, {}), StatusIs(absl::StatusCode::kInvalidArgument, "do not add up"));
}

TEST(FindExact, RefusesAContradictionAroundSuppressedCells) {
  PublishedTable table;
  const std::vector<int32_t> parts = {0, 1, 2};
  table.relations.Add(3, parts);
  table.published = {0, 0, 1, 1};
  table.value = {0, 0, 7, 5};  // a part above the total
  table.upper_bound.assign(4, kNoUpperBound);
  EXPECT_THAT(FindExact(table, {}), StatusIs(absl::StatusCode::kInvalidArgument, "contradict"));
  // Two sums of the same cells that differ by little: only the linear program sees it soon.
  const std::vector<int32_t> pair = {0, 1};
  table.relations = {};
  table.relations.Add(2, pair);
  table.relations.Add(3, pair);
  table.value = {0, 0, 100'000, 100'001};
  EXPECT_THAT(FindExact(table, {}), StatusIs(absl::StatusCode::kInvalidArgument, "contradict"));
}

TEST(FindExact, RefusesMalformedTables) {
  const SmallTable table = OneToNine();
  const PublishedTable good = Publish(table.system, 0, Suppressed(table, {5}), false);
  PublishedTable bad = good;
  bad.value.pop_back();
  EXPECT_THAT(FindExact(bad, {}), StatusIs(absl::StatusCode::kInvalidArgument, "unequal lengths"));
  bad = good;
  bad.relations.part[0] = 16;
  EXPECT_THAT(FindExact(bad, {}), StatusIs(absl::StatusCode::kInvalidArgument, "out of range"));
  bad = good;
  bad.relations.part_begin[1] = 99;
  EXPECT_THAT(FindExact(bad, {}), StatusIs(absl::StatusCode::kInvalidArgument, "part_begin"));
  bad = good;
  bad.value[3] = -1;
  EXPECT_THAT(FindExact(bad, {}), StatusIs(absl::StatusCode::kInvalidArgument, "cell 3 is outside"));
  EXPECT_THAT(VerifyLevels(table.system, Pattern(3), {}), StatusIs(absl::StatusCode::kInvalidArgument, "pattern"));
}

TEST(Publish, LeavesNoTraceOfSuppressedValues) {
  const SmallTable table = OneToNine();
  const PublishedTable published = Publish(table.system, 0, Suppressed(table, {5, 6, 9, 10}), false);
  for (const size_t cell : {5u, 6u, 9u, 10u}) {
    EXPECT_EQ(published.value[cell], 0);
    EXPECT_EQ(published.published[cell], 0);
  }
  for (const int64_t bound : published.upper_bound) EXPECT_EQ(bound, kNoUpperBound);
}

TEST(FindExact, ReportsProgressAndCanBeCancelled) {
  const SmallTable table = OneToNine();
  const PublishedTable published = Publish(table.system, 0, Suppressed(table, {5, 6, 9, 10}), false);
  std::atomic<bool> cancelled = false;
  int64_t last = 0;
  AttackOptions options;
  options.cancelled = &cancelled;
  options.progress = [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 4);
    last = done;
  };
  SLUIS_ASSERT_OK(FindExact(published, options));
  EXPECT_EQ(last, 4);
  cancelled = true;
  EXPECT_THAT(FindExact(published, options), StatusIs(absl::StatusCode::kCancelled, "cancelled"));
}

// A table of 12 x 12 x 4 random amounts, some of them 0; about half of the cells are suppressed at random. Large enough
// for cells to be pushed together and by several threads; many are exact, or short of their levels.
struct LargePattern {
  SmallTable table;
  std::vector<uint8_t> pattern;
};

LargePattern MakeLargePattern(uint32_t seed) {
  std::mt19937 random(seed);
  const std::vector<int64_t> amounts = {0, 1, 2, 5, 9, 30, 200};
  LargePattern made{.table = testing::MakeSmallTable({12, 12, 4}, {"value"},
                                                     [&](size_t) { return amounts[random() % amounts.size()]; }),
                    .pattern = {}};
  CellSystem& system = made.table.system;
  const uint32_t share = 15 + seed % 4 * 10;  // percent
  for (int32_t i = 0; i < system.num_cells; ++i) {
    const bool suppressed = random() % 100 < share && system.suppressible[static_cast<size_t>(i)] != 0;
    made.pattern.push_back(suppressed ? 1 : 0);
    if (suppressed && random() % 2 == 0) testing::MakePrimary(system, 0, i, 1 + static_cast<int64_t>(random() % 8));
  }
  SetUpperBounds(system);
  return made;
}

// The oracle: every cell's interval by linear programs of its own, that know nothing of each other's confinement.
TEST(Attack, PushingTogetherFindsWhatPushingOneByOneFinds) {
  int64_t short_cells = 0;
  int64_t exact_cells = 0;
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const LargePattern made = MakeLargePattern(seed);
    const Measure& measure = made.table.system.measures[0];
    const auto intervals = FindIntervals(Publish(made.table.system, 0, made.pattern, true), {});
    SLUIS_ASSERT_OK(intervals);
    std::vector<Shortfall> expected;
    for (const FeasibilityInterval& interval : intervals->intervals) {
      const size_t i = static_cast<size_t>(interval.cell);
      const auto least = static_cast<double>(measure.value[i] - measure.lower_level[i]);
      const auto largest = static_cast<double>(measure.value[i] + measure.upper_level[i]);
      if (interval.low > least + 1e-3) expected.push_back({.measure = 0, .cell = interval.cell, .below = true});
      if (interval.high < largest - 1e-3) expected.push_back({.measure = 0, .cell = interval.cell, .below = false});
    }
    const PublishedTable published = Publish(made.table.system, 0, made.pattern, false);
    const auto open_intervals = FindIntervals(published, {});
    SLUIS_ASSERT_OK(open_intervals);
    std::vector<int32_t> exact;
    for (const FeasibilityInterval& interval : open_intervals->intervals) {
      if (std::floor(interval.high + 1e-3) <= std::ceil(interval.low - 1e-3)) exact.push_back(interval.cell);
    }
    for (const int threads : {1, 2, 5}) {
      AttackOptions options;
      options.threads = threads;
      const auto levels = VerifyLevels(made.table.system, made.pattern, options);
      SLUIS_ASSERT_OK(levels);
      EXPECT_EQ(levels->shortfalls, expected) << seed << " " << threads;
      const auto found = FindExact(published, options);
      SLUIS_ASSERT_OK(found);
      EXPECT_EQ(found->exact_cells, exact) << seed << " " << threads;
    }
    short_cells += static_cast<int64_t>(expected.size());
    exact_cells += static_cast<int64_t>(exact.size());
  }
  EXPECT_GT(short_cells, 50);
  EXPECT_GT(exact_cells, 50);
}

TEST(Attack, AcceptsATableWithoutCells) {
  const auto report = FindIntervals({}, {});
  SLUIS_ASSERT_OK(report);
  EXPECT_TRUE(report->intervals.empty());
}

}  // namespace
}  // namespace sluis::disclosure
