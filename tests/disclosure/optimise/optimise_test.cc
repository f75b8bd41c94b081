#include "disclosure/optimise/optimise.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/system/table_shape.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"
#include "tests/disclosure/instances.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::CostOf;
using testing::IsSafe;
using testing::Optimum;
using testing::SmallTable;
using testing::TinyProblem;

TEST(Optimise, FindsWhatEnumerationFindsAndSaysSo) {
  std::mt19937_64 random(51);
  int solved = 0;
  int proven = 0;
  for (int trial = 0; trial < 25; ++trial) {
    const SmallTable table = TinyProblem(random, trial % 3 == 2);
    const std::optional<int64_t> optimum = Optimum(table.system);
    const auto result = Optimise(table.system, {});
    if (!optimum) {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, "cannot be protected"));
      continue;
    }
    SLUIS_ASSERT_OK(result);
    ++solved;
    EXPECT_LE(result->lower_bound, *optimum);
    EXPECT_LE(result->relaxation_bound, result->lower_bound);
    EXPECT_GE(result->suppression.secondary_cost, *optimum);
    EXPECT_EQ(result->suppression.secondary_cost, CostOf(table.system, result->suppression.pattern));
    EXPECT_LE(result->suppression.secondary_cost, result->first_cost);
    EXPECT_TRUE(IsSafe(table.system, result->suppression.pattern));
    SLUIS_EXPECT_OK(CheckCertificate(table.system, result->suppression.pattern, result->suppression.certificate));
    EXPECT_EQ(result->proven_optimal, result->lower_bound == result->suppression.secondary_cost);
    if (result->proven_optimal) {
      EXPECT_EQ(result->suppression.secondary_cost, *optimum);
    }
    proven += result->proven_optimal ? 1 : 0;
  }
  EXPECT_GT(solved, 15);
  EXPECT_GE(proven, solved - 2);  // a cell that needs company costs more than the program knows
}

// A tiny table, hierarchical in two dimensions, in three dimensions, or flat; in one or two measures; with costs of 0,
// cells that must be published, and cells that are suppressed in any case (a level of 1). At most 10 cells are left to
// decide.
CellSystem OddTable(std::mt19937_64& random) {
  std::vector<DimensionTree> trees;
  switch (random() % 3) {
    case 0:
      trees = {{.parent = {-1, 0, 0, 1, 1}}, {.parent = {-1, 0, 0}}};
      break;
    case 1:
      trees = {{.parent = {-1, 0, 0}}, {.parent = {-1, 0, 0}}, {.parent = {-1, 0, 0}}};
      break;
    default:
      trees = {{.parent = {-1, 0, 0, 0}}, {.parent = {-1, 0, 0, 0}}};
  }
  const TableShape shape = TableShape::Create(trees).value();
  std::vector<std::string> names = {"value"};
  if (random() % 3 == 0) names.emplace_back("count");
  CellSystem system = MakeCellSystem(shape.num_cells(), names);
  system.relations = shape.BuildRelations();
  std::vector<int64_t> relation_of(static_cast<size_t>(system.num_cells), -1);
  for (int64_t r = 0; r < system.relations.size(); ++r) {
    relation_of[static_cast<size_t>(system.relations.total[static_cast<size_t>(r)])] = r;
  }
  for (Measure& measure : system.measures) {
    for (int32_t i = system.num_cells - 1; i >= 0; --i) {  // parts come after their totals
      const int64_t r = relation_of[static_cast<size_t>(i)];
      int64_t& value = measure.value[static_cast<size_t>(i)];
      value = r < 0 ? static_cast<int64_t>(random() % 30) : 0;
      if (r < 0) continue;
      for (const int32_t part : system.relations.parts(r)) value += measure.value[static_cast<size_t>(part)];
    }
  }
  for (size_t i = 0; i < system.cost.size(); ++i) {
    system.cost[i] = random() % 5 == 0 ? 0 : system.measures[0].value[i];
  }
  MarkEmptyCells(system);
  std::vector<int32_t> free;
  for (int32_t i = 0; i < system.num_cells; ++i) {
    const auto at = static_cast<size_t>(i);
    Measure& measure = system.measures[random() % system.measures.size()];
    if (system.suppressible[at] == 0) continue;
    if (random() % 6 == 0 && measure.value[at] > 0) {
      measure.reason[at] = PrimaryReason::kDeclared;
      measure.upper_level[at] = 1 + static_cast<int64_t>(random() % 8);
      measure.lower_level[at] = std::min(measure.upper_level[at], measure.value[at]);
    } else if (random() % 20 == 0) {
      measure.reason[at] = PrimaryReason::kDeclared;
      measure.upper_level[at] = 1;
    } else {
      free.push_back(i);
    }
  }
  std::shuffle(free.begin(), free.end(), random);
  for (size_t k = 10; k < free.size(); ++k) system.suppressible[static_cast<size_t>(free[k])] = 0;
  SetUpperBounds(system);
  return system;
}

