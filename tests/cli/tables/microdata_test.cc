#include "cli/tables/microdata.h"

#include <string>

#include "cli/generate/table.h"
#include "cli/tables/make_system.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using testing::TableFolder;

class TabulateMicrodataTest : public TableFolder {
 protected:
  TabulateMicrodataTest() {
    files_.microdata = Put("micro.csv", kMicro);
    files_.dimensions = {"region", "sex"};
    files_.hierarchies = {{"region", Put("regions.csv", "@;T\n@@;N\n@@@;A\n@@@;B\n@@;C\n")}};
  }
  const std::string kMicro =
      "id,firm,region,sex,value,w\n1,x,A,m,10,1\n2,x,A,m,5,2\n3,y,A,m,7,1\n4,x,B,f,20,1.5\n5,z,C,f,1,3\n";

  void Fails(const std::string& from, const std::string& to, const char* message) {
    Put("micro.csv", Replaced(kMicro, from, to));
    EXPECT_THAT(TabulateMicrodata(files_), StatusIs(absl::StatusCode::kInvalidArgument, message));
  }
  static std::size_t CellOf(const CellTable& table, std::vector<std::string_view> fields) {
    return static_cast<std::size_t>(table.names.Find(fields));
  }
  TableFiles files_;
};

TEST_F(TabulateMicrodataTest, GroupsByHolding) {
  files_.holding_column = "firm";
  const auto table = TabulateMicrodata(files_);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->num_cells, 5 * 3);
  const std::size_t cell = CellOf(*table, {"A", "m"});
  EXPECT_EQ(table->value[cell], 22);
  EXPECT_EQ(table->contributors[cell], 2);
  EXPECT_EQ(table->top[2 * cell], 15);
  EXPECT_EQ(table->top[2 * cell + 1], 7);
  const std::size_t north = CellOf(*table, {"N", "T"});
  EXPECT_EQ(table->value[north], 42);
  EXPECT_EQ(table->contributors[north], 2);
  EXPECT_EQ(table->top[2 * north], 35);
  EXPECT_EQ(table->contributors[CellOf(*table, {"C", "m"})], 0);
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  const auto system = MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules});
  SLUIS_ASSERT_OK(system);
  EXPECT_TRUE(system->IsPrimary(static_cast<std::int32_t>(north)));
}

TEST_F(TabulateMicrodataTest, CountsEveryRecordWithoutHoldings) {
  const auto table = TabulateMicrodata(files_);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->contributors[CellOf(*table, {"T", "T"})], 5);
}

TEST_F(TabulateMicrodataTest, WeighsRecords) {
  files_.weight_column = "w";
  const auto table = TabulateMicrodata(files_);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->value[CellOf(*table, {"A", "m"})], 10 + 10 + 7);
  EXPECT_EQ(table->value[CellOf(*table, {"T", "f"})], 30 + 3);
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  SLUIS_EXPECT_OK(MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules}));
}

// The same table as the generator tabulates, by other code, and with the sensitive cells that it says.
TEST_F(TabulateMicrodataTest, AgreesWithTheGenerator) {
  GenerateTableOptions options;
  options.shape = "3.2x4";
  options.records = 400;
  options.seed = 3;
  options.output_directory = folder_;
  options.overwrite = true;
  SLUIS_ASSERT_OK(GenerateTable(options, {}));
  TableFiles files;
  files.dimensions = {"d1", "d2"};
  files.hierarchies = {{"d1", Path("hier_d1.csv")}, {"d2", Path("hier_d2.csv")}};
  files.cells = {Path("table.csv")};
  const auto cells = LoadCells(files);
  SLUIS_ASSERT_OK(cells);
  files.cells.clear();
  files.microdata = Path("micro.csv");
  const auto table = TabulateMicrodata(files);
  SLUIS_ASSERT_OK(table);
  EXPECT_EQ(table->value, cells->value);
  EXPECT_EQ(table->contributors, cells->contributors);
  EXPECT_EQ(table->top, cells->top);
  EXPECT_EQ(table->relations.total, cells->relations.total);
  EXPECT_EQ(table->relations.part, cells->relations.part);
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  const auto ruled = MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules});
  const auto declared = MakeSystem(*cells, {});
  SLUIS_ASSERT_OK(ruled);
  SLUIS_ASSERT_OK(declared);
  EXPECT_EQ(ruled->measures[0].upper_level, declared->measures[0].upper_level);
  EXPECT_EQ(ruled->measures[0].lower_level, declared->measures[0].lower_level);
}

TEST_F(TabulateMicrodataTest, NamesLineAndColumnOfErrors) {
  Fails("3,y,A,m,7", "3,y,N,m,7", "micro.csv line 4, column region: the code is a total");
  Fails("3,y,A,m,7", "3,y,Q,m,7", "line 4, column region: the code is in no hierarchy");
  Fails("3,y,A,m,7", "3,y,A,m,-7", "line 4, column value: negative");
  Fails("3,y,A,m,7", "3,y,A,,7", "column sex: a code is expected");
  Fails("3,y,A,m,7", "3,y,A,T,7", "records have the code T in dimension sex");
  Fails("3,y,A,m,7,1", "3,y,A,m,7", "line 4: the record has another number of fields");
  Fails("region", "place", "the column region is missing");
  files_.weight_column = "w";
  Fails("7,1\n", "7,0.5\n", "line 4, column w: ");
  Fails(kMicro.substr(kMicro.find('\n') + 1), "", "there is no record in it");
}

TEST_F(TabulateMicrodataTest, RefusesRulesThatItWouldNotKeep) {
  const auto table = TabulateMicrodata(files_);
  SLUIS_ASSERT_OK(table);
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  rules.request = disclosure::RequestRule{.g_percent = 50};
  EXPECT_THAT(MakeSystem(*table, {.cost = CostKind::kValue, .rules = rules}),
              StatusIs(absl::StatusCode::kInvalidArgument, "which this command does not apply"));
}

}  // namespace
}  // namespace sluis::cli
