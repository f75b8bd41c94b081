#include "cli/show/permit_view.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

using common::Coarsening;
using common::FieldType;
using common::PermitField;
using ::testing::HasSubstr;
using ::testing::Not;

PermitField Field(const std::string& name, const std::string& source, FieldType type) {
  PermitField field;
  field.name = name;
  field.source = source;
  field.type = type;
  return field;
}

common::Permit SmallPermit() {
  common::Permit permit;
  permit.id = "integration";
  permit.version = 3;
  permit.title = "Labour participation";
  permit.purpose = "statistics";
  permit.legal_basis = "Statistics Act";
  permit.breakdown_justification = "groups differ";
  permit.not_before = *common::ParseDay("2026-01-01");
  permit.not_after = *common::ParseDay("2027-12-31");
  permit.retention_end = *common::ParseDay("2028-06-30");
  permit.required_approvals = 2;
  permit.rule_set = "rules/strict.yaml";
  permit.report_minimum_records = 100;
  permit.report_rounding = 10;
  permit.max_link_sets = 12;
  permit.key_service = "spiffe://example/keys";
  permit.linker = "spiffe://example/linker";
  permit.gate = "spiffe://example/gate";
  permit.requesters = {"spiffe://example/office"};
  permit.auditors = {{"court", "spiffe://example/auditor/court"}};
  common::PermitRegister& persons = permit.registers.emplace_back();
  persons.name = "persons";
  persons.custodian = "spiffe://example/custodian/population";
  persons.custodian_key.fill(11);
  persons.backbone = true;
  persons.schema = "schemas/persons.json";
  persons.max_records = 1'000'000;
  persons.match_keys = {"bsn", "person"};
  PermitField sex = Field("sex", "sex", FieldType::kCode);
  sex.codes = {"M", "F"};
  PermitField age = Field("age", "birth_date", FieldType::kCode);
  age.coarsening = Coarsening::kAgeClass;
  age.codes = {"Y0-14", "Y15-74", "Y_GE75"};
  age.reference_date = *common::ParseDay("2026-09-30");
  age.age_bounds = {0, 15, 75};
  persons.fields = {sex, age};
  permit.match_keys = {{"bsn", "identifiers", {{"bsn", common::Normaliser::kBsn}}},
                       {"person",
                        "match-keys",
                        {{"birth_date", common::Normaliser::kDate}, {"surname", common::Normaliser::kPhoneticName}}}};
  permit.dimensions = {{"age", "hierarchies/age.csv", {"persons.age"}}};
  permit.measures = {{"persons", "", ""}, {"wages", "jobs.wage", "EUR/month"}};
  return permit;
}

TEST(DescribeCoarsening, SaysForEachKindWhatLeaves) {
  PermitField field = Field("x", "x", FieldType::kCode);
  field.codes = {"A", "B"};
  EXPECT_EQ(DescribeCoarsening(field), "as it stands, 2 codes (A, B)");
  field.coarsening = Coarsening::kPrefix;
  field.prefix_length = 4;
  EXPECT_EQ(DescribeCoarsening(field), "the first 4 characters, 2 codes (A, B)");
  field.coarsening = Coarsening::kCodeList;
  field.code_list = "lists/region.csv";
  EXPECT_EQ(DescribeCoarsening(field), "by the list lists/region.csv to 2 codes (A, B); unlisted values are errors");
  field.other = "B";
  EXPECT_THAT(DescribeCoarsening(field), HasSubstr("; unlisted: B"));
  field.codes.assign(500, "C");
  EXPECT_THAT(DescribeCoarsening(field), HasSubstr("500 codes (C, C, C, C, C, C, C, C, C, C, C, C, ...)"));

  field = Field("start", "start", FieldType::kDate);
  EXPECT_EQ(DescribeCoarsening(field), "as it stands");
  field.coarsening = Coarsening::kTruncateMonth;
  EXPECT_EQ(DescribeCoarsening(field), "first day of the month");
  field.coarsening = Coarsening::kTruncateYear;
  EXPECT_EQ(DescribeCoarsening(field), "1 January of the year");

  field = Field("wage", "wage", FieldType::kInteger);
  field.unit = "EUR/month";
  EXPECT_EQ(DescribeCoarsening(field), "as it stands, EUR/month");
  field.minimum = 0;
  field.maximum = 5000;
  field.coarsening = Coarsening::kRoundDown;
  field.round_to = 100;
  EXPECT_EQ(DescribeCoarsening(field), "rounded down to multiples of 100, EUR/month, from 0 to 5000");

  field = Field("employer", "employer", FieldType::kToken);
  field.coarsening = Coarsening::kToken;
  EXPECT_EQ(DescribeCoarsening(field), "keyed hash, new in each delivery");
}

