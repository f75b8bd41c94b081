#include "common/schema/schema.h"

#include <string>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::testing::ElementsAre;

constexpr char kYaml[] = R"(
# Persons
missingValues: ["", "."]
fieldsMatch: equal
primaryKey: [bsn]
dialect: {delimiter: ";", encoding: windows-1252, header: true, quoteChar: '"'}
fields:
  - {name: BSN, x-field: bsn, x-role: identifier, x-check: elfproef}
  - name: geboren
    x-field: birth_date
    type: date
    format: "%Y%m%d"
    x-partial-dates: true
    x-role: quasi
    constraints: {minimum: "19000101", required: true}
  - name: loon
    type: number
    decimalChar: ","
    groupChar: "."
    x-scale: 2
    x-role: weight
    constraints: {minimum: 0, maximum: 99.5}
  - {name: land, x-role: attribute, constraints: {enum: ["NO", "NL"], pattern: "[A-Z]{2}"}}
  - {name: opmerking, x-role: ignore}
)";

TEST(SchemaParse, ReadsYaml) {
  std::string text = kYaml;
  text.replace(text.find("[bsn]"), 5, "BSN");
  const auto schema = Schema::Parse(text);
  SLUIS_ASSERT_OK(schema);
  ASSERT_EQ(schema->fields.size(), 5u);
  EXPECT_EQ(schema->fields_match, FieldsMatch::kEqual);
  EXPECT_THAT(schema->primary_key, ElementsAre(0));
  EXPECT_EQ(schema->dialect.delimiter, ';');
  EXPECT_EQ(schema->dialect.encoding, Encoding::kWindows1252);
  EXPECT_EQ(schema->fields[0].permit_name, "bsn");
  EXPECT_TRUE(schema->fields[0].eleven_test);
  EXPECT_THAT(schema->fields[0].missing_values, ElementsAre("", "."));
  EXPECT_EQ(schema->fields[1].type, ValueType::kDate);
  EXPECT_EQ(schema->fields[1].constraints.minimum, -25567);
  EXPECT_EQ(schema->fields[2].constraints.maximum, 9950);
  EXPECT_THAT(schema->fields[3].constraints.enumeration, ElementsAre("NO", "NL"));
  EXPECT_EQ(schema->fields[4].role, FieldRole::kIgnore);
}

TEST(SchemaParse, ReadsJsonAlike) {
  const auto schema = Schema::Parse(R"({"fields": [{"name": "a", "type": "integer", "x-role": "attribute",
      "constraints": {"enum": [1, 2]}}], "primaryKey": ["a"]})");
  SLUIS_ASSERT_OK(schema);
  EXPECT_THAT(schema->fields[0].constraints.enumerated_numbers, ElementsAre(1, 2));
  EXPECT_EQ(schema->fields_match, FieldsMatch::kExact);
}

TEST(SchemaParse, ReadsFixedWidth) {
  const auto schema = Schema::Parse("fields: [{name: a, x-role: attribute, x-fixed-width: {start: 3, width: 2}}]");
  SLUIS_ASSERT_OK(schema);
  EXPECT_TRUE(schema->fixed_width);
  EXPECT_EQ(schema->fields[0].fixed_width->start, 3u);
}

// One thing wrong at a time, and the message says where and what.
TEST(SchemaParse, FailsOnOneWrongThingAtATime) {
  struct Case {
    const char* field;   // what follows `name: a, x-role: attribute`
    const char* schema;  // further keys of the schema
    const char* message;
  };
  const Case cases[] = {
      {", colour: red", "", "`fields[0]`: key `colour`"},
      {", constraints: {exclusiveMinimum: 1}", "", "`fields[0].constraints`: key `exclusiveMinimum`"},
      {", rdfType: x", "", "key `rdfType`"},
      {"", "foreignKeys: []", "key `foreignKeys`"},
      {"", "dialect: {commentChar: \"#\"}", "`dialect`: key `commentChar`"},
      {"", "dialect: {delimiter: \"|\"}", "`dialect.delimiter` must be a comma"},
      {"", "dialect: {encoding: utf-16}", "`dialect.encoding`"},
      {"", "dialect: {quoteChar: x}", "`dialect.quoteChar`"},
      {"", "dialect: 1", "`dialect` must be an object"},
      {"", "fieldsMatch: subset", "no other columns than declared"},
      {"", "primaryKey: b", "`primaryKey` must name fields"},
      {"", "missingValues: [0]", "put numbers in quotes"},
      {", type: any", "", "`fields[0].type`"},
      {", type: number", "", "`fields[0].x-scale` is missing"},
      {", type: number, x-scale: 10", "", "0 to 9"},
      {", type: integer, x-scale: 1", "", "`fields[0].x-scale`"},
      {", type: number, x-scale: 1, groupChar: \".\"", "", "must differ"},
      {", type: number, x-scale: 1, decimalChar: \"5\"", "", "neither digits nor signs"},
      {", type: number, x-scale: 1, decimalChar: \"..\"", "", "must be one ASCII character"},
      {", type: number, x-scale: 1, bareNumber: false", "", "`fields[0].bareNumber`"},
      {", type: date, format: \"%d-%m-%y\"", "", "%Y, %m and %d once each"},
      {", type: date, format: \"%Y%m\"", "", "once each"},
      {", format: email", "", "can be given for dates only"},
      {", x-partial-dates: true", "", "`fields[0].x-partial-dates`"},
      {", x-check: luhn", "", "elfproef"},
      {", x-field: 3", "", "`fields[0].x-field` must be a string"},
      {", constraints: {pattern: \"(a\"}", "", "not a valid regular expression"},
      {", constraints: {minimum: 3}", "", "is for numbers"},
      {", type: integer, constraints: {minimum: 1.5}", "", "`fields[0].constraints.minimum`"},
      {", type: integer, constraints: {minLength: 1}", "", "is for strings"},
      {", constraints: {maxLength: -1}", "", "whole number"},
      {", constraints: {enum: []}", "", "at least one value"},
      {", constraints: {enum: [1]}", "", "put numbers in quotes"},
      {", constraints: {required: yes}", "", "true or false"},
      {", x-fixed-width: {start: 0, width: 1}", "", "at least 1"},
      {", x-fixed-width: {start: 1, width: 1, end: 2}", "", "key `end`"},
      {", title: x, title: y", "", "key `title` occurs twice"},
  };
  for (const Case& c : cases) {
    const std::string text = std::string(c.schema) + "\nfields: [{name: a, x-role: attribute" + c.field + "}]\n";
    EXPECT_THAT(Schema::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument, c.message)) << text;
  }
}

