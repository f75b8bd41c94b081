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

// What the attacker knows `cell` not to be below.
int64_t LeastOf(const LeastValues* least, int32_t cell) {
  if (least == nullptr) return 0;
  const auto at = std::lower_bound(least->begin(), least->end(), std::pair(cell, int64_t{0}));
  return at == least->end() || at->first != cell ? 0 : at->second;
}

// Coefficients of the objective stay within this ratio of each other, so that the solver's tolerances fit all.
constexpr double kLeastPart = 1e-4;

// A factor between 1 and 1 + 2^-8, fixed for each cell: without it most cells cost the same, and the simplex method
// wanders among equally good vertices.
double Spread(int32_t cell) {
  const uint32_t mixed = static_cast<uint32_t>(cell) * 2'654'435'761U;  // Knuth's multiplicative hash
  return 1 + static_cast<double>(mixed >> 16) / (1 << 24);
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
  self->reach_.assign(self->lower_.size(), 0);
  problem.column_lower = problem.column_upper = problem.objective = self->lower_;
  problem.row_lower.assign(Index(problem.num_rows), 0);
  problem.row_upper.assign(Index(problem.num_rows), 0);
  SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
  return self;
}

size_t CheapestDeviationLp::ColumnOf(int32_t cell, Direction direction) const {
  const auto at = static_cast<size_t>(std::lower_bound(cells_.begin(), cells_.end(), cell) - cells_.begin());
  return direction == Direction::kUpper ? at : cells_.size() + at;
}

void CheapestDeviationLp::SetBounds(int64_t unit, CellPrice price, const LeastValues* least) {
  const double scale = static_cast<double>(unit);
  const size_t n = cells_.size();
  for (size_t j = 0; j < n; ++j) {
    const size_t i = Index(cells_[j]);
    const double charged = price(cells_[j]);
    const bool forbidden = charged == kForbidden;
    reach_[j] = forbidden ? 0 : Headroom(measure_, cells_[j]);
    reach_[n + j] = forbidden ? 0 : measure_.value[i] - LeastOf(least, cells_[j]);
    for (const size_t column : {j, n + j}) {
      upper_[column] = reach_[column] == kNoUpperBound ? lp::kInfinity : static_cast<double>(reach_[column]) / scale;
    }
    // A cell that can deviate by less than the unit is worth that much less.
    const double part = std::max(kLeastPart, std::min(1.0, static_cast<double>(measure_.value[i]) / scale));
    objective_[j] = objective_[n + j] = forbidden ? 0 : charged * Spread(cells_[j]) / part;
  }
}

lp::Outcome CheapestDeviationLp::Solve(const Target& target, CellPrice price) {
  // In units of the level, so that the solver's tolerances are relative to what is asked.
  const int64_t level = target.level;
  SetBounds(level, price, target.least);
  const bool up = target.direction == Direction::kUpper;
  const size_t wanted = ColumnOf(target.cell, target.direction);
  const size_t opposite = ColumnOf(target.cell, up ? Direction::kLower : Direction::kUpper);
  vertex_.clear();
  if (upper_[wanted] < 1) return lp::Outcome::kInfeasible;
  lower_[wanted] = upper_[wanted] = 1;
  upper_[opposite] = 0;
  reach_[wanted] = level;
  reach_[opposite] = 0;
  solver_->SetAllColumnBounds(lower_, upper_);
  solver_->SetAllObjectives(objective_);
  const lp::Outcome outcome = solver_->SolveFromSlack();
  if (outcome == lp::Outcome::kOptimal) ReadVertex(level);
  lower_[wanted] = 0;
  return outcome;
}

void CheapestDeviationLp::ReadVertex(int64_t unit) {
  const std::span<const double> x = solver_->Solution();
  const size_t n = cells_.size();
  for (size_t j = 0; j < n; ++j) {
    ApproximateEntry entry{.cell = cells_[j], .approximate = 0, .at_bound = true, .exact = 0};
    entry.approximate = (x[j] - x[n + j]) * static_cast<double>(unit);
    int64_t exact = 0;
    for (const size_t column : {j, n + j}) {
      const bool fixed = lower_[column] > 0;  // Solve's wanted column, at its level whatever its status
      const lp::ColumnStatus status = solver_->StatusOf(static_cast<int32_t>(column));
      if (!fixed && status == lp::ColumnStatus::kBasic) entry.at_bound = false;
      if (fixed || status == lp::ColumnStatus::kAtUpper) exact += column == j ? reach_[column] : -reach_[column];
    }
    if (entry.at_bound && exact == 0) continue;
    if (entry.at_bound) entry.exact = exact;
    vertex_.push_back(entry);
  }
}

}  // namespace sluis::disclosure
