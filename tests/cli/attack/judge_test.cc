#include "cli/attack/judge.h"

#include <random>
#include <string>

#include "cli/attack/verdict_json.h"
#include "cli/tables/make_system.h"
#include "common/status/matchers.h"
#include "disclosure/suppress/suppress.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using disclosure::CellSystem;
using disclosure::Pattern;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TableFolder;

JudgeOptions AllIntervals() {
  JudgeOptions options;
  options.all_intervals = true;
  return options;
}

class JudgeTest : public TableFolder {
 protected:
  void Load(const TableFiles& files) {
    auto table = LoadCells(files);
    SLUIS_ASSERT_OK(table);
    table_.emplace(*std::move(table));
    auto system = MakeSystem(*table_, {});
    SLUIS_ASSERT_OK(system);
    system_ = *std::move(system);
  }
  Pattern Suppressed(const std::vector<std::vector<std::string_view>>& cells) const {
    Pattern pattern(static_cast<std::size_t>(table_->num_cells), 0);
    for (const auto& cell : cells) pattern[static_cast<std::size_t>(table_->names.Find(cell))] = 1;
    return pattern;
  }
  // A hierarchical table of 3 regions of 3, by 6 branches, some amounts large, sensitive at random.
  TableFiles Random(std::uint32_t seed) {
    std::mt19937 random(seed);
    std::string regions = "@;T\n";
    std::string branches = "@;T\n";
    std::vector<std::string> leaves;
    for (const char* region : {"A", "B", "C"}) {
      regions += std::string("@@;") + region + "\n";
      for (int k = 0; k < 3; ++k) {
        leaves.push_back(region + std::to_string(k));
        regions += "@@@;" + leaves.back() + "\n";
      }
    }
    const std::string letters = "uvwxyz";
    std::map<std::pair<std::string, std::string>, std::int64_t> value;
    std::map<std::pair<std::string, std::string>, std::int64_t> level;
    for (const char branch : letters) {
      branches += std::string("@@;") + branch + "\n";
      for (const std::string& leaf : leaves) {
        const std::int64_t amount = 1 + static_cast<std::int64_t>(random() % 60);
        for (const std::string& r : {leaf, leaf.substr(0, 1), std::string("T")}) {
          for (const std::string& b : {std::string(1, branch), std::string("T")}) value[{r, b}] += amount;
        }
        if (random() % 6 == 0) level[{leaf, std::string(1, branch)}] = 1 + amount / 3;
      }
    }
    std::string cells = "r,b,value,primary,lpl,upl\n";
    for (const auto& [key, amount] : value) {
      const std::int64_t width = level.contains(key) ? level[key] : 0;
      cells += key.first + "," + key.second + "," + std::to_string(amount) + (width > 0 ? ",1," : ",0,") +
               std::to_string(width) + "," + std::to_string(width) + "\n";
    }
    TableFiles files;
    files.cells = {Put("random.csv", cells)};
    files.dimensions = {"r", "b"};
    files.hierarchies = {{"r", Put("r.csv", regions)}, {"b", Put("b.csv", branches)}};
    return files;
  }

  std::optional<CellTable> table_;
  CellSystem system_;
};

TEST_F(JudgeTest, CallsALoneSuppressedCellExact) {
  Load(Small());
  const Pattern lone = Suppressed({{"A", "m"}});
  const auto open = JudgePublic(*table_, lone, {});
  SLUIS_ASSERT_OK(open);
  EXPECT_FALSE(open->holds());
  EXPECT_THAT(open->exact, ElementsAre(table_->names.Find(std::vector<std::string_view>{"A", "m"})));
  EXPECT_EQ(open->suppressed, 1);
  // Two in a row, each alone in its column: the columns give both away.
  const auto row = JudgePublic(*table_, Suppressed({{"A", "m"}, {"A", "f"}}), {});
  SLUIS_ASSERT_OK(row);
  EXPECT_EQ(row->exact.size(), 2u);
  EXPECT_THAT(ToText(*row, *table_), HasSubstr("region=A, sex=f"));
}

