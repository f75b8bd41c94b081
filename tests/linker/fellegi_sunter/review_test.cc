#include "linker/fellegi_sunter/review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/matchers.h"
#include "linker/fellegi_sunter/fit.h"
#include "linker/fellegi_sunter/quality.h"
#include "tests/linker/fellegi_sunter/synthetic.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::Date;
using testing::MakeSynthetic;
using testing::Name;
using testing::PlanOf;
using testing::Synthetic;
using testing::Town;

struct Fitted {
  Synthetic data;
  FellegiSunterFit fit;
};

Fitted Make(std::uint64_t seed) {
  Synthetic data = MakeSynthetic({Name(), Date(), Town()}, 2000, 1500, seed);
  FellegiSunterFit fit = *FitFellegiSunter(PlanOf(3), data.input);
  return {std::move(data), std::move(fit)};
}

TEST(MakeReviewTable, ShowsEveryDoubtfulPatternOfEnoughPairsAndNoOther) {
  const Fitted made = Make(1);
  const ReviewTable table = *MakeReviewTable(made.fit.model, made.data.input.candidates, {.min_pairs = 10});
  std::map<PatternCode, std::uint64_t> shown;
  double last = 1e9;
  for (const ReviewPattern& pattern : table.patterns) {
    EXPECT_GE(pattern.pairs, 10u);
    EXPECT_LE(pattern.log_odds, last);
    EXPECT_LE(std::abs(pattern.log_odds), 7);
    ASSERT_EQ(pattern.levels.size(), 3u);
    EXPECT_EQ(AtField(pattern.levels[0], 0) | AtField(pattern.levels[1], 1) | AtField(pattern.levels[2], 2),
              pattern.pattern);
    last = pattern.log_odds;
    shown[pattern.pattern] = pattern.pairs;
  }
  std::uint64_t hidden = 0;
  for (const PatternCount& entry : made.data.input.candidates.Sorted()) {
    const bool doubtful = std::abs(made.fit.model.LogOdds(entry.pattern)) <= 7;
    EXPECT_EQ(shown.contains(entry.pattern), doubtful && entry.pairs >= 10);
    hidden += doubtful && entry.pairs < 10 ? entry.pairs : 0;
  }
  ASSERT_FALSE(shown.empty());
  ASSERT_GE(hidden, 10u);
  EXPECT_EQ(table.pairs_hidden, hidden);
}

TEST(MakeReviewTable, DoesNotTellHowFewPairsItHides) {
  const Fitted made = Make(2);
  PatternCounts few;
  for (const PatternCount& entry : made.data.input.candidates.Sorted()) {
    if (std::abs(made.fit.model.LogOdds(entry.pattern)) <= 7) {
      few.Add(entry.pattern, 4);
      break;
    }
  }
  ASSERT_EQ(few.total(), 4u);
  const ReviewTable table = *MakeReviewTable(made.fit.model, few, {.min_pairs = 5});
  EXPECT_TRUE(table.patterns.empty());
  EXPECT_FALSE(table.pairs_hidden.has_value());
}

