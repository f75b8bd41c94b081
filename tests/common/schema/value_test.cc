#include "common/schema/value.h"

#include <random>
#include <string>

#include "common/permit/permit.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

SchemaField Field(const std::string& keys) {
  auto schema = Schema::Parse("fields: [{name: a, x-role: attribute, " + keys + "}]");
  EXPECT_THAT(schema, testing::IsOk()) << keys;
  return schema->fields[0];
}

ValueFault Fault(const SchemaField& field, std::string_view raw) {
  Value value;
  return ValueReader(field).Read(raw, value);
}
std::int64_t Number(const SchemaField& field, std::string_view raw) {
  Value value;
  EXPECT_EQ(ValueReader(field).Read(raw, value), ValueFault::kNone) << raw;
  EXPECT_EQ(value.state, ValueState::kPresent) << raw;
  return value.number;
}
std::string Text(const SchemaField& field, std::string_view raw) {
  Value value;
  EXPECT_EQ(ValueReader(field).Read(raw, value), ValueFault::kNone) << raw;
  std::string text;
  AppendText(field, value, text);
  return text;
}

TEST(ValueReader, ReadsIntegersExactly) {
  const SchemaField field = Field("type: integer");
  EXPECT_EQ(Number(field, " 42 "), 42);
  EXPECT_EQ(Number(field, "-0042"), -42);
  EXPECT_EQ(Number(field, "+7"), 7);
  EXPECT_EQ(Number(field, "9223372036854775807"), INT64_MAX);
  EXPECT_EQ(Number(field, "-9223372036854775807"), -INT64_MAX);
  for (const char* bad :
       {"9223372036854775808", "-9223372036854775808", "1.0", "1e3", "0x1", "--1", "-", "1 2", "NaN"}) {
    EXPECT_EQ(Fault(field, bad), ValueFault::kType) << bad;
  }
}

TEST(ValueReader, ScalesDecimalsExactly) {
  const SchemaField field = Field("type: number, x-scale: 2, decimalChar: \",\", groupChar: \".\"");
  EXPECT_EQ(Number(field, "12,5"), 1250);
  EXPECT_EQ(Number(field, "-1.234.567,89"), -123456789);
  EXPECT_EQ(Number(field, "0,10"), 10);
  EXPECT_EQ(Number(field, "3,10000"), 310);
  EXPECT_EQ(Number(field, "92233720368547758,07"), INT64_MAX);
  for (const char* bad : {"1,234", "92233720368547758,08", "1,", ",5", "1.,5", ".5", "1,2,3", "1e2", "INF"}) {
    EXPECT_EQ(Fault(field, bad), ValueFault::kType) << bad;
  }
}

// The scaled number must be what integer arithmetic on the parts gives.
TEST(ValueReader, ScalesRandomDecimalsLikeIntegerArithmetic) {
  std::mt19937_64 random(7);
  for (int scale = 0; scale <= 9; ++scale) {
    const SchemaField field = Field("type: number, x-scale: " + std::to_string(scale));
    std::int64_t unit = 1;
    for (int i = 0; i < scale; ++i) unit *= 10;
    for (int round = 0; round < 500; ++round) {
      const auto number = static_cast<std::int64_t>(random() >> (1 + random() % 60));
      std::string decimals = std::to_string(number % unit);
      decimals.insert(0, static_cast<std::size_t>(scale) - std::min<std::size_t>(scale, decimals.size()), '0');
      std::string text = std::to_string(number / unit) + (scale > 0 ? "." + decimals : "");
      EXPECT_EQ(Number(field, text), number);
      EXPECT_EQ(Number(field, "-" + text), -number);
    }
  }
}

TEST(ValueReader, ReadsDatesInTheirFormat) {
  EXPECT_EQ(Number(Field("type: date"), "1970-01-02"), 1);
  EXPECT_EQ(Number(Field("type: date, format: \"%d-%m-%Y\""), "29-02-2024"), FromCivil({2024, 2, 29}));
  EXPECT_EQ(Number(Field("type: date, format: \"%Y%m%d\""), "19691231"), -1);
  for (const char* bad : {"1970-13-01", "2023-02-29", "1900-02-29", "2000-04-31", "1970-1-1", "1970-01-011",
                          "1970-00-00", "0000-00-00", "1970/01/01"}) {
    EXPECT_EQ(Fault(Field("type: date"), bad), ValueFault::kType) << bad;
  }
}

TEST(ValueReader, AgreesWithTheCalendarOnEveryDay) {
  const SchemaField field = Field("type: date");
  for (Day day = FromCivil({1896, 1, 1}); day < FromCivil({2105, 1, 1}); ++day) {
    EXPECT_EQ(Number(field, FormatDay(day)), day);
  }
}

