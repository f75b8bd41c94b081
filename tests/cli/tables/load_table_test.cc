#include "cli/tables/load_table.h"

#include <string>

#include "cli/tables/make_system.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using disclosure::CellSystem;
using testing::TableFolder;

class LoadCellsTest : public TableFolder {
 protected:
  static std::int32_t CellOf(const CellTable& table, std::vector<std::string_view> fields) {
    return table.names.Find(fields);
  }
  void Fails(const TableFiles& files, const std::string& message) {
    const auto table = LoadCells(files);
    if (!table.ok()) {
      EXPECT_THAT(table, StatusIs(absl::StatusCode::kInvalidArgument, message));
      return;
    }
    EXPECT_THAT(MakeSystem(*table, {}), StatusIs(absl::StatusCode::kInvalidArgument, message));
  }
  // The small table with one replacement fails with `message`.
  void FailsWith(const std::string& from, const std::string& to, const std::string& message) {
    const TableFiles files = Small();
    Put("cells.csv", Replaced(SmallCells(), from, to));
    Fails(files, message);
  }
};

TEST_F(LoadCellsTest, MakesASystemOfATable) {
  const auto table = LoadCells(Small());
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->num_cells, 12);
  EXPECT_EQ(table->relations.size(), 3 + 4);
  EXPECT_EQ(table->measure, "value");
  const std::int32_t cell = CellOf(*table, {"A", "m"});
  EXPECT_EQ(table->Describe(cell), "region=A, sex=m");
  EXPECT_EQ(CellOf(*table, {"A", "x"}), -1);
  const auto system = MakeSystem(*table, {});
  SLUIS_ASSERT_OK(system);
  const std::size_t i = static_cast<std::size_t>(cell);
  const disclosure::Measure& measure = system->measures[0];
  EXPECT_EQ(measure.value[i], 2);
  EXPECT_TRUE(system->IsPrimary(cell));
  EXPECT_EQ(measure.lower_level[i], 1);
  EXPECT_EQ(measure.upper_level[i], 1);
  EXPECT_EQ(measure.upper_bound[i], 60);
  EXPECT_EQ(system->cost[i], 2);
}

TEST_F(LoadCellsTest, TakesCostsOfEveryKind) {
  const auto table = LoadCells(Small());
  SLUIS_ASSERT_OK(table);
  const auto cost = [&](const char* kind) {
    return MakeSystem(*table, {.cost = ParseCostKind(kind).value(), .rules = {}}).value().cost.front();
  };
  EXPECT_EQ(cost("value"), 60);
  EXPECT_EQ(cost("unit"), 1);
  EXPECT_EQ(cost("frequency"), 60);
  EXPECT_EQ(cost("log"), 4111);  // 1000 ln 61 = 4110.87
  EXPECT_THAT(ParseCostKind("distance"), StatusIs(absl::StatusCode::kInvalidArgument, "--cost must be"));
}

TEST_F(LoadCellsTest, ReadsWindowsFilesQuotesAndOtherDelimiters) {
  TableFiles files = Small();
  std::string text = SmallCells();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\r\n");
  for (char& c : text) c = c == ',' ? ';' : c;
  text = Replaced(text, "A;m", "\"A\";\" m \"");
  Put("cells.csv", "\xEF\xBB\xBF" + text);
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_GE(CellOf(*table, {"A", "m"}), 0);
}

TEST_F(LoadCellsTest, AppliesRulesToContributions) {
  const TableFiles files = Small();
  Put("cells.csv",
      "region,sex,n,value,top1,top2\n"
      "T,T,9,60,20,9\nT,m,5,32,20,5\nT,f,4,28,9,8\n"
      "A,T,3,30,20,5\nA,m,2,22,20,2\nA,f,1,8,8,0\n"
      "B,T,3,10,5,3\nB,m,2,8,5,3\nB,f,1,2,2,0\n"
      "C,T,3,20,9,9\nC,m,1,2,2,0\nC,f,2,18,9,9\n");
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  const auto system = MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules});
  SLUIS_ASSERT_OK(system);
  const std::int32_t cell = CellOf(*table, {"A", "m"});
  EXPECT_TRUE(system->IsPrimary(cell));
  EXPECT_EQ(system->measures[0].upper_level[static_cast<std::size_t>(cell)], 2);  // ceil(2.0) - 0
  EXPECT_FALSE(system->IsPrimary(CellOf(*table, {"T", "f"})));
  rules.dominance = {{.n = 3, .k_percent = 75}};
  EXPECT_THAT(MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the rules need the 3 largest contributions"));
}

