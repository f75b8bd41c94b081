#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "cli/tables/generic_system.h"
#include "cli/tables/hierarchy_file.h"
#include "cli/tables/load_table.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

// Good files with random damage, and random bytes. Readers must end with a table that holds together, or with a status;
// sanitizers look for the rest. The seed is fixed, the number of rounds bounded.

namespace sluis::cli {
namespace {

using testing::TableFolder;

constexpr int kRounds = 800;

class Damage {
 public:
  std::string Of(std::string text) {
    const int edits = 1 + static_cast<int>(random_() % 4);
    for (int k = 0; k < edits; ++k) Edit(text);
    return text;
  }
  std::string Bytes() {
    std::string text(random_() % 200, '\0');
    for (char& c : text) c = random_() % 3 != 0 ? kLikely[random_() % kLikely.size()] : static_cast<char>(random_());
    return text;
  }
  std::size_t Below(std::size_t n) { return random_() % n; }

 private:
  void Edit(std::string& text) {
    const std::size_t at = text.empty() ? 0 : random_() % text.size();
    const std::size_t length = std::min<std::size_t>(random_() % 12, text.size() - at);
    switch (random_() % 6) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(at, 1, kLikely[random_() % kLikely.size()]);
        break;
      case 3:
        if (!text.empty()) text[at] = kLikely[random_() % kLikely.size()];
        break;
      case 4:
        if (!text.empty()) text[at] = static_cast<char>(random_());
        break;
      default:
        text.resize(at);
    }
  }

  const std::string kLikely = "0123456789,;\"\n\r\t@.-+ABTmf:()eE \xEF\xBB\xBF";
  std::mt19937 random_{20261123};
};

class ReadersFuzz : public TableFolder {};

// What a reader returns must be a system, or be refused by MakeSystem, which validates every index.
void CheckWhole(const absl::StatusOr<CellTable>& table, int& accepted) {
  if (!table.ok()) {
    EXPECT_FALSE(table.status().message().empty());
    return;
  }
  const auto system = MakeSystem(*table, {});
  if (!system.ok()) return;
  ++accepted;
  for (std::int32_t i = 0; i < table->num_named(); ++i) {
    EXPECT_EQ(table->names.Find(table->names.Fields(i)), i);
  }
}

TEST_F(ReadersFuzz, HierarchiesEndInAForestOrAStatus) {
  Damage damage;
  const std::vector<std::string> good = {"@;T\n@@;A\n@@@;A1\n@@;B\n", "parent,child\nT,A\nT,B\nA,A1\n",
                                         "A\n@A1\n@A2\nB\n", "@T\n@@A\n@@B\n"};
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = round % 5 == 0 ? damage.Bytes() : damage.Of(good[damage.Below(good.size())]);
    const auto file = ParseHierarchy(text, "h", "T");
    if (!file.ok()) continue;
    ++accepted;
    const auto shape = disclosure::TableShape::CreateFromSums(
        {{.num_codes = static_cast<std::int32_t>(file->codes.size()), .sums = file->sums}});
    EXPECT_TRUE(shape.ok()) << text;
    EXPECT_EQ(file->line.size(), file->codes.size());
  }
  EXPECT_GT(accepted, kRounds / 20);
}

TEST_F(ReadersFuzz, TablesEndInASystemOrAStatus) {
  Damage damage;
  TableFiles files = Small();
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    Put("cells.csv", round % 10 == 0 ? damage.Bytes() : damage.Of(SmallCells()));
    CheckWhole(LoadCells(files), accepted);
  }
  EXPECT_GT(accepted, kRounds / 100);
}

TEST_F(ReadersFuzz, PatternsEndInAPatternOrAStatus) {
  Damage damage;
  const auto table = LoadCells(Small());
  SLUIS_ASSERT_OK(table);
  const std::vector<std::uint8_t> none(12, 0);
  const std::string good = PatternCsv(table->names, none, none);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto pattern = ReadPattern(Put("pattern.csv", damage.Of(good)), *table);
    if (!pattern.ok()) continue;
    ++accepted;
    ASSERT_EQ(pattern->size(), 12u);
    for (const std::uint8_t entry : *pattern) EXPECT_LE(entry, 1);
  }
  EXPECT_GT(accepted, kRounds / 100);
}

TEST_F(ReadersFuzz, SystemsEndInASystemOrAStatus) {
  Damage damage;
  const std::string cells = "id,value,value_known,sensitive,prot,lo,up\na,3,1,1,2,-9,9\nb,4,1,0,0,0,0\nt,7,1,0,0,0,0\n";
  const std::string rows = "row,cell,coef\n0,a,1\n0,b,1\n0,t,-1\n";
  const std::string jj = "0\n3\n0 3 3 u 0 9 2 2 0\n1 4 4 s 0 9 0 0 0\n2 7 7 z 0 9 0 0 0\n1\n0 3 : 0 (1) 1 (1) 2 (-1)\n";
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    Put("cells.csv", round % 2 == 0 ? cells : damage.Of(cells));
    Put("rows.csv", round % 2 == 0 ? damage.Of(rows) : rows);
    CheckWhole(ReadSystem(folder_, {}), accepted);
    CheckWhole(ReadSystem(Put("x.jj", round % 10 == 0 ? damage.Bytes() : damage.Of(jj)), {}), accepted);
  }
  EXPECT_GT(accepted, kRounds / 100);
}

}  // namespace
}  // namespace sluis::cli
