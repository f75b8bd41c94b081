#include "cli/extract/plan.h"

#include <string>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/cli/extract/sample.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

absl::Status Make(const std::string& schema, const CodeLists& lists = testing::SampleCodeLists(),
                  const char* register_name = "jobs") {
  auto parsed = common::Schema::Parse(schema);
  if (!parsed.ok()) return parsed.status();
  return ExtractPlan::Make(*std::move(parsed), testing::SamplePermit(), register_name, lists).status();
}
std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ExtractPlan, TakesWhatFits) { SLUIS_EXPECT_OK(Make(testing::SampleSchema())); }

TEST(ExtractPlan, FailsOnOneMisfitAtATime) {
  const std::string good = testing::SampleSchema();
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"{name: opmerking, x-role: ignore}", "{name: opmerking, x-role: attribute}",
       "field `opmerking`: the permit does not use it"},
      {"x-field: country, ", "", "attribute `origin`: the schema lacks its source `country`"},
      {"x-field: hours, x-role: attribute", "x-field: hours, x-role: ignore", "lacks its source `hours`"},
      {"x-field: employer, x-role: attribute", "x-field: employer, x-role: identifier",
       "attribute `employer`: its source has x-role: identifier"},
      {"x-field: hours, x-role: attribute, type: integer", "x-field: hours, x-role: attribute, type: string",
       "attribute `hours`: its source must have the type integer, number or year, not string"},
      {"{name: start, x-role: time, type: date, x-partial-dates: true}", "{name: start, x-role: time, type: year}",
       "attribute `start_month`: its source must have the type date, not year"},
      {"name: bsn, x-role: identifier", "name: bsn, x-role: attribute",
       "match key `bsn`: its source `bsn` must have x-role: identifier or quasi"},
      {"x-field: sex, x-role: quasi, constraints: {enum: [M, F, U]}", "x-field: sex, x-role: quasi, type: integer",
       "source `sex` must have the type string"},
  };
  for (const auto& [from, to, message] : cases) {
    const absl::Status status = Make(Replace(good, from, to));
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, message)) << to;
    EXPECT_EQ(common::ReasonOf(status), "SCHEMA_PERMIT");
  }
}

// Features are read from quasi-identifiers: the digits of an identifier could be read from an encoding.
TEST(ExtractPlan, TakesFeaturesFromQuasiIdentifiersOnly) {
  const auto make = [](const std::string& source) {
    common::Permit permit = testing::SamplePermit();
    permit.registers[0].features = {{"likeness", source}};
    return ExtractPlan::Make(*common::Schema::Parse(testing::SampleSchema()), permit, "jobs",
                             testing::SampleCodeLists())
        .status();
  };
  SLUIS_EXPECT_OK(make("postcode"));
  EXPECT_THAT(make("bsn"), StatusIs(absl::StatusCode::kInvalidArgument,
                                    "feature `likeness`: its source `bsn` must have x-role: quasi"));
  EXPECT_THAT(make("wage"), StatusIs(absl::StatusCode::kInvalidArgument, "must have x-role: quasi"));
  EXPECT_THAT(make("opmerking"), StatusIs(absl::StatusCode::kInvalidArgument, "feature `likeness`: the schema lacks"));
}

TEST(ExtractPlan, FailsOnCodeListsThatAreAbsentOrLeadElsewhere) {
  EXPECT_THAT(Make(testing::SampleSchema(), {}), StatusIs(absl::StatusCode::kInvalidArgument, "was not loaded"));
  EXPECT_THAT(Make(testing::SampleSchema(), {{"codes/origin.csv", *ParseCodeList("from,to\na,XX\n")}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "codes that the permit does not name"));
}

TEST(ExtractPlan, FailsOnAnUnknownRegister) {
  EXPECT_THAT(Make(testing::SampleSchema(), testing::SampleCodeLists(), "benefits"),
              StatusIs(absl::StatusCode::kNotFound, "`benefits`"));
}

TEST(ParseCodeListTest, FailsOnOtherHeadersRaggedRowsAndRepeats) {
  EXPECT_THAT(ParseCodeList("a,b\n"), StatusIs(absl::StatusCode::kInvalidArgument, "from,to"));
  EXPECT_THAT(ParseCodeList("from,to\n1\n"), StatusIs(absl::StatusCode::kInvalidArgument, "row 2"));
  EXPECT_THAT(ParseCodeList("from,to\n1,a\n1,b\n"), StatusIs(absl::StatusCode::kInvalidArgument, "row 3"));
}

}  // namespace
}  // namespace sluis::cli
