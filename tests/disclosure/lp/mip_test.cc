#include "disclosure/lp/mip.h"

#include <algorithm>
#include <random>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure::lp {
namespace {

// A covering program: rows of `rows` ask for at least 1.
Problem Covering(const std::vector<std::vector<double>>& rows, const std::vector<double>& cost) {
  Problem problem;
  problem.num_rows = static_cast<int32_t>(rows.size());
  for (size_t j = 0; j < cost.size(); ++j) {
    for (size_t r = 0; r < rows.size(); ++r) {
      if (rows[r][j] == 0) continue;
      problem.row.push_back(static_cast<int32_t>(r));
      problem.coefficient.push_back(rows[r][j]);
    }
    problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
  }
  problem.objective = cost;
  problem.column_lower.assign(cost.size(), 0);
  problem.column_upper.assign(cost.size(), 1);
  problem.row_lower.assign(rows.size(), 1);
  problem.row_upper.assign(rows.size(), kInfinity);
  return problem;
}

TEST(SolveBinary, FindsTheOptimumOfRandomCoveringPrograms) {
  std::mt19937_64 random(1);
  int feasible = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const size_t columns = 8;
    std::vector<std::vector<double>> rows(6, std::vector<double>(columns));
    std::vector<double> cost(columns);
    for (double& c : cost) c = static_cast<double>(1 + random() % 20);
    for (auto& row : rows) {
      for (double& a : row) a = random() % 2 == 0 ? static_cast<double>(1 + random() % 4) / 4 : 0;
    }
    double best = kInfinity;
    for (uint32_t mask = 0; mask < 1U << columns; ++mask) {
      const bool covers = std::all_of(rows.begin(), rows.end(), [&](const std::vector<double>& row) {
        double sum = 0;
        for (size_t j = 0; j < columns; ++j) sum += (mask >> j & 1) != 0 ? row[j] : 0;
        return sum >= 1;
      });
      double value = 0;
      for (size_t j = 0; j < columns; ++j) value += (mask >> j & 1) != 0 ? cost[j] : 0;
      if (covers) best = std::min(best, value);
    }
    const auto answer = SolveBinary(Covering(rows, cost), {});
    SLUIS_ASSERT_OK(answer);
    EXPECT_TRUE(answer->complete);
    ASSERT_EQ(answer->solution.has_value(), best < kInfinity);
    if (!answer->solution) continue;
    ++feasible;
    double value = 0;
    for (size_t j = 0; j < columns; ++j) value += (*answer->solution)[j] * cost[j];
    EXPECT_EQ(value, best);
    // Nothing is below the optimum.
    BinaryOptions under;
    under.cutoff = best - 0.5;
    const auto below = SolveBinary(Covering(rows, cost), under);
    SLUIS_ASSERT_OK(below);
    EXPECT_TRUE(below->complete);
    EXPECT_FALSE(below->solution.has_value());
  }
  EXPECT_GT(feasible, 10);
}

TEST(SolveBinary, KeepsFixedColumns) {
  Problem problem = Covering({{1, 1}}, {1, 5});
  problem.column_upper[0] = 0;
  const auto answer = SolveBinary(problem, {});
  SLUIS_ASSERT_OK(answer);
  EXPECT_EQ(answer->solution, (std::vector<uint8_t>{0, 1}));
}

TEST(SolveBinary, StopsWhenAsked) {
  // Odd cycles: no relaxation decides them, so that the search has something to do.
  std::mt19937_64 random(2);
  const size_t columns = 61;
  std::vector<std::vector<double>> rows;
  for (int r = 0; r < 160; ++r) {
    std::vector<double>& row = rows.emplace_back(columns, 0);
    for (int k = 0; k < 3; ++k) row[random() % columns] = 1;
  }
  BinaryOptions options;
  options.stop = [] { return true; };
  const auto answer = SolveBinary(Covering(rows, std::vector<double>(columns, 1)), options);
  SLUIS_ASSERT_OK(answer);
  EXPECT_FALSE(answer->complete);
}

TEST(SolveBinary, SolvesProblemsWithoutColumns) {
  const auto answer = SolveBinary({}, {});
  SLUIS_ASSERT_OK(answer);
  EXPECT_TRUE(answer->complete);
}

}  // namespace
}  // namespace sluis::disclosure::lp