TEST(PermitText, ShowsWhatAnApproverDecidesAbout) {
  const std::string text = PermitText(SmallPermit());
  for (const char* part :
       {"Permit integration, version 3: Labour participation\n",
        "  in use          from 2026-01-01 to 2027-12-31, both included\n", "  retention       ends 2028-06-30\n",
        "  approvals       at least 2\n", "  breakdown       groups differ\n",
        "  linkage report  none on registers with fewer than 100 records; counts rounded to multiples of 10; at "
        "most 12 link sets\n",
        "  gate           spiffe://example/gate\n", "  requester      spiffe://example/office\n",
        "  auditor court  spiffe://example/auditor/court\n",
        "Register persons of spiffe://example/custodian/population: the backbone, one row a person; at most 1 000 000 "
        "records\n",
        "  signs with: CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=\n", "    sex  code  as it stands, 2 codes (M, F)\n",
        "    age  code  from birth_date: age class on 2026-09-30, from 0, 15, 75 years\n", "  linked by: bsn, person\n",
        "  bsn     key identifiers  bsn (BSN)\n",
        "  person  key match-keys   birth_date (date) + surname (phonetic name)\n",
        "  age  hierarchies/age.csv  from persons.age\n", "  persons  count of persons\n",
        "  wages    sum of jobs.wage  EUR/month\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

common::Permit SimilarPermit() {
  using common::SimilarityKind;
  common::Permit permit = SmallPermit();
  permit.similarity.emplace().features = {{"surname", SimilarityKind::kName, {}},
                                          {"birth_date", SimilarityKind::kDate, {}},
                                          {"sex", SimilarityKind::kCategory, {}},
                                          {"postcode", SimilarityKind::kDigits, 2}};
  permit.registers[0].features = {
      {"surname", "family_name"}, {"birth_date", "birth_date"}, {"sex", "sex"}, {"postcode", "postcode"}};
  return permit;
}

TEST(PermitText, SaysHowTheResidueIsCompared) {
  EXPECT_THAT(PermitText(SmallPermit()),
              HasSubstr("Similarity\n  none: records that share no match key do not link\n"));
  const std::string text = PermitText(SimilarPermit());
  for (const char* part : {"Similarity: what no match key links is compared by likeness\n",
                           "  profile    one encoding a record\n", "  encoding   1024 bits, random hashing\n",
                           "  hardening  folded 1 time, each bit flipped with probability 0.02\n",
                           "  compared by likeness of: surname (from family_name), birth_date, sex, postcode\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  // Weights 1, 1.2, 0.25, 2 of 396 bits, after one each.
  for (const char* part : {"    surname     name      sets 90 bits\n", "    birth_date  date      sets 108 bits\n",
                           "    sex         category  sets 23 bits\n", "    postcode    digits    sets 179 bits\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  common::Permit permit = SimilarPermit();
  permit.similarity->field_level = true;
  permit.similarity->salt_feature = "birth_date";
  permit.registers[0].match_keys.clear();
  const std::string weaker = PermitText(permit);
  EXPECT_THAT(weaker, HasSubstr("one encoding a feature: a frequency attack reads frequent names\n"));
  EXPECT_THAT(weaker, HasSubstr("hardening  salted by birth_date\n"));
  EXPECT_THAT(weaker, HasSubstr("linked by: no match key\n"));
  permit.similarity->bits = 1;
  EXPECT_THAT(PermitText(permit), HasSubstr("invalid: permit field similarity: encoding plan: bits must be"));
}

TEST(PermitText, ShowsWhatOfThePermitIsStable) {
  common::Permit permit = SimilarPermit();
  permit.similarity->features[2].stable = false;  // beside the postcode
  permit.similarity->stable_bits = 256;
  permit.similarity->features.push_back({"given_name", common::SimilarityKind::kName, 1, {}});
  const std::string text = PermitText(permit);
  EXPECT_THAT(text, HasSubstr("  encoding   1280 bits, random hashing\n"));
  // Of 200 bits, one each first, by weights 1, 1.2 and 1; of 400 likewise, by these, 0.25 and 2.
  EXPECT_THAT(text, HasSubstr("sets 88 bits, 75 in the stable section\n"));
  const auto json = PermitJson(permit)["similarity"];
  EXPECT_EQ(json["stable_bits"], 256);
  EXPECT_EQ(json["stable_insertions"], 200);
  EXPECT_EQ(json["features"][0]["stable"], true);
  EXPECT_EQ(json["features"][2]["stable"], false);
}

TEST(PermitText, LetsNoControlCharacterThrough) {
  common::Permit permit = SmallPermit();
  permit.title = "Labour\x1b[2J\r\nparticipation";
  permit.purpose = "statistics\x1b[1A";
  const std::string text = PermitText(permit);
  EXPECT_THAT(text, HasSubstr("version 3: Labour [2J  participation\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(PermitJson, HoldsSimilarityIfThereIsAny) {
  EXPECT_FALSE(PermitJson(SmallPermit()).contains("similarity"));
  const auto json = PermitJson(SimilarPermit());
  EXPECT_EQ(json["similarity"]["profile"], "RECORD_LEVEL");
  EXPECT_EQ(json["similarity"]["bits"], 1024);
  EXPECT_EQ(json["similarity"]["flip"], 0.02);
  EXPECT_EQ(json["similarity"]["features"][3]["weight"], 2);
  EXPECT_EQ(json["similarity"]["features"][1]["kind"], "date");
  EXPECT_EQ(json["similarity"]["plan_sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["registers"][0]["features"][0]["source"], "family_name");
}

TEST(PermitJson, HoldsTheSame) {
  const auto json = PermitJson(SmallPermit());
  EXPECT_EQ(json["retention_end"], "2028-06-30");
  EXPECT_EQ(json["required_approvals"], 2);
  EXPECT_EQ(json["linkage_report"]["minimum_records"], 100);
  EXPECT_EQ(json["linkage_report"]["rounding"], 10);
  EXPECT_EQ(json["linkage_report"]["max_link_sets"], 12);
  EXPECT_EQ(json["registers"][0]["custodian_key"], "CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=");
  EXPECT_EQ(json["parties"]["gate"], "spiffe://example/gate");
  EXPECT_EQ(json["parties"]["auditors"][0]["name"], "court");
  const auto& age = json["registers"][0]["fields"][1];
  EXPECT_EQ(age["source"], "birth_date");
  EXPECT_EQ(age["type"], "code");
  EXPECT_EQ(age["coarsening"], "age class on 2026-09-30, from 0, 15, 75 years");
  EXPECT_EQ(json["registers"][0]["match_keys"], nlohmann::json({"bsn", "person"}));
  EXPECT_EQ(json["match_keys"][1]["components"][1]["normaliser"], "phonetic name");
  EXPECT_EQ(json["dimensions"][0]["fields"], nlohmann::json({"persons.age"}));
  EXPECT_EQ(json["measures"][1]["field"], "jobs.wage");
}

}  // namespace
}  // namespace sluis::cli
