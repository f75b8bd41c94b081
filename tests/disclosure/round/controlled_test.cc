#include "disclosure/round/controlled.h"

#include <functional>
#include <optional>
#include <random>

#include "common/status/matchers.h"
#include "disclosure/add_up/add_up.h"
#include "gtest/gtest.h"
#include "tests/disclosure/instances.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::SmallTable;

SmallTable RandomTable(const std::vector<int32_t>& sizes, int64_t most, std::mt19937& random) {
  return testing::MakeSmallTable(sizes, {"count"},
                                 [&](size_t) { return std::uniform_int_distribution<int64_t>(0, most)(random); });
}

// The smallest total distance over all zero-restricted additive roundings, or nothing: tries every leaf both ways.
std::optional<int64_t> SmallestDistance(const SmallTable& table, int64_t base) {
  const std::vector<int64_t>& truth = table.system.measures[0].value;
  const auto order = OrderFromLeaves(table.system.relations, table.system.num_cells).value();
  std::vector<int64_t> value(truth.size());
  std::optional<int64_t> best;
  for (uint64_t mask = 0; mask < uint64_t{1} << table.inner.size(); ++mask) {
    bool allowed = true;
    for (size_t k = 0; k < table.inner.size(); ++k) {
      const size_t leaf = static_cast<size_t>(table.inner[k]);
      const bool up = (mask >> k & 1) != 0;
      allowed = allowed && (!up || truth[leaf] % base != 0);
      value[leaf] = truth[leaf] / base * base + (up ? base : 0);
    }
    if (!allowed) continue;
    AddUp<int64_t>(table.system.relations, order, value);
    int64_t distance = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
      distance += std::abs(value[i] - truth[i]);
      allowed = allowed && std::abs(value[i] - truth[i]) < base;
    }
    if (allowed && (!best.has_value() || distance < *best)) best = distance;
  }
  return best;
}

// What every result must keep; the checker is tested by itself below.
void ExpectFacts(const SmallTable& table, int64_t base, const ControlledRounding& rounding) {
  const std::vector<int64_t>& truth = table.system.measures[0].value;
  EXPECT_EQ(FirstBrokenRelation(table.system.relations, rounding.value), -1);
  int64_t distance = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    EXPECT_EQ(rounding.value[i] % base, 0);
    EXPECT_GE(rounding.value[i], 0);
    if (truth[i] == 0) {
      EXPECT_EQ(rounding.value[i], 0);
    }
    EXPECT_LT(std::abs(rounding.value[i] - truth[i]), base * (rounding.steps + 1));
    distance += std::abs(rounding.value[i] - truth[i]);
  }
  EXPECT_TRUE(rounding.facts.additive && rounding.facts.multiples && rounding.facts.zeros_stay);
  EXPECT_EQ(static_cast<int64_t>(rounding.facts.total_distance), distance);
  EXPECT_EQ(rounding.facts.zero_restricted, rounding.steps == 0);
}

TEST(RoundControlled, FindsTheSmallestDistanceInTwoDimensions) {
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    const SmallTable table = RandomTable({std::uniform_int_distribution(1, 3)(random), 3}, 12, random);
    const int64_t base = std::uniform_int_distribution<int64_t>(2, 6)(random);
    const auto rounding =
        RoundControlled(table.system.relations, table.system.measures[0].value, DefaultRounding(base));
    SLUIS_ASSERT_OK(rounding);
    ExpectFacts(table, base, *rounding);
    // A network: always possible, and a linear program suffices (or the leaves were as good as its bound).
    EXPECT_TRUE(rounding->optimal);
    EXPECT_EQ(rounding->method == RoundingMethod::kSearch, false);
    EXPECT_EQ(static_cast<int64_t>(rounding->facts.total_distance), SmallestDistance(table, base).value_or(-1));
  }
}

TEST(RoundControlled, FindsTheSmallestDistanceInThreeDimensionsWhereThereIsOne) {
  std::mt19937 random(2);
  int impossible = 0;
  for (int i = 0; i < 150; ++i) {
    const SmallTable table = RandomTable({2, 2, 3}, 9, random);
    const int64_t base = std::uniform_int_distribution<int64_t>(2, 7)(random);
    const auto rounding =
        RoundControlled(table.system.relations, table.system.measures[0].value, DefaultRounding(base));
    SLUIS_ASSERT_OK(rounding);
    ExpectFacts(table, base, *rounding);
    const std::optional<int64_t> smallest = SmallestDistance(table, base);
    if (smallest.has_value()) {
      EXPECT_TRUE(rounding->facts.zero_restricted);
      EXPECT_TRUE(rounding->optimal);
      EXPECT_EQ(static_cast<int64_t>(rounding->facts.total_distance), *smallest);
    } else {
      ++impossible;
      EXPECT_GE(rounding->steps, 1);
    }
  }
  std::printf("no zero-restricted rounding: %d of 150\n", impossible);
}