TEST_F(JudgeTest, SeesIntervalsThatAreTooShort) {
  TableFiles files = Small();
  Put("cells.csv", Replaced(Replaced(SmallCells(), "A,m,2,2,1,1,1", "A,m,2,2,1,2,9"), "B,f,10,10", "B,f,10,10"));
  Load(files);
  // A rectangle: A/m can fall by 2 and rise by min(10, 13, ..): 9 is reached; so the pattern holds.
  const Pattern rectangle = Suppressed({{"A", "m"}, {"A", "f"}, {"B", "m"}, {"B", "f"}});
  const auto holds = JudgeLevels(*table_, system_, rectangle, nullptr, {});
  SLUIS_ASSERT_OK(holds);
  EXPECT_TRUE(holds->holds());
  EXPECT_EQ(holds->levels, 2);
  Put("cells.csv", Replaced(SmallCells(), "A,m,2,2,1,1,1", "A,m,2,2,1,2,11"));
  Load(files);
  const auto broken = JudgeLevels(*table_, system_, rectangle, nullptr, AllIntervals());
  SLUIS_ASSERT_OK(broken);
  EXPECT_FALSE(broken->holds());
  ASSERT_EQ(broken->shortfalls.size(), 1u);
  EXPECT_FALSE(broken->shortfalls[0].below);
  EXPECT_TRUE(broken->exact.empty());
  const auto json = ToJson(*broken, *table_);
  EXPECT_EQ(json["verdict"], "broken");
  EXPECT_EQ(json["short"][0]["cell"], "region=A, sex=m");
  EXPECT_EQ(json["short"][0]["level"], "upper");
  EXPECT_EQ(IntervalsCsv(*broken, *table_),
            "region,sex,low,high,exact,short\nA,m,0,12,0,upper\nA,f,0,12,0,\nB,m,3,15,0,\nB,f,8,20,0,\n");
}

TEST_F(JudgeTest, DoesNotLookAtSuppressedValues) {
  Load(Small());
  const Pattern rectangle = Suppressed({{"A", "m"}, {"A", "f"}, {"B", "m"}, {"B", "f"}});
  const auto before = JudgePublic(*table_, rectangle, AllIntervals());
  SLUIS_ASSERT_OK(before);
  for (std::size_t i = 0; i < rectangle.size(); ++i) {
    if (rectangle[i] != 0) table_->value[i] = 7777;
  }
  const auto after = JudgePublic(*table_, rectangle, AllIntervals());
  SLUIS_ASSERT_OK(after);
  EXPECT_EQ(IntervalsCsv(*before, *table_), IntervalsCsv(*after, *table_));
}

TEST_F(JudgeTest, RefusesACertificateOfAnotherPattern) {
  Load(Small());
  const auto found = disclosure::Suppress(system_, {});
  SLUIS_ASSERT_OK(found);
  const auto good = JudgeLevels(*table_, system_, found->pattern, &found->certificate, {});
  SLUIS_ASSERT_OK(good);
  EXPECT_TRUE(good->holds());
  disclosure::Certificate tampered = found->certificate;
  tampered.deviations[0].numerator[0] *= 2;
  const auto bad = JudgeLevels(*table_, system_, found->pattern, &tampered, {});
  SLUIS_ASSERT_OK(bad);
  EXPECT_FALSE(bad->holds());
  EXPECT_THAT(*bad->certificate, StatusIs(absl::StatusCode::kFailedPrecondition, ""));
  EXPECT_EQ(ToJson(*bad, *table_)["certificate"], "broken");
}

// Publishing any one secondary cell of an inclusion-minimal pattern must be seen: that cell was needed, be it for a
// level or so that no other can be recomputed.
TEST_F(JudgeTest, SeesEveryMutationOfAMinimalPattern) {
  int mutations = 0;
  int seen = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Load(Random(seed));
    disclosure::SuppressOptions options;
    options.max_cleanup_lps = 1'000'000;
    options.max_cleanup_iterations = 100'000'000;
    const auto found = disclosure::Suppress(system_, options);
    SLUIS_ASSERT_OK(found);
    const auto whole = JudgeLevels(*table_, system_, found->pattern, &found->certificate, {});
    SLUIS_ASSERT_OK(whole);
    ASSERT_TRUE(whole->holds()) << ToText(*whole, *table_);
    for (std::int32_t i = 0; i < table_->num_cells; ++i) {
      if (found->pattern[static_cast<std::size_t>(i)] == 0) continue;
      Pattern mutated = found->pattern;
      mutated[static_cast<std::size_t>(i)] = 0;
      const auto verdict = JudgeLevels(*table_, system_, mutated, nullptr, {});
      SLUIS_ASSERT_OK(verdict);
      if (system_.IsPrimary(i)) {
        EXPECT_FALSE(verdict->holds());
        continue;
      }
      ++mutations;
      seen += verdict->holds() ? 0 : 1;
      // The old certificate moves the published cell, and says so.
      const auto stale = JudgeLevels(*table_, system_, mutated, &found->certificate, {});
      SLUIS_ASSERT_OK(stale);
      EXPECT_FALSE(stale->holds());
    }
  }
  EXPECT_GT(mutations, 30);
  EXPECT_EQ(seen, mutations);
}

}  // namespace
}  // namespace sluis::cli