TEST(Optimise, NeverCallsOptimalWhatEnumerationBeats) {
  std::mt19937_64 random(53);
  int proven = 0;
  int open = 0;
  for (int trial = 0; trial < 60; ++trial) {
    SCOPED_TRACE(trial);
    const CellSystem system = OddTable(random);
    SLUIS_ASSERT_OK(Validate(system));
    const std::optional<int64_t> optimum = Optimum(system);
    const auto result = Optimise(system, {});
    if (!optimum) {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, "cannot be protected"));
      continue;
    }
    SLUIS_ASSERT_OK(result);
    EXPECT_LE(result->lower_bound, *optimum);
    EXPECT_GE(result->suppression.secondary_cost, *optimum);
    EXPECT_TRUE(IsSafe(system, result->suppression.pattern));
    if (result->proven_optimal) {
      EXPECT_EQ(result->suppression.secondary_cost, *optimum);
    }
    ++(result->proven_optimal ? proven : open);
  }
  EXPECT_GT(proven, 20);
  EXPECT_LT(open, 10);  // a cell that needs company costs more than the program knows
}

SmallTable MediumTable() {
  std::mt19937_64 random(52);
  SmallTable table =
      testing::MakeSmallTable({6, 7, 5}, {"value"}, [&](size_t) { return 1 + static_cast<int64_t>(random() % 500); });
  for (int k = 0; k < 20; ++k) {
    testing::MakePrimary(table.system, 0, table.inner[random() % table.inner.size()],
                         1 + static_cast<int64_t>(random() % 60));
  }
  SetUpperBounds(table.system);
  return table;
}

TEST(Optimise, IsTheSameForAnyNumberOfThreads) {
  const SmallTable table = MediumTable();
  OptimiseOptions options;
  options.max_steps = 60'000;
  const auto one = Optimise(table.system, options);
  SLUIS_ASSERT_OK(one);
  for (const int threads : {2, 3}) {
    options.threads = threads;
    const auto many = Optimise(table.system, options);
    SLUIS_ASSERT_OK(many);
    EXPECT_EQ(one->suppression.pattern, many->suppression.pattern);
    EXPECT_EQ(one->lower_bound, many->lower_bound);
    EXPECT_EQ(one->steps, many->steps);
  }
  EXPECT_TRUE(IsSafe(table.system, one->suppression.pattern));
}

TEST(Optimise, MoreStepsNeverCostMore) {
  const SmallTable table = MediumTable();
  int64_t cost = std::numeric_limits<int64_t>::max();
  int64_t bound = 0;
  for (const int64_t steps : {0, 2'000, 100'000}) {
    OptimiseOptions options;
    options.max_steps = steps;
    const auto result = Optimise(table.system, options);
    SLUIS_ASSERT_OK(result);
    EXPECT_LE(result->suppression.secondary_cost, cost);
    EXPECT_GE(result->lower_bound, bound);
    EXPECT_FALSE(result->stopped);
    cost = result->suppression.secondary_cost;
    bound = result->lower_bound;
  }
  EXPECT_GT(bound, 0);
}

TEST(Optimise, StopsEarlyWithASafePattern) {
  const SmallTable table = MediumTable();
  OptimiseOptions options;
  options.stop = [] { return true; };
  const auto result = Optimise(table.system, options);
  SLUIS_ASSERT_OK(result);
  EXPECT_TRUE(result->stopped);
  EXPECT_TRUE(IsSafe(table.system, result->suppression.pattern));
  EXPECT_EQ(result->suppression.secondary_cost, result->first_cost);
}

TEST(Optimise, ReportsProgressAndCanBeCancelled) {
  const SmallTable table = MediumTable();
  std::atomic<bool> cancelled = false;
  int64_t reports = 0;
  OptimiseOptions options;
  options.cancelled = &cancelled;
  options.progress = [&](const OptimiseProgress& progress) {
    ++reports;
    EXPECT_GE(progress.cost, progress.lower_bound);
    if (progress.phase == OptimisePhase::kBound) cancelled = true;
  };
  EXPECT_THAT(Optimise(table.system, options), StatusIs(absl::StatusCode::kCancelled, "cancelled"));
  EXPECT_GE(reports, 2);
}

struct Solved {
  std::string name;
  int64_t optimum;
};

class OptimiseInstance : public ::testing::TestWithParam<Solved> {};

// The optima that sdcTable's OPT and a cut-and-branch with HiGHS found.
TEST_P(OptimiseInstance, IsSolvedToTheKnownOptimum) {
  const std::filesystem::path directory = testing::InstanceDirectory(GetParam().name);
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no test data: set SLUIS_TEST_DATA to its directory";
  const CellSystem system = testing::ReadHierarchicalInstance(directory);
  OptimiseOptions options;
  options.threads = 2;
  const auto result = Optimise(system, options);
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->suppression.secondary_cost, GetParam().optimum);
  EXPECT_EQ(result->lower_bound, GetParam().optimum);
  EXPECT_TRUE(result->proven_optimal);
  EXPECT_TRUE(IsSafe(system, result->suppression.pattern));
  const auto exact = FindExact(Publish(system, 0, result->suppression.pattern, /*keep_bounds=*/false), {});
  SLUIS_ASSERT_OK(exact);
  EXPECT_TRUE(exact->exact_cells.empty());
}

INSTANTIATE_TEST_SUITE_P(Published, OptimiseInstance,
                         ::testing::Values(Solved{"flat2d_20x50", 3'638}, Solved{"hier2d_small", 300'783}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluis::disclosure
