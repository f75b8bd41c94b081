#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/app/exit_code.h"
#include "cli/match/run.h"
#include "common/status/matchers.h"
#include "tests/cli/match/people.h"

namespace sluis::cli::testing {

struct Link {
  std::string entity, source, record_id, status;
};

class RunMatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("sluis-match-" + std::to_string(getpid()) + "-" +
                                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Put("people.schema.yaml", PeopleSchema());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Put(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  std::string Get(const std::string& name) const {
    std::ifstream in(Path(name), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  MatchCommand Command(const std::vector<std::string>& inputs) const {
    MatchCommand command;
    command.schemas = {Path("people.schema.yaml")};
    for (const std::string& input : inputs) command.inputs.push_back(Path(input));
    command.out = Path("links.csv");
    command.report = Path("report.json");
    command.seed = 1;
    command.threads = 1;
    return command;
  }

  // Runs the command, which must return `code`; keeps what it printed.
  void Run(const MatchCommand& command, int code = kExitOk) {
    ::testing::internal::CaptureStdout();
    const absl::StatusOr<int> result = RunMatch(command, false, true);
    printed_ = ::testing::internal::GetCapturedStdout();
    SLUIS_ASSERT_OK(result);
    EXPECT_EQ(*result, code) << printed_;
  }

  std::vector<Link> Links() const {
    std::istringstream in(Get("links.csv"));
    std::vector<Link> links;
    std::string line;
    std::getline(in, line);
    EXPECT_EQ(line, "entity,source,record_id,status\r");
    while (std::getline(in, line)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      std::istringstream fields(line);
      Link link;
      std::getline(fields, link.entity, ',');
      std::getline(fields, link.source, ',');
      std::getline(fields, link.record_id, ',');
      std::getline(fields, link.status, ',');
      links.push_back(link);
    }
    return links;
  }

  nlohmann::json Report() const { return nlohmann::json::parse(Get("report.json")); }

  // Pairs of records in one entity: all, and those that share the number behind their prefix.
  std::pair<int, int> CountPairs() const {
    std::map<std::string, std::vector<std::string>> entities;
    for (const Link& link : Links()) entities[link.entity].push_back(link.record_id.substr(1));
    int pairs = 0, right = 0;
    for (const auto& [entity, ids] : entities) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          ++pairs;
          right += ids[i] == ids[j] ? 1 : 0;
        }
      }
    }
    return {pairs, right};
  }

  std::filesystem::path folder_;
  std::string printed_;
};

}  // namespace sluis::cli::testing
