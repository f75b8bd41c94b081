#include "cli/match/input.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/matchers.h"
#include "linker/fuzzy/comparison_store.h"
#include "tests/common/csv/compress.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kSchema = R"(
fields:
  - {name: nr, type: string, x-role: attribute}
  - {name: bsn, type: string, x-role: identifier, x-check: elfproef}
  - {name: surname, type: string, x-role: quasi, constraints: {maxLength: 12}}
  - {name: born, type: date, format: "%d-%m-%Y", x-role: quasi, missingValues: ["", "00-00-0000"]}
  - {name: sex, type: string, x-role: quasi, constraints: {enum: [M, F]}}
  - {name: income, type: number, x-scale: 2, decimalChar: ",", groupChar: ".", x-role: quasi}
primaryKey: nr
)";
constexpr const char* kHeader = "nr,bsn,surname,born,sex,income\n";

class ReadInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    key_ = common::SecretBytes(32);
    UseSchema(kSchema);
  }

  void UseSchema(const std::string& yaml) {
    auto schema = common::Schema::Parse(yaml);
    SLUIS_ASSERT_OK(schema);
    schema_ = *std::move(schema);
    const InputSchema input{"people.csv", &schema_};
    auto resolved = ResolvePlan(std::span(&input, 1), "hardening: {flip: 0}");
    SLUIS_ASSERT_OK(resolved);
    resolved_ = *std::move(resolved);
    auto seeds = linker::TokenSeeds::FromKey(key_);
    SLUIS_ASSERT_OK(seeds);
    seeds_ = std::make_unique<linker::TokenSeeds>(*std::move(seeds));
  }

  absl::StatusOr<Input> Read(std::string bytes) const {
    InputOptions options;
    options.name = "people";
    options.schema = &schema_;
    options.columns = &resolved_.columns[0];
    options.plan = &resolved_.plan;
    options.seeds = seeds_.get();
    options.key = &key_;
    options.threads = threads_;
    options.cancelled = [this] { return cancelled_; };
    return ReadInputSource(common::MakeMemorySource(std::move(bytes)), "people.csv", options);
  }

  // Reads rows under the header; they must be accepted.
  Input Accept(const std::string& rows) const {
    auto input = Read(kHeader + rows);
    SLUIS_EXPECT_OK(input);
    EXPECT_TRUE(input->check.ok()) << ToText(input->check);
    return *std::move(input);
  }

  void Refuse(const std::string& file, std::uint64_t row, const std::string& column, const std::string& rule) const {
    const auto input = Read(file);
    SLUIS_ASSERT_OK(input);
    EXPECT_FALSE(input->check.ok());
    ASSERT_EQ(input->check.errors.size(), 1u) << ToText(input->check);
    EXPECT_EQ(input->check.errors[0].row, row);
    EXPECT_EQ(input->check.errors[0].column, column);
    EXPECT_EQ(input->check.errors[0].rule, rule);
  }

  const FieldReport& Field(const Input& input, const std::string& name) const {
    for (const FieldReport& field : input.fields) {
      if (field.name == name) return field;
    }
    ADD_FAILURE() << name;
    return input.fields.front();
  }

  common::SecretBytes key_;
  common::Schema schema_;
  ResolvedPlan resolved_;
  std::unique_ptr<linker::TokenSeeds> seeds_;
  unsigned threads_ = 1;
  bool cancelled_ = false;
};

std::vector<std::uint64_t> Row(const Input& input, std::size_t row) {
  const auto words = input.source.tables[0].row(row);
  return {words.begin(), words.end()};
}

TEST_F(ReadInputTest, KeepsIdsEncodingsAndTokens) {
  const Input input = Accept(
      "a,123456782,Jansen,02-03-1984,F,\"1.200,50\"\nb,,de Vries,,M,\n c ,123456782,Jansen,02-03-1984,F,\"1200,50\"\n");
  ASSERT_EQ(input.ids.size(), 3u);
  EXPECT_EQ(input.ids[0], "a");
  EXPECT_EQ(input.ids[2], "c");
  EXPECT_EQ(input.source.records, 3u);
  EXPECT_EQ(input.source.name, "people");
  EXPECT_THAT(input.source.record_of_row, ElementsAre(0, 1, 2));
  EXPECT_EQ(Row(input, 0), Row(input, 2));
  EXPECT_NE(Row(input, 0), Row(input, 1));
  EXPECT_EQ(input.source.exact[0][0], input.source.exact[0][2]);
  EXPECT_FALSE(input.source.exact[0][0].absent());
  EXPECT_TRUE(input.source.exact[0][1].absent());
  EXPECT_EQ(Field(input, "born").missing, 1u);
  EXPECT_TRUE(input.check.warnings.empty());
}

