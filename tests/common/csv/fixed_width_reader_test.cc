#include "common/csv/fixed_width_reader.h"

#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::testing::ElementsAre;

const std::vector<FixedWidthColumn> kColumns = {{"name", 5, 4}, {"id", 1, 3}, {"last", 9, 1}};

std::unique_ptr<FixedWidthReader> Reader(std::string bytes, Encoding encoding = Encoding::kUtf8,
                                         const ReadLimits& limits = {}) {
  auto reader = FixedWidthReader::Open(MakeMemorySource(std::move(bytes)), kColumns, encoding, limits);
  EXPECT_THAT(reader, testing::IsOk());
  return *std::move(reader);
}

TEST(FixedWidthReader, CutsByCharacterInEitherEncoding) {
  for (const auto& [bytes, encoding] :
       {std::pair(std::string("123 Ren\xC3\xA9X\r\n 7  Li  Y"), Encoding::kUtf8),
        std::pair(std::string("123 Ren\xE9X\r\r\n 7  Li  Y"), Encoding::kWindows1252)}) {
    auto reader = Reader(bytes, encoding);
    EXPECT_THAT(reader->header(), ElementsAre("name", "id", "last"));
    Record record;
    ASSERT_TRUE(*reader->Next(record));
    EXPECT_THAT(record.fields, ElementsAre("Ren\xC3\xA9", "123", "X"));
    ASSERT_TRUE(*reader->Next(record));
    EXPECT_THAT(record.fields, ElementsAre("Li", "7", "Y"));
    EXPECT_EQ(record.row, 2u);
    EXPECT_EQ(record.line, encoding == Encoding::kUtf8 ? 2u : 3u);
    EXPECT_FALSE(*reader->Next(record));
  }
}

TEST(FixedWidthReader, MarksShortLinesStraysAndBadBytes) {
  auto reader =
      Reader(std::string("123 abcd\n123!abcdX\n123 abcdX more\n123 a\xFF"
                         "cdX\n1\0"
                         "3 abcdX\n123 abcdX   \n",
                         66));
  std::vector<RecordFault> faults;
  std::vector<std::size_t> columns;
  Record record;
  while (*reader->Next(record)) {
    faults.push_back(record.fault);
    columns.push_back(record.fault_column);
  }
  EXPECT_THAT(faults, ElementsAre(RecordFault::kArity, RecordFault::kStray, RecordFault::kStray, RecordFault::kEncoding,
                                  RecordFault::kNul, RecordFault::kNone));
  EXPECT_THAT(columns, ElementsAre(0, 0, 0, 1, 2, 0));
}

TEST(FixedWidthReader, RefusesALineWithoutEnd) {
  auto reader = Reader("123 abcdX\n" + std::string(100'000, 'x'), Encoding::kUtf8, {.record_bytes = 1000});
  Record record;
  ASSERT_TRUE(*reader->Next(record));
  EXPECT_EQ(ReasonOf(reader->Next(record).status()), "CSV_RECORD_TOO_LONG");
  EXPECT_EQ(reader->row(), 2u);
}

TEST(FixedWidthReader, OpenFailsOnBadColumns) {
  const auto open = [](std::vector<FixedWidthColumn> columns) {
    return FixedWidthReader::Open(MakeMemorySource(""), std::move(columns), Encoding::kUtf8, {}).status();
  };
  EXPECT_THAT(open({}), StatusIs(absl::StatusCode::kInvalidArgument, "at least one"));
  EXPECT_THAT(open({{"a", 0, 1}}), StatusIs(absl::StatusCode::kInvalidArgument, "`a`"));
  EXPECT_THAT(open({{"a", 1, 0}}), StatusIs(absl::StatusCode::kInvalidArgument, "`a`"));
  EXPECT_THAT(open({{"a", SIZE_MAX, 2}}), StatusIs(absl::StatusCode::kInvalidArgument, "`a`"));
  EXPECT_THAT(open({{"a", 1, 3}, {"b", 3, 1}}), StatusIs(absl::StatusCode::kInvalidArgument, "`b` overlaps"));
}

}  // namespace
}  // namespace sluis::common
