#include "disclosure/bound/cut_master.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

// Multipliers are rounded to multiples of 2^-44 in cost for one unit of need: with costs up to 2^50 the sums stay far
// below 2^127.
constexpr int kShift = 44;
constexpr double kTight = 1e-7;
constexpr int32_t kMaxIterations = 300'000;  // of one solve; tables of some 10,000 cells need some 1,000

size_t Index(int64_t i) { return static_cast<size_t>(i); }

int64_t RoundUp(Int128 value) {
  const Int128 unit = Int128{1} << kShift;
  const Int128 up = value >= 0 ? (value + unit - 1) / unit : -(-value / unit);
  return static_cast<int64_t>(
      std::clamp<Int128>(up, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
}

}  // namespace

int64_t BoundOf(const ProtectionModel& model, std::span<const CapacityCut> cuts, std::span<const double> multiplier,
                std::span<const uint8_t> lower, std::span<const uint8_t> upper, std::vector<int64_t>* reduced) {
  const auto n = Index(model.num_cells());
  std::vector<Int128> left(n, 0);  // cost not paid for by cuts
  for (size_t i = 0; i < n; ++i) left[i] = Int128{model.system().cost[i]} << kShift;
  Int128 value = 0;
  for (size_t c = 0; c < cuts.size(); ++c) {
    const double scaled = std::ldexp(multiplier[c] / static_cast<double>(cuts[c].need), kShift);
    if (!(scaled >= 1) || scaled > std::ldexp(1.0, 100)) continue;
    const auto per_unit = static_cast<Int128>(scaled);
    value += per_unit * cuts[c].need;
    for (size_t k = 0; k < cuts[c].cell.size(); ++k) {
      left[Index(cuts[c].cell[k])] -= per_unit * cuts[c].coefficient[k];
    }
  }
  if (reduced != nullptr) reduced->assign(n, 0);
  for (size_t i = 0; i < n; ++i) {
    if (model.state(static_cast<int32_t>(i)) != CellState::kFree) continue;
    if (lower[i] != 0 || (left[i] < 0 && upper[i] != 0)) value += left[i];
    if (reduced != nullptr && lower[i] != upper[i]) {
      (*reduced)[i] = static_cast<int64_t>(left[i] / (Int128{1} << kShift));
    }
  }
  return RoundUp(value);
}

CutMaster::CutMaster(const ProtectionModel& model)
    : model_(model),
      column_of_(Index(model.num_cells()), -1),
      x_(Index(model.num_cells()), 0),
      lower_(Index(model.num_cells()), 0),
      upper_(Index(model.num_cells()), 1) {
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    if (model.state(i) == CellState::kSuppressed) x_[Index(i)] = 1;
    if (model.state(i) != CellState::kFree) continue;
    column_of_[Index(i)] = static_cast<int32_t>(cells_.size());
    cells_.push_back(i);
  }
}

absl::StatusOr<std::unique_ptr<CutMaster>> CutMaster::Create(const ProtectionModel& model, std::function<bool()> stop) {
  std::unique_ptr<CutMaster> self(new CutMaster(model));
  lp::Problem problem;
  const size_t columns = self->cells_.size();
  problem.begin.assign(columns + 1, 0);
  problem.column_lower.assign(columns, 0);
  problem.column_upper.assign(columns, 1);
  for (const int32_t cell : self->cells_) {
    problem.objective.push_back(static_cast<double>(model.system().cost[Index(cell)]));
  }
  self->solver_ = lp::MakeSolver({.max_iterations = kMaxIterations, .perturb = true, .stop = std::move(stop)});
  SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
  return self;
}

