#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/status/matchers.h"
#include "linker/fuzzy/comparison_store.h"
#include "linker/fuzzy/match_records.h"
#include "tests/linker/fuzzy/memory_comparison_store.h"
#include "tests/linker/fuzzy/sources.h"

// What a plan and reviewers say about the links beside the encodings.

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::FieldPlan;
using testing::FieldSource;
using testing::MemoryComparisonStore;
using testing::Plan;
using testing::Source;

// Persons of a; b holds each twice, with other noise.
std::vector<MatchSource> OnceAndTwice() {
  std::vector<MatchSource> sources = {FieldSource("a", 0, 300, 1), FieldSource("b", 0, 300, 2)};
  const MatchSource again = FieldSource("b", 0, 300, 3);
  sources[1].records = 600;
  for (std::size_t field = 0; field < again.columns.size(); ++field) {
    for (std::uint32_t record = 0; record < 300; ++record) {
      const std::uint32_t row = again.columns[field].row(record);
      if (row == FieldColumn::kMissing) {
        sources[1].columns[field].AppendMissing();
      } else {
        EXPECT_THAT(sources[1].columns[field].Append(again.columns[field].encodings().row(row)),
                    common::testing::IsOk());
      }
    }
  }
  return sources;
}

std::uint64_t Right(const Clustering& clustering) {
  std::uint64_t right = 0;
  for (std::uint32_t record = 0; record < clustering.entity_of[1].size(); ++record) {
    right += clustering.entity_of[1][record] == clustering.entity_of[0][record % 300] ? 1 : 0;
  }
  return right;
}

TEST(Repeats, LetsARecordHaveSeveralMatchesInASourceThatRepeatsPeople) {
  const std::vector<MatchSource> sources = OnceAndTwice();
  MatchPlan plan = FieldPlan();
  const auto once = MatchRecords(sources, plan, {});
  SLUIS_ASSERT_OK(once);
  EXPECT_LE(Right(once->clustering), 300u);
  plan.repeats = {"b"};
  const auto twice = MatchRecords(sources, plan, {});
  SLUIS_ASSERT_OK(twice);
  EXPECT_GE(Right(twice->clustering), 480u);
  EXPECT_EQ(twice->report.comparisons.size(), 1u) << "b is not compared with itself";
  for (const Entity& entity : twice->clustering.entities) EXPECT_LE(entity.records, 3u);
  plan.repeats = {"c"};
  EXPECT_THAT(MatchRecords(sources, plan, {}), StatusIs(absl::StatusCode::kInvalidArgument, "repeats"));
}

TEST(MatchShare, MakesAFitBeyondItNotCredible) {
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 100, 400, 2)};  // share 2/3
  MemoryComparisonStore store;
  for (const ShareBounds bounds : {ShareBounds{0.5, 0.8}, ShareBounds{0.8, 1}, ShareBounds{0, 0.5}}) {
    MatchPlan plan = Plan();
    plan.match_share = bounds;
    MatchOptions options;
    options.store = &store;  // a bound is about the run: the comparison is the same
    const auto result = MatchRecords(sources, plan, options);
    SLUIS_ASSERT_OK(result);
    const ComparisonReport& compared = result->report.comparisons[0];
    const bool within = bounds.low == 0.5;
    EXPECT_EQ(compared.fit.credible, within);
    EXPECT_EQ(result->report.pairs > 0, within);
    EXPECT_EQ(compared.reused, !within);
    EXPECT_EQ(result->report.estimate.available, within);
    EXPECT_EQ(compared.fit.why_not.find("beyond the plan's match_share") != std::string::npos, !within);
  }
  MatchPlan plan = Plan();
  plan.match_share = {0.5, 0.4};
  EXPECT_THAT(MatchRecords(sources, plan, {}), StatusIs(absl::StatusCode::kInvalidArgument, "match_share"));
}

class ReviewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sources_ = {FieldSource("a", 0, 1500, 1), FieldSource("b", 500, 2000, 2)};
    plan_ = FieldPlan();
    plan_.review_min_pairs = 5;
  }
  absl::StatusOr<MatchResult> Match(std::vector<ReviewDecision> decisions, ComparisonStore* store = nullptr) const {
    MatchOptions options;
    options.threads = 2;
    options.store = store;
    if (!decisions.empty()) options.reviews.push_back({"a", "b", std::move(decisions)});
    return MatchRecords(sources_, plan_, options);
  }

  std::vector<MatchSource> sources_;
  MatchPlan plan_;
};

