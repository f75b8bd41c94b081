#include "common/csv/csv_reader.h"

#include <random>
#include <string>
#include <vector>

#include "common/csv/csv_writer.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/common/csv/compress.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::testing::ElementsAre;

struct Row {
  std::vector<std::string> fields;
  std::uint64_t row;
  std::uint64_t line;
  RecordFault fault;
  std::size_t column;
};
struct Outcome {
  std::vector<Row> rows;
  absl::Status status;
  std::uint64_t row = 0;
  std::uint64_t line = 0;
  char delimiter = 0;
  bool detected = false;
  std::vector<std::string> header;
};

Outcome ReadCsv(std::string bytes, const CsvOptions& options = {}) {
  Outcome outcome;
  auto reader = CsvReader::Open(MakeMemorySource(std::move(bytes)), options);
  outcome.status = reader.status();
  if (!reader.ok()) return outcome;
  outcome.header = (*reader)->header();
  outcome.delimiter = (*reader)->delimiter();
  outcome.detected = (*reader)->delimiter_detected();
  Record record;
  for (;;) {
    const absl::StatusOr<bool> found = (*reader)->Next(record);
    outcome.status = found.status();
    if (!found.ok() || !*found) break;
    outcome.rows.push_back(
        {{record.fields.begin(), record.fields.end()}, record.row, record.line, record.fault, record.fault_column});
  }
  outcome.row = (*reader)->row();
  outcome.line = (*reader)->line();
  return outcome;
}

TEST(CsvReader, ReadsHeaderAndRowsWithTheirPlaces) {
  const Outcome outcome = ReadCsv("id , name\n1,a\n2,b");
  SLUIS_ASSERT_OK(outcome.status);
  EXPECT_THAT(outcome.header, ElementsAre("id", "name"));
  ASSERT_EQ(outcome.rows.size(), 2u);
  EXPECT_THAT(outcome.rows[0].fields, ElementsAre("1", "a"));
  EXPECT_EQ(outcome.rows[0].row, 2u);
  EXPECT_EQ(outcome.rows[0].line, 2u);
  EXPECT_THAT(outcome.rows[1].fields, ElementsAre("2", "b"));
}

TEST(CsvReader, FindsTheDelimiterInTheHeaderAndSaysWhich) {
  for (const char delimiter : {',', ';', '\t'}) {
    const std::string d(1, delimiter);
    const Outcome outcome =
        ReadCsv("a" + d + "\"b,;,;,;\t\t\t\t\"" + d + "c" + d + "d\n1" + d + "2" + d + "3" + d + "4");
    SLUIS_ASSERT_OK(outcome.status);
    EXPECT_EQ(outcome.delimiter, delimiter);
    EXPECT_TRUE(outcome.detected);
    EXPECT_EQ(outcome.rows[0].fields.size(), 4u);
  }
  EXPECT_EQ(ReadCsv("only\n1").delimiter, ',');
  EXPECT_EQ(ReadCsv("\n\r\na;b\n1;2").delimiter, ';');
  EXPECT_EQ(ReasonOf(ReadCsv("a;b,c\n").status), "CSV_DELIMITER");
  EXPECT_FALSE(ReadCsv("a;b,c\n", {.delimiter = ';'}).detected);
}

TEST(CsvReader, KeepsLineBreaksQuotesAndSpacesOfFields) {
  const Outcome outcome = ReadCsv("a,b\n\"x\r\ny\",\"say \"\"no\"\"\"\n 1 , \n\"\n\n\",2\n3,4\n");
  SLUIS_ASSERT_OK(outcome.status);
  ASSERT_EQ(outcome.rows.size(), 4u);
  EXPECT_THAT(outcome.rows[0].fields, ElementsAre("x\r\ny", "say \"no\""));
  EXPECT_THAT(outcome.rows[1].fields, ElementsAre(" 1 ", " "));
  EXPECT_EQ(outcome.rows[1].line, 4u);
  EXPECT_EQ(outcome.rows[2].line, 5u);
  EXPECT_EQ(outcome.rows[3].line, 8u);
  EXPECT_EQ(outcome.rows[3].row, 5u);
}

TEST(CsvReader, TakesEveryLineEndAndSkipsBlankLines) {
  for (const char* end : {"\n", "\r\n", "\r"}) {
    const std::string e = end;
    const Outcome outcome = ReadCsv("a,b" + e + e + "1,2" + e + e + e + "3,4" + e + e);
    SLUIS_ASSERT_OK(outcome.status);
    ASSERT_EQ(outcome.rows.size(), 2u);
    EXPECT_EQ(outcome.rows[0].line, 3u);
    EXPECT_EQ(outcome.rows[1].line, 6u);
    EXPECT_EQ(outcome.rows[1].row, 3u);
  }
}

