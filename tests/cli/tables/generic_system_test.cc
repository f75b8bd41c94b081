#include "cli/tables/generic_system.h"

#include <string>

#include "cli/tables/make_system.h"
#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using testing::TableFolder;

class ReadSystemTest : public TableFolder {
 protected:
  const std::string kCells =
      "id,value,value_known,sensitive,prot,lo,up\na,3,1,1,2,-9,9\nb,4,1,0,0,0,0\nt,7,1,0,0,0,0\n";
  const std::string kRows = "row,cell,coef\n0,a,1\n0,b,1\n0,t,-1\n";
  const std::string kJj =
      "0\n3\n0 3 3 u 0 100 2 2 0\n1 4.0 4 s 0 1e3 0 0 0\n2 7 7 z 0 100 0 0 0\n1\n0 3 : 0 (1) 1 (1) 2 (-1)\n";

  void Fails(const std::string& cells, const std::string& rows, const char* message) {
    Put("cells.csv", cells);
    Put("rows.csv", rows);
    EXPECT_THAT(ReadSystem(folder_, {}), StatusIs(absl::StatusCode::kInvalidArgument, message));
  }
  void JjFails(const std::string& from, const std::string& to, const char* message) {
    EXPECT_THAT(ReadSystem(Put("x.jj", Replaced(kJj, from, to)), {}),
                StatusIs(absl::StatusCode::kInvalidArgument, message));
  }
};

TEST_F(ReadSystemTest, ReadsCellsAndRows) {
  Put("cells.csv", kCells);
  Put("rows.csv", kRows);
  const auto table = ReadSystem(folder_, {});
  SLUIS_ASSERT_OK(table);
  EXPECT_THAT(table->names.columns(), ElementsAre("id"));
  EXPECT_EQ(table->Describe(2), "id t");
  EXPECT_THAT(table->relations.total, ElementsAre(2));
  EXPECT_THAT(table->lower, ElementsAre(2, 0, 0));
  const auto system = MakeSystem(*table, {});
  SLUIS_ASSERT_OK(system);
  EXPECT_EQ(system->measures[0].upper_bound[0], 7);
}

TEST_F(ReadSystemTest, TellsRowsWithSeveralCellsOfBothSignsByAnAuxiliarySum) {
  Put("cells.csv", "id,value,primary,lpl,upl\na,3,1,1,1\nb,4,0,0,0\nc,5,0,0,0\nd,2,0,0,0\n");
  Put("rows.csv", "row,cell,coef\nr,a,1\nr,b,1\nr,c,-1\nr,d,-1\n");
  const auto table = ReadSystem(folder_, {});
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->num_named(), 4);
  EXPECT_EQ(table->num_cells, 5);
  EXPECT_EQ(table->value[4], 7);
  EXPECT_EQ(table->relations.size(), 2);
  const auto system = MakeSystem(*table, {});
  SLUIS_ASSERT_OK(system);
  EXPECT_EQ(system->suppressible[4], 1);
  // a is not protected by the sum that nobody publishes, but by b.
  for (const bool b : {false, true}) {
    const auto report =
        disclosure::VerifyLevels(*system, std::vector<std::uint8_t>{1, static_cast<std::uint8_t>(b), 0, 0, 1}, {});
    SLUIS_ASSERT_OK(report);
    EXPECT_EQ(report->shortfalls.empty(), b);
  }
}

TEST_F(ReadSystemTest, ReadsJjFiles) {
  const auto table = ReadSystem(Put("x.jj", kJj), {});
  SLUIS_ASSERT_OK(table);
  EXPECT_THAT(table->value, ElementsAre(3, 4, 7));
  EXPECT_THAT(table->upper, ElementsAre(2, 0, 0));
  const auto system = MakeSystem(*table, {});
  SLUIS_ASSERT_OK(system);
  EXPECT_THAT(system->suppressible, ElementsAre(1, 1, 0));
  EXPECT_THAT(system->measures[0].upper_bound, ElementsAre(100, 1000, 100));
  EXPECT_THAT(system->cost, ElementsAre(3, 4, 7));
}

TEST_F(ReadSystemTest, NamesWhatIsWrong) {
  Fails("id,value\n", "row,cell,coef\n", "there is no cell in it");
  Fails(Replaced(kCells, "b,4", "a,4"), kRows, "cells.csv line 3: the id a is there twice");
  Fails(Replaced(kCells, "b,4", "b,-4"), kRows, "line 3: id b, column value: negative");
  Fails(Replaced(kCells, "a,3,1,1", "a,3,1,7"), kRows, "id a: sensitive must be 0 or 1");
  Fails(Replaced(kCells, "prot", "level"), kRows, "the column prot is missing");
  Fails(kCells, Replaced(kRows, "0,b,1", "0,q,1"),
        "rows.csv line 3: row 0 names the cell q, which is not in cells.csv");
  Fails(kCells, Replaced(kRows, "0,b,1", "0,b,2"), "the coefficient must be 1 or -1");
  Fails(kCells, Replaced(kRows, "0,b,1", "0,a,1"), "row 0: the cell a stands in it twice");
  Fails(kCells, Replaced(kRows, "t,-1", "t,1"), "coefficients of both signs are expected");
  Put("cells.csv", kCells);
  Put("rows.csv", Replaced(kRows, "0,b,1\n", ""));
  const auto table = ReadSystem(folder_, {});
  SLUIS_ASSERT_OK(table);
  EXPECT_THAT(MakeSystem(*table, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "id t is not the sum of its 1 parts"));
}

TEST_F(ReadSystemTest, NamesWhatIsWrongInJjFiles) {
  JjFails("0\n3", "1\n3", "begins with a line 0");
  JjFails("0\n3\n", "0\n300000000\n", "must be 0 to 100,000,000");
  JjFails("0\n3\n", "0\n4\n", "nine fields");
  JjFails("1 4.0", "1 4.5", "line 4: value: a whole number is expected");
  JjFails("1 4.0", "1 x", "line 4: value: a number is expected");
  JjFails("1 4.0", "1 -4", "negative");
  JjFails("1 4.0", "0 4.0", "the index is there twice");
  JjFails("s 0", "s 1", "lower bounds above 0");
  JjFails("1e3", "3", "the upper bound is below the value");
  JjFails(" s ", " q ", "the status must be");
  JjFails("2 2 0\n", "2 2 5\n", "sliding");
  JjFails("\n0 3 :", "\n5 3 :", "a right side other than 0");
  JjFails("\n0 3 :", "\n0 4 :", "another number of terms");
  JjFails("2 (-1)", "9 (-1)", "names a cell that is not there");
  JjFails("2 (-1)", "2 (-2)", "the coefficient must be");
  JjFails("2 (-1)\n", "2 (-1)\n7\n", "after the last relation");
  JjFails("1\n0 3 : 0 (1) 1 (1) 2 (-1)\n", "2\n0 3 : 0 (1) 1 (1) 2 (-1)\n", "ends before its last relation");
}

}  // namespace
}  // namespace sluis::cli
