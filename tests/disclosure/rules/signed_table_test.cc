// Negative amounts and weights all the way: records to cells, rules, a system shifted by its floors, a pattern, and an
// attack that shares nothing with the engine.

#include <random>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/rules/contributions.h"
#include "disclosure/suppress/suppress.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

struct SignedTable {
  CellContributions cells;
  CellSystem system;
};

// A table of 3 x 4 inner cells; a cell's records are those of the inner cells that it covers. Amounts are -50 or more.
SignedTable MakeSignedTable(std::mt19937_64& random, const RuleSet& rules) {
  testing::SmallTable table = testing::MakeSmallTable({3, 4}, {"profit"}, [](size_t) { return 0; });
  std::vector<std::vector<Contribution>> records(20);
  for (const int32_t inner : table.inner) {
    const std::vector<int32_t> codes = table.shape.Codes(inner);
    for (uint64_t n = random() % 7; n-- > 0;) {
      const Contribution record = {.holding = random() % 30,
                                   .amount = static_cast<int64_t>(random() % (n == 0 ? 900 : 150)) - 50,
                                   .weight = kWeightOne + static_cast<int64_t>(random() % 2'000'000)};
      for (const std::vector<int32_t>& cell : {codes, {codes[0], 0}, {0, codes[1]}, std::vector<int32_t>{0, 0}}) {
        records[static_cast<size_t>(table.shape.CellId(cell))].push_back(record);
      }
    }
  }
  ContributionCollector collector({.top = 2, .weights = true, .negative = true, .least_amount = -50});
  for (const std::vector<Contribution>& cell : records) SLUIS_EXPECT_OK(collector.Add(cell));
  SignedTable result{.cells = std::move(collector).Take(), .system = std::move(table.system)};
  const auto shifted = ShiftToNonNegative(result.cells);
  SLUIS_EXPECT_OK(shifted);
  result.system.measures[0].value = *shifted;
  const auto status = EvaluateRules(result.cells, MeasureKind::kAmount, rules);
  SLUIS_EXPECT_OK(status);
  SLUIS_EXPECT_OK(ApplyStatus(*status, 0, result.system));
  result.system.cost.assign(20, 1);
  MarkEmptyCells(result.system);
  SetUpperBounds(result.system);
  return result;
}

TEST(SignedTable, IsProtectedAroundItsSignedTotals) {
  std::mt19937_64 random(31);
  const RuleSet rules = {.p_percent = PPercentRule{.p = 40}};
  int negative_totals = 0, protected_cells = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const SignedTable table = MakeSignedTable(random, rules);
    SLUIS_ASSERT_OK(Validate(table.system));  // the shifted table adds up
    const auto found = Suppress(table.system, {});
    if (absl::IsFailedPrecondition(found.status())) continue;
    SLUIS_ASSERT_OK(found);
    const auto verified = VerifyLevels(table.system, found->pattern, {});
    SLUIS_ASSERT_OK(verified);
    EXPECT_THAT(verified->shortfalls, ::testing::IsEmpty());
    const auto report = FindIntervals(Publish(table.system, 0, found->pattern, true), {});
    SLUIS_ASSERT_OK(report);
    const Measure& profit = table.system.measures[0];
    for (const FeasibilityInterval& interval : report->intervals) {
      const auto c = static_cast<size_t>(interval.cell);
      const double low = interval.low + static_cast<double>(table.cells.floor[c]);
      const double high = interval.high + static_cast<double>(table.cells.floor[c]);
      const auto total = static_cast<double>(table.cells.total[c]);
      EXPECT_LE(low, total - static_cast<double>(profit.lower_level[c]) + 1e-3);
      EXPECT_GE(high, total + static_cast<double>(profit.upper_level[c]) - 1e-3);
      EXPECT_GE(low, static_cast<double>(table.cells.floor[c]) - 1e-3) << "what everybody knows";
      protected_cells += profit.reason[c] != PrimaryReason::kNone;
    }
    for (const int64_t total : table.cells.total) negative_totals += total < 0;
  }
  EXPECT_GT(protected_cells, 50);
  EXPECT_GT(negative_totals, 0);
}

}  // namespace
}  // namespace sluis::disclosure