TEST(CsvReader, MarksRowsOfWrongArityAndGoesOn) {
  const Outcome outcome = ReadCsv("a,b\n1\n1,2\n1,2,3\n");
  SLUIS_ASSERT_OK(outcome.status);
  ASSERT_EQ(outcome.rows.size(), 3u);
  EXPECT_EQ(outcome.rows[0].fault, RecordFault::kArity);
  EXPECT_EQ(outcome.rows[1].fault, RecordFault::kNone);
  EXPECT_EQ(outcome.rows[2].fault, RecordFault::kArity);
}

TEST(CsvReader, MarksBadEncodingAndNulByColumn) {
  const Outcome outcome = ReadCsv(std::string("a,b\nx,\xE9\nx,\xC3\xA9\n\0,1\n", 17));
  SLUIS_ASSERT_OK(outcome.status);
  ASSERT_EQ(outcome.rows.size(), 3u);
  EXPECT_EQ(outcome.rows[0].fault, RecordFault::kEncoding);
  EXPECT_EQ(outcome.rows[0].column, 2u);
  EXPECT_EQ(outcome.rows[1].fault, RecordFault::kNone);
  EXPECT_EQ(outcome.rows[2].fault, RecordFault::kNul);
  EXPECT_EQ(outcome.rows[2].column, 1u);
  EXPECT_EQ(ReasonOf(ReadCsv("a,\xE9\n").status), "CSV_ENCODING");
  EXPECT_EQ(ReasonOf(ReadCsv(std::string("a,\0\n", 4)).status), "CSV_NUL");
}

TEST(CsvReader, ReadsWindows1252AndTheMark) {
  EXPECT_THAT(ReadCsv("n\nRen\xE9\n", {.encoding = Encoding::kWindows1252}).rows[0].fields, ElementsAre("Ren\xC3\xA9"));
  EXPECT_THAT(ReadCsv("\xEF\xBB\xBFn;m\n1;2\n").header, ElementsAre("n", "m"));
}

TEST(CsvReader, RefusesBrokenQuotes) {
  const Outcome open_quote = ReadCsv("a,b\n1,2\n3,\"never closed\n5,6\n");
  EXPECT_THAT(open_quote.status, StatusIs(absl::StatusCode::kInvalidArgument, "not closed"));
  EXPECT_EQ(ReasonOf(open_quote.status), "CSV_QUOTE");
  EXPECT_EQ(open_quote.rows.size(), 1u);
  EXPECT_EQ(open_quote.row, 3u);
  EXPECT_EQ(open_quote.line, 3u);
  EXPECT_EQ(ReasonOf(ReadCsv("a,b\n1,\"x\"y\n").status), "CSV_QUOTE");
  EXPECT_EQ(ReasonOf(ReadCsv("a,b\n1,x\"y\n").status), "CSV_QUOTE");
}

TEST(CsvReader, RefusesLongFieldsRecordsAndManyColumns) {
  CsvOptions options{.limits = {.field_bytes = 100, .record_bytes = 1000, .columns = 30}};
  const std::string ok(100, 'x');
  EXPECT_EQ(ReadCsv("a,b\n" + ok + ",1\n", options).rows.size(), 1u);
  const Outcome field = ReadCsv("a,b\n1,2\n" + ok + "x,1\n3,4\n", options);
  EXPECT_EQ(ReasonOf(field.status), "CSV_FIELD_TOO_LONG");
  EXPECT_EQ(field.rows.size(), 1u);
  EXPECT_EQ(field.row, 3u);
  std::string record = "1";
  for (int i = 0; i < 20; ++i) record += "," + std::string(60, 'y');
  EXPECT_EQ(ReasonOf(ReadCsv("a,b\n" + record, options).status), "CSV_RECORD_TOO_LONG");
  EXPECT_EQ(ReasonOf(ReadCsv("a,b\n" + std::string(40, ',') + "\n", options).status), "CSV_TOO_MANY_COLUMNS");
}

// Endless `x` after a header: a file of any length must not cost more memory than the limits.
class EndlessLine : public ByteSource {
 public:
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    std::fill(out.begin(), out.end(), 'x');
    if (served_ == 0) std::copy_n("a,b\n", 4, out.begin());
    served_ += out.size();
    return out.size();
  }
  std::size_t served_ = 0;
};