absl::Status CutMaster::Add(std::vector<CapacityCut> cuts, bool against_whole) {
  lp::Rows rows;
  for (CapacityCut& cut : cuts) {
    for (size_t k = 0; k < cut.cell.size(); ++k) {
      rows.column.push_back(column_of_[Index(cut.cell[k])]);
      rows.coefficient.push_back(static_cast<double>(cut.coefficient[k]) / static_cast<double>(cut.need));
    }
    rows.begin.push_back(static_cast<int64_t>(rows.column.size()));
    rows.lower.push_back(1);
    rows.upper.push_back(lp::kInfinity);
    cuts_.push_back(std::move(cut));
    lasting_.push_back(against_whole ? 1 : 0);
    slack_for_.push_back(0);
  }
  return solver_->AddRows(rows);
}

absl::Status CutMaster::Solve() {
  lp::Outcome outcome = solver_->SolveDual();
  iterations_ += solver_->Iterations();
  if (outcome != lp::Outcome::kOptimal && outcome != lp::Outcome::kInfeasible) {
    outcome = solver_->SolveFromSlack();
    iterations_ += solver_->Iterations();
  }
  if (outcome == lp::Outcome::kInfeasible && ContradictsFixed()) {
    return absl::FailedPreconditionError("relaxation: no pattern is cheaper than the best one known");
  }
  if (outcome != lp::Outcome::kOptimal) return absl::InternalError("relaxation: the linear program failed");
  const std::span<const double> solution = solver_->Solution();
  for (size_t j = 0; j < cells_.size(); ++j) x_[Index(cells_[j])] = std::clamp(solution[j], 0.0, 1.0);
  const std::span<const double> dual = solver_->RowDuals();
  multiplier_.assign(dual.begin(), dual.end());
  for (size_t c = 0; c < cuts_.size(); ++c) slack_for_[c] = multiplier_[c] > kTight ? 0 : slack_for_[c] + 1;
  bound_ = BoundOf(model_, cuts_, multiplier_, lower_, upper_, &reduced_);
  return absl::OkStatus();
}

// Whether some cut asks for more than its cells can give, in whole numbers.
bool CutMaster::ContradictsFixed() const {
  return std::any_of(cuts_.begin(), cuts_.end(), [this](const CapacityCut& cut) {
    Int128 supply = 0;
    for (size_t k = 0; k < cut.cell.size(); ++k) supply += upper_[Index(cut.cell[k])] != 0 ? cut.coefficient[k] : 0;
    return supply < cut.need;
  });
}

void CutMaster::Fix(int32_t cell, bool suppressed) {
  lower_[Index(cell)] = upper_[Index(cell)] = suppressed ? 1 : 0;
  solver_->SetColumnBounds(column_of_[Index(cell)], suppressed ? 1 : 0, suppressed ? 1 : 0);
}

void CutMaster::Release(int32_t cell) {
  lower_[Index(cell)] = 0;
  upper_[Index(cell)] = 1;
  solver_->SetColumnBounds(column_of_[Index(cell)], 0, 1);
}

int64_t CutMaster::FixAgainst(int64_t best_cost) {
  int64_t fixed = 0;
  for (const int32_t cell : cells_) {
    const size_t i = Index(cell);
    if (lower_[i] == upper_[i] || reduced_[i] == 0) continue;
    // Before rounding up the bound was above bound_ - 1, and costs are whole.
    if (bound_ + std::abs(reduced_[i]) < best_cost) continue;
    Fix(cell, reduced_[i] < 0);
    ++fixed;
  }
  return fixed;
}

void CutMaster::Purge(int32_t rounds) {
  std::vector<int32_t> gone;
  size_t kept = 0;
  for (size_t c = 0; c < cuts_.size(); ++c) {
    if (slack_for_[c] >= rounds) {
      gone.push_back(static_cast<int32_t>(c));
      if (lasting_[c] != 0) set_aside_.push_back(std::move(cuts_[c]));
      continue;
    }
    if (kept != c) {
      cuts_[kept] = std::move(cuts_[c]);
      slack_for_[kept] = slack_for_[c];
      lasting_[kept] = lasting_[c];
    }
    ++kept;
  }
  cuts_.resize(kept);
  slack_for_.resize(kept);
  lasting_.resize(kept);
  if (!gone.empty()) solver_->DeleteRows(gone);
}

}  // namespace sluis::disclosure
