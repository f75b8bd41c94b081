#include "linker/fuzzy/comparison_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/status/matchers.h"
#include "linker/fuzzy/comparison_codec.h"
#include "linker/fuzzy/match_records.h"
#include "tests/linker/fuzzy/memory_comparison_store.h"
#include "tests/linker/fuzzy/sources.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::FieldPlan;
using testing::FieldSource;
using ::testing::HasSubstr;
using testing::MemoryComparisonStore;
using testing::Plan;
using testing::Source;

MatchResult Match(const std::vector<MatchSource>& sources, const MatchPlan& plan, ComparisonStore* store,
                  MatchMode mode = MatchMode::kLink) {
  MatchOptions options{.mode = mode, .seed = 3};
  options.store = store;
  absl::StatusOr<MatchResult> result = MatchRecords(sources, plan, options);
  EXPECT_THAT(result, common::testing::IsOk());
  return result.ok() ? *std::move(result) : MatchResult{};
}

int Reused(const MatchResult& result) {
  return static_cast<int>(std::ranges::count_if(result.report.comparisons, &ComparisonReport::reused));
}

void ExpectSame(const MatchResult& result, const MatchResult& expected) {
  EXPECT_EQ(result.clustering.entity_of, expected.clustering.entity_of);
  EXPECT_EQ(result.clustering.entities, expected.clustering.entities);
  EXPECT_EQ(result.report.pairs, expected.report.pairs);
  EXPECT_EQ(result.report.estimate.recall.low, expected.report.estimate.recall.low);
  ASSERT_EQ(result.report.comparisons.size(), expected.report.comparisons.size());
  for (std::size_t i = 0; i < expected.report.comparisons.size(); ++i) {
    EXPECT_EQ(EncodeReport(result.report.comparisons[i]), EncodeReport(expected.report.comparisons[i]));
  }
}

TEST(ComparisonStore, IsUsedForAllComparisonsThatWereDone) {
  const std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 100, 400, 2), Source("c", 200, 500, 3)};
  const MatchResult scratch = Match(sources, Plan(), nullptr);
  EXPECT_GE(scratch.report.pairs, 300u);
  EXPECT_EQ(Reused(scratch), 0);
  MemoryComparisonStore store;
  const MatchResult first = Match(sources, Plan(), &store);
  EXPECT_EQ(Reused(first), 0);
  ExpectSame(first, scratch);
  const int saves = store.saves;
  const MatchResult again = Match(sources, Plan(), &store);
  EXPECT_EQ(Reused(again), 3);
  EXPECT_EQ(store.saves, saves);
  ExpectSame(again, scratch);
}

TEST(ComparisonStore, SparesANewSourceTheOldComparisonsWhereverItStands) {
  const std::vector<MatchSource> old = {Source("a", 0, 300, 1), Source("b", 100, 400, 2)};
  for (const bool first : {false, true}) {
    MemoryComparisonStore store;
    Match(old, Plan(), &store);
    std::vector<MatchSource> all = old;
    all.insert(first ? all.begin() : all.end(), Source("c", 200, 500, 3));
    const MatchResult scratch = Match(all, Plan(), nullptr);
    const MatchResult result = Match(all, Plan(), &store);
    EXPECT_EQ(Reused(result), 1);
    ExpectSame(result, scratch);
  }
}

TEST(ComparisonStore, DoesOnlyTheComparisonsOfAChangedSourceAgain) {
  std::vector<MatchSource> sources = {Source("a", 0, 300, 1), Source("b", 100, 400, 2), Source("c", 200, 500, 3)};
  MemoryComparisonStore store;
  Match(sources, Plan(), &store);
  sources[1] = Source("b", 100, 401, 2);
  const MatchResult result = Match(sources, Plan(), &store);
  EXPECT_EQ(Reused(result), 1);
  ExpectSame(result, Match(sources, Plan(), nullptr));
}

TEST(ComparisonStore, IsUsedAtFieldLevelAndWithinSources) {
  const std::vector<MatchSource> sources = {FieldSource("a", 0, 300, 1), FieldSource("b", 100, 400, 2)};
  for (const std::uint64_t exhaustive : {200'000'000, 100}) {
    MatchPlan plan = FieldPlan();
    plan.exhaustive_pairs = exhaustive;
    const MatchResult scratch = Match(sources, plan, nullptr, MatchMode::kLinkAndDedupe);
    EXPECT_GE(scratch.report.pairs, 140u);
    MemoryComparisonStore store;
    Match(sources, plan, &store, MatchMode::kLinkAndDedupe);
    const MatchResult result = Match(sources, plan, &store, MatchMode::kLinkAndDedupe);
    EXPECT_EQ(Reused(result), 3);
    ExpectSame(result, scratch);
  }
}