// Tables of 2 x 2 x 2 whose leaves cannot stay within their multiples of 4: a search over all of them finds some.
TEST(RoundControlled, TakesAStepWhereNoTableStaysWithin) {
  std::mt19937 random(3);
  int found = 0;
  for (int i = 0; i < 4000 && found < 3; ++i) {
    const SmallTable table = testing::MakeSmallTable({2, 2, 2}, {"count"}, [&](size_t) {
      return std::uniform_int_distribution<int64_t>(0, 2)(random) * 2 + (random() % 3 == 0 ? 1 : 0);
    });
    const std::vector<int64_t>& truth = table.system.measures[0].value;
    if (SmallestDistance(table, 4).has_value()) continue;
    ++found;
    const auto rounding = RoundControlled(table.system.relations, truth, DefaultRounding(4));
    SLUIS_ASSERT_OK(rounding);
    ExpectFacts(table, 4, *rounding);
    EXPECT_EQ(rounding->steps, 1);
    EXPECT_FALSE(rounding->facts.zero_restricted);
    EXPECT_GT(rounding->facts.moved_cells, 0);
  }
  std::printf("tables without a zero-restricted rounding: %d\n", found);
}

// Larger tables, hierarchies and limits of 0: always additive, whatever is found.
TEST(RoundControlled, IsAdditiveUnderAnyLimits) {
  std::mt19937 random(4);
  for (const std::vector<int32_t>& sizes : std::vector<std::vector<int32_t>>{{7, 8}, {4, 5, 6}, {3, 3, 3, 3}}) {
    const SmallTable table = RandomTable(sizes, 40, random);
    for (const int64_t base : {3, 5, 10}) {
      ControlledRoundingOptions options = DefaultRounding(base);
      for (const int64_t evaluations : {0, 100, 1'000'000}) {
        options.max_program_cells = 0;
        options.max_evaluations = evaluations;
        const auto by_leaves = RoundControlled(table.system.relations, table.system.measures[0].value, options);
        SLUIS_ASSERT_OK(by_leaves);
        EXPECT_EQ(by_leaves->method == RoundingMethod::kLeaves, true);
        EXPECT_FALSE(by_leaves->optimal);
        ExpectFacts(table, base, *by_leaves);
        const auto again = RoundControlled(table.system.relations, table.system.measures[0].value, options);
        SLUIS_ASSERT_OK(again);
        EXPECT_EQ(by_leaves->value, again->value);
      }
    }
  }
}

// Two tables that share a margin, tied by a relation of one part: leaves alone seldom keep the tie, programs do.
TEST(RoundControlled, RoundsTablesThatShareTotals) {
  std::mt19937 random(5);
  int not_by_leaves = 0;
  for (int i = 0; i < 20; ++i) {
    SmallTable first = RandomTable({3, 2}, 20, random);
    SmallTable second = RandomTable({3, 4}, 5, random);
    const int32_t offset = first.system.num_cells;
    // Make the row totals of the second those of the first, by its last column.
    std::vector<int64_t>& a = first.system.measures[0].value;
    std::vector<int64_t>& b = second.system.measures[0].value;
    const auto cell = [](const SmallTable& table, int32_t row, int32_t column) {
      return static_cast<size_t>(table.shape.CellId(std::vector<int32_t>{row, column}));
    };
    for (int32_t row = 1; row <= 3; ++row) {
      int64_t rest = a[cell(first, row, 0)];
      for (int32_t column = 1; column <= 4; ++column) {
        const int64_t value = column == 4 ? rest : std::min(rest, b[cell(second, row, column)]);
        rest -= value;
        b[cell(second, row, column)] = value;
      }
    }
    const auto order = OrderFromLeaves(second.system.relations, second.system.num_cells);
    SLUIS_ASSERT_OK(order);
    AddUp<int64_t>(second.system.relations, *order, b);
    SLUIS_ASSERT_OK(AppendSystem(first.system, second.system));
    for (int32_t row = 0; row <= 3; ++row) {
      const int32_t part = static_cast<int32_t>(cell(first, row, 0));
      first.system.relations.Add(offset + static_cast<int32_t>(cell(second, row, 0)), std::vector<int32_t>{part});
    }
    const auto rounding = RoundControlled(first.system.relations, a, DefaultRounding(5));
    SLUIS_ASSERT_OK(rounding);
    EXPECT_TRUE(rounding->facts.additive && rounding->facts.zero_restricted);
    EXPECT_EQ(FirstBrokenRelation(first.system.relations, rounding->value), -1);
    ControlledRoundingOptions options = DefaultRounding(5);
    options.max_program_cells = 0;
    const auto by_leaves = RoundControlled(first.system.relations, a, options);
    if (by_leaves.ok()) {
      EXPECT_EQ(FirstBrokenRelation(first.system.relations, by_leaves->value), -1);
    } else {
      EXPECT_THAT(by_leaves, StatusIs(absl::StatusCode::kFailedPrecondition, "no additive table was found"));
      ++not_by_leaves;
    }
  }
  EXPECT_GT(not_by_leaves, 5);
}

