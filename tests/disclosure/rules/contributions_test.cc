#include "disclosure/rules/contributions.h"

#include <algorithm>
#include <map>
#include <random>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

CellContributions Collect(const ContributionOptions& options, const std::vector<std::vector<Contribution>>& cells) {
  ContributionCollector collector(options);
  for (const std::vector<Contribution>& records : cells) EXPECT_TRUE(collector.Add(records).ok());
  return std::move(collector).Take();
}

TEST(ContributionCollector, GroupsByHolding) {
  const CellContributions cells = Collect(
      {.top = 2}, {{{.holding = 7, .amount = 30}, {.holding = 3, .amount = 50}, {.holding = 7, .amount = 40}}, {}});
  EXPECT_THAT(cells.contributors, ElementsAre(2, 0));
  EXPECT_THAT(cells.total, ElementsAre(120, 0));
  EXPECT_THAT(cells.top, ElementsAre(70, 50, 0, 0));
  EXPECT_THAT(cells.top_weight, IsEmpty());
  EXPECT_THAT(cells.magnitude, IsEmpty());
  EXPECT_THAT(cells.largest_asking, IsEmpty());
  SLUIS_EXPECT_OK(EvaluateRules(cells, MeasureKind::kAmount, {.p_percent = PPercentRule{.p = 10}}));
}

TEST(ContributionCollector, RoundsTheWeightedAmountOfEachRecord) {
  EXPECT_EQ(WeightedAmount(3, kWeightOne * 3 / 2), 5);    // 4.5
  EXPECT_EQ(WeightedAmount(-3, kWeightOne * 3 / 2), -5);  // away from 0
  EXPECT_EQ(WeightedAmount(3, kWeightOne * 7 / 5), 4);    // 4.2
  EXPECT_EQ(WeightedAmount(0, kMaxWeight), 0);
  const CellContributions cells =
      Collect({.top = 2, .weights = true}, {{{.holding = 1, .amount = 3, .weight = kWeightOne * 3 / 2},
                                             {.holding = 2, .amount = 3, .weight = kWeightOne * 3 / 2}}});
  EXPECT_THAT(cells.total, ElementsAre(10));  // 5 + 5, not 9: totals of totals add up
  EXPECT_THAT(cells.top, ElementsAre(3, 3));
}

TEST(ContributionCollector, AHoldingStandsForNoMoreUnitsThanItsLeastWeightedPart) {
  const CellContributions cells =
      Collect({.top = 1, .weights = true}, {{{.holding = 1, .amount = 100, .weight = 2 * kWeightOne},
                                             {.holding = 1, .amount = 10, .weight = 9 * kWeightOne}}});
  EXPECT_THAT(cells.contributors, ElementsAre(1));
  EXPECT_THAT(cells.total, ElementsAre(290));
  EXPECT_THAT(cells.top, ElementsAre(145));  // 290 / 2
  EXPECT_THAT(cells.top_weight, ElementsAre(2 * kWeightOne));
  // Rounding up must not make it more than it adds to the total.
  const CellContributions small =
      Collect({.top = 1, .weights = true},
              {{{.holding = 1, .amount = 1}, {.holding = 1, .amount = 1, .weight = kWeightOne * 13 / 10}}});
  EXPECT_THAT(small.total, ElementsAre(2));
  EXPECT_THAT(small.top, ElementsAre(2));
}

TEST(ContributionCollector, SetsAHoldingOffAgainstItselfBeforeItCounts) {
  const CellContributions cells =
      Collect({.top = 2, .negative = true, .least_amount = -100},
              {{{.holding = 1, .amount = -80}, {.holding = 1, .amount = 30}, {.holding = 2, .amount = 20}}});
  EXPECT_THAT(cells.total, ElementsAre(-30));
  EXPECT_THAT(cells.magnitude, ElementsAre(70));
  EXPECT_THAT(cells.top, ElementsAre(50, 20));
  EXPECT_THAT(cells.floor, ElementsAre(-300));
}

