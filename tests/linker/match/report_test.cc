#include "linker/match/report.h"

#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

LinkageReport Example() {
  return {.register_name = "jobs",
          .records = 1004,
          .entities = 905,
          .passes = {{.match_key = "bsn",
                      .links = 714,
                      .linked_records = 800,
                      .conflicts = 5,
                      .ambiguous = 4,
                      .unavailable = 16}},
          .unlinked = 191,
          .unlinked_records = 204};
}

TEST(RoundedReport, RoundsEachCountOnItsOwnHalvesUpwards) {
  const std::optional<LinkageReport> rounded = RoundedReport(Example(), 10, 1);
  ASSERT_TRUE(rounded.has_value());
  const LinkageReport expected = {.register_name = "jobs",
                                  .records = 1000,
                                  .entities = 910,
                                  .passes = {{.match_key = "bsn",
                                              .links = 710,
                                              .linked_records = 800,
                                              .conflicts = 10,
                                              .ambiguous = 0,
                                              .unavailable = 20}},
                                  .unlinked = 190,
                                  .unlinked_records = 200};
  EXPECT_EQ(*rounded, expected);
  // 910 entities are not 710 linked and 190 unlinked: the exact numbers do not follow.
  EXPECT_NE(rounded->entities, rounded->passes[0].links + rounded->unlinked);
}

TEST(RoundedReport, RoundsSimilarityAndItsEstimatesToWholePercentsIntervalsOutwards) {
  LinkageReport report = Example();
  report.similarity = {.outcome = SimilarityOutcome::kCredible,
                       .links = 45,
                       .linked_records = 54,
                       .precision = {985'000, 970'001, 990'001},
                       .recall = {904'999, 899'999, 1'000'000}};
  const SimilarityReport expected = {.outcome = SimilarityOutcome::kCredible,
                                     .links = 50,
                                     .linked_records = 50,
                                     .precision = {990'000, 970'000, 1'000'000},
                                     .recall = {900'000, 890'000, 1'000'000}};
  EXPECT_EQ(RoundedReport(report, 10, 1)->similarity, expected);
  EXPECT_EQ(RoundedReport(Example(), 10, 1)->similarity, std::nullopt);
}

// Nothing left and one record left must look the same.
TEST(RoundedReport, TheOutcomeOfSimilarityTellsNoExactCount) {
  using enum SimilarityOutcome;
  const auto rounded = [](std::uint64_t unlinked, SimilarityOutcome outcome, std::uint64_t links) {
    LinkageReport report = Example();
    report.unlinked = unlinked;
    SimilarityReport& similarity = report.similarity.emplace();
    similarity.outcome = outcome;
    similarity.links = links;
    if (outcome == kCredible) similarity.precision = similarity.recall = {900'000, 800'000, 1'000'000};
    return *RoundedReport(report, 10, 1)->similarity;
  };
  const SimilarityReport nothing;
  ASSERT_EQ(nothing.outcome, kNothingLeft);
  EXPECT_EQ(rounded(0, kNothingLeft, 0), nothing);
  EXPECT_EQ(rounded(4, kNotCredible, 0), nothing);
  EXPECT_EQ(rounded(1, kCredible, 3), nothing);
  EXPECT_EQ(rounded(5, kNotCredible, 0).outcome, kNotCredible);
  EXPECT_EQ(rounded(5, kNothingLeft, 0).outcome, kNotCredible);
  EXPECT_EQ(rounded(2, kCredible, 3).outcome, kCredible);
}

TEST(RoundedReport, RoundsToOddBases) {
  LinkageReport report = Example();
  report.records = 1001;
  EXPECT_EQ(RoundedReport(report, 3, 1)->records, 1002u);
  report.records = 1000;
  EXPECT_EQ(RoundedReport(report, 3, 1)->records, 999u);
}

TEST(RoundedReport, ToOneChangesNothing) { EXPECT_EQ(*RoundedReport(Example(), 1, 1), Example()); }

TEST(RoundedReport, IsAbsentBelowTheMinimumExtract) {
  EXPECT_TRUE(RoundedReport(Example(), 10, 1004).has_value());
  EXPECT_FALSE(RoundedReport(Example(), 10, 1005).has_value());
}

}  // namespace
}  // namespace sluis::linker