TEST(CsvReader, StopsInALineWithoutEndSoonAfterTheLimit) {
  auto source = std::make_unique<EndlessLine>();
  EndlessLine* line = source.get();
  auto reader = CsvReader::Open(std::move(source), {});
  SLUIS_ASSERT_OK(reader);
  Record record;
  EXPECT_EQ(ReasonOf((*reader)->Next(record).status()), "CSV_FIELD_TOO_LONG");
  EXPECT_EQ((*reader)->row(), 2u);
  EXPECT_LT(line->served_, 256u << 10);
}

TEST(CsvReader, StopsInAHeaderWithoutEnd) {
  EXPECT_EQ(ReasonOf(ReadCsv(std::string(3 << 20, 'x')).status), "CSV_FIELD_TOO_LONG");
  EXPECT_EQ(ReasonOf(ReadCsv("\"" + std::string(3 << 20, '\n')).status), "CSV_FIELD_TOO_LONG");
}

TEST(CsvReader, TellsAnEmptyFileFromOneWithoutRows) {
  EXPECT_EQ(ReasonOf(ReadCsv("").status), "FILE_EMPTY");
  EXPECT_EQ(ReasonOf(ReadCsv("\xEF\xBB\xBF\n\n").status), "FILE_EMPTY");
  const Outcome header_only = ReadCsv("a,b\n");
  SLUIS_EXPECT_OK(header_only.status);
  EXPECT_TRUE(header_only.rows.empty());
  EXPECT_EQ(ReadCsv("1,2\n", {.header = false}).rows.size(), 1u);
}

TEST(CsvReader, ReportsATruncatedFileAfterItsLastWholeRow) {
  std::string text = "a,b\n";
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) text += std::to_string(random()) + "," + std::to_string(random()) + "\n";
  const std::string whole = testing::Gzip(text);
  const Outcome outcome = ReadCsv(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(ReasonOf(outcome.status), "FILE_TRUNCATED");
  EXPECT_GT(outcome.rows.size(), 1000u);
  EXPECT_EQ(outcome.row, outcome.rows.size() + 2);
}

// Whatever the writer writes, the reader reads, also where blocks of 16 KiB end within fields, quotes or CRLF.
TEST(CsvReader, ReadsBackWhatTheWriterWrote) {
  std::mt19937 random(20240607);
  static constexpr std::string_view kPieces[] = {",",    ";", "\t", "\"",       "\r",           "\n",
                                                 "\r\n", "a", " ",  "\xC3\xA9", "\xE2\x82\xAC", "0"};
  for (int round = 0; round < 60; ++round) {
    const char delimiter = ",;\t"[random() % 3];
    const std::size_t columns = 1 + random() % 6;
    const std::size_t count = random() % 3000;
    std::string text;
    CsvWriter writer(text, delimiter);
    std::vector<std::vector<std::string>> rows(count);
    std::vector<std::uint64_t> lines;
    std::uint64_t line = 1;
    for (auto& row : rows) {
      lines.push_back(line);
      const std::size_t begin = text.size();
      for (std::size_t i = 0; i < columns; ++i) {
        std::string field;
        for (std::uint32_t n = random() % 8; n > 0; --n) field += kPieces[random() % std::size(kPieces)];
        writer.Field(field);
        row.push_back(field);
      }
      writer.EndRecord();
      for (std::size_t i = begin; i < text.size(); ++i) {
        line += text[i] == '\r' || (text[i] == '\n' && text[i - 1] != '\r') ? 1 : 0;
      }
    }
    const Outcome outcome = ReadCsv(text, {.delimiter = delimiter, .header = false});
    SLUIS_ASSERT_OK(outcome.status);
    ASSERT_EQ(outcome.rows.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(outcome.rows[i].fields, rows[i]);
      ASSERT_EQ(outcome.rows[i].line, lines[i]);
      ASSERT_EQ(outcome.rows[i].fault, RecordFault::kNone);
    }
  }
}

TEST(CsvWriterTest, QuotesOnlyWhereNeeded) {
  std::string out;
  CsvWriter writer(out, ';');
  for (const char* field : {"plain", "a,b", "a;b", "\"", "two\nlines", ""}) writer.Field(field);
  writer.EndRecord();
  writer.Field("");
  writer.EndRecord();
  EXPECT_EQ(out, "plain;a,b;\"a;b\";\"\"\"\";\"two\nlines\";\r\n\"\"\r\n");
}

}  // namespace
}  // namespace sluis::common
