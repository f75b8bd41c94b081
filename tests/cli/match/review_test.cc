#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "cli/match/plan.h"
#include "cli/match/review_document.h"
#include "cli/match/run.h"
#include "tests/cli/match/run_fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::HasSubstr;
using testing::PeopleCsv;

// Few fields with few values, so that patterns are doubtful and many pairs share them.
std::string Rough(int first, int end, const std::string& prefix, int noise) {
  std::string csv = "nr,bsn,given,surname,born,street,postcode,phone\n";
  for (int person = first; person < end; ++person) {
    const auto draw = [&](int field, int values) {
      const unsigned slip = (person * 7919u + static_cast<unsigned>(noise * 104729 + field * 31)) * 2654435761u >> 16;
      const unsigned value = (static_cast<unsigned>(person * 8 + field) * 2654435761u) >> 12;
      return slip % 10 == 0 ? std::string() : std::to_string((slip % 10 < 3 ? value + slip : value) % values);
    };
    csv += prefix + std::to_string(person) + ",,given" + draw(1, 90) + ",sur" + draw(2, 200) + ",19" +
           std::to_string(10 + person % 80) + "-03-04,street" + draw(3, 60) + "," + draw(4, 50) + "," + draw(5, 300) +
           "\n";
  }
  return csv;
}

class ReviewCommandTest : public testing::RunMatchTest {
 protected:
  void SetUp() override {
    RunMatchTest::SetUp();
    Put("a.csv", Rough(0, 1200, "p", 1));
    Put("b.csv", Rough(400, 1600, "q", 2));
    Put("plan.yaml", "{profile: FIELD_LEVEL, review_min_pairs: 5}");
  }
  MatchCommand Reviewed() const {
    MatchCommand command = Command({"a.csv", "b.csv"});
    command.plan = Path("plan.yaml");
    return command;
  }
};

TEST_F(ReviewCommandTest, PatternsAreWrittenDecidedOnAndFollowed) {
  MatchCommand command = Reviewed();
  command.review_out = Path("review.yaml");
  Run(command);
  const int before = CountPairs().first;
  const std::string review = Get("review.yaml");
  const std::string undecided = "\"decision\":\"UNDECIDED\"";
  ASSERT_THAT(review, HasSubstr(undecided)) << printed_;
  // Counts of at least k, levels and names of fields: no record id, no value.
  EXPECT_THAT(review, Not(HasSubstr("given1")));
  EXPECT_FALSE(std::regex_search(review, std::regex("[pq][0-9]")));
  const std::regex pairs("\"pairs\":([0-9]+)");
  for (std::sregex_iterator it(review.begin(), review.end(), pairs), end; it != end; ++it) {
    EXPECT_GE(std::stoi((*it)[1]), 5);
  }

  // As written it decides nothing, and is accepted.
  command.review_in = command.review_out;
  command.review_out = Path("again.yaml");
  Run(command);
  EXPECT_EQ(CountPairs().first, before);
  EXPECT_EQ(Get("again.yaml"), review);
  EXPECT_EQ(Report()["review"]["decisions"].size(), 0u);

  // All of them no matches.
  std::string decided = std::regex_replace(review, std::regex(undecided), "\"decision\":\"NO_MATCH\"");
  command.review_in = Put("decided.yaml", decided);
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "reviewer must say who"));
  decided = std::regex_replace(decided, std::regex("reviewer: \"\""), "reviewer: A. Clerk");
  decided = std::regex_replace(decided, std::regex("reviewed_at: \"\""), "reviewed_at: 2026-11-22");
  Put("decided.yaml", decided);
  Run(command);
  EXPECT_LT(CountPairs().first, before);
  const nlohmann::json report = Report();
  EXPECT_EQ(report["review"]["reviewer"], "A. Clerk");
  EXPECT_EQ(report["review"]["reviewed_at"], "2026-11-22");
  EXPECT_EQ(report["review"]["decisions"][0]["decision"], "NO_MATCH");
  EXPECT_EQ(report["passes"][1]["review"]["decided_patterns"], report["review"]["decisions"].size());
  EXPECT_GE(report["passes"][1]["review"]["decided_pairs"], 5);
  EXPECT_THAT(Get("again.yaml"), HasSubstr("\"decision\":\"NO_MATCH\""));

  // A decision about fewer pairs than k, or under another plan, is refused.
  Put("decided.yaml", std::regex_replace(decided, pairs, "\"pairs\":4"));
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "patterns[0]"));
  Put("decided.yaml", decided);
  Put("plan.yaml", "{profile: FIELD_LEVEL, review_min_pairs: 6}");
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "another plan"));
  Put("plan.yaml", "profile: RECORD_LEVEL");
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "FIELD_LEVEL"));
}

