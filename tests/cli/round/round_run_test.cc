#include <map>
#include <sstream>

#include "cli/app/exit_code.h"
#include "cli/round/run.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

class RunRoundTest : public testing::TableFolder {
 protected:
  RoundCommand Command(const std::string& method, std::int64_t base) {
    RoundCommand command;
    command.table = Small();
    command.method = method;
    command.base = base;
    command.out = Path("rounded.csv");
    command.summary = Path("summary.json");
    return command;
  }
  // The written values by their codes, such as "A,m".
  std::map<std::string, std::int64_t> Values() const {
    std::map<std::string, std::int64_t> values;
    std::istringstream file(Get("rounded.csv"));
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line, "region,sex,value");
    while (std::getline(file, line)) {
      const std::size_t comma = line.rfind(',');
      values[line.substr(0, comma)] = std::stoll(line.substr(comma + 1));
    }
    return values;
  }
};

TEST_F(RunRoundTest, WritesATableOfMultiplesThatAddsUp) {
  const auto code = RunRound(Command("controlled", 5), true);
  SLUIS_ASSERT_OK(code);
  EXPECT_EQ(*code, kExitOk);
  auto values = Values();
  ASSERT_EQ(values.size(), 12u);
  for (const auto& [codes, value] : values) EXPECT_EQ(value % 5, 0) << codes;
  for (const char* region : {"T", "A", "B", "C"}) {
    const std::string name = region;
    EXPECT_EQ(values[name + ",T"], values[name + ",m"] + values[name + ",f"]);
  }
  EXPECT_EQ(values["T,m"], values["A,m"] + values["B,m"] + values["C,m"]);
  EXPECT_EQ(values["T,T"], 60);
  EXPECT_EQ(values["A,f"], 10);
  const nlohmann::json summary = nlohmann::json::parse(Get("summary.json"));
  EXPECT_EQ(summary["additive"], true);
  EXPECT_EQ(summary["zero_restricted"], true);
  EXPECT_EQ(summary["proven_smallest"], true);
  EXPECT_EQ(summary["total_distance"], summary["distance_bound"]);
}

TEST_F(RunRoundTest, ChangesOnlyWhatMakesACountSmall) {
  const auto code = RunRound(Command("small-counts", 5), false);
  SLUIS_ASSERT_OK(code);
  EXPECT_EQ(*code, kExitOk);
  auto values = Values();
  EXPECT_EQ(values["A,m"], 0);  // 2 was the only count below 5
  EXPECT_EQ(values["A,T"], 10);
  EXPECT_EQ(values["T,m"], 30);
  EXPECT_EQ(values["T,T"], 58);
  EXPECT_EQ(values["B,m"], 13);
  EXPECT_EQ(nlohmann::json::parse(Get("summary.json"))["rounded_leaves"], 1);
}

TEST_F(RunRoundTest, NamesTheCellThatDoesNotAddUp) {
  RoundCommand command = Command("controlled", 5);
  Put("cells.csv", Replaced(SmallCells(), "B,m,13,13", "B,m,13,14"));
  ::testing::internal::CaptureStderr();
  const auto code = RunRound(command, false);
  const std::string message = ::testing::internal::GetCapturedStderr();
  SLUIS_ASSERT_OK(code);
  EXPECT_EQ(*code, kExitBadData);
  EXPECT_NE(message.find("the value is not the sum of its parts"), std::string::npos) << message;
  EXPECT_NE(message.find("region="), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(command.out));
}

TEST_F(RunRoundTest, RefusesArgumentsThatDoNotFit) {
  const auto refused = [](const RoundCommand& command, const char* why) {
    EXPECT_THAT(RunRound(command, false), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused(Command("controlled", 1), "base of 2");
  refused(Command("small-counts", 5000), "base of 2 .. 1000");
  refused(Command("nearest", 5), "--method");
  RoundCommand command = Command("controlled", 5);
  command.out = "";
  refused(command, "--out is needed");
  command.out = command.table.cells[0];
  EXPECT_FALSE(RunRound(command, false).ok());
}

}  // namespace
}  // namespace sluis::cli
