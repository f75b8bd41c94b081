#include "cli/extract/check.h"

#include <fstream>
#include <string>
#include <vector>

#include "cli/extract/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/cli/extract/sample.h"
#include "tests/common/csv/compress.h"

namespace sluis::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

CheckReport Check(const std::string& bytes, const std::string& schema = "", const CheckOptions& options = {}) {
  return CheckExtractSource(common::MakeMemorySource(bytes), "jobs.csv", testing::SamplePlan(schema), options);
}
CheckReport CheckRows(const std::string& rows, const CheckOptions& options = {}) {
  return Check(testing::kSampleHeader + rows, "", options);
}
std::string Replace(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(CheckExtract, AcceptsAGoodFileInEveryPackaging) {
  const std::string text = testing::kSampleHeader + std::string(testing::kSampleRow) +
                           "123456782;19991231;F;1000 ZZ;\"Antillen, oud\";0;;;;\"two\nlines; and \"\"quotes\"\"\"\n";
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const std::string& bytes :
       {text, "\xEF\xBB\xBF" + text, crlf, common::testing::Gzip(text), common::testing::Zstd(text)}) {
    const CheckReport report = Check(bytes);
    EXPECT_TRUE(report.ok()) << ToText(report);
    EXPECT_EQ(report.records, 2u);
    EXPECT_EQ(report.good_records, 2u);
    EXPECT_EQ(report.format, "delimiter `;`, found in the header");
  }
}

TEST(CheckExtract, ReadsOtherDelimitersEncodingsAndColumnOrders) {
  std::string tabs = testing::kSampleHeader + std::string(testing::kSampleRow);
  std::replace(tabs.begin(), tabs.end(), ';', '\t');
  EXPECT_THAT(Check(tabs).format, HasSubstr("delimiter tab"));
  EXPECT_TRUE(Check(tabs).ok());

  const std::string latin = testing::kSampleHeader + Replace(testing::kSampleRow, "vrije", "vr\xEFje");
  EXPECT_THAT(Check(latin).totals, ElementsAre(Pair("CSV_ENCODING", 1)));
  EXPECT_TRUE(Check(latin, "dialect: {encoding: windows-1252}" + testing::SampleSchema()).ok());

  const std::string swapped =
      "geboren;bsn;geslacht;postcode;land;loon;uren;start;werkgever;opmerking\n"
      "19800229;111222333;M;1234AB;Turkije;1,5;36;;;\n";
  EXPECT_THAT(Check(swapped).totals, ElementsAre(Pair("COLUMN_ORDER", 1)));
  EXPECT_TRUE(Check(swapped, "fieldsMatch: equal" + testing::SampleSchema()).ok());
}

TEST(CheckExtract, ReadsFixedWidth) {
  std::string schema = testing::SampleSchema();
  const int widths[] = {9, 8, 1, 6, 10, 8, 3, 10, 3, 4};
  std::size_t at = 0;
  int start = 1;
  for (const int width : widths) {
    at = schema.find("- {name", at) + 3;
    const std::string column =
        "x-fixed-width: {start: " + std::to_string(start) + ", width: " + std::to_string(width) + "}, ";
    schema.insert(at, column);
    start += width;
  }
  const std::string line = "11122233319800229M1234ABTurkije   1.234,56 362024-05-17W1 text\n";
  const CheckReport good = Check(line + line, schema);
  EXPECT_TRUE(good.ok()) << ToText(good);
  EXPECT_EQ(good.records, 2u);
  const CheckReport bad = Check(line + "11122233319800229M\n" + Replace(line, "text\n", "text and more\n"), schema);
  EXPECT_THAT(bad.totals, UnorderedElementsAre(Pair("CSV_ARITY", 1), Pair("CSV_STRAY", 1)));
}

// One row, one fault, with its place.
TEST(CheckExtract, ReportsEveryRuleByRowLineAndColumn) {
  const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
      {"19800229", "", "VALUE_REQUIRED", "geboren"},
      {"19800229", "29-02-1980", "VALUE_TYPE", "geboren"},
      {"19800229", "18991231", "VALUE_MINIMUM", "geboren"},
      {"M;", "X;", "VALUE_ENUM", "geslacht"},
      {"1234AB", "1234ab", "VALUE_PATTERN", "postcode"},
      {"Turkije", "T", "VALUE_MIN_LENGTH", "land"},
      {"Turkije", "Turkey", "ATTRIBUTE_CODE_LIST", "land"},
      {"1.234,56", "1.234,567", "VALUE_TYPE", "loon"},
      {"1.234,56", "500.000,01", "VALUE_MAXIMUM", "loon"},
      {";36;", ";36,5;", "VALUE_TYPE", "uren"},
      {";36;", ";101;", "ATTRIBUTE_RANGE", "uren"},
      {"111222333", "1112223334445", "VALUE_MAX_LENGTH", "bsn"},
      {"M;", "U;", "ATTRIBUTE_CODE", "geslacht"},
      {"1234AB", "7777AB", "ATTRIBUTE_CODE", "postcode"},
      {"19800229", "20240229", "ATTRIBUTE_DATE", "geboren"},
      {";36", "", "CSV_ARITY", ""},
      {"Turkije", "T\xFFrkije", "CSV_ENCODING", "land"},
  };
  for (const auto& [from, to, rule, column] : cases) {
    const CheckReport report = CheckRows(std::string("\n") + testing::kSampleRow +
                                         Replace(testing::kSampleRow, from, to) + testing::kSampleRow);
    EXPECT_FALSE(report.ok());
    EXPECT_TRUE(report.complete);
    EXPECT_THAT(report.totals, ElementsAre(Pair(rule, 1))) << to;
    ASSERT_EQ(report.errors.size(), 1u) << to;
    EXPECT_EQ(report.errors[0].row, 3u);
    EXPECT_EQ(report.errors[0].line, 4u);
    EXPECT_EQ(report.errors[0].column, column) << to;
    EXPECT_EQ(report.errors[0].rule, rule);
    EXPECT_GT(report.errors[0].message.size(), 10u);
    EXPECT_EQ(report.records, 3u);
    EXPECT_EQ(report.good_records, 2u);
  }
}

