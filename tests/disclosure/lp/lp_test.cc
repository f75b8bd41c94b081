#include "disclosure/lp/lp.h"

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure::lp {
namespace {

using common::testing::StatusIs;

// minimise -x - 2y  subject to  x + y <= 4,  0 <= x <= 3, 0 <= y <= 3.
Problem Small() {
  return {.num_rows = 1,
          .begin = {0, 1, 2},
          .row = {0, 0},
          .coefficient = {1, 1},
          .column_lower = {0, 0},
          .column_upper = {3, 3},
          .objective = {-1, -2},
          .row_lower = {-kInfinity},
          .row_upper = {4}};
}

TEST(Solver, FindsTheOptimumEitherWay) {
  for (const bool from_slack : {true, false}) {
    const auto solver = MakeSolver();
    SLUIS_ASSERT_OK(solver->Load(Small()));
    ASSERT_EQ(from_slack ? solver->SolveFromSlack() : solver->SolveWarm(), Outcome::kOptimal);
    EXPECT_NEAR(solver->Solution()[0], 1, 1e-9);
    EXPECT_NEAR(solver->Solution()[1], 3, 1e-9);
    EXPECT_EQ(solver->StatusOf(0), ColumnStatus::kBasic);
    EXPECT_EQ(solver->StatusOf(1), ColumnStatus::kAtUpper);
  }
}

// A path of many nodes: the dual simplex method walks along it.
TEST(Solver, EndsWhenToldToStop) {
  constexpr int32_t kCells = 400;
  Problem path;
  path.num_rows = kCells - 1;
  for (int32_t j = 0; j < kCells; ++j) {
    if (j > 0) {
      path.row.push_back(j - 1);
      path.coefficient.push_back(1);
    }
    if (j + 1 < kCells) {
      path.row.push_back(j);
      path.coefficient.push_back(1);
    }
    path.begin.push_back(static_cast<int64_t>(path.row.size()));
  }
  path.column_lower.assign(kCells, 0);
  path.column_upper.assign(kCells, kInfinity);
  path.objective.assign(kCells, 1);
  path.row_lower.assign(kCells - 1, 1);
  path.row_upper.assign(kCells - 1, kInfinity);
  bool told = true;
  int64_t asked = 0;
  const auto solver = MakeSolver({.stop = [&] {
    ++asked;
    return told;
  }});
  SLUIS_ASSERT_OK(solver->Load(path));
  EXPECT_EQ(solver->SolveFromSlack(), Outcome::kFailed);
  EXPECT_EQ(asked, 1);
  told = false;
  EXPECT_EQ(solver->SolveFromSlack(), Outcome::kOptimal);
  EXPECT_GT(asked, 1);
}

TEST(Solver, FollowsChangesOfBoundsAndObjective) {
  const auto solver = MakeSolver();
  SLUIS_ASSERT_OK(solver->Load(Small()));
  ASSERT_EQ(solver->SolveWarm(), Outcome::kOptimal);
  solver->SetColumnBounds(1, 0, 2);
  ASSERT_EQ(solver->SolveWarm(), Outcome::kOptimal);
  EXPECT_NEAR(solver->Solution()[0], 2, 1e-9);
  solver->SetObjective(0, 1);
  ASSERT_EQ(solver->SolveWarm(), Outcome::kOptimal);
  EXPECT_NEAR(solver->Solution()[0], 0, 1e-9);
  const std::vector<double> lower = {1, 1};
  const std::vector<double> upper = {2, kInfinity};
  const std::vector<double> objective = {0, -1};
  solver->SetAllColumnBounds(lower, upper);
  solver->SetAllObjectives(objective);
  ASSERT_EQ(solver->SolveFromSlack(), Outcome::kOptimal);
  EXPECT_NEAR(solver->Solution()[1], 3, 1e-9);
}

TEST(Solver, ReportsInfeasibleAndUnbounded) {
  const auto solver = MakeSolver();
  SLUIS_ASSERT_OK(solver->Load(Small()));
  solver->SetColumnBounds(0, 3, 3);
  solver->SetColumnBounds(1, 2, 3);
  EXPECT_EQ(solver->SolveFromSlack(), Outcome::kInfeasible);
  Problem open = Small();
  open.column_upper = {kInfinity, 3};
  open.row_upper = {kInfinity};
  SLUIS_ASSERT_OK(solver->Load(open));
  EXPECT_EQ(solver->SolveWarm(), Outcome::kUnbounded);
}

TEST(Solver, SolvesProblemsWithoutRowsOrColumns) {
  const auto solver = MakeSolver();
  SLUIS_ASSERT_OK(solver->Load({.num_rows = 0,
                                .begin = {0, 0},
                                .row = {},
                                .coefficient = {},
                                .column_lower = {1},
                                .column_upper = {5},
                                .objective = {-1},
                                .row_lower = {},
                                .row_upper = {}}));
  ASSERT_EQ(solver->SolveWarm(), Outcome::kOptimal);
  EXPECT_NEAR(solver->Solution()[0], 5, 1e-9);
  solver->SetObjective(0, 1);
  ASSERT_EQ(solver->SolveFromSlack(), Outcome::kOptimal);
  EXPECT_NEAR(solver->Solution()[0], 1, 1e-9);
  SLUIS_ASSERT_OK(solver->Load({}));
  EXPECT_EQ(solver->SolveFromSlack(), Outcome::kOptimal);
}

TEST(Solver, FailsAtTheIterationLimit) {
  const auto solver = MakeSolver({.max_iterations = 0});
  SLUIS_ASSERT_OK(solver->Load(Small()));
  EXPECT_EQ(solver->SolveWarm(), Outcome::kFailed);
}

TEST(Solver, FollowsRowsThatComeAndGo) {
  for (const bool perturb : {false, true}) {
    const auto solver = MakeSolver({.perturb = perturb});
    SLUIS_ASSERT_OK(solver->Load(Small()));
    ASSERT_EQ(solver->SolveDual(), Outcome::kOptimal);
    EXPECT_NEAR(solver->RowDuals()[0], -1, 1e-6);  // one unit more of x + y is one unit more of x, which earns 1
    // 2 x + y <= 3 and y >= 1.
    SLUIS_ASSERT_OK(solver->AddRows({.begin = {0, 2, 3},
                                     .column = {0, 1, 1},
                                     .coefficient = {2, 1, 1},
                                     .lower = {-kInfinity, 1},
                                     .upper = {3, kInfinity}}));
    ASSERT_EQ(solver->SolveDual(), Outcome::kOptimal);
    EXPECT_NEAR(solver->Solution()[0], 0, 1e-6);
    EXPECT_NEAR(solver->Solution()[1], 3, 1e-6);
    ASSERT_EQ(solver->RowDuals().size(), 3u);
    const std::vector<int32_t> first_of_the_new = {1};
    solver->DeleteRows(first_of_the_new);
    ASSERT_EQ(solver->SolveDual(), Outcome::kOptimal);
    EXPECT_NEAR(solver->Solution()[0], 1, 1e-6);
    EXPECT_EQ(solver->RowDuals().size(), 2u);
  }
}

TEST(Solver, AddRowsFailsIfVectorsDoNotFit) {
  const auto solver = MakeSolver();
  SLUIS_ASSERT_OK(solver->Load(Small()));
  const Rows good = {.begin = {0, 1}, .column = {1}, .coefficient = {1}, .lower = {0}, .upper = {1}};
  Rows rows = good;
  rows.column[0] = 2;
  EXPECT_THAT(solver->AddRows(rows), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
  rows = good;
  rows.upper.clear();
  EXPECT_THAT(solver->AddRows(rows), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
  rows = good;
  rows.begin = {0, 2};
  EXPECT_THAT(solver->AddRows(rows), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
}

TEST(Solver, LoadFailsIfVectorsDoNotFit) {
  const auto solver = MakeSolver();
  Problem problem = Small();
  problem.row[0] = 1;
  EXPECT_THAT(solver->Load(problem), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
  problem = Small();
  problem.begin = {0, 2};
  EXPECT_THAT(solver->Load(problem), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
  problem = Small();
  problem.row_upper.clear();
  EXPECT_THAT(solver->Load(problem), StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
}

}  // namespace
}  // namespace sluis::disclosure::lp
