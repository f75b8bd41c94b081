#include "linker/fuzzy/match_records.h"

#include <gtest/gtest.h>

#include <stop_token>

#include "common/status/matchers.h"
#include "linker/fuzzy/exact_passes.h"
#include "linker/fuzzy/links.h"
#include "tests/linker/fuzzy/sources.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Plan;
using testing::Source;

Token T(std::uint64_t value) { return {value, 1}; }
constexpr Token kNone{0, 0};

TEST(MatchRecords, LinksNoisyCopies) {
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 100, 400, 2)};
  const auto result = MatchRecords(sources, Plan(), {});
  SLUIS_ASSERT_OK(result);
  int right = 0;
  for (std::uint32_t record = 0; record < 200; ++record) {
    right += result->clustering.entity_of[0][100 + record] == result->clustering.entity_of[1][record] ? 1 : 0;
  }
  EXPECT_GE(right, 198);
  EXPECT_LE(result->report.pairs, 203u);
  EXPECT_EQ(result->report.comparisons.size(), 1u);
  EXPECT_EQ(result->report.comparisons[0].links, result->report.pairs);
  EXPECT_TRUE(result->report.estimate.available);
  EXPECT_EQ(result->report.steps.size(), 3u);
}

TEST(MatchRecords, ComparesWhatTheModeSays) {
  const std::vector<MatchSource> sources = {Source("a", 0, 60, 1), Source("b", 0, 60, 2), Source("c", 0, 60, 3)};
  const auto comparisons = [&](MatchMode mode) {
    const auto result = MatchRecords(sources, Plan(), {.mode = mode});
    EXPECT_THAT(result, common::testing::IsOk());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& compared : result->report.comparisons) pairs.emplace_back(compared.source_a, compared.source_b);
    return pairs;
  };
  using P = std::pair<std::uint32_t, std::uint32_t>;
  EXPECT_THAT(comparisons(MatchMode::kLink), ElementsAre(P{0, 1}, P{0, 2}, P{1, 2}));
  EXPECT_THAT(comparisons(MatchMode::kDedupe), ElementsAre(P{0, 0}, P{1, 1}, P{2, 2}));
  EXPECT_THAT(comparisons(MatchMode::kLinkAndDedupe),
              ElementsAre(P{0, 0}, P{0, 1}, P{0, 2}, P{1, 1}, P{1, 2}, P{2, 2}));
}

TEST(MatchRecords, LeavesOutOfTheComparisonWhatAnIdentifierLinked) {
  std::vector<MatchSource> sources = {Source("a", 0, 200, 1), Source("b", 0, 200, 2)};
  for (MatchSource& source : sources) {
    source.exact.emplace_back();
    for (std::uint32_t record = 0; record < 200; ++record) source.exact[0].push_back(record < 50 ? T(record) : kNone);
  }
  const auto result = MatchRecords(sources, Plan(1), {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->report.passes[0].pairs, 50u);
  EXPECT_EQ(result->report.comparisons[0].rows_a, 150u);
  EXPECT_EQ(result->report.comparisons[0].rows_b, 150u);
  EXPECT_GE(result->report.pairs, 198u);
  EXPECT_EQ(result->report.comparisons[0].links, result->report.pairs - 50);
}

TEST(MatchRecords, RefusesSourcesThatDoNotFitThePlan) {
  const auto refused = [](std::vector<MatchSource> sources, const MatchPlan& plan, const std::string& fragment) {
    EXPECT_THAT(MatchRecords(sources, plan, {}), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  };
  refused({}, Plan(), "no source");
  refused({Source("a", 0, 5, 1)}, Plan(), "two sources");
  refused({Source("a", 0, 5, 1), Source("b", 0, 5, 1)}, Plan(1), "source a: it needs one token");
  MatchPlan plan = Plan();
  plan.encoding.bits = 512;
  refused({Source("a", 0, 5, 1), Source("b", 0, 5, 1)}, plan, "another length");
  plan = Plan();
  plan.encoding.profile = EncodingProfile::kFieldLevel;
  refused({Source("a", 0, 5, 1), Source("b", 0, 5, 1)}, plan, "another plan");
  MatchSource beyond = Source("a", 0, 5, 1);
  beyond.record_of_row[4] = 5;
  refused({beyond, Source("b", 0, 5, 1)}, Plan(), "beyond its last");
}

TEST(MatchRecords, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 0, 300, 2)};
  EXPECT_THAT(MatchRecords(sources, Plan(), {.stop = stop.get_token()}), StatusIs(absl::StatusCode::kCancelled, ""));
}

MatchSource Exact(std::vector<std::vector<Token>> tokens) {
  MatchSource source;
  source.records = static_cast<std::uint32_t>(tokens.front().size());
  source.exact = std::move(tokens);
  return source;
}

TEST(FindExactPairs, ConnectsRecordsOfOneTokenPassByPass) {
  const std::vector<MatchSource> sources = {Exact({{T(1), T(2), kNone}, {T(9), kNone, T(8)}}),
                                            Exact({{T(2), T(1), T(1)}, {T(8), kNone, kNone}})};
  const ExactPairs pairs = FindExactPairs(sources, MatchMode::kLink);
  EXPECT_THAT(pairs.pairs, ElementsAre(FixedPair{{0, 0}, {1, 1}, 0}, FixedPair{{1, 1}, {1, 2}, 0},
                                       FixedPair{{0, 1}, {1, 0}, 0}, FixedPair{{0, 2}, {1, 0}, 1}));
  EXPECT_THAT(pairs.records, ElementsAre(5, 3));
  EXPECT_THAT(pairs.groups, ElementsAre(2, 1));
}