TEST(MakeReviewTable, FailsIfPatternsOfFewPairsAreAskedFor) {
  const Fitted made = Make(3);
  EXPECT_THAT(MakeReviewTable(made.fit.model, made.data.input.candidates, {.min_pairs = 4}),
              StatusIs(absl::StatusCode::kInvalidArgument, "at least 5"));
  EXPECT_THAT(MakeReviewTable(made.fit.model, made.data.input.candidates, {.max_log_odds = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, "max_log_odds"));
}

TEST(ApplyReview, GivesTheDecidedPatternsTheirOddsAndLeavesTheOthers) {
  Fitted made = Make(4);
  const ReviewTable table = *MakeReviewTable(made.fit.model, made.data.input.candidates, {});
  ASSERT_GE(table.patterns.size(), 3u);
  const std::vector<ReviewDecision> decisions = {{table.patterns[0].pattern, ReviewVerdict::kNoMatch, 0.9},
                                                 {table.patterns[1].pattern, ReviewVerdict::kMatch, 0.99}};
  SLUIS_ASSERT_OK(ApplyReview(table, decisions, made.fit.model));
  EXPECT_NEAR(made.fit.model.LogOdds(table.patterns[0].pattern), -std::log(9), 1e-9);
  EXPECT_NEAR(made.fit.model.LogOdds(table.patterns[1].pattern), std::log(99), 1e-9);
  EXPECT_EQ(made.fit.model.LogOdds(table.patterns[2].pattern), table.patterns[2].log_odds);
}

TEST(ApplyReview, FailsAsAWholeOnADecisionOutsideTheTable) {
  Fitted made = Make(5);
  const ReviewTable table = *MakeReviewTable(made.fit.model, made.data.input.candidates, {});
  const ReviewPattern first = table.patterns[0];
  const auto apply = [&](std::vector<ReviewDecision> decisions) {
    return ApplyReview(table, decisions, made.fit.model);
  };
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(apply({{first.pattern, ReviewVerdict::kMatch}, {AtField(7, 0), ReviewVerdict::kMatch}}),
              StatusIs(code, "decision 1: its pattern is not in"));
  EXPECT_THAT(apply({{first.pattern, ReviewVerdict::kMatch}, {first.pattern, ReviewVerdict::kNoMatch}}),
              StatusIs(code, "decision 1: its pattern is decided twice"));
  EXPECT_THAT(apply({{first.pattern, ReviewVerdict::kMatch, 1.0}}), StatusIs(code, "decision 0: certainty"));
  EXPECT_EQ(made.fit.model.LogOdds(first.pattern), first.log_odds);
}

// Links of every candidate above 0: what is estimated must be what is true. 10 seeds; the intervals are for 90 %, and 4
// standard deviations are 2.43 times as wide; 1 % for the error of m and u.
TEST(EstimateQuality, IsNearTheTruth) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Fitted made = Make(seed);
    ASSERT_TRUE(made.fit.credibility.credible) << made.fit.credibility.why_not;
    std::vector<ScoredPair> links;
    std::uint32_t row = 0;
    for (const PatternCount& entry : made.data.input.candidates.Sorted()) {
      const double log_odds = made.fit.model.LogOdds(entry.pattern);
      for (std::uint64_t i = 0; log_odds > 0 && i < entry.pairs; ++i, ++row) {
        links.push_back({row, row, static_cast<float>(log_odds)});
      }
    }
    const testing::Truth truth = Evaluate(made.fit.model, made.data);
    const QualityReport report = *EstimateQuality(std::vector<PassLinks>{{"all", links}}, made.fit.credibility, 1);
    const auto tolerance = [](const IntervalEstimate& estimate) {
      return 2.43 * (estimate.high - estimate.low) / 2 + 0.01;
    };
    EXPECT_NEAR(report.total.precision.value, truth.precision, tolerance(report.total.precision));
    EXPECT_NEAR(report.total.recall.value, truth.recall, tolerance(report.total.recall));
    // Of the matches half were no candidates: recall halves, precision stays.
    const QualityReport blocked = *EstimateQuality(std::vector<PassLinks>{{"all", links}}, made.fit.credibility, 0.5);
    EXPECT_NEAR(blocked.total.recall.value, report.total.recall.value / 2, 1e-9);
    EXPECT_EQ(blocked.total.precision.value, report.total.precision.value);
  }
}

TEST(EstimateQuality, PassesAddUp) {
  FitCredibility fit;
  fit.credible = true;
  fit.expected_matches = 10;
  fit.match_variance = 1;
  const std::vector<ScoredPair> sure = {{0, 0, 50}, {1, 1, 50}, {2, 2, 50}};
  const std::vector<ScoredPair> doubtful = {{3, 3, 0}, {4, 4, 0}};
  const QualityReport report =
      *EstimateQuality(std::vector<PassLinks>{{"sure", sure}, {"doubtful", doubtful}, {"none", {}}}, fit, 0.8);
  ASSERT_EQ(report.passes.size(), 3u);
  EXPECT_NEAR(report.passes[0].precision.value, 1, 1e-9);
  EXPECT_NEAR(report.passes[1].precision.value, 0.5, 1e-9);
  EXPECT_NEAR(report.passes[1].precision.low, 0, 0.5);
  EXPECT_EQ(report.passes[2].links, 0u);
  EXPECT_NEAR(report.matches, 12.5, 1e-9);
  EXPECT_NEAR(report.total.precision.value, 0.8, 1e-9);
  EXPECT_NEAR(report.total.recall.value, 4 / 12.5, 1e-9);
  EXPECT_NEAR(report.passes[0].recall.value + report.passes[1].recall.value, report.total.recall.value, 1e-9);
  EXPECT_LT(report.total.recall.low, report.total.recall.value);
}

TEST(EstimateQuality, FailsOnAFitThatIsNotCredible) {
  FitCredibility fit;
  fit.why_not = "few";
  EXPECT_THAT(EstimateQuality({}, fit, 1), StatusIs(absl::StatusCode::kFailedPrecondition, "not credible: few"));
  fit.credible = true;
  EXPECT_THAT(EstimateQuality({}, fit, 0), StatusIs(absl::StatusCode::kInvalidArgument, "blocking"));
}

}  // namespace
}  // namespace sluis::linker