TEST_F(ReadInputTest, UsesDirtyValuesAsTextAndCountsThemByField) {
  const Input input = Accept(
      "a,,Wolfeschlegelsteinhausenbergerdorff,02-03-1984,F,1\n"
      "b,,Jansen,31-02-1984,X,abc\n"
      "c,,Jansen,31-02-1985,X,abc\n");
  EXPECT_THAT(Field(input, "surname").warnings, ElementsAre(Pair("VALUE_MAX_LENGTH", 1)));
  EXPECT_THAT(Field(input, "born").warnings, ElementsAre(Pair("VALUE_TYPE", 2)));
  EXPECT_THAT(Field(input, "sex").warnings, ElementsAre(Pair("VALUE_ENUM", 2)));
  EXPECT_THAT(Field(input, "income").warnings, ElementsAre(Pair("VALUE_TYPE", 2)));
  EXPECT_EQ(input.check.warnings.at("VALUE_TYPE"), 4u);
  EXPECT_NE(Row(input, 1), Row(input, 2)) << "the digits of a bad date count";
  EXPECT_EQ(input.source.record_of_row.size(), 3u);
}

TEST_F(ReadInputTest, LeavesMissingValuesAndBadIdentifiersOut) {
  const Input input = Accept("a,123456789,Jansen,00-00-0000,F,1\nb,,Jansen,,F,1\n");
  EXPECT_TRUE(input.source.exact[0][0].absent());
  EXPECT_THAT(Field(input, "bsn").warnings, ElementsAre(Pair("IDENTIFIER_ELEVEN_TEST", 1)));
  EXPECT_EQ(Field(input, "born").missing, 2u);
  EXPECT_EQ(Row(input, 0), Row(input, 1)) << "a declared missing value is no value";
}

TEST_F(ReadInputTest, CutsAValueBeyondTheTokenisersLimit) {
  const Input input = Accept("a,," + std::string(3000, 'x') + ",02-03-1984,F,1\n");
  EXPECT_EQ(Field(input, "surname").warnings.at("VALUE_TOO_LONG"), 1u);
  EXPECT_EQ(input.source.record_of_row.size(), 1u);
}

TEST_F(ReadInputTest, KeepsARecordWithoutAnyFeature) {
  const Input input = Accept("a,,,,,\nb,,Jansen,,,\n");
  EXPECT_EQ(input.source.records, 2u);
  EXPECT_THAT(input.source.record_of_row, ElementsAre(1));
}

TEST_F(ReadInputTest, TellsWhichFieldsAreConstantOrEmpty) {
  const Input input = Accept("a,,Jansen,,F,1\nb,,Jansen,,M,2\n");
  EXPECT_TRUE(Field(input, "surname").constant);
  EXPECT_FALSE(Field(input, "sex").constant);
  EXPECT_FALSE(Field(input, "born").constant);
  EXPECT_EQ(Field(input, "born").missing, 2u);
}

TEST_F(ReadInputTest, FindsColumnsByNameAndPassesOverOthers) {
  const auto input = Read("extra,income,sex,born,surname,bsn,nr\nz,1,F,02-03-1984,Jansen,,a\n");
  SLUIS_ASSERT_OK(input);
  ASSERT_TRUE(input->check.ok()) << ToText(input->check);
  EXPECT_EQ(input->ids[0], "a");
  EXPECT_EQ(Row(*input, 0), Row(Accept("a,,Jansen,02-03-1984,F,1\n"), 0));
  EXPECT_EQ(input->check.warnings.at("COLUMN_UNDECLARED"), 1u);
}

TEST_F(ReadInputTest, ReadsACopyThatIsCompressedOrBeginsWithAByteOrderMark) {
  const std::string text = std::string(kHeader) + "a,,Jansen,02-03-1984,F,1\n";
  const auto plain = Read(text);
  SLUIS_ASSERT_OK(plain);
  for (const std::string& other : {"\xEF\xBB\xBF" + text, common::testing::Gzip(text), common::testing::Zstd(text)}) {
    const auto read = Read(other);
    SLUIS_ASSERT_OK(read);
    ASSERT_TRUE(read->check.ok()) << ToText(read->check);
    EXPECT_EQ(Row(*read, 0), Row(*plain, 0));
    EXPECT_EQ(read->ids[0], "a");
  }
}