TEST(CheckExtract, ReportsColumnsThatDoNotFit) {
  EXPECT_THAT(
      Check("bsn;geboren;extra;bsn\n1;2;3;4\n").totals,
      UnorderedElementsAre(Pair("COLUMN_UNDECLARED", 1), Pair("COLUMN_DUPLICATE", 1), Pair("COLUMN_MISSING", 8)));
  // A file without a header: its first row is data, and must not be told.
  const CheckReport report = Check(testing::kSampleRow);
  EXPECT_THAT(report.totals, UnorderedElementsAre(Pair("COLUMN_UNDECLARED", 10), Pair("COLUMN_MISSING", 10)));
  EXPECT_EQ(report.errors[2].column, "column 3");
  EXPECT_EQ(ToText(report).find("111222333"), std::string::npos);
}

TEST(CheckExtract, TellsEmptyFilesRegistersAndTooManyRecords) {
  EXPECT_THAT(Check("").totals, ElementsAre(Pair("FILE_EMPTY", 1)));
  const CheckReport empty = CheckRows("");
  EXPECT_THAT(empty.totals, ElementsAre(Pair("REGISTER_EMPTY", 1)));
  EXPECT_THAT(ToText(empty), HasSubstr("no records, only a header"));
  std::string rows;
  for (int i = 0; i < 1000; ++i) rows += testing::kSampleRow;
  EXPECT_TRUE(CheckRows(rows).ok());
  const CheckReport many = CheckRows(rows + testing::kSampleRow);
  EXPECT_THAT(many.totals, ElementsAre(Pair("RECORDS_TOO_MANY", 1)));
  EXPECT_EQ(many.errors[0].row, 1002u);
  EXPECT_FALSE(many.complete);
}

TEST(CheckExtract, ReportsWhatEndsTheReadingWithItsRow) {
  const std::string row = testing::kSampleRow;
  CheckReport report = CheckRows(row + Replace(row, "vrije", "\"vrije"));
  EXPECT_THAT(report.totals, ElementsAre(Pair("CSV_QUOTE", 1)));
  EXPECT_EQ(report.errors[0].row, 3u);
  EXPECT_FALSE(report.ok());
  CheckOptions small;
  small.limits.field_bytes = 100;
  report = CheckRows(row + Replace(row, "vrije", std::string(101, 'x')), small);
  EXPECT_THAT(report.totals, ElementsAre(Pair("CSV_FIELD_TOO_LONG", 1)));
  const std::string whole = common::testing::Gzip(testing::kSampleHeader + row);
  EXPECT_THAT(Check(whole.substr(0, whole.size() - 3)).totals, ElementsAre(Pair("FILE_TRUNCATED", 1)));
  EXPECT_THAT(CheckExtract("/nonexistent/jobs.csv", testing::SamplePlan(), {}).totals, ElementsAre(Pair("FILE_IO", 1)));
}

TEST(CheckExtract, KeepsRowsWithoutAUsableIdentifierAndCountsThem) {
  const std::string row = testing::kSampleRow;
  const CheckReport report = CheckRows(Replace(row, "111222333", "") + Replace(row, "111222333", "111222334") + row);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.good_records, 3u);
  EXPECT_THAT(report.warnings, UnorderedElementsAre(Pair("IDENTIFIER_MISSING", 1), Pair("IDENTIFIER_ELEVEN_TEST", 1)));
}

TEST(CheckExtract, ListsErrorsUpToTheCapAndCountsThemAll) {
  std::string rows;
  for (int i = 0; i < 50; ++i) rows += Replace(Replace(testing::kSampleRow, ";36;", ";x;"), "M;", "X;");
  CheckOptions options;
  options.error_cap = 7;
  const CheckReport report = CheckRows(rows, options);
  EXPECT_EQ(report.errors.size(), 7u);
  EXPECT_TRUE(report.truncated);
  EXPECT_THAT(report.totals, UnorderedElementsAre(Pair("VALUE_TYPE", 50), Pair("VALUE_ENUM", 50)));
  EXPECT_THAT(ToText(report), HasSubstr("only the first 7 errors"));
}

