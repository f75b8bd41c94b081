#include "cli/advise/run.h"

#include "cli/app/exit_code.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

class RunAdviseTest : public testing::TableFolder {
 protected:
  int Run(const AdviseCommand& command) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = RunAdvise(command, false);
    printed_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }
  std::string printed_, errors_;
};

// A/m alone is sensitive: without the regions, or without the sexes, nothing is.
TEST_F(RunAdviseTest, SaysWhatEachCutSaves) {
  AdviseCommand command;
  command.table = Small();
  command.summary = Path("advice.json");
  ASSERT_EQ(Run(command), kExitOk) << errors_;
  const nlohmann::json advice = nlohmann::json::parse(Get("advice.json"));
  EXPECT_EQ(advice["as_it_is"]["cells"], 12);
  EXPECT_EQ(advice["as_it_is"]["sensitive_cells"], 1);
  EXPECT_EQ(advice["as_it_is"]["detailed_value"], 60);
  EXPECT_EQ(advice["as_it_is"]["detailed_sensitive_value"], 2);
  ASSERT_EQ(advice["single"].size(), 2u);
  // Both save the one cell; without the sexes 4 cells remain, without the regions 3.
  EXPECT_EQ(advice["single"][0]["dimension"], "sex");
  EXPECT_EQ(advice["single"][0]["cells"], 4);
  EXPECT_EQ(advice["single"][0]["sensitive_cells"], 0);
  EXPECT_EQ(advice["single"][1]["dimension"], "region");
  EXPECT_EQ(advice["single"][1]["cells"], 3);
  ASSERT_EQ(advice["path"].size(), 1u);
  EXPECT_EQ(advice["path"][0]["deepest_level"]["sex"], 0);
  EXPECT_NE(printed_.find("sex to level 0"), std::string::npos) << printed_;
}

TEST_F(RunAdviseTest, RefusesGroupingsThatAreNoTreeTogether) {
  AdviseCommand command;
  command.table = Small();
  command.table.hierarchies.push_back({"region", Put("groups.csv", "@;T\n@@;AB\n@@@;A\n@@@;B\n@@;C\n")});
  Put("cells.csv", SmallCells() + "AB,T,35,35,0,0,0\nAB,m,15,15,0,0,0\nAB,f,20,20,0,0,0\n");
  EXPECT_EQ(Run(command), kExitBadData);
  EXPECT_NE(errors_.find("grouping"), std::string::npos) << errors_;
}

TEST_F(RunAdviseTest, NamesTheCellThatDoesNotAddUp) {
  AdviseCommand command;
  command.table = Small();
  Put("cells.csv", Replaced(SmallCells(), "B,m,13,13", "B,m,13,14"));
  EXPECT_EQ(Run(command), kExitBadData);
  EXPECT_NE(errors_.find("region="), std::string::npos) << errors_;
}

}  // namespace
}  // namespace sluis::cli
