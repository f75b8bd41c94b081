#include "cli/extract/attributes.h"

#include <cstring>
#include <string>
#include <vector>

#include "cli/extract/reader.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/cli/extract/sample.h"

namespace sluis::cli {
namespace {

using common::FromCivil;

// A sealed row as the gate reads it, in the order of the sample permit.
struct Attributes {
  std::uint16_t age, sex, region, origin;
  std::int64_t wage, hours;
  std::int32_t start_month, start_year, start_day;
  std::string employer;
  std::vector<std::string> rules;
};

template <typename Integer>
Integer Get(const std::uint8_t*& at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(value | (static_cast<Integer>(*at++) << (8 * i)));
  }
  return value;
}

Attributes Read(const std::string& row, const common::SecretBytes* key = nullptr) {
  auto reader = ExtractReader::OpenSource(common::MakeMemorySource(testing::kSampleHeader + row), testing::SamplePlan(),
                                          {.token_key = key});
  EXPECT_THAT(reader, common::testing::IsOk());
  ExtractRow extract;
  EXPECT_TRUE(*(*reader)->Next(extract));
  EXPECT_EQ(extract.attributes.size(), 4 * 2 + 2 * 8 + 3 * 4 + 8u);
  const std::uint8_t* at = extract.attributes.data();
  Attributes out{};
  out.age = Get<std::uint16_t>(at);
  out.sex = Get<std::uint16_t>(at);
  out.region = Get<std::uint16_t>(at);
  out.origin = Get<std::uint16_t>(at);
  out.wage = Get<std::int64_t>(at);
  out.hours = Get<std::int64_t>(at);
  out.start_month = Get<std::int32_t>(at);
  out.start_year = Get<std::int32_t>(at);
  out.start_day = Get<std::int32_t>(at);
  out.employer.assign(reinterpret_cast<const char*>(at), 8);
  for (const RowFault& fault : extract.faults) out.rules.emplace_back(RuleCode(fault.rule));
  return out;
}

TEST(AttributeEncoder, CoarsensEveryKindOfField) {
  const Attributes row = Read(testing::kSampleRow);
  EXPECT_TRUE(row.rules.empty());
  EXPECT_EQ(row.age, 2);  // born on 29 February 1980, still 43 on 28 February 2024: 25 to 44
  EXPECT_EQ(row.sex, 1);
  EXPECT_EQ(row.region, 1);
  EXPECT_EQ(row.origin, 1);
  EXPECT_EQ(row.wage, 123'000);
  EXPECT_EQ(row.hours, 36);
  EXPECT_EQ(row.start_month, FromCivil({2024, 5, 1}));
  EXPECT_EQ(row.start_year, FromCivil({2024, 1, 1}));
  EXPECT_EQ(row.start_day, FromCivil({2024, 5, 17}));
  EXPECT_EQ(row.employer, std::string(8, '\0'));  // only checked: no key
}

TEST(AttributeEncoder, WritesMissingValuesAsThePermitSays) {
  const Attributes row = Read("111222333;19800000;;;;;;;;\n");
  EXPECT_TRUE(row.rules.empty());
  for (const std::uint16_t code : {row.age, row.sex, row.region, row.origin}) EXPECT_EQ(code, common::kMissingCode);
  EXPECT_EQ(row.wage, common::kMissingInteger);
  EXPECT_EQ(row.hours, common::kMissingInteger);
  for (const std::int32_t date : {row.start_month, row.start_year, row.start_day}) {
    EXPECT_EQ(date, common::kMissingDate);
  }
}

TEST(AttributeEncoder, KeepsOfAPartlyKnownDateWhatTheCoarseningNeeds) {
  const Attributes month = Read("111222333;19800229;M;;;;;2024-05-00;;\n");
  EXPECT_EQ(month.start_month, FromCivil({2024, 5, 1}));
  EXPECT_EQ(month.start_day, common::kMissingDate);
  const Attributes year = Read("111222333;19800229;M;;;;;2024-00-00;;\n");
  EXPECT_EQ(year.start_month, common::kMissingDate);
  EXPECT_EQ(year.start_year, FromCivil({2024, 1, 1}));
}

TEST(AttributeEncoder, PutsEveryAgeInTheClassThatContainsIt) {
  const std::pair<const char*, int> cases[] = {{"20240228", 0}, {"20090301", 0}, {"20090228", 1}, {"19990301", 1},
                                               {"19990228", 2}, {"19590301", 3}, {"19590228", 4}, {"19000101", 4}};
  for (const auto& [birth, age_class] : cases) {
    EXPECT_EQ(Read("111222333;" + std::string(birth) + ";;;;;;;;\n").age, age_class) << birth;
  }
}

TEST(AttributeEncoder, RoundsTowardsZero) {
  EXPECT_EQ(Read("111222333;19800229;;;;-19,99;;;;\n").wage, -1000);
  EXPECT_EQ(Read("111222333;19800229;;;;9,99;;;;\n").wage, 0);
}

TEST(AttributeEncoder, ReportsWhatThePermitDoesNotName) {
  using ::testing::ElementsAre;
  EXPECT_THAT(Read("111222333;19800229;U;;;;;;;\n").rules, ElementsAre("ATTRIBUTE_CODE"));
  EXPECT_THAT(Read("111222333;19800229;;8888ZZ;;;;;;\n").rules, ElementsAre("ATTRIBUTE_CODE"));
  EXPECT_THAT(Read("111222333;19800229;;;Elders;;;;;\n").rules, ElementsAre("ATTRIBUTE_CODE_LIST"));
  EXPECT_THAT(Read("111222333;19800229;;;;-10000,01;;;;\n").rules, ElementsAre("ATTRIBUTE_RANGE"));
  EXPECT_THAT(Read("111222333;19800229;;;;;101;;;\n").rules, ElementsAre("ATTRIBUTE_RANGE"));
  EXPECT_THAT(Read("111222333;20240301;;;;;;;;\n").rules, ElementsAre("ATTRIBUTE_DATE"));
}

TEST(AttributeEncoder, SendsUnlistedValuesToTheCodeForOthers) {
  common::Permit permit = testing::SamplePermit();
  permit.registers[0].fields[3].other = "OTHER";
  const auto plan =
      ExtractPlan::Make(*common::Schema::Parse(testing::SampleSchema()), permit, "jobs", testing::SampleCodeLists());
  SLUIS_ASSERT_OK(plan);
  auto reader = ExtractReader::OpenSource(
      common::MakeMemorySource(testing::kSampleHeader + std::string("111222333;19800229;;;Elders;;;;;\n")), *plan, {});
  ExtractRow row;
  ASSERT_TRUE(*(*reader)->Next(row));
  EXPECT_TRUE(row.faults.empty());
  EXPECT_EQ(row.attributes[6], 2);
}

TEST(AttributeEncoder, MakesTokensThatDifferByKeyOnly) {
  const common::SecretBytes first = common::SecretBytes::Random(32);
  const common::SecretBytes second = common::SecretBytes::Random(32);
  const std::string other_row = "111222333;19800229;;;;;;;W2;\n";
  EXPECT_EQ(Read(testing::kSampleRow, &first).employer, Read(testing::kSampleRow, &first).employer);
  EXPECT_NE(Read(testing::kSampleRow, &first).employer, Read(testing::kSampleRow, &second).employer);
  EXPECT_NE(Read(testing::kSampleRow, &first).employer, Read(other_row, &first).employer);
  EXPECT_EQ(Read("111222333;19800229;;;;;;;;\n", &first).employer, std::string(8, '\0'));
}

}  // namespace
}  // namespace sluis::cli