linker::MatchPlan TwoFields() {
  linker::MatchPlan plan;
  plan.encoding.label = "match";
  plan.encoding.features = {{"given"}, {"born"}};
  plan.encoding.profile = linker::EncodingProfile::kFieldLevel;
  return plan;
}

std::string Document(const std::string& patterns) {
  return "plan_digest: " + ReviewedPlanDigest(TwoFields(), linker::MatchMode::kLink) +
         "\nreviewer: me\nreviewed_at: 2026-01-02\ncomparisons: [{source_a: a, source_b: b, patterns: [" + patterns +
         "]}]\n";
}

TEST(ReadReview, ReadsDecisions) {
  const auto review =
      ReadReview(Document("{agreement: {given: EXACT, born: MISSING}, pairs: 10, decision: MATCH, certainty: 0.8},"
                          "{agreement: {given: SIMILAR_3, born: DIFFERENT}, pairs: 10, decision: NO_MATCH},"
                          "{agreement: {given: SIMILAR_1, born: DIFFERENT}, pairs: 10, decision: UNDECIDED},"
                          "{agreement: {given: SIMILAR_2, born: DIFFERENT}}"),
                 TwoFields(), linker::MatchMode::kLink);
  SLUIS_ASSERT_OK(review);
  ASSERT_EQ(review->decisions.size(), 1u);
  ASSERT_EQ(review->decisions[0].decisions.size(), 2u);
  EXPECT_EQ(review->decisions[0].decisions[0].pattern, linker::AtField(5, 0));
  EXPECT_EQ(review->decisions[0].decisions[0].certainty, 0.8);
  EXPECT_EQ(review->decisions[0].decisions[1].pattern, linker::AtField(4, 0) | linker::AtField(1, 1));
  EXPECT_EQ(review->decisions[0].decisions[1].verdict, linker::ReviewVerdict::kNoMatch);
}

TEST(ReadReview, RefusesWhatItCannotFollow) {
  const auto refused = [](const std::string& document, const std::string& fragment) {
    EXPECT_THAT(ReadReview(document, TwoFields(), linker::MatchMode::kLink),
                StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  };
  const std::string good = "{agreement: {given: EXACT, born: EXACT}, pairs: 10, decision: MATCH}";
  SLUIS_EXPECT_OK(ReadReview(Document(good), TwoFields(), linker::MatchMode::kLink));
  EXPECT_THAT(ReadReview(Document(good), TwoFields(), linker::MatchMode::kLinkAndDedupe),
              StatusIs(absl::StatusCode::kInvalidArgument, "another plan or mode"));
  refused(Document(good + "," + good), "comparisons[0].patterns[1]: the pattern is there twice");
  refused(Document("{agreement: {given: EXACT}, pairs: 10, decision: MATCH}"), "each field of the plan");
  refused(Document("{agreement: {given: EXACT, street: EXACT}, pairs: 10, decision: MATCH}"), "each field");
  refused(Document("{agreement: {given: SIMILAR_4, born: EXACT}, pairs: 10, decision: MATCH}"), "SIMILAR_1 to");
  refused(Document("{agreement: {given: EXACT, born: EXACT}, pairs: 9, decision: MATCH}"), "fewer than 10 pairs");
  refused(Document("{agreement: {given: EXACT, born: EXACT}, pairs: 10, decision: PERHAPS}"), "decision");
  refused(Document(good) + "threshold: 3\n", "threshold");
  std::string undated = Document(good);
  undated.replace(undated.find("2026-01-02"), 10, "yesterday!");
  refused(undated, "yyyy-mm-dd");
}

}  // namespace
}  // namespace sluis::cli