TEST(RoundControlled, RoundsThePublishedTables) {
  for (const char* name : {"flat2d_20x50", "hier2d_small", "flat3d_10x20x30"}) {
    const auto directory = testing::InstanceDirectory(name);
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "set SLUIS_TEST_DATA: no " << directory;
    const CellSystem system = testing::ReadHierarchicalInstance(directory, true);
    for (const int64_t base : {3, 5}) {
      const auto rounding = RoundControlled(system.relations, system.measures[1].value, DefaultRounding(base));
      SLUIS_ASSERT_OK(rounding);
      EXPECT_TRUE(rounding->facts.additive && rounding->facts.zero_restricted) << name;
      EXPECT_GE(static_cast<int64_t>(rounding->facts.total_distance), rounding->distance_bound);
      EXPECT_LE(static_cast<double>(rounding->facts.total_distance),
                1.1 * static_cast<double>(rounding->distance_bound));
    }
  }
}

TEST(RoundControlled, RefusesWhatItCannotRound) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{1, 2});
  const auto refused = [&](std::vector<int64_t> values, const ControlledRoundingOptions& options, const char* why) {
    EXPECT_THAT(RoundControlled(relations, values, options), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused({7, 4, 3}, DefaultRounding(1), "base of 2");
  refused({7, 4, 2}, DefaultRounding(5), "relation 0 does not add up");
  refused({7, 8, -1}, DefaultRounding(5), "cell 2");
  refused({7, 8}, DefaultRounding(5), "relation 0: a cell index is out of range");
  ControlledRoundingOptions options = DefaultRounding(5);
  options.max_steps = 9;
  refused({7, 4, 3}, options, "max_steps");
}

TEST(CheckRounding, SeesEachBrokenGuarantee) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{1, 2, 3});
  const std::vector<int64_t> truth = {15, 7, 8, 0};
  const auto facts = [&](std::vector<int64_t> rounded) { return CheckRounding(relations, truth, 5, rounded).value(); };
  const RoundingFacts good = facts({15, 5, 10, 0});
  EXPECT_TRUE(good.additive && good.multiples && good.zero_restricted && good.zeros_stay);
  EXPECT_EQ(static_cast<int64_t>(good.total_distance), 4);
  EXPECT_EQ(good.max_distance, 2);
  EXPECT_FALSE(facts({15, 5, 5, 0}).additive);
  EXPECT_FALSE(facts({15, 7, 8, 0}).multiples);
  EXPECT_FALSE(facts({15, -5, 20, 0}).multiples);
  const RoundingFacts moved = facts({20, 10, 10, 0});
  EXPECT_TRUE(moved.additive);
  EXPECT_FALSE(moved.zero_restricted);  // 15 was a multiple
  EXPECT_EQ(moved.max_steps, 1);
  EXPECT_EQ(moved.moved_cells, 1);
  EXPECT_FALSE(facts({15, 5, 5, 5}).zeros_stay);
  EXPECT_THAT(CheckRounding(relations, truth, 5, std::vector<int64_t>{1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "one result a value"));
}

}  // namespace
}  // namespace sluis::disclosure
