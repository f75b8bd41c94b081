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

RuleSet WithAmountRange(int64_t range) {
  RuleSet rules = Frequency(3, 1, 0);
  rules.minimum_frequency->amount_range = range;
  return rules;
}
RuleSet WithSum(int64_t minimum, int64_t range) {
  RuleSet rules = PPercent(10);
  rules.suppressed_sum = Frequency(minimum, range, 10).minimum_frequency;
  return rules;
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

TEST(MinimumFrequencyRule, TakesTheWiderOfShareAndAbsoluteRange) {
  RuleSet rules = Frequency(3, 1, 20);
  rules.minimum_frequency->amount_range = 30;
  ExpectStatus(Evaluate(OneCell(2, 101, {60, 41}), rules), PrimaryReason::kFrequency, 30, 30);
  ExpectStatus(Evaluate(OneCell(2, 1010, {600, 410}), rules), PrimaryReason::kFrequency, 202, 202);
  ExpectStatus(Evaluate(OneCell(2, 8, {6, 2}), rules), PrimaryReason::kFrequency, 8, 30);
  ExpectStatus(Evaluate(OneCell(2, 8, {6, 2}), WithAmountRange(5)), PrimaryReason::kFrequency, 5, 5);
}

TEST(RequestRule, LooksAtTheLargestWhoAsksOnly) {
  const RuleSet rules = {.request = RequestRule{.g_percent = 70}};
  CellContributions cell = OneCell(2, 100, {80, 20});
  cell.largest_asking = {20};
  ExpectStatus(Evaluate(cell, rules), PrimaryReason::kNone, 0, 0);
  cell.largest_asking = {80};  // 80 is 70 % of 114.3
  ExpectStatus(Evaluate(cell, rules), PrimaryReason::kRequest, 15, 15);
  cell = OneCell(2, 100, {70, 30});
  cell.largest_asking = {70};  // exactly g
  ExpectStatus(Evaluate(cell, rules), PrimaryReason::kNone, 0, 0);
}

TEST(RequestRule, IsRefusedWhereNobodySaysWhoAsks) {
  const RuleSet rules = {.request = RequestRule{.g_percent = 70}};
  EXPECT_THAT(EvaluateRules(OneCell(2, 100, {80, 20}), MeasureKind::kAmount, rules),
              StatusIs(absl::StatusCode::kInvalidArgument, "request: the data do not say"));
  SLUIS_EXPECT_OK(EvaluateRules(OneCell(2, 2, {}), MeasureKind::kCount, rules));
}

TEST(ZeroCellRule, MakesZerosSensitiveUnlessTheyAreStructural) {
  const RuleSet rules = {.zero_cells = ZeroCellRule{.count_range = 3, .amount_range = 500}};
  ExpectStatus(Evaluate(OneCell(0, 0, {}), rules, MeasureKind::kCount), PrimaryReason::kZero, 0, 3);
  ExpectStatus(Evaluate(OneCell(0, 0, {0, 0}), rules), PrimaryReason::kZero, 0, 500);
  ExpectStatus(Evaluate(OneCell(9, 0, {0, 0}), rules), PrimaryReason::kZero, 0, 500);  // all of them have nothing
  ExpectStatus(Evaluate(OneCell(1, 1, {1, 0}), rules), PrimaryReason::kNone, 0, 0);
  CellContributions structural = OneCell(0, 0, {0, 0});
  structural.structural = {1};
  ExpectStatus(Evaluate(structural, rules), PrimaryReason::kNone, 0, 0);
  structural = OneCell(1, 0, {0, 0});
  structural.structural = {1};
  EXPECT_THAT(EvaluateRules(structural, MeasureKind::kAmount, rules),
              StatusIs(absl::StatusCode::kInvalidArgument, "structurally empty"));
}

TEST(ZeroCellRule, LeavesTheReasonToTheMinimumFrequency) {
  RuleSet rules = Frequency(3, 1, 20);
  rules.zero_cells = ZeroCellRule{.count_range = 3, .amount_range = 500};
  ExpectStatus(Evaluate(OneCell(2, 0, {0, 0}), rules), PrimaryReason::kFrequency, 0, 500);
}

TEST(Weights, AUnitOfWeightWCountsAsWUnits) {
  // Weight 4 at 100 and weight 7 at 10: a total of 470, of which the three largest units are 300.
  CellContributions cell = OneCell(2, 470, {100, 10, 0});
  cell.top_weight = {4 * kWeightOne, 7 * kWeightOne, 0};
  ExpectStatus(Evaluate(cell, Dominance(3, 60)), PrimaryReason::kDominance, 30, 30);     // 300 is 60 % of 500
  ExpectStatus(Evaluate(cell, Dominance(3, 64)), PrimaryReason::kNone, 0, 0);            // 63.8 %
  ExpectStatus(Evaluate(cell, PPercent(100)), PrimaryReason::kNone, 0, 0);               // R = 270
  ExpectStatus(Evaluate(cell, Frequency(3, 1, 10)), PrimaryReason::kFrequency, 47, 47);  // two were asked
}

TEST(Weights, ABrokenWeightGivesTheBrokenPart) {
  // The units are 100, then 0.4 * 100 + 0.6 * 60 = 76, then 0.4 * 60 = 24: a total of 200, and R = 24.
  CellContributions cell = OneCell(2, 200, {100, 60});
  cell.top_weight = {14 * kWeightOne / 10, kWeightOne};
  ExpectStatus(Evaluate(cell, PPercent(24)), PrimaryReason::kNone, 0, 0);
  ExpectStatus(Evaluate(cell, PPercent(25)), PrimaryReason::kPPercent, 1, 1);
  // One unit of weight 1.4: the 40 that it is blown up by are no protection.
  cell = OneCell(1, 140, {100, 0});
  cell.top_weight = {14 * kWeightOne / 10, 0};
  ExpectStatus(Evaluate(cell, PPercent(10)), PrimaryReason::kPPercent, 10, 10);
}

TEST(Weights, AreExactAtTheLargestAmounts) {
  CellContributions cell = OneCell(2, kMaxAmount, {kMaxAmount - 1, 1});
  cell.top_weight = {kWeightOne, kWeightOne};
  ExpectStatus(Evaluate(cell, PPercent(100)), PrimaryReason::kPPercent, kMaxAmount - 1, kMaxAmount - 1);
  cell.top_weight = {kMaxWeight, kMaxWeight};  // more than the total holds: R is 0, not negative
  ExpectStatus(Evaluate(cell, PPercent(100)), PrimaryReason::kPPercent, kMaxAmount - 1, kMaxAmount - 1);
  EXPECT_THAT(EvaluateRules(cell, MeasureKind::kAmount, Dominance(2, 99)),
              StatusIs(absl::StatusCode::kOutOfRange, "cell 0"));
}

TEST(NegativeContributions, CountByMagnitude) {
  // 600, -300 and -200: a total of 100, magnitudes 1100, R = 200.
  CellContributions cell = OneCell(3, 100, {600, 300});
  cell.magnitude = {1100};
  cell.floor = {-3000};
  ExpectStatus(Evaluate(cell, PPercent(30)), PrimaryReason::kNone, 0, 0);
  ExpectStatus(Evaluate(cell, PPercent(40)), PrimaryReason::kPPercent, 40, 40);
  cell.floor = {90};  // everybody knows it to be 90 or more
  ExpectStatus(Evaluate(cell, PPercent(40)), PrimaryReason::kPPercent, 10, 40);
  cell.total = {-3000};
  cell.magnitude = {3000};
  cell.top = {2000, 900};
  cell.floor = {-3000};
  ExpectStatus(Evaluate(cell, PPercent(40)), PrimaryReason::kPPercent, 0, 700);
}

TEST(DeclaredStatus, AddsToTheUpperLevelWhatSlidingProtectionLacks) {
  const auto status = [](int64_t value, int64_t lower, int64_t upper, int64_t sliding) {
    const auto result = DeclaredStatus(value, lower, upper, sliding);
    EXPECT_THAT(result, common::testing::IsOk());
    return result.value_or(PrimaryStatus{});
  };
  ExpectStatus(status(100, 5, 7, 0), PrimaryReason::kDeclared, 5, 7);
  ExpectStatus(status(100, 5, 7, 12), PrimaryReason::kDeclared, 5, 7);
  ExpectStatus(status(100, 5, 7, 13), PrimaryReason::kDeclared, 5, 8);
  ExpectStatus(status(100, 0, 0, 20), PrimaryReason::kDeclared, 0, 20);
  ExpectStatus(status(3, 5, 7, 12), PrimaryReason::kDeclared, 3, 9);
  ExpectStatus(status(0, 5, 0, kMaxAmount), PrimaryReason::kDeclared, 0, kMaxAmount);
  EXPECT_THAT(DeclaredStatus(0, 5, 0, 0), StatusIs(absl::StatusCode::kInvalidArgument, "above 0"));
  EXPECT_THAT(DeclaredStatus(-1, 5, 5, 0), StatusIs(absl::StatusCode::kInvalidArgument, "value"));
  EXPECT_THAT(DeclaredStatus(1, 5, kMaxAmount + 1, 0), StatusIs(absl::StatusCode::kInvalidArgument, "level"));
  EXPECT_THAT(DeclaredStatus(1, 5, 5, -1), StatusIs(absl::StatusCode::kInvalidArgument, "level"));
}

TEST(EvaluateRules, RefusesBadOptionalColumns) {
  const auto with = [](const std::function<void(CellContributions&)>& change) {
    CellContributions cell = OneCell(3, 100, {50, 30});
    change(cell);
    return EvaluateRules(cell, MeasureKind::kAmount, PPercent(10)).status();
  };
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(with([](auto& cell) { cell.top_weight = {kWeightOne}; }), StatusIs(kInvalid, "empty or have an entry"));
  EXPECT_THAT(with([](auto& cell) { cell.floor = {0, 0}; }), StatusIs(kInvalid, "empty or have an entry"));
  EXPECT_THAT(with([](auto& cell) { cell.top_weight = {kWeightOne - 1, kWeightOne}; }), StatusIs(kInvalid, "weight"));
  EXPECT_THAT(with([](auto& cell) { cell.top_weight = {kMaxWeight + 1, kWeightOne}; }), StatusIs(kInvalid, "weight"));
  EXPECT_THAT(with([](auto& cell) { cell.floor = {101}; }), StatusIs(kInvalid, "floor"));
  EXPECT_THAT(with([](auto& cell) { cell.floor = {-kMaxAmount - 1}; }), StatusIs(kInvalid, "floor"));
  EXPECT_THAT(with([](auto& cell) { cell.magnitude = {99}; }), StatusIs(kInvalid, "magnitudes"));
  EXPECT_THAT(with([](auto& cell) { cell.magnitude = {kMaxAmount + 1}; }), StatusIs(kInvalid, "magnitudes"));
  EXPECT_THAT(with([](auto& cell) { cell.largest_asking = {101}; }), StatusIs(kInvalid, "who asks"));
  EXPECT_THAT(with([](auto& cell) { cell.structural = {1}; }), StatusIs(kInvalid, "structurally"));
}

TEST(MergeStatus, TakesTheFirstReasonAndTheWidestLevels) {
  const PrimaryStatus none;
  const PrimaryStatus a = {.reason = PrimaryReason::kDominance, .lower_level = 3, .upper_level = 4};
  const PrimaryStatus b = {.reason = PrimaryReason::kZero, .lower_level = 0, .upper_level = 9};
  ExpectStatus(MergeStatus(a, none), PrimaryReason::kDominance, 3, 4);
  ExpectStatus(MergeStatus(none, b), PrimaryReason::kZero, 0, 9);
  ExpectStatus(MergeStatus(b, a), PrimaryReason::kDominance, 3, 9);
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
      {"must not both be 0", Frequency(3, 1, 0)},
      {"minimum_frequency.amount_range_percent", Frequency(3, 1, -1)},
      {"minimum_frequency.amount_range:", WithAmountRange(-1)},
      {"minimum_frequency.amount_range:", WithAmountRange(kMaxAmount + 1)},
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
      {"request.g_percent", {.request = RequestRule{.g_percent = 0}}},
      {"request.g_percent", {.request = RequestRule{.g_percent = 100}}},
      {"zero_cells.count_range", {.zero_cells = ZeroCellRule{.count_range = 0, .amount_range = 1}}},
      {"zero_cells.amount_range", {.zero_cells = ZeroCellRule{.count_range = 1, .amount_range = 0}}},
      {"group_disclosure.percent", {.group_disclosure = GroupDisclosureRule{.percent = 50, .from_total = 1}}},
      {"group_disclosure.percent", {.group_disclosure = GroupDisclosureRule{.percent = 101, .from_total = 1}}},
      {"group_disclosure.from_total", {.group_disclosure = GroupDisclosureRule{.percent = 90, .from_total = 0}}},
      {"at least one primary rule", {.suppressed_sum = Frequency(3, 1, 1).minimum_frequency}},
      {"suppressed_sum.threshold", WithSum(1, 1)},
      {"suppressed_sum.count_range", WithSum(3, 0)},
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
