#include "disclosure/suppress/deviation_lp.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// How far up the attacker's bounds let a cell go.
int64_t Headroom(const Measure& measure, int32_t cell) {
  const int64_t bound = measure.upper_bound[Index(cell)];
  return bound == kNoUpperBound ? kNoUpperBound : bound - measure.value[Index(cell)];
}

}  // namespace

CheapestDeviationLp::CheapestDeviationLp(const Measure& measure, std::vector<int32_t> cells)
    : measure_(measure), cells_(std::move(cells)), solver_(lp::MakeSolver()) {}

absl::StatusOr<std::unique_ptr<CheapestDeviationLp>> CheapestDeviationLp::Create(const CellSystem& system,
                                                                                 const Incidence& incidence,
                                                                                 int32_t measure,
                                                                                 std::vector<int32_t> cells,
                                                                                 std::vector<int32_t>& scratch) {
  std::unique_ptr<CheapestDeviationLp> self(new CheapestDeviationLp(system.measures[Index(measure)], std::move(cells)));
  lp::Problem problem;
  std::vector<int32_t> touched;
  for (const int side : {1, -1}) {
    for (const int32_t cell : self->cells_) {
      for (size_t e = Index(incidence.begin[Index(cell)]); e < Index(incidence.begin[Index(cell) + 1]); ++e) {
        int32_t& row = scratch[Index(incidence.relation[e])];
        if (row < 0) {
          row = problem.num_rows++;
          touched.push_back(incidence.relation[e]);
        }
        problem.row.push_back(row);
        problem.coefficient.push_back(side * incidence.sign[e]);
      }
      problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
    }
  }
  for (const int32_t relation : touched) scratch[Index(relation)] = -1;
  self->lower_.assign(2 * self->cells_.size(), 0);
  self->upper_ = self->objective_ = self->lower_;
  problem.column_lower = problem.column_upper = problem.objective = self->lower_;
  problem.row_lower.assign(Index(problem.num_rows), 0);
  problem.row_upper.assign(Index(problem.num_rows), 0);
  SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
  return self;
}

lp::Outcome CheapestDeviationLp::Solve(int32_t cell, Direction direction, int64_t level,
                                       std::span<const double> weight) {
  // In units of the level, so that the solver's tolerances are relative to what is asked.
  const double scale = static_cast<double>(level);
  const size_t n = cells_.size();
  for (size_t j = 0; j < n; ++j) {
    const size_t i = Index(cells_[j]);
    const int64_t value = measure_.value[i];
    const int64_t headroom = Headroom(measure_, cells_[j]);
    const bool forbidden = weight[i] == kForbidden;
    upper_[j] = forbidden ? 0 : headroom == kNoUpperBound ? lp::kInfinity : static_cast<double>(headroom) / scale;
    upper_[n + j] = forbidden ? 0 : static_cast<double>(value) / scale;
    // A cell that can deviate by less than the level is worth that much less.
    const double unit = static_cast<double>(std::max<int64_t>(1, std::min(value, level)));
    objective_[j] = objective_[n + j] = forbidden ? 0 : weight[i] / unit;
  }
  const size_t column = static_cast<size_t>(std::lower_bound(cells_.begin(), cells_.end(), cell) - cells_.begin());
  const size_t wanted = direction == Direction::kUpper ? column : n + column;
  const size_t opposite = direction == Direction::kUpper ? n + column : column;
  vertex_.clear();
  if (upper_[wanted] < 1) return lp::Outcome::kInfeasible;
  lower_[wanted] = upper_[wanted] = 1;
  upper_[opposite] = 0;
  solver_->SetAllColumnBounds(lower_, upper_);
  solver_->SetAllObjectives(objective_);
  const lp::Outcome outcome = solver_->SolveFromSlack();
  lower_[wanted] = 0;
  if (outcome == lp::Outcome::kOptimal) ReadVertex(column, direction, level, weight);
  return outcome;
}

void CheapestDeviationLp::ReadVertex(size_t wanted_column, Direction direction, int64_t level,
                                     std::span<const double> weight) {
  const std::span<const double> x = solver_->Solution();
  const size_t n = cells_.size();
  for (size_t j = 0; j < n; ++j) {
    ApproximateEntry entry{.cell = cells_[j], .approximate = 0, .at_bound = true, .exact = 0};
    if (j == wanted_column) {
      entry.exact = direction == Direction::kUpper ? level : -level;
    } else if (weight[Index(cells_[j])] == kForbidden) {
      continue;
    } else {
      const lp::ColumnStatus up = solver_->StatusOf(static_cast<int32_t>(j));
      const lp::ColumnStatus down = solver_->StatusOf(static_cast<int32_t>(n + j));
      entry.approximate = (x[j] - x[n + j]) * static_cast<double>(level);
      entry.at_bound = up != lp::ColumnStatus::kBasic && down != lp::ColumnStatus::kBasic;
      if (entry.at_bound) {
        if (up == lp::ColumnStatus::kAtUpper) entry.exact += Headroom(measure_, cells_[j]);
        if (down == lp::ColumnStatus::kAtUpper) entry.exact -= measure_.value[Index(cells_[j])];
        if (entry.exact == 0) continue;
      }
    }
    vertex_.push_back(entry);
  }
}

}  // namespace sluis::disclosure
