#include "cli/tables/pattern_file.h"

#include <string>

#include "cli/tables/load_table.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using testing::TableFolder;

class PatternFileTest : public TableFolder {};

TEST_F(PatternFileTest, ReadsBackWhatItWrote) {
  const auto table = LoadCells(Small());
  SLUIS_ASSERT_OK(table);
  const std::vector<std::uint8_t> pattern = {0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0};
  const std::vector<std::uint8_t> primary = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
  const std::string csv = PatternCsv(table->names, primary, pattern);
  EXPECT_EQ(csv.substr(0, csv.find('A')), "region,sex,primary,supp\nT,T,0,0\nT,m,0,0\nT,f,0,0\n");
  const auto read = ReadPattern(Put("pattern.csv", csv), *table);
  SLUIS_ASSERT_OK(read);
  EXPECT_EQ(*read, pattern);
  // Other columns and another order do not matter.
  std::string other = "supp;sex;note;region\n";
  for (std::int32_t i = 0; i < 12; ++i) {
    const auto fields = table->names.Fields(11 - i);
    other += (pattern[static_cast<std::size_t>(11 - i)] != 0 ? "1;" : "0;") + std::string(fields[1]) + ";x;" +
             std::string(fields[0]) + "\n";
  }
  const auto again = ReadPattern(Put("pattern.csv", other), *table);
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ(*again, pattern);
}

TEST_F(PatternFileTest, NamesTheCellOfAnError) {
  const auto table = LoadCells(Small());
  SLUIS_ASSERT_OK(table);
  const std::vector<std::uint8_t> none(12, 0);
  const std::string good = PatternCsv(table->names, none, none);
  const auto fails = [&](const std::string& from, const std::string& to, const char* message) {
    EXPECT_THAT(ReadPattern(Put("pattern.csv", Replaced(good, from, to)), *table),
                StatusIs(absl::StatusCode::kInvalidArgument, message));
  };
  fails("B,m,0,0", "B,m,0,2", "line 9: column supp (region=B, sex=m): 0 or 1 is expected");
  fails("B,m,0,0", "B,f,0,0", "the cell region=B, sex=f is there twice");
  fails("B,m,0,0\n", "", "the cell region=B, sex=m is missing");
  fails("B,m,0,0", "Z,m,0,0", "line 9: the cell is not in the table");
  fails("B,m,0,0", "B,m,0", "line 9: the record has another number of fields");
  fails("supp", "suppressed", "the column supp is missing");
}

TEST_F(PatternFileTest, QuotesFieldsThatNeedIt) {
  std::string csv;
  for (const char* field : {"plain", "a,b", "say \"x\"", "two\nlines"}) AppendField(csv, field, ',');
  EXPECT_EQ(csv, "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",");
}

TEST_F(PatternFileTest, ChecksOutputsBeforeTheWork) {
  Put("in.csv", "x");
  const std::vector<std::string> inputs = {Path("in.csv")};
  SLUIS_EXPECT_OK(CheckOutputs(inputs, {Path("out.csv"), "", Path("summary.json")}));
  const auto fails = [&](const std::vector<std::string>& outputs, const char* message) {
    EXPECT_THAT(CheckOutputs(inputs, outputs), StatusIs(absl::StatusCode::kInvalidArgument, message));
  };
  fails({Path("in.csv")}, "is an input");
  fails({folder_ + "/./in.csv"}, "is an input");
  fails({Path("a"), Path("a")}, "two outputs");
  fails({Path("no/folder/a")}, "its folder does not exist");
  fails({folder_}, "something else than a regular file");
}

}  // namespace
}  // namespace sluis::cli