TEST(FindExactPairs, KeepsSourcesApartWhenDeduplicating) {
  const std::vector<MatchSource> sources = {Exact({{T(1), T(2)}}), Exact({{T(1), T(1)}})};
  const ExactPairs pairs = FindExactPairs(sources, MatchMode::kDedupe);
  EXPECT_THAT(pairs.pairs, ElementsAre(FixedPair{{1, 0}, {1, 1}, 0}));
}

// Nine records of a source have the value 1, eight the value 2.
TEST(FindExactPairs, RefusesValuesThatStandInMoreRecordsOfASourceThanAPersonCan) {
  std::vector<Token> many(9, T(1));
  many.insert(many.end(), 8, T(2));
  const std::vector<MatchSource> sources = {Exact({many}), Exact({{T(2), T(1), T(3), T(3)}})};
  const ExactPairs pairs = FindExactPairs(sources, MatchMode::kLinkAndDedupe);
  EXPECT_EQ(pairs.pairs.size(), 9u);
  EXPECT_EQ(pairs.refused.size(), 9u);
  EXPECT_THAT(pairs.groups, ElementsAre(3));
  EXPECT_THAT(pairs.refused_groups, ElementsAre(1));
  EXPECT_THAT(pairs.largest_refused, ElementsAre(10));
  for (const FixedPair& pair : pairs.pairs) EXPECT_FALSE(pair.a.source == 0 && pair.a.row < 9);
  for (const FixedPair& pair : pairs.refused) EXPECT_TRUE(pair.a.source == 0 && pair.a.row < 9);
  EXPECT_THAT(FindExactPairs(sources, MatchMode::kDedupe).largest_refused, ElementsAre(9));
  EXPECT_THAT(FindExactPairs(sources, MatchMode::kLink).refused, ElementsAre());
}

TEST(MatchRecords, MakesNoEntityOfAPlaceholder) {
  MatchSource source = Source("a", 0, 300, 1);
  source.exact.emplace_back(300, kNone);
  for (std::uint32_t record = 0; record < 300; record += 10) source.exact[0][record] = T(7);
  source.exact[0][1] = source.exact[0][2] = T(8);
  for (const MatchMode mode : {MatchMode::kDedupe, MatchMode::kLinkAndDedupe}) {
    const auto result = MatchRecords(std::vector<MatchSource>{source}, Plan(1), {.mode = mode});
    SLUIS_ASSERT_OK(result);
    EXPECT_EQ(result->report.pairs, 1u);
    const ExactPassReport& pass = result->report.passes[0];
    EXPECT_EQ(pass.pairs, 30u);
    EXPECT_EQ(pass.conflicts, 29u);
    EXPECT_EQ(pass.frequent_values, 1u);
    EXPECT_EQ(pass.largest_frequent, 30u);
    EXPECT_EQ(result->clustering.status[0][290], LinkStatus::kConflict);
    EXPECT_EQ(result->clustering.status[0][1], LinkStatus::kLinked);
    EXPECT_EQ(result->clustering.status[0][3], LinkStatus::kSingle);
    ASSERT_FALSE(result->report.warnings.empty());
    EXPECT_THAT(result->report.warnings.back(), HasSubstr("1 values stand in more than 8 records of a source, the most "
                                                          "frequent in 30 records"));
    EXPECT_EQ(result->report.warnings.back().find("contradict"), std::string::npos);
  }
}

TEST(MatchRecords, EstimatesNothingWhereNothingWasCompared) {
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 0, 0, 2)};
  const auto result = MatchRecords(sources, Plan(), {});
  SLUIS_ASSERT_OK(result);
  EXPECT_FALSE(result->report.estimate.available);
}

// Neither source has duplicates, which is no reason to know nothing of the links between them.
TEST(MatchRecords, EstimatesAllLinksThoughNoMatchesAreFoundWithinASource) {
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 100, 400, 2)};
  const auto both = MatchRecords(sources, Plan(), {.mode = MatchMode::kLinkAndDedupe});
  SLUIS_ASSERT_OK(both);
  EXPECT_FALSE(both->report.comparisons[0].fit.credible);
  EXPECT_TRUE(both->report.comparisons[0].fit.no_matches) << both->report.comparisons[0].fit.why_not;
  EXPECT_TRUE(both->report.estimate.available);
  EXPECT_GE(both->report.estimate.recall.value, 0.9);
  // Without any match there is nothing to be right or wrong about.
  const auto alone = MatchRecords(std::span(sources).first(1), Plan(), {.mode = MatchMode::kDedupe});
  SLUIS_ASSERT_OK(alone);
  EXPECT_FALSE(alone->report.estimate.available);
}

TEST(LinkCounts, CountsPairsBySources) {
  Clustering clustering;
  clustering.entity_of = {{0, 1, 0}, {0, 1, 2}};
  clustering.entities.resize(3);
  clustering.entities[0].records = 3;
  clustering.entities[1].records = 2;
  clustering.entities[2].records = 1;
  const LinkCounts counts(clustering, 2);
  EXPECT_EQ(counts.between(0, 0), 1u);
  EXPECT_EQ(counts.between(0, 1), 3u);
  EXPECT_EQ(counts.between(1, 0), 3u);
  EXPECT_EQ(counts.between(1, 1), 0u);
  EXPECT_EQ(counts.total(), 4u);
  EXPECT_THAT(LinkedWith(clustering, 1, 0), ElementsAre(true, true, false));
  const std::vector<MatchSource> sources = {Exact({{T(1), T(2), T(3)}}), Exact({{T(1), kNone, T(5)}})};
  EXPECT_EQ(ContradictedLinks(clustering, sources, 0), 2u);
}

}  // namespace
}  // namespace sluis::linker