TEST_F(ReadInputTest, RefusesAFileThatIsBrokenByRowAndColumn) {
  const std::string good = "a,,Jansen,02-03-1984,F,1\n";
  Refuse("", 0, "", "FILE_EMPTY");
  Refuse(kHeader + good + "b,,Jansen\n", 3, "", "CSV_ARITY");
  Refuse(kHeader + good + "b,,Jan\xFFsen,02-03-1984,F,1\n", 3, "surname", "CSV_ENCODING");
  Refuse(kHeader + good + std::string("b,,Jan\0sen,02-03-1984,F,1\n", 26), 3, "surname", "CSV_NUL");
  Refuse(kHeader + good + " ,,Jansen,02-03-1984,F,1\n", 3, "nr", "PRIMARY_KEY");
  Refuse(kHeader + good + "b,,Smit,,,\na,,Bakker,,,\n", 4, "nr", "PRIMARY_KEY");
  Refuse(kHeader + good + "b,,\"Jansen,02-03-1984,F,1\n", 3, "", "CSV_QUOTE");
  Refuse("nr,bsn,surname,born,sex\na,,Jansen,02-03-1984,F\n", 1, "income", "COLUMN_MISSING");
  Refuse("nr,bsn,surname,born,sex,income,sex\n", 1, "sex", "COLUMN_DUPLICATE");
  Refuse("bsn,surname,born,sex,income\n", 1, "nr", "COLUMN_MISSING");
}

// 20,000 records are five blocks, so that encoders take several turns and the last block is not full.
TEST_F(ReadInputTest, IsTheSameWhateverTheThreads) {
  std::string rows;
  for (int i = 0; i < 20'000; ++i) {
    const std::string nr = std::to_string(i);
    rows += nr + ",," + (i % 7 == 0 ? "" : "Name" + std::to_string(i * 37 % 911)) + "," +
            (i % 5 == 0 ? "31-02-1999" : "02-03-1984") + "," + (i % 4000 == 0 ? "" : "F") + "," +
            (i % 7 == 0 ? "" : nr) + "\n";
  }
  for (const char* profile : {"RECORD_LEVEL", "FIELD_LEVEL"}) {
    const InputSchema schema{"people.csv", &schema_};
    auto resolved = ResolvePlan(std::span(&schema, 1), absl::StrCat("profile: ", profile));
    SLUIS_ASSERT_OK(resolved);
    resolved_ = *std::move(resolved);
    threads_ = 1;
    const Input one = Accept(rows);
    EXPECT_EQ(one.source.records, 20'000u);
    EXPECT_EQ(Field(one, "born").warnings.at("VALUE_TYPE"), 4000u);
    EXPECT_EQ(Field(one, "surname").missing, 2858u);
    EXPECT_TRUE(Field(one, "sex").constant);
    EXPECT_FALSE(Field(one, "income").constant);
    for (const unsigned threads : {2u, 3u, 8u}) {
      threads_ = threads;
      const Input input = Accept(rows);
      EXPECT_EQ(linker::DigestOf(input.source), linker::DigestOf(one.source)) << profile << threads;
      EXPECT_EQ(input.source.exact, one.source.exact);
      for (std::size_t i = 0; i < one.fields.size(); ++i) {
        EXPECT_EQ(input.fields[i].name, one.fields[i].name);
        EXPECT_EQ(input.fields[i].missing, one.fields[i].missing);
        EXPECT_EQ(input.fields[i].constant, one.fields[i].constant);
        EXPECT_EQ(input.fields[i].warnings, one.fields[i].warnings);
      }
    }
  }
  threads_ = 3;
  Refuse(kHeader + rows + "20000,,x\n", 20'002, "", "CSV_ARITY");
}

TEST_F(ReadInputTest, AcceptsAHeaderOnly) {
  const Input input = Accept("");
  EXPECT_EQ(input.source.records, 0u);
  EXPECT_EQ(input.source.tables[0].rows(), 0u);
}

TEST_F(ReadInputTest, StopsWhenAsked) {
  cancelled_ = true;
  EXPECT_THAT(Read(std::string(kHeader) + "a,,Jansen,,,\n"),
              StatusIs(absl::StatusCode::kCancelled, "nothing was written"));
}

TEST_F(ReadInputTest, CopesWithSpacesAfterCommas) {
  const auto spaced = Read("nr, bsn, surname, born, sex, income\na, , Jansen, 02-03-1984, F, 1\n");
  SLUIS_ASSERT_OK(spaced);
  ASSERT_TRUE(spaced->check.ok()) << ToText(spaced->check);
  EXPECT_EQ(Row(*spaced, 0), Row(Accept("a,,Jansen,02-03-1984,F,1\n"), 0));
}

TEST(SourceName, IsTheFilesNameWithoutFolderAndExtension) {
  EXPECT_EQ(SourceName("/data/a.b/persons.csv"), "persons");
  EXPECT_EQ(SourceName("persons.2024.csv.gz"), "persons.2024");
  EXPECT_EQ(SourceName("persons.csv.zst"), "persons");
  EXPECT_EQ(SourceName("persons"), "persons");
  EXPECT_EQ(SourceName("./.hidden"), ".hidden");
}

}  // namespace
}  // namespace sluis::cli
