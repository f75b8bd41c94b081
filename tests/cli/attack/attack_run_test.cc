#include <nlohmann/json.hpp>
#include <string>

#include "cli/app/exit_code.h"
#include "cli/attack/run.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::HasSubstr;
using testing::TableFolder;

class RunAttackTest : public TableFolder {
 protected:
  RunAttackTest() {
    command_.table = Small();
    command_.pattern = Path("pattern.csv");
    command_.summary = Path("summary.json");
    PutPattern("A,m A,f B,m B,f");
  }
  void PutPattern(const std::string& suppressed) {
    std::string csv = "region,sex,primary,supp\n";
    for (const char* region : {"T", "A", "B", "C"}) {
      for (const char* sex : {"T", "m", "f"}) {
        const std::string cell = std::string(region) + "," + sex;
        csv += cell + ",0," + (suppressed.find(cell) != std::string::npos ? "1\n" : "0\n");
      }
    }
    Put("pattern.csv", csv);
  }
  int Run() {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = RunAttack(command_, false, true);
    printed_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }
  nlohmann::json Summary() const { return nlohmann::json::parse(Get("summary.json")); }

  AttackCommand command_;
  std::string printed_, errors_;
};

TEST_F(RunAttackTest, HoldsWithLevels) {
  EXPECT_EQ(Run(), kExitOk) << errors_;
  EXPECT_EQ(Summary()["attack"]["mode"], "auditor");
  EXPECT_EQ(Summary()["attack"]["verdict"], "holds");
  EXPECT_EQ(Summary()["attack"]["levels"], 2);
  EXPECT_THAT(printed_, HasSubstr("levels not reached          0"));
}

TEST_F(RunAttackTest, FailsWhereACellCanBeRecomputed) {
  PutPattern("A,m A,f");
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["exact_cells"], 2);
  EXPECT_EQ(Summary()["attack"]["cells_short"], 1);
  command_.public_only = true;
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["mode"], "public");
}

TEST_F(RunAttackTest, FailsWhereASensitiveCellIsPublished) {
  PutPattern("");
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["levels_short"], 2);
}

TEST_F(RunAttackTest, ReadsPublishedBytesAlone) {
  command_.pattern.clear();
  command_.out = Path("intervals.csv");
  Put("cells.csv",
      "region;sex;value\nT;T;60\nT;m;32\nT;f;28\nA;T;12\nA;m;x\nA;f;x\nB;T;23\nB;m;\nB;f;.\nC;T;25\nC;m;17\nC;f;8\n");
  EXPECT_EQ(Run(), kExitOk) << errors_;
  EXPECT_EQ(Summary()["attack"]["mode"], "public");
  EXPECT_EQ(Get("intervals.csv"), "region,sex,low,high,exact\nA,m,0,12,0\nA,f,0,12,0\nB,m,3,15,0\nB,f,8,20,0\n");
  Put("cells.csv", Replaced(Get("cells.csv"), "C;m;17", "C;m;18"));
  EXPECT_EQ(Run(), kExitBadData);  // the published values contradict each other
  EXPECT_THAT(errors_, HasSubstr("region=C, sex=T is not the sum of its 2 parts"));
}

// A contributor who alone makes up a suppressed cell subtracts it, and the sensitive cell beside it is left.
TEST_F(RunAttackTest, AttacksAsAContributor) {
  Put("cells.csv", Replaced(SmallCells(), "A,f,10,10", "A,f,1,10"));
  EXPECT_EQ(Run(), kExitOk) << errors_;
  command_.contributor = Put("own.csv", "region,sex,value\nA,f,10\n");
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["levels_short"], 2);
  EXPECT_EQ(Summary()["attack"]["exact_cells"], 3);  // the whole rectangle, but for the own cell
  // A share of it leaves room.
  Put("cells.csv", SmallCells());
  Put("own.csv", "region,sex,value\nA,f,8\n");
  EXPECT_EQ(Run(), kExitOk) << errors_;
  Put("own.csv", "region,sex,value\nA,f,10\n");  // all of it, and does not know to be alone: A/m is at most 2
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["levels_short"], 1);
  // Levels protect the others: the own cell is none of them.
  Put("own.csv", "region,sex,value\nA,m,2\n");
  Put("cells.csv", Replaced(SmallCells(), "A,m,2,2", "A,m,1,2"));
  EXPECT_EQ(Run(), kExitNotVerified);
  EXPECT_EQ(Summary()["attack"]["levels"], 0);
}

TEST_F(RunAttackTest, NamesWhatIsWrongWithOwnContributions) {
  const auto fails = [this](const std::string& text, const char* message) {
    command_.contributor = Put("own.csv", text);
    EXPECT_EQ(Run(), kExitBadData);
    EXPECT_THAT(errors_, HasSubstr(message));
  };
  fails("region,sex\nA,f\n", "the column value is missing");
  fails("region,sex,value\nQ,f,1\n", "line 2: the cell is not in the table");
  fails("region,sex,value\nA,f,1\nA,f,1\n", "the cell region=A, sex=f is there twice");
  fails("region,sex,value\nA,f,-1\n", "column value (region=A, sex=f): negative");
  fails("region,sex,value\nA,f,11\n", "a share above the cell's value");
}

TEST_F(RunAttackTest, NamesWhatIsWrongWithFilesAndArguments) {
  Put("pattern.csv", "region,sex,supp\nA,m,1\n");
  EXPECT_EQ(Run(), kExitBadData);
  EXPECT_THAT(errors_, HasSubstr("the cell region=T, sex=T is missing"));
  PutPattern("A,m");
  Put("cert.bin", "SLDCgarbage");
  command_.certificate = Path("cert.bin");
  EXPECT_EQ(Run(), kExitBadData);
  EXPECT_THAT(errors_, HasSubstr("cert.bin"));
  command_.public_only = true;
  EXPECT_THAT(RunAttack(command_, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "--public leaves"));
  command_.public_only = false;
  command_.summary = Path("pattern.csv");
  EXPECT_THAT(RunAttack(command_, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "is an input"));
}

}  // namespace
}  // namespace sluis::cli
