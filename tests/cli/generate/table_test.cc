#include "cli/generate/table.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/generate/table_shape_text.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using Rows = std::vector<std::vector<std::string>>;

Rows ReadRows(const std::filesystem::path& path, char delimiter = ',') {
  Rows rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::stringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, delimiter);) rows.back().push_back(field);
  }
  return rows;
}

class GenerateTableTest : public ::testing::Test {
 protected:
  GenerateTableTest() : folder_(::testing::TempDir() + "/generate_table_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    options_.shape = "3.2x4";
    options_.records = 300;
    options_.seed = 7;
    options_.output_directory = folder_;
  }
  ~GenerateTableTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
  GenerateTableOptions options_;
};

TEST_F(GenerateTableTest, TabulatesItsOwnMicrodata) {
  const auto made = GenerateTable(options_, {});
  SLUIS_ASSERT_OK(made);
  EXPECT_EQ(made->cells, 50);
  // Codes and what they are part of, from the hierarchies.
  std::vector<std::map<std::string, std::vector<std::string>>> above;  // per dimension: a code and all above it
  for (const char* name : {"hier_d1.csv", "hier_d2.csv"}) {
    std::vector<std::string> path;
    auto& of = above.emplace_back();
    for (const auto& row : ReadRows(folder_ + "/" + name, ';')) {
      path.resize(row[0].size() - 1);
      path.push_back(row[1]);
      of[row[1]] = path;
    }
  }
  EXPECT_EQ(above[0].size(), 10u);
  EXPECT_EQ(above[1].size(), 5u);
  std::map<std::vector<std::string>, std::vector<std::int64_t>> amounts;  // per cell
  const Rows micro = ReadRows(folder_ + "/micro.csv");
  ASSERT_EQ(micro.size(), 301u);
  EXPECT_EQ(micro[0], (std::vector<std::string>{"id", "holding", "d1", "d2", "value"}));
  for (std::size_t r = 1; r < micro.size(); ++r) {
    for (const std::string& a : above[0].at(micro[r][2])) {
      for (const std::string& b : above[1].at(micro[r][3])) amounts[{a, b}].push_back(std::stoll(micro[r][4]));
    }
  }
  const Rows table = ReadRows(folder_ + "/table.csv");
  ASSERT_EQ(table.size(), 51u);
  EXPECT_EQ(table[0], (std::vector<std::string>{"d1", "d2", "n", "value", "top1", "top2", "primary", "lpl", "upl"}));
  std::int64_t sensitive = 0;
  for (std::size_t r = 1; r < table.size(); ++r) {
    const auto& row = table[r];
    std::vector<std::int64_t> x = amounts[{row[0], row[1]}];
    std::sort(x.rbegin(), x.rend());
    std::int64_t total = 0;
    for (const std::int64_t one : x) total += one;
    EXPECT_EQ(row[2], std::to_string(x.size()));
    EXPECT_EQ(row[3], std::to_string(total));
    x.resize(2, 0);
    EXPECT_EQ(row[4], std::to_string(x[0]));
    EXPECT_EQ(row[5], std::to_string(x[1]));
    const std::int64_t rest = total - x[0] - x[1];
    const bool primary = row[2] != "0" && 10 * rest < x[0];
    const std::int64_t upper = primary ? std::max<std::int64_t>(1, (x[0] + 9) / 10 - rest) : 0;
    EXPECT_EQ(row[6], primary ? "1" : "0");
    EXPECT_EQ(row[7], std::to_string(std::min(upper, total)));
    EXPECT_EQ(row[8], std::to_string(upper));
    sensitive += primary ? 1 : 0;
  }
  EXPECT_EQ(made->sensitive, sensitive);
  EXPECT_GT(sensitive, 0);
  std::size_t inner = 0;
  for (const auto& row : table) inner += row[0].size() == 3 && row[1].size() == 2 && row[2] != "0" ? 1 : 0;
  EXPECT_EQ(ReadRows(folder_ + "/inner.csv").size(), inner + 1);
}