TEST(ComparisonStore, TakesAnythingElseThatMattersForAnotherComparison) {
  const MatchSource a = Source("a", 0, 50, 1), b = Source("b", 0, 50, 2);
  const common::Hash256 of_a = DigestOf(a), of_b = DigestOf(b);
  const CompareSide side_a{&a, {}}, side_b{&b, {}};
  std::vector<ComparisonKey> keys;
  const auto add = [&](const CompareSide& one, const CompareSide* other, bool repeats, const MatchPlan& plan,
                       std::uint64_t seed) {
    keys.push_back(KeyOfComparison(one, of_a, other, of_b, repeats, plan, seed));
  };
  add(side_a, &side_b, false, Plan(), 1);
  add(side_a, &side_b, false, Plan(), 2);
  add(side_a, &side_b, true, Plan(), 1);
  add(side_a, nullptr, false, Plan(), 1);
  CompareSide some = side_a;
  some.left_out.assign(50, false);
  some.left_out[7] = true;
  add(some, &side_b, false, Plan(), 1);
  some.left_out[7] = false;
  some.left_out[49] = true;
  add(some, &side_b, false, Plan(), 1);
  for (int setting = 0; setting < 5; ++setting) {
    MatchPlan plan = Plan();
    if (setting == 0) plan.exhaustive_pairs = 1;
    if (setting == 1) plan.max_block = 77;
    if (setting == 2) plan.memory_bytes = 1 << 30;
    if (setting == 3) plan.encoding.insertions = 300;
    if (setting == 4) plan.encoding.features[0].name = "other";
    add(side_a, &side_b, false, plan, 1);
  }
  keys.push_back(KeyOfComparison(side_a, of_b, &side_b, of_b, false, Plan(), 1));
  keys.push_back(KeyOfComparison(side_a, of_a, &side_b, of_a, false, Plan(), 1));
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());

  // What does not matter: whether nothing is left out of none or of all, passes, and the name.
  some.left_out.assign(50, false);
  EXPECT_EQ(KeyOfComparison(some, of_a, &side_b, of_b, false, Plan(2), 1),
            KeyOfComparison(side_a, of_a, &side_b, of_b, false, Plan(), 1));
  EXPECT_EQ(DigestOf(Source("other", 0, 50, 1)), of_a);
  EXPECT_NE(DigestOf(Source("a", 0, 51, 1)), of_a);
  MatchSource shifted = Source("a", 0, 50, 1);
  shifted.record_of_row.back() = 50;
  shifted.records = 51;
  EXPECT_NE(DigestOf(shifted), of_a);
}

TEST(ComparisonStore, NeverGivesOtherLinksWhereWhatIsKeptIsDamaged) {
  const std::vector<MatchSource> sources = {Source("a", 0, 100, 1), Source("b", 50, 150, 2)};
  MemoryComparisonStore whole;
  const MatchResult scratch = Match(sources, Plan(), &whole);
  ASSERT_EQ(whole.parts.size(), 2u);  // the report, and pairs
  for (const auto& [place, bytes] : whole.parts) {
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 400) {
      for (const bool cut : {false, true}) {
        MemoryComparisonStore store = whole;
        std::string& damaged = store.parts[place];
        if (cut) damaged.resize(at);
        if (!cut) damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        EXPECT_THAT(FindComparison(store, place.first, sources[0], &sources[1]),
                    StatusIs(absl::StatusCode::kDataLoss, "damaged"));
      }
    }
    MemoryComparisonStore store = whole;
    store.parts[place].back() ^= 1;
    const MatchResult result = Match(sources, Plan(), &store);
    EXPECT_EQ(Reused(result), 0);
    EXPECT_THAT(result.report.warnings, Contains(HasSubstr("a with b: done again")));
    ExpectSame(result, scratch);
    EXPECT_EQ(Reused(Match(sources, Plan(), &store)), 1) << "what was damaged is kept anew";
  }
}

TEST(ComparisonStore, DoesNotTakePartsFromOtherPlaces) {
  const std::vector<MatchSource> one = {Source("a", 0, 100, 1), Source("b", 50, 150, 2)};
  const std::vector<MatchSource> two = {Source("a", 0, 100, 1), Source("b", 40, 140, 2)};
  MemoryComparisonStore of_one, of_two;
  Match(one, Plan(), &of_one);
  const MatchResult scratch = Match(two, Plan(), &of_two);
  const ComparisonKey key = of_two.parts.begin()->first.first;
  for (const std::uint32_t part : {0u, 1u}) {
    MemoryComparisonStore store = of_two;
    store.parts[{key, part}] = of_one.parts.at({of_one.parts.begin()->first.first, part});
    const MatchResult result = Match(two, Plan(), &store);
    EXPECT_EQ(Reused(result), 0);
    ExpectSame(result, scratch);
  }
  MemoryComparisonStore store = of_two;
  store.parts.erase({key, 1});
  const auto absent = FindComparison(store, key, two[0], &two[1]);
  SLUIS_ASSERT_OK(absent);
  EXPECT_FALSE(absent->has_value());
  // Rows beyond the sources are damage even where the checksum fits.
  EXPECT_THAT(FindComparison(of_two, key, two[0], &two[1]), common::testing::IsOk());
  const MatchSource small = Source("b", 40, 45, 2);
  EXPECT_THAT(FindComparison(of_two, key, two[0], &small), StatusIs(absl::StatusCode::kDataLoss, "do not have"));
}