TEST(CheckExtract, FindsRepeatedKeys) {
  const common::SecretBytes key = common::SecretBytes::Random(32);
  CheckOptions options;
  options.unique_key = &key;
  const std::string row = testing::kSampleRow;
  const std::string other = Replace(row, "111222333", "123456782");
  const std::string none = Replace(row, "111222333", "");
  const std::string rows = testing::kSampleHeader + row + other + none + none + row;
  for (const std::string& schema : {"primaryKey: bsn" + testing::SampleSchema(),
                                    Replace(testing::SampleSchema(), "maxLength: 12", "unique: true")}) {
    const CheckReport report = Check(rows, schema, options);
    ASSERT_EQ(report.errors.size(), 1u) << ToText(report);
    EXPECT_EQ(report.errors[0].row, 6u);
    EXPECT_EQ(report.errors[0].column, "bsn");
    options.unique_memory_rows = 1;
    EXPECT_THAT(Check(rows, schema, options).totals, ElementsAre(Pair("UNIQUE_TOO_MANY_ROWS", 1)));
    options.unique_memory_rows = 10;
  }
  EXPECT_TRUE(
      Check(rows, "primaryKey: [bsn, uren, start]" + testing::SampleSchema(), options).totals.contains("PRIMARY_KEY"));
}

TEST(CheckExtract, WritesJsonThatProgramsCanRead) {
  const CheckReport report = CheckRows(Replace(testing::kSampleRow, "M;", "X;"));
  const auto json = nlohmann::json::parse(ToJson(report));
  EXPECT_EQ(json["file"], "jobs.csv");
  EXPECT_EQ(json["errors"][0]["row"], 2);
  EXPECT_EQ(json["errors"][0]["line"], 2);
  EXPECT_EQ(json["errors"][0]["column"], "geslacht");
  EXPECT_EQ(json["errors"][0]["rule"], "VALUE_ENUM");
  EXPECT_EQ(json["totals"]["VALUE_ENUM"], 1);
  EXPECT_EQ(json["truncated"], false);
  EXPECT_EQ(json["ok"], false);
}

// Every place of a file that can hold a bad value holds a marker; no output may.
TEST(CheckExtract, NeverRepeatsAValue) {
  const std::string marker = "Zq7Marker";
  std::string rows;
  const std::string row = testing::kSampleRow;
  for (const char* good : {"111222333", "19800229", "M;", "1234AB", "Turkije", "1.234,56", "36", "2024-05-17"}) {
    rows += Replace(row, good, marker + (std::string(good) == "M;" ? ";" : ""));
  }
  std::vector<std::string> files = {
      testing::kSampleHeader + rows,
      testing::kSampleHeader + Replace(row, "W1", marker + "\xFF") + Replace(row, "W1", marker + std::string(1, '\0')),
      testing::kSampleHeader + row + marker + "\n",
      testing::kSampleHeader + Replace(row, "W1", "\"" + marker),
      testing::kSampleHeader + Replace(row, "W1", marker + "\"" + marker),
      testing::kSampleHeader + Replace(row, "W1", marker + std::string(70'000, 'x')),
      marker + ";" + marker + "\n" + rows,
      marker,
      rows,
      testing::kSampleHeader + Replace(row, "111222333", marker) + Replace(row, "111222333", marker),
  };
  const common::SecretBytes key = common::SecretBytes::Random(32);
  CheckOptions options;
  options.unique_key = &key;
  for (const std::string& file : files) {
    for (const std::string& schema : {testing::SampleSchema(), "primaryKey: werkgever" + testing::SampleSchema()}) {
      const CheckReport report = Check(file, schema, options);
      EXPECT_EQ(ToText(report).find(marker), std::string::npos) << ToText(report);
      EXPECT_EQ(ToJson(report).find(marker), std::string::npos);
    }
  }
  EXPECT_FALSE(Check(files[0]).ok());
}

TEST(ExtractReader, YieldsTypedValuesForThePreparation) {
  auto reader = ExtractReader::OpenSource(
      common::MakeMemorySource(testing::kSampleHeader + std::string(testing::kSampleRow)), testing::SamplePlan(), {});
  ASSERT_TRUE(reader.ok());
  ExtractRow row;
  ASSERT_TRUE(*(*reader)->Next(row));
  const ExtractPlan& plan = (*reader)->plan();
  const auto text = [&](const char* name) {
    const std::size_t index = plan.FieldIndex(name);
    std::string out;
    common::AppendText(plan.schema.fields[index], row.values[index], out);
    return out;
  };
  EXPECT_EQ(text("bsn"), "111222333");
  EXPECT_EQ(text("birth_date"), "1980-02-29");
  EXPECT_EQ(text("postcode"), "1234AB");
  EXPECT_EQ(row.values[9].state, common::ValueState::kMissing);  // ignored: not read
  EXPECT_FALSE(*(*reader)->Next(row));
}

}  // namespace
}  // namespace sluis::cli