TEST(ContributionCollector, KeepsTheLargestWhoAsks) {
  const CellContributions cells = Collect({.top = 1, .requests = true}, {{{.holding = 1, .amount = 80},
                                                                          {.holding = 2, .amount = 20, .asks = true},
                                                                          {.holding = 2, .amount = 15},
                                                                          {.holding = 3, .amount = 30, .asks = true}},
                                                                         {{.holding = 1, .amount = 80}}});
  EXPECT_THAT(cells.largest_asking, ElementsAre(35, 0));  // the whole holding, if any part of it asks
}

TEST(ContributionCollector, DoesNotDependOnTheOrderOfRecords) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Contribution> records(1 + random() % 12);
    for (Contribution& record : records) {
      record = {.holding = random() % 5,
                .amount = static_cast<int64_t>(random() % 9) - 4,
                .weight = kWeightOne + static_cast<int64_t>(random() % 3) * kWeightOne / 3,
                .asks = random() % 3 == 0};
    }
    const ContributionOptions options = {
        .top = 3, .weights = true, .negative = true, .requests = true, .least_amount = -4};
    const CellContributions a = Collect(options, {records});
    std::shuffle(records.begin(), records.end(), random);
    const CellContributions b = Collect(options, {records});
    EXPECT_EQ(a.top, b.top);
    EXPECT_EQ(a.top_weight, b.top_weight);
    EXPECT_EQ(a.largest_asking, b.largest_asking);
    // What the rules are given always passes their checks.
    SLUIS_EXPECT_OK(EvaluateRules(a, MeasureKind::kAmount, {.dominance = {{.n = 3, .k_percent = 50}}}));
  }
}

TEST(ContributionCollector, TotalsMagnitudesAndFloorsOfUnionsAreThoseOfAllRecords) {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<Contribution> left(random() % 9), right(random() % 9);
    for (std::vector<Contribution>* side : {&left, &right}) {
      for (Contribution& record : *side) {
        record = {.holding = random() % 20,
                  .amount = static_cast<int64_t>(random() % 2000) - 1000,
                  .weight = kWeightOne + static_cast<int64_t>(random() % 5'000'000)};
      }
    }
    std::vector<Contribution> both = left;
    both.insert(both.end(), right.begin(), right.end());
    const CellContributions cells =
        Collect({.top = 2, .weights = true, .negative = true, .least_amount = -1000}, {both, left, right});
    EXPECT_EQ(cells.total[0], cells.total[1] + cells.total[2]);
    EXPECT_EQ(cells.floor[0], cells.floor[1] + cells.floor[2]);
    EXPECT_LE(cells.magnitude[0], cells.magnitude[1] + cells.magnitude[2]);
    const auto shifted = ShiftToNonNegative(cells);
    SLUIS_ASSERT_OK(shifted);
    EXPECT_EQ((*shifted)[0], (*shifted)[1] + (*shifted)[2]);
    EXPECT_GE((*shifted)[0], 0);
  }
}

