#include <map>
#include <set>
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
  refused(Command("controlled", 1), "--base: base: 2 ..");
  refused(Command("small-counts", 5000), "--base: base: 2 .. 1000");
  refused(Command("nearest", 5), "--method");
  RoundCommand command = Command("controlled", 5);
  command.out = "";
  refused(command, "--out is needed");
  command.out = command.table.cells[0];
  EXPECT_FALSE(RunRound(command, false).ok());
  // Cells have no records that a draw could hang on.
  refused(Command("random", 3), "--microdata with --record-id and --secret");
  command = Command("rr3", 0);
  command.rules.emplace();
  refused(command, "the rule set has no method rr3");
  command.rules->methods.emplace("rr3", disclosure::RandomRoundingMethod{{{0, 3}}});
  command.base = 3;
  refused(command, "the rule set says it");
}

class DrawnTest : public RunRoundTest {
 protected:
  // 90 persons in three regions and by sex, in the order of `turn`.
  RoundCommand Drawn(const std::string& method, int turn = 0, const std::string& secret = std::string(32, 's')) {
    std::string csv = "id,region,sex\n";
    for (int i = 0; i < 90; ++i) {
      const int person = (i * 7 + turn) % 90;
      csv += "p" + std::to_string(person) + "," +
             (person % 5 < 2    ? "A"
              : person % 3 == 0 ? "B"
                                : "C") +
             "," + (person % 4 == 1 ? "m" : "f") + "\n";
    }
    Put("secret.bin", secret);
    RoundCommand command = Command(method, 3);
    command.table.cells.clear();
    command.table.microdata = Put("persons.csv", csv);
    command.table.record_id_column = "id";
    command.table.count_records = true;
    command.secret = Path("secret.bin");
    command.variable = "count";
    return command;
  }
  static std::multiset<std::string> Sorted(const std::string& text) {
    std::multiset<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.insert(line);
    return lines;
  }
  std::string Written(const RoundCommand& command) {
    ::testing::internal::CaptureStdout();
    const auto code = RunRound(command, false);
    ::testing::internal::GetCapturedStdout();
    EXPECT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(code.value_or(-1), kExitOk);
    return Get("rounded.csv");
  }
};

TEST_F(DrawnTest, RoundsRecordsTheSameWayInWhateverOrderTheyCome) {
  const std::string first = Written(Drawn("random"));
  EXPECT_EQ(first.substr(0, 13), "region,sex,n\n");
  std::istringstream lines(first);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) EXPECT_EQ(std::stoi(line.substr(line.rfind(',') + 1)) % 3, 0) << line;
  // Codes without a hierarchy stand in the order in which they first come, and so do rows.
  EXPECT_EQ(Sorted(Written(Drawn("random", 13))), Sorted(first));
  EXPECT_NE(Sorted(Written(Drawn("random", 0, std::string(32, 't')))), Sorted(first));
  const nlohmann::json summary = nlohmann::json::parse(Get("summary.json"));
  EXPECT_EQ(summary["additive"], false);
  EXPECT_EQ(summary["same_records_same_value"], true);
  EXPECT_LT(summary["largest_distance"], 3);
  EXPECT_TRUE(summary["cells_told"].is_number());
}

TEST_F(DrawnTest, TakesAMethodOfARuleSetByItsName) {
  RoundCommand command = Drawn("noise");
  command.base = 0;
  command.rules.emplace();
  command.rules->methods.emplace("noise",
                                 disclosure::CellKeyCountMethod{{.max_change = 5, .variance_milli = 2001, .gap = 2}});
  std::istringstream lines(Written(command));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const int value = std::stoi(line.substr(line.rfind(',') + 1));
    EXPECT_TRUE(value == 0 || value > 2) << line;
  }
  EXPECT_LE(nlohmann::json::parse(Get("summary.json"))["largest_distance"], 5);
}

TEST_F(DrawnTest, RefusesAShortSecretAndAnIdThatStandsTwice) {
  EXPECT_THAT(RunRound(Drawn("random", 0, "short"), false),
              StatusIs(absl::StatusCode::kInvalidArgument, "at least 16 bytes"));
  RoundCommand command = Drawn("random");
  Put("persons.csv", Replaced(Get("persons.csv"), "p7,", "p0,"));
  ::testing::internal::CaptureStderr();
  const auto code = RunRound(command, false);
  const std::string message = ::testing::internal::GetCapturedStderr();
  SLUIS_ASSERT_OK(code);
  EXPECT_EQ(*code, kExitBadData);
  EXPECT_NE(message.find("column id: the id stands there twice"), std::string::npos) << message;
  EXPECT_EQ(message.find("p0"), std::string::npos) << message;
}

}  // namespace
}  // namespace sluis::cli
