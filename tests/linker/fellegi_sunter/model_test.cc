#include "linker/fellegi_sunter/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/matchers.h"
#include "tests/linker/fellegi_sunter/synthetic.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AddPairs;
using testing::Date;
using testing::MakeSynthetic;
using testing::Name;
using testing::PlanOf;
using testing::Synthetic;
using testing::Town;

NonMatchModel Learn(const FellegiSunterPlan& plan, const PatternCounts& sample, bool dependence) {
  std::vector<WeightedPattern> weighted;
  for (const PatternCount& entry : sample.Sorted()) {
    weighted.push_back({entry.pattern, static_cast<double>(entry.pairs)});
  }
  return NonMatchModel::Learn(plan, weighted, dependence);
}

TEST(NonMatchModel, IndependentFieldsHaveNoTreeAndMultiply) {
  const FellegiSunterPlan plan = PlanOf(3);
  const Synthetic data = MakeSynthetic({Name(), Date(), Town()}, 1000, 0, 1);
  const NonMatchModel model = Learn(plan, data.input.non_matches.counts, true);
  const PatternCode pattern = AtField(5, 0) | AtField(1, 1) | AtField(5, 2);
  double log_u = 0;
  for (std::size_t f = 0; f < 3; ++f) {
    EXPECT_EQ(model.fields()[f].parent, -1);
    log_u += std::log(model.fields()[f].u[LevelOf(pattern, f) - 1u]);
  }
  // The sample shows the pattern about 10 times; where that is more than expected it counts, by at most 2 deviations.
  EXPECT_NEAR(model.LogProbability(pattern), log_u, 0.7);
  EXPECT_EQ(model.LogProbability(0), 0);
  EXPECT_NEAR(model.LogProbability(AtField(5, 0)), std::log(model.fields()[0].u[4]), 1e-12);
}