TEST(ContributionCollector, RefusesWhatTheOptionsDoNotAllow) {
  const auto add = [](const ContributionOptions& options, const Contribution& record) {
    ContributionCollector collector(options);
    const auto added = collector.Add(std::vector<Contribution>{{.holding = 1}, record});
    EXPECT_TRUE(added.ok() || collector.cells().total.empty());
    return added.status();
  };
  const ContributionOptions all = {.weights = true, .negative = true, .least_amount = -5};
  EXPECT_THAT(add({}, {.amount = -1}), StatusIs(kInvalid, "record 1: the amount is negative"));
  EXPECT_THAT(add(all, {.amount = -6}), StatusIs(kInvalid, "below the least"));
  EXPECT_THAT(add(all, {.amount = kMaxAmount + 1}), StatusIs(kInvalid, "2^50"));
  EXPECT_THAT(add({}, {.amount = 1, .weight = 2 * kWeightOne}), StatusIs(kInvalid, "no weights are expected"));
  EXPECT_THAT(add(all, {.amount = 1, .weight = kWeightOne - 1}), StatusIs(kInvalid, "weight"));
  EXPECT_THAT(add(all, {.amount = 1, .weight = kMaxWeight + 1}), StatusIs(kInvalid, "weight"));
  EXPECT_THAT(add({.top = 65}, {}), StatusIs(kInvalid, "top"));
  EXPECT_THAT(add({.negative = true, .least_amount = 1}, {}), StatusIs(kInvalid, "least_amount"));
  EXPECT_THAT(add({.weights = true}, {.amount = kMaxAmount, .weight = 2 * kWeightOne}),
              StatusIs(absl::StatusCode::kOutOfRange, "larger unit"));
  EXPECT_THAT(add({.weights = true}, {.amount = kMaxAmount, .weight = kMaxWeight}),
              StatusIs(absl::StatusCode::kOutOfRange, "larger unit"));
  EXPECT_THAT(add({.weights = true, .negative = true, .least_amount = -kMaxAmount}, {.weight = 2 * kWeightOne}),
              StatusIs(absl::StatusCode::kOutOfRange, "larger unit"));
}

TEST(ParseWeight, IsExact) {
  const std::vector<std::pair<std::string, int64_t>> good = {
      {"1", kWeightOne},       {"1.0", kWeightOne}, {"2.75", 2'750'000}, {"12.000001", 12'000'001},
      {"1000000", kMaxWeight}, {"007", 7'000'000},  {"1.1", 1'100'000}};
  for (const auto& [text, weight] : good) {
    const auto parsed = ParseWeight(text);
    SLUIS_ASSERT_OK(parsed);
    EXPECT_EQ(*parsed, weight) << text;
  }
  for (const char* text : {"", ".", "1.", ".5", "0.999999", "0", "-1", "+1", "1e3", "1,5", " 1", "1 ", "1.0000001",
                           "1000000.000001", "1000001", "99999999999999999999999999", "1.2.3", "x"}) {
    EXPECT_THAT(ParseWeight(text), StatusIs(kInvalid, "a weight is a decimal")) << text;
  }
}

TEST(ShiftToNonNegative, RefusesWhatDoesNotFit) {
  CellContributions cells = {.contributors = {1, 1}, .total = {5, kMaxAmount}};
  EXPECT_THAT(ShiftToNonNegative(cells), StatusIs(kInvalid, "one entry a cell"));
  cells.floor = {6, 0};
  EXPECT_THAT(ShiftToNonNegative(cells), StatusIs(kInvalid, "cell 0"));
  cells.floor = {-5, -1};
  EXPECT_THAT(ShiftToNonNegative(cells), StatusIs(absl::StatusCode::kOutOfRange, "cell 1"));
  cells.floor = {-5, 0};
  const auto shifted = ShiftToNonNegative(cells);
  SLUIS_ASSERT_OK(shifted);
  EXPECT_THAT(*shifted, ElementsAre(10, kMaxAmount));
}

TEST(FloorsFromCounts, IsTheLeastAmountOfEachRecord) {
  const std::vector<int64_t> records = {0, 3, 5};
  const auto floors = FloorsFromCounts(records, -10);
  SLUIS_ASSERT_OK(floors);
  EXPECT_THAT(*floors, ElementsAre(0, -30, -50));
  EXPECT_THAT(FloorsFromCounts(records, 1), StatusIs(kInvalid, "least_amount"));
  EXPECT_THAT(FloorsFromCounts(records, -kMaxAmount), StatusIs(absl::StatusCode::kOutOfRange, "cell 1"));
  EXPECT_THAT(FloorsFromCounts(std::vector<int64_t>{1, -1}, -10), StatusIs(kInvalid, "cell 1"));
}

}  // namespace
}  // namespace sluis::disclosure