TEST(ComparisonStore, ThatFailsCostsOnlyWhatItSpares) {
  const std::vector<MatchSource> sources = {Source("a", 0, 100, 1), Source("b", 50, 150, 2)};
  const MatchResult scratch = Match(sources, Plan(), nullptr);
  MemoryComparisonStore store;
  store.save_error = absl::ResourceExhaustedError("the disk is full");
  const MatchResult unsaved = Match(sources, Plan(), &store);
  ExpectSame(unsaved, scratch);
  EXPECT_THAT(unsaved.report.warnings, Contains(HasSubstr("not kept, so that a later run does it again: the disk")));
  store.find_error = absl::UnavailableError("input-output fault");
  const MatchResult unread = Match(sources, Plan(), &store);
  ExpectSame(unread, scratch);
  EXPECT_THAT(unread.report.warnings, Contains(HasSubstr("done again")));
}

TEST(ComparisonStore, KeepsManyPairsInPartsOfBoundedSize) {
  MatchSource a, b;
  a.records = b.records = 2000;
  CompareResult many;
  for (std::uint32_t i = 0; i < 3'000'000; ++i) many.pairs.push_back({i % 2000, i / 2000, 0.25f * (i % 64) - 3});
  many.report.pairs_scored = many.pairs.size();
  MemoryComparisonStore store;
  const ComparisonKey key{7};
  SLUIS_ASSERT_OK(SaveComparison(store, key, many));
  EXPECT_EQ(store.parts.size(), 4u);
  for (const auto& [place, bytes] : store.parts) EXPECT_LE(bytes.size(), kMaxComparisonPartBytes);
  const auto found = FindComparison(store, key, a, &b);
  SLUIS_ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->pairs, many.pairs);
  // Parts of one comparison in each other's place.
  std::swap(store.parts[{key, 1}], store.parts[{key, 2}]);
  EXPECT_THAT(FindComparison(store, key, a, &b), StatusIs(absl::StatusCode::kDataLoss, "checksum"));
}

TEST(ComparisonCodec, GivesBackEveryMember) {
  ComparisonReport report;
  report.rows_a = 5;
  report.rows_b = std::uint64_t{1} << 40;
  report.exhaustive = false;
  report.candidates.passes.push_back({.name = "lsh",
                                      .blocks = 3,
                                      .pairs = 4,
                                      .largest_block = 5,
                                      .split_blocks = 6,
                                      .split_records = 7,
                                      .skipped_blocks = 8,
                                      .skipped_records = 9});
  report.candidates.recall = RecallEstimate{10, 11.5, 0.9, 0.8};
  report.candidates.warnings = {"", "two"};
  report.blocking_recall = 0.25;
  report.pairs_compared = 12;
  report.pairs_scored = 13;
  report.skipped = true;
  report.fit.threshold = -14;
  report.fit.matches = 15.5;
  report.fit.credible = true;
  report.fit.why_not = "none";
  report.fit.precision = {0.1, 0.2, 0.3};
  report.fit.log_odds = {{1, 2}, {-3, 4}};
  report.fit.null_b = {0.5, -0.25};
  report.bit_error = 0.125;
  report.field_weights.push_back({"f", {0.1}, {0.2, 0.3}, {}, "g"});
  const std::string bytes = EncodeReport(report);
  const auto decoded = DecodeReport(bytes);
  SLUIS_ASSERT_OK(decoded);
  EXPECT_EQ(EncodeReport(*decoded), bytes);
  EXPECT_EQ(decoded->rows_b, report.rows_b);
  EXPECT_FALSE(decoded->exhaustive);
  EXPECT_EQ(decoded->candidates.passes[0].skipped_records, 9u);
  EXPECT_EQ(decoded->candidates.recall->found, 0.8);
  EXPECT_EQ(decoded->candidates.warnings, report.candidates.warnings);
  EXPECT_EQ(decoded->fit.threshold, -14);
  EXPECT_EQ(decoded->fit.log_odds.log_odds, report.fit.log_odds.log_odds);
  EXPECT_EQ(decoded->field_weights[0].depends_on, "g");
  EXPECT_EQ(decoded->field_weights[0].u, report.field_weights[0].u);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeReport(bytes.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss, "damaged"));
  }
  EXPECT_THAT(DecodeReport(bytes + "x"), StatusIs(absl::StatusCode::kDataLoss, "damaged"));
}

}  // namespace
}  // namespace sluis::linker