// Equal in one field is equal in the other, in 1 of 100 pairs; without that field the other is a field like any.
TEST(NonMatchModel, ADependentFieldCountsOnce) {
  const FellegiSunterPlan plan = PlanOf(2);
  PatternCounts sample;
  sample.Add(AtField(1, 0) | AtField(1, 1), 99'000);
  sample.Add(AtField(5, 0) | AtField(5, 1), 1'000);
  const NonMatchModel tree = Learn(plan, sample, true);
  EXPECT_EQ(tree.fields()[1].parent, 0);
  EXPECT_NEAR(tree.LogProbability(AtField(5, 0) | AtField(5, 1)), std::log(0.01), 0.15);
  EXPECT_NEAR(tree.LogProbability(AtField(5, 1)), std::log(0.01), 0.01);
  const NonMatchModel independent = Learn(plan, sample, false);
  EXPECT_NEAR(independent.LogProbability(AtField(5, 0) | AtField(5, 1)), 2 * std::log(0.01), 0.01);
}

TEST(NonMatchModel, LevelsNeverSeenHaveHalfAPair) {
  PatternCounts sample;
  sample.Add(AtField(1, 0), 1000);
  const NonMatchModel model = Learn(PlanOf(1), sample, true);
  EXPECT_NEAR(model.fields()[0].u[4], 0.5 / 1002.5, 1e-12);
}

FellegiSunterModel Model(const FellegiSunterPlan& plan) {
  PatternCounts sample;
  std::mt19937_64 random(3);
  AddPairs({Name(), Town()}, false, 1e6, random, sample);
  return FellegiSunterModel(plan, Learn(plan, sample, false), {0.001, {Name().m, Town().m}});
}

TEST(FellegiSunterModel, LogOddsAreThePriorAndTheWeights) {
  const FellegiSunterModel model = Model(PlanOf(2));
  const std::vector<FieldWeights> weights = model.Weights();
  EXPECT_NEAR(model.LogOdds(AtField(5, 0) | AtField(1, 1)),
              std::log(0.001 / 0.999) + weights[0].weights[4] + weights[1].weights[0], 1e-9);
  EXPECT_NEAR(weights[0].weights[4], std::log(0.75 / 0.001), 0.15);
  EXPECT_NEAR(model.Probability(0), 0.001, 1e-9);
}

// Records draw their values from 20 frequent and 20,000 rare ones. Over pairs of two persons that agree by chance, the
// factor exp(adjustment) averages to 1: that makes it a likelihood ratio. Computed over all such pairs, with counts of
// a drawn population; 3 % for the drawing of 40,000 records, and 5 % for the shape of the distribution, which is no
// gamma.
TEST(FellegiSunterModel, TermAdjustmentsAverageOutOverPairsOfTwoPersons) {
  FellegiSunterPlan plan = PlanOf(2);
  plan.max_term_adjustment = 100;
  std::mt19937_64 random(11);
  constexpr std::uint64_t kRecords = 40'000;
  std::vector<std::uint32_t> counts(20'020);
  for (std::uint64_t r = 0; r < kRecords; ++r) {
    ++counts[random() % 2 == 0 ? random() % 20 : 20 + random() % 20'000];
  }
  double equal_pairs = 0;
  for (const double n : counts) {
    equal_pairs += n * (n - 1) / 2;
  }
  const double all_pairs = 0.5 * kRecords * (kRecords - 1);
  PatternCounts sample;
  sample.Add(AtField(5, 0), static_cast<std::uint64_t>(equal_pairs));
  sample.Add(AtField(1, 0), static_cast<std::uint64_t>(all_pairs - equal_pairs));
  const FellegiSunterModel model(plan, Learn(plan, sample, false), {0.001, {Name().m, Town().m}});
  double average = 0;
  for (const std::uint32_t n : counts) {
    if (n >= 2) {
      average += 0.5 * n * (n - 1) / equal_pairs * std::exp(model.TermAdjustment(0, n - 2, kRecords - 2));
    }
  }
  EXPECT_NEAR(average, 1, 0.08);
}

TEST(FellegiSunterModel, RareValuesWeighMoreWithinBoundsAndWithinWhatTheCountsSupport) {
  const FellegiSunterModel model = Model(PlanOf(2));
  const double u = model.non_matches().fields()[0].u.back();
  constexpr std::uint64_t kTotal = 10'000'000;
  const auto others = [&](double share) { return static_cast<std::uint32_t>(share * kTotal); };
  EXPECT_NEAR(model.TermAdjustment(0, others(u), kTotal), 0, 1e-3);
  EXPECT_NEAR(model.TermAdjustment(0, others(u / 10), kTotal), std::log(10), 1e-2);
  EXPECT_NEAR(model.TermAdjustment(0, others(u * 10), kTotal), -std::log(10), 1e-2);
  EXPECT_EQ(model.TermAdjustment(0, 0, kTotal), 4.6);
  EXPECT_EQ(model.TermAdjustment(0, kTotal, kTotal), -4.6);
  // Of ten values nobody knows whether one is rare.
  EXPECT_LT(model.TermAdjustment(0, 0, 10), 0.05);
}

TEST(FellegiSunterModel, AdjustsExactAgreementOnlyAndNoReviewedPattern) {
  FellegiSunterModel model = Model(PlanOf(2));
  EXPECT_TRUE(model.Adjusts(AtField(5, 0), 0));
  EXPECT_FALSE(model.Adjusts(AtField(4, 0), 0));
  EXPECT_FALSE(model.Adjusts(AtField(5, 0), 1));
  model.SetReviewed(AtField(5, 0), 2);
  EXPECT_FALSE(model.Adjusts(AtField(5, 0), 0));
  EXPECT_EQ(model.LogOdds(AtField(5, 0)), 2);
}

TEST(FellegiSunterModel, DoesNotAdjustWhatFollowsFromAnEqualField) {
  PatternCounts sample;
  sample.Add(AtField(1, 0) | AtField(1, 1), 99'000);
  sample.Add(AtField(5, 0) | AtField(5, 1), 1'000);
  const FellegiSunterPlan plan = PlanOf(2);
  const FellegiSunterModel model(plan, Learn(plan, sample, true), {0.001, {Name().m, Town().m}});
  EXPECT_TRUE(model.Adjusts(AtField(5, 0) | AtField(5, 1), 0));
  EXPECT_FALSE(model.Adjusts(AtField(5, 0) | AtField(5, 1), 1));
  EXPECT_TRUE(model.Adjusts(AtField(1, 0) | AtField(5, 1), 1));
}

TEST(FellegiSunterPlan, ValidateFailsOnWhatIsOutOfRange) {
  const auto with = [](auto change) {
    FellegiSunterPlan plan = PlanOf(2);
    change(plan);
    return plan.Validate();
  };
  SLUIS_EXPECT_OK(PlanOf(2).Validate());
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(PlanOf(0).Validate(), StatusIs(code, "fields: 0"));
  EXPECT_THAT(PlanOf(22).Validate(), StatusIs(code, "fields: 22"));
  EXPECT_THAT(with([](auto& p) { p.fields[1].similarity_cuts = {0.5, 0.4}; }), StatusIs(code, "field 1: similarity"));
  EXPECT_THAT(with([](auto& p) { p.fields[0].similarity_cuts.assign(6, 0.1); }), StatusIs(code, "at most 5"));
  EXPECT_THAT(with([](auto& p) { p.fields[0].prior_exact = 0.95; }), StatusIs(code, "field 0: prior_disagree and"));
  EXPECT_THAT(with([](auto& p) { p.fields[0].prior_strength = 0; }), StatusIs(code, "prior_strength"));
  EXPECT_THAT(with([](auto& p) { p.fields[0].max_disagree = 0.05; }), StatusIs(code, "max_disagree"));
  EXPECT_THAT(with([](auto& p) { p.expected_matches = -1; }), StatusIs(code, "expected_matches"));
  EXPECT_THAT(with([](auto& p) { p.expected_matches_strength = -1; }), StatusIs(code, "expected_matches_strength"));
  EXPECT_THAT(with([](auto& p) { p.min_separation = 2; }), StatusIs(code, "min_separation"));
  EXPECT_THAT(with([](auto& p) { p.max_term_adjustment = -1; }), StatusIs(code, "max_term_adjustment"));
  EXPECT_THAT(with([](auto& p) { p.max_iterations = 0; }), StatusIs(code, "max_iterations"));
}

}  // namespace
}  // namespace sluis::linker
