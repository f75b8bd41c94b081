#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/app/exit_code.h"
#include "cli/attack/run.h"
#include "cli/generate/table.h"
#include "cli/protect/run.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"
#include "tests/disclosure/instances.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::HasSubstr;
using testing::TableFolder;

class RunProtectTest : public TableFolder {
 protected:
  RunProtectTest() {
    command_.table = Small();
    command_.out = Path("pattern.csv");
    command_.certificate = Path("cert.bin");
    command_.summary = Path("summary.json");
  }
  int Run() {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = RunProtect(command_, false, true);
    printed_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }
  // The exit code of the judge on what was written.
  int Attack() {
    AttackCommand attack;
    attack.table = command_.table;
    attack.rules = command_.rules;
    attack.pattern = command_.out;
    attack.certificate = command_.certificate;
    ::testing::internal::CaptureStdout();
    const auto code = RunAttack(attack, false, true);
    ::testing::internal::GetCapturedStdout();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }
  void RefusesData(const std::string& from, const std::string& to, const char* message) {
    Put("cells.csv", Replaced(SmallCells(), from, to));
    EXPECT_EQ(Run(), kExitBadData);
    EXPECT_THAT(errors_, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(command_.out));
  }
  nlohmann::json Summary() const { return nlohmann::json::parse(Get("summary.json")); }

  ProtectCommand command_;
  std::string printed_, errors_;
};

TEST_F(RunProtectTest, WritesAPatternThatTheJudgeUpholds) {
  EXPECT_EQ(Run(), kExitOk) << errors_;
  EXPECT_THAT(Get("pattern.csv"), HasSubstr("A,m,1,1\n"));
  const nlohmann::json summary = Summary();
  EXPECT_EQ(summary["cells"], 12);
  EXPECT_EQ(summary["sensitive_cells"], 1);
  EXPECT_EQ(summary["secondary_cells"], 3);
  EXPECT_EQ(summary["secondary_value"], 10 + 10 + 13);  // with B; with C it would be 10 + 8 + 17
  EXPECT_EQ(summary["suppressed_value"], 35);
  EXPECT_EQ(summary["audit"]["verdict"], "holds");
  EXPECT_EQ(summary["audit"]["certificate"], "holds");
  EXPECT_GT(summary["peak_memory_bytes"], 1 << 20);
  EXPECT_TRUE(summary["seconds"].contains("protect"));
  EXPECT_EQ(Attack(), kExitOk);
}

TEST_F(RunProtectTest, GivesTheSamePatternOnAnyNumberOfThreads) {
  SLUIS_ASSERT_OK(GenerateTable({.shape = "3.3x4.3", .records = 600, .seed = 5, .output_directory = folder_}, {}));
  command_.table = {};
  command_.table.cells = {Path("table.csv")};
  command_.table.dimensions = {"d1", "d2"};
  command_.table.hierarchies = {{"d1", Path("hier_d1.csv")}, {"d2", Path("hier_d2.csv")}};
  std::string first;
  for (const unsigned threads : {1u, 2u, 3u}) {
    command_.threads = threads;
    EXPECT_EQ(Run(), kExitOk) << errors_;
    EXPECT_EQ(Attack(), kExitOk);
    if (threads == 1) first = Get("pattern.csv");
    EXPECT_EQ(Get("pattern.csv"), first);
  }
  EXPECT_GT(Summary()["sensitive_cells"], 5);
}

TEST_F(RunProtectTest, ProtectsLinkedTablesTogether) {
  command_.table.dimensions.push_back("age");
  command_.table.hierarchies.push_back({"age", Put("age.csv", "@;T\n@@;y\n@@;o\n")});
  command_.table.cells.push_back(Put("byage.csv",
                                     "age,region,n,value,primary,lpl,upl\n"
                                     "T,T,60,60,0,0,0\nT,A,12,12,0,0,0\nT,B,23,23,0,0,0\nT,C,25,25,0,0,0\n"
                                     "y,T,20,20,0,0,0\ny,A,1,1,1,1,1\ny,B,9,9,0,0,0\ny,C,10,10,0,0,0\n"
                                     "o,T,40,40,0,0,0\no,A,11,11,0,0,0\no,B,14,14,0,0,0\no,C,15,15,0,0,0\n"));
  EXPECT_EQ(Run(), kExitOk) << errors_;
  EXPECT_THAT(Get("pattern.csv"), HasSubstr("region,sex,age,primary,supp\n"));
  EXPECT_THAT(Get("pattern.csv"), HasSubstr("A,T,y,1,1\n"));
  EXPECT_EQ(Summary()["sensitive_cells"], 2);
  EXPECT_EQ(Attack(), kExitOk);
}

