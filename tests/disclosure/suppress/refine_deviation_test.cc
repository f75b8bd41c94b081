// Tables in which the needs of large cells and the room of small ones are further apart than the tolerance of a linear
// program in floating point.
#include "disclosure/suppress/refine_deviation.h"

#include <random>

#include "common/status/matchers.h"
#include "disclosure/suppress/suppress.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::SmallTable;

RefinedDeviation Refine(const CellSystem& system, const Target& target) {
  const Incidence incidence = BuildIncidence(system.relations, system.num_cells);
  std::vector<int32_t> cells, scratch(static_cast<size_t>(system.relations.size()), -1);
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (system.suppressible[static_cast<size_t>(i)] != 0) cells.push_back(i);
  }
  RefinedDeviation refined = RefineDeviation(
      system, incidence, target, cells, {}, [](int32_t) { return 1.0; }, scratch);
  EXPECT_EQ(scratch, std::vector<int32_t>(scratch.size(), -1));
  return refined;
}

// 999,999,995 + 3 + 2 = 1,000,000,000, which is known not to be above 1,100,000,000: upwards by 100,000,005 the first
// cell can go only if the small ones go to 0.
SmallTable TightTable(int64_t level) {
  std::vector<int64_t> values = {2, 3, 999'999'995};
  SmallTable table = MakeSmallTable({3}, {"amount"}, [&values](size_t) {
    const int64_t value = values.back();
    values.pop_back();
    return value;
  });
  MakePrimary(table.system, 0, table.inner[0], level);
  table.system.measures[0].upper_bound = {1'100'000'000, 1'200'000'000, 1'100'000'000, 1'100'000'000};
  return table;
}

TEST(RefineDeviation, FindsTheOnlyOneThereIs) {
  const SmallTable table = TightTable(100'000'005);
  const RefinedDeviation refined =
      Refine(table.system, {.cell = table.inner[0], .direction = Direction::kUpper, .level = 100'000'005});
  ASSERT_TRUE(refined.deviation.has_value());
  EXPECT_EQ(refined.outcome, lp::Outcome::kOptimal);
  EXPECT_EQ(refined.deviation->cell, (std::vector<int32_t>{0, table.inner[0], table.inner[1], table.inner[2]}));
  const int64_t denominator = refined.deviation->denominator;
  EXPECT_EQ(refined.deviation->numerator, (std::vector<int64_t>{100'000'000 * denominator, 100'000'005 * denominator,
                                                                -3 * denominator, -2 * denominator}));
}

TEST(RefineDeviation, SaysThatThereIsNone) {
  const SmallTable table = TightTable(100'000'006);
  const RefinedDeviation refined =
      Refine(table.system, {.cell = table.inner[0], .direction = Direction::kUpper, .level = 100'000'006});
  EXPECT_FALSE(refined.deviation.has_value());
  EXPECT_EQ(refined.outcome, lp::Outcome::kInfeasible);
}

TEST(Suppress, ProtectsLargeCellsBesideSmallOnes) {
  const SmallTable table = TightTable(100'000'005);
  const auto result = Suppress(table.system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pattern, Pattern(4, 1));
}

TEST(Suppress, RefusesWhatIsOneUnitTooMuch) {
  const SmallTable table = TightTable(100'000'006);
  EXPECT_THAT(Suppress(table.system, {}),
              common::testing::StatusIs(absl::StatusCode::kFailedPrecondition, "cannot be"));
}

// With the largest cell's level as the bound of all, as the tables of `sluis protect` have it. Suppress checks each
// certificate, so that it is enough that it never ends without one for lack of digits.
TEST(Suppress, NeverFailsForLackOfDigits) {
  std::mt19937_64 random(11);
  int safe = 0;
  for (int trial = 0; trial < 150; ++trial) {
    const int64_t largest = int64_t{1} << (20 + random() % 28);
    const std::vector<std::vector<int32_t>> sizes = {{4}, {2, 3}, {3, 3}, {2, 2, 3}};
    SmallTable table = MakeSmallTable(sizes[random() % 4], {"amount"}, [&](size_t) {
      const int64_t scales[] = {1, 5, 30, largest};
      return static_cast<int64_t>(random() % static_cast<uint64_t>(scales[random() % 4]));
    });
    const std::vector<int64_t>& value = table.system.measures[0].value;
    for (int primary = 0; primary < 3; ++primary) {
      const auto cell = static_cast<int32_t>(random() % value.size());
      if (value[static_cast<size_t>(cell)] > 0) {
        MakePrimary(table.system, 0, cell, 1 + value[static_cast<size_t>(cell)] / 10);
      }
    }
    SetUpperBounds(table.system);
    SCOPED_TRACE(trial);
    const auto result = Suppress(table.system, {});
    if (result.ok()) {
      ++safe;
    } else {
      EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition) << result.status();
    }
  }
  EXPECT_GT(safe, 75);
}

}  // namespace
}  // namespace sluis::disclosure
