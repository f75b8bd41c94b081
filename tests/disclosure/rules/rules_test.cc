#include "disclosure/rules/rules.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

CellContributions OneCell(int64_t contributors, int64_t total, std::vector<int64_t> top) {
  const int32_t kept = static_cast<int32_t>(top.size());
  return {.contributors = {contributors}, .total = {total}, .top_per_cell = kept, .top = std::move(top)};
}

PrimaryStatus Evaluate(const CellContributions& cells, const RuleSet& rules, MeasureKind kind = MeasureKind::kAmount) {
  const auto result = EvaluateRules(cells, kind, rules);
  EXPECT_THAT(result, common::testing::IsOk());
  return result.ok() ? result->front() : PrimaryStatus{};
}

void ExpectStatus(const PrimaryStatus& status, PrimaryReason reason, int64_t lower, int64_t upper) {
  EXPECT_EQ(static_cast<int>(status.reason), static_cast<int>(reason));
  EXPECT_EQ(status.lower_level, lower);
  EXPECT_EQ(status.upper_level, upper);
}

RuleSet PPercent(int32_t p) { return {.p_percent = PPercentRule{.p = p}}; }
RuleSet PriorPosterior(int32_t p, int32_t q) { return {.prior_posterior = PriorPosteriorRule{.p = p, .q = q}}; }
RuleSet Dominance(int32_t n, int32_t k) { return {.dominance = {{.n = n, .k_percent = k}}}; }
RuleSet Frequency(int64_t threshold, int64_t range, int32_t percent) {
  return {.minimum_frequency =
              MinimumFrequencyRule{.threshold = threshold, .count_range = range, .amount_range_percent = percent}};
}

TEST(PPercentRule, WidthIsWhatTheSecondLargestLacks) {
  // R = 1000 - 600 - 300 = 100; 20 % of 600 is 120.
  ExpectStatus(Evaluate(OneCell(9, 1000, {600, 300}), PPercent(20)), PrimaryReason::kPPercent, 20, 20);
}

TEST(PPercentRule, HoldsOnlyBelowTheBoundary) {
  ExpectStatus(Evaluate(OneCell(9, 1020, {600, 300}), PPercent(20)), PrimaryReason::kNone, 0, 0);  // R = 120 exactly
  ExpectStatus(Evaluate(OneCell(9, 1019, {600, 300}), PPercent(20)), PrimaryReason::kPPercent, 1, 1);
}

TEST(PPercentRule, RoundsOutwards) {
  // 10 % of 601 is 60.1, R = 50: the width is 10.1, rounded to 11.
  ExpectStatus(Evaluate(OneCell(9, 951, {601, 300}), PPercent(10)), PrimaryReason::kPPercent, 11, 11);
}

TEST(PPercentRule, CoversCellsOfOneAndTwoContributors) {
  ExpectStatus(Evaluate(OneCell(1, 50, {50, 0}), PPercent(10)), PrimaryReason::kPPercent, 5, 5);
  ExpectStatus(Evaluate(OneCell(2, 90, {50, 40}), PPercent(10)), PrimaryReason::kPPercent, 5, 5);
}

TEST(PPercentRule, LowerLevelIsAtMostTheTotal) {
  // 100 % of 1 with nothing else: width 1; a total of 1 has room for 1 below.
  ExpectStatus(Evaluate(OneCell(1, 1, {1, 0}), PPercent(100)), PrimaryReason::kPPercent, 1, 1);
}

TEST(PPercentRule, ACellOfZeroContributionsIsNotSensitive) {
  ExpectStatus(Evaluate(OneCell(4, 0, {0, 0}), PPercent(10)), PrimaryReason::kNone, 0, 0);
}

TEST(PriorPosteriorRule, IsPPercentWhereQIs100) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 500; ++trial) {
    const int64_t x2 = static_cast<int64_t>(random() % 500);
    const int64_t x1 = x2 + static_cast<int64_t>(random() % 500);
    const CellContributions cell = OneCell(9, x1 + x2 + static_cast<int64_t>(random() % 100), {x1, x2});
    const PrimaryStatus a = Evaluate(cell, PPercent(15));
    const PrimaryStatus b = Evaluate(cell, PriorPosterior(15, 100));
    EXPECT_EQ(a.upper_level, b.upper_level);
    EXPECT_EQ(a.lower_level, b.lower_level);
  }
}