// On every machine: a change of these lines changes every table that was ever measured.
TEST_F(GenerateTableTest, GivesTheSameBytesForTheSameSeed) {
  SLUIS_ASSERT_OK(GenerateTable(options_, {}));
  const Rows first = ReadRows(folder_ + "/micro.csv");
  options_.overwrite = true;
  SLUIS_ASSERT_OK(GenerateTable(options_, {}));
  EXPECT_EQ(ReadRows(folder_ + "/micro.csv"), first);
  options_.seed = 8;
  SLUIS_ASSERT_OK(GenerateTable(options_, {}));
  EXPECT_NE(ReadRows(folder_ + "/micro.csv"), first);
}

TEST_F(GenerateTableTest, MakesAmountsThatAreSkewed) {
  options_.records = 20'000;
  SLUIS_ASSERT_OK(GenerateTable(options_, {}));
  std::vector<std::int64_t> amounts;
  for (const auto& row : ReadRows(folder_ + "/micro.csv")) {
    if (row[0] != "id") amounts.push_back(std::stoll(row[4]));
  }
  std::sort(amounts.begin(), amounts.end());
  // Median 64; its standard error is some 1.25 * 1.5 / sqrt(20000) = 1.3 %, so that 6 % is beyond four of them.
  EXPECT_NEAR(static_cast<double>(amounts[10'000]), 64, 4);
  EXPECT_GT(amounts.back(), 64 * 30);
  EXPECT_GE(amounts.front(), 1);
}

TEST_F(GenerateTableTest, RefusesBadOptionsAndFilesThatAreThere) {
  const auto refused = [this](auto change, const char* text) {
    GenerateTableOptions options = options_;
    change(options);
    EXPECT_THAT(GenerateTable(options, {}), StatusIs(absl::StatusCode::kInvalidArgument, text));
  };
  refused([](auto& o) { o.records = 0; }, "records");
  refused([](auto& o) { o.skew_percent = 301; }, "skew");
  refused([](auto& o) { o.p_percent = 0; }, "p must");
  refused([](auto& o) { o.shape = "600x600x600"; }, "100000000 cells");
  for (const char* shape :
       {"", "x", "3x", "3..2", "0", "-1", "677", "2a", "3 x4", "2x2x2x2x2x2x2x2x2", "600.600.600"}) {
    refused([shape](auto& o) { o.shape = shape; }, "shape");
  }
  std::ofstream(folder_ + "/hier_d2.csv") << "mine\n";
  EXPECT_THAT(GenerateTable(options_, {}), StatusIs(absl::StatusCode::kAlreadyExists, "hier_d2.csv"));
  EXPECT_EQ(ReadRows(folder_ + "/hier_d2.csv").size(), 1u);
}

TEST(ParseTableShape, NamesCodesByLevel) {
  const auto dimensions = ParseTableShape("2.3x27");
  SLUIS_ASSERT_OK(dimensions);
  std::vector<std::string> names;
  for (const auto& code : (*dimensions)[0].codes) names.push_back(code.name);
  EXPECT_THAT(names, ::testing::ElementsAre("T", "aA", "aAA", "aAB", "aAC", "aB", "aBA", "aBB", "aBC"));
  EXPECT_EQ((*dimensions)[0].leaves, 6);
  EXPECT_EQ((*dimensions)[0].codes[6].parent, 5);
  EXPECT_EQ((*dimensions)[1].codes[27].name, "bBa");
}

TEST(ParseTableShape, PresetsAreShapes) {
  for (const TablePreset& preset : TablePresets()) {
    std::int64_t cells = 1;
    const auto dimensions = ParseTableShape(preset.shape);
    SLUIS_ASSERT_OK(dimensions);
    for (const auto& dimension : *dimensions) cells *= static_cast<std::int64_t>(dimension.codes.size());
    if (preset.name == "hier2d") {
      EXPECT_EQ(cells, 14'520);
    }
    if (preset.name == "hier3d") {
      EXPECT_EQ(cells, 41'405);
    }
    EXPECT_GT(cells, 1000);
  }
}

}  // namespace
}  // namespace sluis::cli