TEST(SchemaParse, FailsOnWrongFieldLists) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "`fields` must be a list"},
      {"fields: []", "`fields` must be a list"},
      {"fields: [{name: a}]", "`fields[0].x-role`"},
      {"fields: [{x-role: time, name: a}]", "time is for date or year"},
      {"fields: [{x-role: weight, name: a}]", "weight is for integer or number"},
      {"fields: [{x-role: ignore}]", "`fields[0].name` is missing"},
      {"fields: [{name: a, x-role: ignore}, {name: a, x-role: ignore}]", "name `a` twice"},
      {"fields: [{name: a, x-role: quasi}, {name: b, x-field: a, x-role: quasi}]", "two fields for `a`"},
      {"fields: [{name: a, x-role: ignore, x-fixed-width: {start: 1, width: 1}}, {name: b, x-role: ignore}]",
       "or none"},
      {"{\"fields\": [], \"fields\": []}", "key `fields` occurs twice"},
      {"{\"fields\": [}", "not valid JSON"},
      {"fields: [", "not valid YAML at line"},
      {"a string", "must be an object"},
      {"", "must be an object"},
      {"fields: \xFF", "not valid UTF-8"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Schema::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument, message)) << text;
  }
}

TEST(SchemaParse, RefusesDocumentsThatWouldCostTooMuch) {
  EXPECT_THAT(Schema::Parse(std::string(2 << 20, ' ')), StatusIs(absl::StatusCode::kInvalidArgument, "1 MiB"));
  EXPECT_THAT(Schema::Parse("x: " + std::string(100'000, '[')), StatusIs(absl::StatusCode::kInvalidArgument, "deep"));
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += "," + before;
    bomb += "]\n";
  }
  EXPECT_THAT(Schema::Parse(bomb), StatusIs(absl::StatusCode::kInvalidArgument, "too many values"));
}

TEST(SchemaParseForMatching, AssumesRolesWhereNoneIsGivenAndScales) {
  const std::string fields =
      "fields: [{name: nr}, {name: bsn, x-check: elfproef}, {name: surname}, {name: height, type: number}]\n"
      "primaryKey: nr\n";
  EXPECT_THAT(Schema::Parse(fields), StatusIs(absl::StatusCode::kInvalidArgument, "x-role"));
  const auto schema = Schema::Parse(fields, SchemaUse::kMatch);
  SLUIS_ASSERT_OK(schema);
  EXPECT_TRUE(schema->roles_assumed);
  EXPECT_EQ(schema->fields[1].role, FieldRole::kIdentifier);
  EXPECT_EQ(schema->fields[2].role, FieldRole::kQuasi);
  EXPECT_EQ(schema->fields[3].role, FieldRole::kQuasi);
  EXPECT_EQ(schema->fields[3].scale, kAssumedScale);

  std::string with_role = fields;
  with_role.replace(with_role.find("{name: nr}"), 10, "{name: nr, x-role: attribute}");
  const auto key_only = Schema::Parse(with_role, SchemaUse::kMatch);
  SLUIS_ASSERT_OK(key_only);
  EXPECT_TRUE(key_only->roles_assumed);
  EXPECT_EQ(key_only->fields[0].role, FieldRole::kAttribute);
}

TEST(SchemaParseForMatching, AsksForAllRolesWhereSomeAreGiven) {
  EXPECT_THAT(
      Schema::Parse("fields: [{name: nr}, {name: surname, x-role: quasi}]\nprimaryKey: nr\n", SchemaUse::kMatch),
      StatusIs(absl::StatusCode::kInvalidArgument, "fields[0].x-role"));
  EXPECT_THAT(
      Schema::Parse("fields: [{name: nr, x-role: number}, {name: surname}]\nprimaryKey: nr\n", SchemaUse::kMatch),
      StatusIs(absl::StatusCode::kInvalidArgument, "fields[0].x-role"));
  const auto schema = Schema::Parse(
      "fields: [{name: nr, x-role: attribute}, {name: height, type: number, x-role: quasi, x-scale: 2}]\n",
      SchemaUse::kMatch);
  SLUIS_ASSERT_OK(schema);
  EXPECT_FALSE(schema->roles_assumed);
  EXPECT_EQ(schema->fields[1].scale, 2);
}

}  // namespace
}  // namespace sluis::common