TEST_F(LoadCellsTest, TakesGroupingsThatAreNoTreeTogether) {
  TableFiles files = Small();
  Put("regions.csv", "@;T\n@@;A\n@@;B\n@@;C\n");
  files.hierarchies.push_back({"region", Put("groups.csv", "parent,child\nAB,A\nAB,B\nBC,B\nBC2,C\n")});
  Put("groups.csv", "parent,child\nAB,A\nAB,B\n");
  files.hierarchies.push_back({"region", Put("more.csv", "parent,child\nBC,B\nBC,C\n")});
  Put("cells.csv", SmallCells() + "AB,T,35,35,0,0,0\nAB,m,15,15,0,0,0\nAB,f,20,20,0,0,0\n" +
                       "BC,T,48,48,0,0,0\nBC,m,30,30,0,0,0\nBC,f,18,18,0,0,0\n");
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->num_cells, 18);
  EXPECT_EQ(table->relations.size(), 3 * 3 + 6);
  SLUIS_EXPECT_OK(MakeSystem(*table, {}));
  files.hierarchies.push_back({"region", Put("cycle.csv", "parent,child\nA,T\n")});
  EXPECT_THAT(LoadCells(files),
              StatusIs(absl::StatusCode::kInvalidArgument, "dimension region a code is a part of itself"));
}

TEST_F(LoadCellsTest, JoinsLinkedTablesAtTheirCommonCells) {
  TableFiles files = Small();
  files.dimensions.push_back("age");
  files.hierarchies.push_back({"age", Put("age.csv", "@;T\n@@;y\n@@;o\n")});
  files.cells.push_back(Put("byage.csv",
                            "age,region,n,value,primary,lpl,upl\n"
                            "T,T,60,60,0,0,0\nT,A,12,12,0,0,0\nT,B,23,23,0,0,0\nT,C,25,25,0,0,0\n"
                            "y,T,20,20,0,0,0\ny,A,1,1,1,1,1\ny,B,9,9,0,0,0\ny,C,10,10,0,0,0\n"
                            "o,T,40,40,0,0,0\no,A,11,11,0,0,0\no,B,14,14,0,0,0\no,C,15,15,0,0,0\n"));
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->num_cells, 12 + 12 - 4);
  EXPECT_EQ(table->relations.size(), 7 + 3 - 1 + 4);
  EXPECT_EQ(table->Describe(CellOf(*table, {"A", "T", "y"})), "region=A, sex=T, age=y");
  SLUIS_EXPECT_OK(MakeSystem(*table, {}));
  Put("byage.csv", Replaced(Get("byage.csv"), "T,B,23,23", "T,B,23,22"));
  Fails(files, "byage.csv line 4: says something else about the cell region=B, sex=T, age=T than");
}

TEST_F(LoadCellsTest, FindsAPartThatNoTableHas) {
  TableFiles files = Small();
  files.hierarchies = {{"region", Put("regions.csv", "@;T\n@@;A\n@@;B\n@@;C\n@@;D\n")}};
  Fails(files, "is missing: it is a part of region=T, sex=T");
}

TEST_F(LoadCellsTest, LeavesDeeperLevelsOfAHierarchyAside) {
  TableFiles files = Small();
  Put("regions.csv", "@;T\n@@;A\n@@@;A1\n@@@;A2\n@@;B\n@@;C\n");
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->relations.size(), 7);
}

TEST_F(LoadCellsTest, NamesTheCellOfEveryError) {
  FailsWith("B,m,13,13", "B,m,13,14", "the table does not add up: region=T, sex=m is not the sum of its 3 parts");
  FailsWith("B,m,13,13,0,0,0\n", "", "the cell region=B, sex=m is missing: a file has every combination");
  FailsWith("B,m,13,13", "B,f,13,13", "line 10: the cell region=B, sex=f is there twice, first on line 9");
  FailsWith("B,m,13,13", "B,m,13,-13", "line 9 (region=B, sex=m), column value: negative");
  FailsWith("B,m,13,13", "B,m,13,1125899906842625", "above 2^50");
  FailsWith("B,m,13,13", "B,m,13,99999999999999999999", "above 2^50");
  FailsWith("B,m,13,13", "B,m,13,13.5", "line 9 (region=B, sex=m), column value: a whole number is expected");
  FailsWith("B,m,13,13", "B,m,13,", "a whole number is expected");
  FailsWith("B,m,13,13", "Q,m,13,13", "line 9 (region=Q, sex=m), column region: the code is in no hierarchy");
  FailsWith("B,m,13,13", ",m,13,13", "column region: a code is expected");
  FailsWith("B,m,13,13", "B,m,13", "line 9: the record has another number of fields");
  FailsWith("B,m,13,13", "B,\"m,13,13", "line");
  FailsWith("A,m,2,2,1,1,1", "A,m,2,2,2,1,1", "column primary: 0 or 1 is expected");
  FailsWith("A,m,2,2,1,1,1", "A,m,2,2,1,0,0", "region=A, sex=m: is primary without a protection level");
  FailsWith("A,m,2,2,1,1,1", "A,m,2,2,1,3,1", "region=A, sex=m: its lower protection level is above its value");
  FailsWith("A,m,2,2,1,1,1", "A,m,2,2,0,1,1", "region=A, sex=m: has a protection level but is not primary");
  FailsWith("A,m,2,2", "A,m,0,2", "region=A, sex=m: has a value but no contributors");
  FailsWith("primary,", "first,", "nothing says which cells are primary");
  FailsWith("lpl", "low", "the column lpl is missing");
  FailsWith("value", "amount", "the column value is missing");
  FailsWith("region,sex", "region,region", "the column region is there twice");
  FailsWith(SmallCells(), "", "cells.csv: ");
  FailsWith(SmallCells(), "region,sex,n,value,primary,lpl,upl\n", "there is no cell in it");
}