TEST_F(ReviewTest, ShowsDoubtfulPatternsThatEnoughPairsShareAndFollowsDecisions) {
  MemoryComparisonStore store;
  const auto before = Match({}, &store);
  SLUIS_ASSERT_OK(before);
  const ReviewTable& table = before->report.comparisons[0].review;
  ASSERT_GE(table.patterns.size(), 2u);
  for (const ReviewPattern& shown : table.patterns) EXPECT_GE(shown.pairs, 5u);
  // Against what the model says: the most probable one is no match, the least probable one is.
  const ReviewDecision no_match{table.patterns.front().pattern, ReviewVerdict::kNoMatch, 0.99};
  const ReviewDecision match{table.patterns.back().pattern, ReviewVerdict::kMatch, 0.99};
  const auto fewer = Match({no_match}, &store);
  SLUIS_ASSERT_OK(fewer);
  EXPECT_FALSE(fewer->report.comparisons[0].reused) << "a decision is another comparison";
  EXPECT_LT(fewer->report.pairs, before->report.pairs);
  EXPECT_EQ(fewer->report.comparisons[0].reviewed_patterns, 1u);
  EXPECT_EQ(fewer->report.comparisons[0].reviewed_pairs, table.patterns.front().pairs);
  const auto more = Match({match}, &store);
  SLUIS_ASSERT_OK(more);
  EXPECT_GE(more->report.pairs, before->report.pairs);
  EXPECT_EQ(more->report.comparisons[0].review.patterns.size(), table.patterns.size());
  const auto again = Match({match}, &store);
  SLUIS_ASSERT_OK(again);
  EXPECT_TRUE(again->report.comparisons[0].reused);
  EXPECT_EQ(again->clustering.entity_of, more->clustering.entity_of);
  EXPECT_EQ(again->report.comparisons[0].review.patterns.size(), table.patterns.size());
}

TEST_F(ReviewTest, NeitherShowsNorDecidesPatternsOfFewPairs) {
  const auto all = Match({});
  SLUIS_ASSERT_OK(all);
  plan_.review_min_pairs = 40;
  const auto few = Match({});
  SLUIS_ASSERT_OK(few);
  std::set<PatternCode> shown;
  for (const ReviewPattern& pattern : few->report.comparisons[0].review.patterns) {
    EXPECT_GE(pattern.pairs, 40u);
    shown.insert(pattern.pattern);
  }
  int refused = 0;
  for (const ReviewPattern& pattern : all->report.comparisons[0].review.patterns) {
    if (shown.contains(pattern.pattern) || refused == 3) continue;
    EXPECT_LT(pattern.pairs, 40u);
    EXPECT_THAT(Match({{pattern.pattern, ReviewVerdict::kMatch, 0.9}}),
                StatusIs(absl::StatusCode::kInvalidArgument, "not in the review table"));
    ++refused;
  }
  EXPECT_GE(refused, 1);
}

TEST_F(ReviewTest, RefusesDecisionsThatCannotBeApplied) {
  MatchOptions options;
  const auto refused = [&](const MatchPlan& plan, const std::vector<MatchSource>& sources, absl::StatusCode code,
                           const std::string& fragment) {
    EXPECT_THAT(MatchRecords(sources, plan, options), StatusIs(code, fragment));
  };
  options.reviews = {{"a", "a", {}}};
  refused(plan_, sources_, absl::StatusCode::kInvalidArgument, "two sources that are not compared");
  options.reviews = {{"b", "a", {}}};
  refused(plan_, sources_, absl::StatusCode::kInvalidArgument, "another order");
  options.reviews = {{"a", "c", {}}};
  refused(plan_, sources_, absl::StatusCode::kInvalidArgument, "not compared");
  options.reviews = {{"a", "b", {{1, ReviewVerdict::kMatch, 0.9}}}};
  refused(Plan(), {Source("a", 0, 50, 1), Source("b", 0, 50, 2)}, absl::StatusCode::kInvalidArgument, "field-level");
  refused(plan_, {FieldSource("a", 0, 50, 1), FieldSource("b", 0, 0, 2)}, absl::StatusCode::kFailedPrecondition,
          "cannot be applied");
  plan_.review_min_pairs = 4;
  options.reviews.clear();
  refused(plan_, sources_, absl::StatusCode::kInvalidArgument, "review_min_pairs");
}

}  // namespace
}  // namespace sluis::linker