TEST(PriorPosteriorRule, PriorKnowledgeWidensTheInterval) {
  // p/q = 20/50: 50 * 200 < 20 * 600; width = 600 * 20 / 50 - 200 = 40. With q = 100 it would not be sensitive.
  ExpectStatus(Evaluate(OneCell(9, 1100, {600, 300}), PriorPosterior(20, 50)), PrimaryReason::kPriorPosterior, 40, 40);
  ExpectStatus(Evaluate(OneCell(9, 1100, {600, 300}), PPercent(20)), PrimaryReason::kNone, 0, 0);
}

TEST(DominanceRule, WidthBringsTheShareDownToK) {
  // 600 + 300 of 1000 is 90 % > 75 %: 900 is 75 % of 1200.
  ExpectStatus(Evaluate(OneCell(9, 1000, {600, 300}), Dominance(2, 75)), PrimaryReason::kDominance, 200, 200);
  ExpectStatus(Evaluate(OneCell(9, 1200, {600, 300}), Dominance(2, 75)), PrimaryReason::kNone, 0, 0);  // exactly 75 %
  ExpectStatus(Evaluate(OneCell(9, 1199, {600, 300}), Dominance(2, 75)), PrimaryReason::kDominance, 1, 1);
}

TEST(DominanceRule, TwoRulesGiveTheWiderInterval) {
  RuleSet rules = Dominance(1, 50);
  rules.dominance.push_back({.n = 2, .k_percent = 75});
  // (1,50): 600 is 50 % of 1200, width 200. (2,75): width 200. With x2 = 390: 990 is 75 % of 1320, width 320.
  ExpectStatus(Evaluate(OneCell(9, 1000, {600, 390}), rules), PrimaryReason::kDominance, 320, 320);
}

TEST(MinimumFrequencyRule, UsesTheCountRangeForCounts) {
  const RuleSet rules = Frequency(10, 5, 20);
  ExpectStatus(Evaluate(OneCell(3, 3, {}), rules, MeasureKind::kCount), PrimaryReason::kFrequency, 3, 5);
  ExpectStatus(Evaluate(OneCell(9, 9, {}), rules, MeasureKind::kCount), PrimaryReason::kFrequency, 5, 5);
  ExpectStatus(Evaluate(OneCell(10, 10, {}), rules, MeasureKind::kCount), PrimaryReason::kNone, 0, 0);
  ExpectStatus(Evaluate(OneCell(0, 0, {}), rules, MeasureKind::kCount), PrimaryReason::kNone, 0, 0);
}

TEST(MinimumFrequencyRule, CountsHoldingsNotRecords) {
  // 40 records of 2 holdings.
  ExpectStatus(Evaluate(OneCell(2, 40, {}), Frequency(3, 1, 20), MeasureKind::kCount), PrimaryReason::kFrequency, 1, 1);
}

TEST(MinimumFrequencyRule, UsesThePercentageForAmounts) {
  const RuleSet rules = Frequency(3, 1, 20);
  ExpectStatus(Evaluate(OneCell(2, 101, {60, 41}), rules), PrimaryReason::kFrequency, 21, 21);  // 20.2, outwards
  ExpectStatus(Evaluate(OneCell(3, 101, {60, 40}), rules), PrimaryReason::kNone, 0, 0);
}

TEST(MinimumFrequencyRule, ProtectsAnAmountOfZeroUpwards) {
  ExpectStatus(Evaluate(OneCell(2, 0, {0, 0}), Frequency(3, 1, 20)), PrimaryReason::kFrequency, 0, 1);
}

TEST(EvaluateRules, ReportsTheFirstReasonAndTheWidestLevel) {
  RuleSet rules = Frequency(3, 1, 1);
  rules.p_percent = PPercentRule{.p = 50};
  ExpectStatus(Evaluate(OneCell(2, 100, {60, 40}), rules), PrimaryReason::kFrequency, 30, 30);
}

TEST(EvaluateRules, AppliesOnlyFrequencyToCounts) {
  RuleSet rules = PPercent(50);
  ExpectStatus(Evaluate(OneCell(1, 1, {}), rules, MeasureKind::kCount), PrimaryReason::kNone, 0, 0);
}

TEST(EvaluateRules, IsExactAtTheLargestAmounts) {
  const int64_t x1 = kMaxAmount - 1;
  ExpectStatus(Evaluate(OneCell(2, kMaxAmount, {x1, 1}), PPercent(100)), PrimaryReason::kPPercent, x1, x1);
}