TEST_F(LoadCellsTest, RefusesArgumentsThatDoNotFit) {
  TableFiles files = Small();
  files.dimensions = {};
  Fails(files, "--dims is needed");
  files.dimensions = {"region", "region"};
  Fails(files, "--dims: names");
  files.dimensions = {"region"};
  files.hierarchies.push_back({"colour", Path("regions.csv")});
  Fails(files, "--dims does not name this dimension");
  files = Small();
  files.dimensions.push_back("age");
  Fails(files, "the column age is missing");
  files = Small();
  files.total_code = "Total";
  Fails(files, "dimension sex has no hierarchy, and no code Total for a total");
  files.hierarchies.push_back({"sex", "none"});
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->relations.size(), 3);
  files = Small();
  files.cells = {Path("absent.csv")};
  EXPECT_THAT(LoadCells(files), StatusIs(absl::StatusCode::kNotFound, "absent.csv"));
}

TEST_F(LoadCellsTest, RefusesTablesThatAreTooLarge) {
  std::string hierarchy = "parent,child\n";
  std::string cells = "a,b,value\n";
  for (int i = 0; i < 50'000; ++i) {
    const std::string code = std::to_string(i);
    hierarchy += "T," + code + "\n";
    cells += code + "," + code + ",1\n";
  }
  TableFiles files;
  files.dimensions = {"a", "b"};
  files.hierarchies = {{"a", Put("h.csv", hierarchy)}, {"b", Path("h.csv")}};
  files.cells = {Put("cells.csv", cells)};
  Fails(files, "too large");
}

TEST_F(LoadCellsTest, KeepsCellsThatMustBePublishedOrSuppressed) {
  TableFiles files = Small();
  files.columns.status = {"wish", true};
  std::string text = Replaced(SmallCells(), "upl\n", "upl,wish\n");
  for (std::size_t at = text.find('\n') + 1; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, ",");
  }
  Put("cells.csv", Replaced(Replaced(text, "B,m,13,13,0,0,0,", "B,m,13,13,0,0,0,publish"), "C,f,8,8,0,0,0,",
                            "C,f,8,8,0,0,0,suppress"));
  const auto table = LoadCells(files);
  SLUIS_ASSERT_OK(table);
  const auto system = MakeSystem(*table, {});
  SLUIS_ASSERT_OK(system);
  EXPECT_EQ(system->suppressible[static_cast<std::size_t>(CellOf(*table, {"B", "m"}))], 0);
  const std::int32_t must = CellOf(*table, {"C", "f"});
  EXPECT_TRUE(system->IsPrimary(must));
  EXPECT_EQ(system->measures[0].upper_level[static_cast<std::size_t>(must)], 1);
  Put("cells.csv", Replaced(text, "A,m,2,2,1,1,1,", "A,m,2,2,1,1,1,publish"));
  Fails(files, "region=A, sex=m: is primary and must be published");
  Put("cells.csv", Replaced(text, "A,m,2,2,1,1,1,", "A,m,2,2,1,1,1,maybe"));
  Fails(files, "column wish: publish, suppress or nothing is expected");
}

TEST(NameCells, PutsNamesInThePlaceOfNumbers) {
  CellTable table{.names = CellNames({"x", "y"}), .measure = "value"};
  table.num_cells = 2;
  EXPECT_EQ(NameCells(absl::InvalidArgumentError("cell 1: bad, and cell 0; cell 7, cell"), table).message(),
            "cell id y: bad, and cell id x; cell 7, cell");
  SLUIS_EXPECT_OK(NameCells(absl::OkStatus(), table));
}

}  // namespace
}  // namespace sluis::cli