TEST_F(RunProtectTest, ProtectsAGenericSystem) {
  std::filesystem::create_directories(Path("system"));
  Put("system/cells.csv", "id,value,value_known,sensitive,prot,lo,up\na,3,1,1,2,0,0\nb,4,1,0,0,0,0\nt,7,1,0,0,0,0\n");
  Put("system/rows.csv", "row,cell,coef\n0,a,1\n0,b,1\n0,t,-1\n");
  command_.table = {};
  command_.table.system = Path("system");
  EXPECT_EQ(Run(), kExitOk) << errors_;
  EXPECT_EQ(Get("pattern.csv"), "id,primary,supp\na,1,1\nb,0,1\nt,0,0\n");
  EXPECT_EQ(Attack(), kExitOk);
}

TEST_F(RunProtectTest, SuppressesWithLevelsOfOneChild) {
  // A1 is all of A: the two cells are one number, and both are left out.
  Put("regions.csv", "@;T\n@@;A\n@@@;A1\n@@;B\n@@;C\n");
  Put("cells.csv", SmallCells() + "A1,T,12,12,0,0,0\nA1,m,2,2,1,1,1\nA1,f,10,10,0,0,0\n");
  EXPECT_EQ(Run(), kExitOk) << errors_;
  const std::string pattern = Get("pattern.csv");
  for (const char* cell : {"A,m,1,1", "A1,m,1,1", "A,f,0,1", "A1,f,0,1"}) EXPECT_THAT(pattern, HasSubstr(cell));
}

TEST_F(RunProtectTest, NamesCellsThatCannotBeProtected) {
  Put("cells.csv",
      "region,sex,n,value,primary,lpl,upl\n"
      "T,T,10,10,0,0,0\nT,m,4,4,0,0,0\nT,f,6,6,0,0,0\n"
      "A,T,4,4,0,0,0\nA,m,4,4,1,1,1\nA,f,0,0,0,0,0\n"
      "B,T,3,3,0,0,0\nB,m,0,0,0,0,0\nB,f,3,3,0,0,0\n"
      "C,T,3,3,0,0,0\nC,m,0,0,0,0,0\nC,f,3,3,0,0,0\n");
  EXPECT_EQ(Run(), kExitOk) << errors_;  // its totals can go
  std::string text = Replaced(Get("cells.csv"), "upl\n", "upl,wish\n");
  for (std::size_t at = text.find('\n') + 1; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.insert(at, ",");
  text = Replaced(text, "A,T,4,4,0,0,0,", "A,T,4,4,0,0,0,publish");
  Put("cells.csv", text);
  command_.table.columns.status = {"wish", true};
  std::filesystem::remove(command_.out);
  EXPECT_EQ(Run(), kExitRefused);
  EXPECT_THAT(errors_, HasSubstr("region=A, sex=m"));
  EXPECT_FALSE(std::filesystem::exists(command_.out));
}

TEST_F(RunProtectTest, RefusesBadTablesWithTheirCoordinates) {
  RefusesData("B,m,13,13", "B,m,13,12", "region=T, sex=m is not the sum of its 3 parts");
  RefusesData("B,m,13,13,0,0,0\n", "", "the cell region=B, sex=m is missing");
  RefusesData("B,m,13,13", "B,m,13,-1", "line 9 (region=B, sex=m), column value: negative");
}

TEST_F(RunProtectTest, RefusesArgumentsBeforeReading) {
  const auto refuses = [this](auto change, const char* message) {
    ProtectCommand command = command_;
    command.table.cells = {Path("absent.csv")};
    change(command);
    EXPECT_THAT(RunProtect(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, message));
  };
  refuses([](ProtectCommand& c) { c.time_limit_seconds = 0; }, "--time-limit must be above 0");
  refuses([](ProtectCommand& c) { c.time_limit_seconds = -1; }, "--time-limit must be above 0");
  refuses([](ProtectCommand& c) { c.out.clear(); }, "--out is needed");
  refuses([](ProtectCommand& c) { c.cost = "weight"; }, "--cost must be");
  refuses([](ProtectCommand& c) { c.threads = 5000; }, "--threads must be 0 to 1024");
  refuses([](ProtectCommand& c) { c.summary = c.out; }, "two outputs have this name");
  refuses([this](ProtectCommand& c) { c.out = Path("regions.csv"); }, "is an input");
}

// The published test tables, end to end.
TEST_F(RunProtectTest, ProtectsThePublishedInstances) {
  for (const char* name : {"flat2d_20x50", "hier2d_small"}) {
    const std::filesystem::path directory = disclosure::testing::InstanceDirectory(name);
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no test data at " << directory;
    command_.table = {};
    command_.table.cells = {(directory / "table.csv").string()};
    command_.table.dimensions = {"d1", "d2"};
    command_.table.hierarchies = {{"d1", (directory / "hier_d1.csv").string()},
                                  {"d2", (directory / "hier_d2.csv").string()}};
    EXPECT_EQ(Run(), kExitOk) << errors_;
    EXPECT_EQ(Summary()["audit"]["verdict"], "holds");
    EXPECT_EQ(Summary()["audit"]["cells_short"], 0);
    EXPECT_EQ(Summary()["audit"]["exact_cells"], 0);
    EXPECT_EQ(Attack(), kExitOk);
  }
}

}  // namespace
}  // namespace sluis::cli