TEST(EvaluateRules, FailsWhereALevelIsOutOfRange) {
  EXPECT_THAT(EvaluateRules(OneCell(1, kMaxAmount, {kMaxAmount, 0}), MeasureKind::kAmount, Dominance(1, 1)),
              StatusIs(absl::StatusCode::kOutOfRange, "cell 0: the protection level"));
}

TEST(EvaluateRules, RefusesBadCells) {
  const std::vector<std::pair<std::string, CellContributions>> cases = {
      {"contributors is negative", OneCell(-1, 0, {0, 0})},
      {"total is outside", OneCell(1, -1, {0, 0})},
      {"total is outside", OneCell(1, kMaxAmount + 1, {0, 0})},
      {"without contributors", OneCell(0, 3, {0, 0})},
      {"contribution is outside", OneCell(3, 10, {5, -1})},
      {"descending", OneCell(3, 10, {4, 5})},
      {"more contributions than contributors", OneCell(1, 10, {5, 5})},
      {"more than the total", OneCell(3, 10, {6, 5})},
      {"do not add up to the total", OneCell(2, 10, {5, 4})},
      {"unequal lengths", {.contributors = {1, 1}, .total = {1}, .top_per_cell = 2, .top = {1, 0}}},
      {"top_per_cell", {.contributors = {}, .total = {}, .top_per_cell = 65, .top = {}}},
  };
  for (const auto& [fragment, cells] : cases) {
    RuleSet rules = PPercent(10);
    EXPECT_THAT(EvaluateRules(cells, MeasureKind::kAmount, rules),
                StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  }
}

TEST(EvaluateRules, NamesTheCellIndex) {
  const CellContributions cells = {.contributors = {3, 3}, .total = {9, 9}, .top_per_cell = 2, .top = {4, 3, 3, 4}};
  EXPECT_THAT(EvaluateRules(cells, MeasureKind::kAmount, PPercent(10)),
              StatusIs(absl::StatusCode::kInvalidArgument, "cell 1: "));
}

TEST(ValidateRules, RefusesEachParameterOutOfRange) {
  RuleSet three = Dominance(1, 50);
  three.dominance.resize(3, three.dominance.front());
  const std::vector<std::pair<std::string, RuleSet>> cases = {
      {"at least one primary rule", {}},
      {"minimum_frequency.threshold", Frequency(1, 1, 1)},
      {"minimum_frequency.threshold", Frequency(1'000'001, 1, 1)},
      {"minimum_frequency.count_range", Frequency(3, 0, 1)},
      {"minimum_frequency.amount_range_percent", Frequency(3, 1, 0)},
      {"minimum_frequency.amount_range_percent", Frequency(3, 1, 101)},
      {"dominance.n", Dominance(0, 50)},
      {"dominance.n", Dominance(3, 50)},
      {"dominance.k_percent", Dominance(1, 0)},
      {"dominance.k_percent", Dominance(1, 100)},
      {"at most two", three},
      {"p_percent.p", PPercent(0)},
      {"p_percent.p", PPercent(101)},
      {"prior_posterior.q", PriorPosterior(1, 101)},
      {"prior_posterior.p", PriorPosterior(50, 50)},
      {"prior_posterior.p", PriorPosterior(0, 50)},
  };
  for (const auto& [fragment, rules] : cases) {
    EXPECT_THAT(ValidateRules(rules, 2), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  }
  EXPECT_THAT(ValidateRules(PPercent(10), 1), StatusIs(absl::StatusCode::kInvalidArgument, "two largest"));
  SLUIS_EXPECT_OK(ValidateRules(PPercent(10), 2));
}

TEST(ApplyStatus, WritesOneMeasure) {
  const std::vector<std::string> names = {"count", "wages"};
  CellSystem system = MakeCellSystem(2, names);
  const std::vector<PrimaryStatus> status = {{},
                                             {.reason = PrimaryReason::kDominance, .lower_level = 3, .upper_level = 4}};
  SLUIS_ASSERT_OK(ApplyStatus(status, 1, system));
  EXPECT_TRUE(system.IsPrimary(1, 1));
  EXPECT_FALSE(system.IsPrimary(0, 1));
  EXPECT_EQ(system.measures[1].upper_level, (std::vector<int64_t>{0, 4}));
  EXPECT_THAT(ApplyStatus(status, 2, system), StatusIs(absl::StatusCode::kInvalidArgument, "measure 2"));
  EXPECT_THAT(ApplyStatus({}, 0, system), StatusIs(absl::StatusCode::kInvalidArgument, "one entry per cell"));
}

}  // namespace
}  // namespace sluis::disclosure
