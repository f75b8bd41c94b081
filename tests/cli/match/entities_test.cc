#include "cli/match/entities.h"

#include <gtest/gtest.h>

#include "common/status/matchers.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

absl::StatusOr<Entities> Read(const std::string& text) {
  return ReadEntities(common::MakeMemorySource(text), "truth.csv");
}

constexpr const char* kTruth = "record_id,entity,source\n1,e1,a\n2,e2,a\n7,e1,b\n8,e2,b\n";

TEST(ReadEntities, FindsColumnsByName) {
  const auto entities = Read(kTruth);
  SLUIS_ASSERT_OK(entities);
  EXPECT_EQ(entities->records, 4u);
  EXPECT_EQ(entities->entities, 2u);
  EXPECT_EQ(entities->by_source.at("a").at("1"), entities->by_source.at("b").at("7"));
  EXPECT_NE(entities->by_source.at("a").at("1"), entities->by_source.at("b").at("8"));
}

TEST(ReadEntities, NamesTheRowThatIsWrong) {
  const auto invalid = [](const std::string& text, const std::string& fragment) {
    EXPECT_THAT(Read(text), StatusIs(absl::StatusCode::kInvalidArgument, fragment)) << text;
  };
  invalid("entity,source\n", "truth.csv, row 1: the column record_id is missing");
  invalid("entity,source,record_id,entity\n", "truth.csv, row 1: the column entity occurs twice");
  invalid("entity,source,record_id\n1,a,\n", "truth.csv, row 2: record_id is empty");
  invalid("entity,source,record_id\n1,a,2\n2,a,2\n", "truth.csv, row 3: an earlier row names the same record");
  invalid("entity,source,record_id\n1,a\n", "truth.csv, row 2: not a record");
  invalid("", "truth.csv");
}

TEST(Evaluate, CountsPairsOfRecordsThatBothHave) {
  const auto truth = Read(kTruth);
  SLUIS_ASSERT_OK(truth);
  // The pair of 1 and 7 is found, that of 2 and 8 is not; c is not in the truth, 3 neither.
  const auto links =
      Read("entity,source,record_id,status\n1,a,1,linked\n2,a,2,single\n1,b,7,linked\n2,a,3,single\n3,c,1,single\n");
  SLUIS_ASSERT_OK(links);
  const auto evaluation = Evaluate(*links, *truth, false);
  SLUIS_ASSERT_OK(evaluation);
  EXPECT_EQ(evaluation->records, 3u);
  EXPECT_EQ(evaluation->not_in_truth, 2u);
  EXPECT_EQ(evaluation->not_in_links, 1u);
  EXPECT_EQ(evaluation->quality.pairwise.found_pairs, 1u);
  EXPECT_EQ(evaluation->quality.pairwise.true_pairs, 1u);
  EXPECT_EQ(evaluation->quality.pairwise.both, 1u);
  EXPECT_EQ(evaluation->quality.b_cubed.f1, 1);
}

TEST(Evaluate, CountsPairsWithinSourcesOnlyWhenAsked) {
  const auto truth = Read("entity,source,record_id\n1,a,1\n1,a,2\n1,b,1\n");
  SLUIS_ASSERT_OK(truth);
  const auto both = Evaluate(*truth, *truth, false);
  SLUIS_ASSERT_OK(both);
  EXPECT_EQ(both->quality.pairwise.true_pairs, 3u);
  const auto within = Evaluate(*truth, *truth, true);
  SLUIS_ASSERT_OK(within);
  EXPECT_EQ(within->quality.pairwise.true_pairs, 1u);
}

TEST(Evaluate, RefusesATruthAboutOtherRecords) {
  const auto truth = Read("entity,source,record_id\n1,other,1\n");
  SLUIS_ASSERT_OK(truth);
  const auto links = Read(kTruth);
  SLUIS_ASSERT_OK(links);
  EXPECT_THAT(Evaluate(*links, *truth, false), StatusIs(absl::StatusCode::kInvalidArgument, "names no record"));
}

}  // namespace
}  // namespace sluis::cli