TEST(ValueReader, KeepsWhatIsKnownOfADate) {
  const SchemaField field =
      Field("type: date, format: \"%Y%m%d\", x-partial-dates: true, constraints: {required: true}");
  EXPECT_EQ(Text(field, "19700000"), "1970-00-00");
  EXPECT_EQ(Text(field, "19700500"), "1970-05-00");
  EXPECT_EQ(Text(field, "19700512"), "1970-05-12");
  EXPECT_EQ(Fault(field, "00000000"), ValueFault::kRequired);
  EXPECT_EQ(Fault(field, "00000512"), ValueFault::kType);
  EXPECT_EQ(Fault(field, "19701300"), ValueFault::kType);
  EXPECT_EQ(Fault(field, "19700032"), ValueFault::kType);
}

TEST(ValueReader, ReadsBooleansAndYears) {
  const SchemaField field = Field("type: boolean, trueValues: [J], falseValues: [N]");
  EXPECT_EQ(Text(field, "J"), "true");
  EXPECT_EQ(Text(field, "N"), "false");
  EXPECT_EQ(Fault(field, "true"), ValueFault::kType);
  EXPECT_EQ(Number(Field("type: year"), "2024"), 2024);
  EXPECT_EQ(Fault(Field("type: year"), "24"), ValueFault::kType);
}

TEST(ValueReader, ChecksEveryConstraint) {
  EXPECT_EQ(Fault(Field("constraints: {required: true}"), "  "), ValueFault::kRequired);
  EXPECT_EQ(Fault(Field("missingValues: [x], constraints: {required: true}"), "x"), ValueFault::kRequired);
  EXPECT_EQ(Fault(Field("missingValues: [x], constraints: {required: true}"), ""), ValueFault::kNone);
  EXPECT_EQ(Fault(Field("constraints: {minLength: 2}"), "\xC3\xA9"), ValueFault::kMinLength);
  EXPECT_EQ(Fault(Field("constraints: {maxLength: 2}"), "\xC3\xA9\xC3\xA9"), ValueFault::kNone);
  EXPECT_EQ(Fault(Field("constraints: {maxLength: 2}"), "abc"), ValueFault::kMaxLength);
  EXPECT_EQ(Fault(Field("type: integer, constraints: {minimum: 3}"), "2"), ValueFault::kMinimum);
  EXPECT_EQ(Fault(Field("type: integer, constraints: {maximum: 3}"), "4"), ValueFault::kMaximum);
  EXPECT_EQ(Fault(Field("type: integer, constraints: {enum: [3, 4]}"), "5"), ValueFault::kEnum);
  EXPECT_EQ(Fault(Field("type: integer, constraints: {enum: [3, 4]}"), "4"), ValueFault::kNone);
  EXPECT_EQ(Fault(Field("constraints: {enum: [M, F]}"), "m"), ValueFault::kEnum);
  EXPECT_EQ(Fault(Field("constraints: {pattern: \"[A-Z]{2}\"}"), "ABC"), ValueFault::kPattern);
  EXPECT_EQ(Fault(Field("constraints: {pattern: \"\\\\p{L}+\"}"), "R\xC3\xA9"), ValueFault::kNone);
}

TEST(ValueReader, GivesUpOnAPatternThatBacktracksWithoutEnd) {
  EXPECT_EQ(Fault(Field("constraints: {pattern: \"(a+)+b\"}"), std::string(200, 'a')), ValueFault::kPatternCost);
  EXPECT_EQ(Fault(Field("constraints: {pattern: \"(a|b)*\"}"), std::string(60'000, 'a')), ValueFault::kPatternCost);
  EXPECT_EQ(Fault(Field("constraints: {pattern: \"a*\"}"), std::string(60'000, 'a')), ValueFault::kNone);
}

TEST(ValueReader, CountsAnIdentifierThatFailsTheElevenTestAsMissing) {
  const SchemaField field = Field("x-check: elfproef");
  Value value;
  EXPECT_EQ(ValueReader(field).Read("111222333", value), ValueFault::kNone);
  EXPECT_EQ(value.state, ValueState::kPresent);
  EXPECT_EQ(ValueReader(field).Read("111222334", value), ValueFault::kElevenTest);
  EXPECT_EQ(value.state, ValueState::kMissing);
}

TEST(ElevenTest, AcceptsOneInElevenAndRefusesOtherForms) {
  int passed = 0;
  for (int number = 100'000'000; number < 100'110'000; ++number)
    passed += PassesElevenTest(std::to_string(number)) ? 1 : 0;
  // The last digit that would pass is 10 for one number in eleven, so 10 of 11 tens have one.
  EXPECT_EQ(passed, 10'000);
  EXPECT_TRUE(PassesElevenTest("010000008"));
  EXPECT_TRUE(PassesElevenTest("10000008"));
  for (const char* bad : {"", "000000000", "1112223330", "11122233a", "1112223"}) EXPECT_FALSE(PassesElevenTest(bad));
}

}  // namespace
}  // namespace sluis::common
