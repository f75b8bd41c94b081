#include "disclosure/bound/attacker_lp.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr double kAbsent = 1e-7;  // a fraction below does not count
constexpr double kShort = 1e-6;   // of the level
constexpr int64_t kDenominators[] = {1, 2, 3, 4, 6, 12, 60};
constexpr double kRounding = 1e-5;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

absl::StatusOr<std::unique_ptr<AttackerLp>> AttackerLp::Create(const ProtectionModel& model, int32_t measure,
                                                               std::span<const double> x) {
  std::unique_ptr<AttackerLp> self(new AttackerLp(model, measure));
  lp::Problem problem;
  std::vector<int32_t> row_of(Index(model.num_relations()), -1);
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    const bool suppressed = model.state(i) == CellState::kSuppressed;
    if (!suppressed && (model.state(i) != CellState::kFree || x[Index(i)] <= kAbsent)) continue;
    self->cells_.push_back(i);
    self->x_.push_back(suppressed ? 1 : x[Index(i)]);
    for (const ProtectionModel::Entry& entry : model.RelationsOf(i)) {
      int32_t& row = row_of[Index(entry.id)];
      if (row < 0) {
        row = problem.num_rows++;
        self->relations_.push_back(entry.id);
      }
      problem.row.push_back(row);
      problem.coefficient.push_back(entry.sign);
    }
    problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
  }
  self->lower_.assign(self->cells_.size(), 0);
  self->upper_ = self->objective_ = self->lower_;
  problem.column_lower = problem.column_upper = problem.objective = self->lower_;
  problem.row_lower.assign(Index(problem.num_rows), 0);
  problem.row_upper = problem.row_lower;
  self->solver_ = lp::MakeSolver();
  SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
  return self;
}

void AttackerLp::SetBounds(int64_t unit, bool capped) {
  if (unit == unit_ && capped == capped_) return;
  unit_ = unit;
  capped_ = capped;
  const double scale = static_cast<double>(unit);
  for (size_t j = 0; j < cells_.size(); ++j) {
    const auto reach = [&](bool up) {
      const int64_t r = model_.Reach(measure_, cells_[j], up);
      if (r == kNoUpperBound) return capped ? x_[j] : lp::kInfinity;
      const double units = static_cast<double>(r) / scale;
      return (capped ? std::min(1.0, units) : units) * x_[j];
    };
    lower_[j] = -reach(false);
    upper_[j] = reach(true);
  }
  solver_->SetAllColumnBounds(lower_, upper_);
}

AttackerLp::Answer AttackerLp::Solve(const Attacker& attacker, std::optional<int64_t> cap) {
  const int64_t unit = cap.value_or(attacker.need);
  SetBounds(unit, cap.has_value());
  const auto column = std::lower_bound(cells_.begin(), cells_.end(), attacker.cell) - cells_.begin();
  const auto j = static_cast<int32_t>(column);
  const double level = static_cast<double>(attacker.need) / static_cast<double>(unit);
  // No further than the level: the solver stops as soon as it is reached.
  solver_->SetColumnBounds(j, attacker.up ? std::min(0.0, lower_[Index(j)]) : std::max(-level, lower_[Index(j)]),
                           attacker.up ? std::min(level, upper_[Index(j)]) : upper_[Index(j)]);
  solver_->SetObjective(j, attacker.up ? -1 : 1);
  Answer answer;
  answer.outcome = solver_->SolveWarm();
  ++solves_;
  iterations_ += solver_->Iterations();
  if (answer.outcome == lp::Outcome::kOptimal) {
    const double moved = solver_->Solution()[Index(j)] * (attacker.up ? 1 : -1);
    answer.reached = moved >= level * (1 - kShort);
    if (!answer.reached) {
      const std::span<const double> dual = solver_->RowDuals();
      for (const int64_t denominator : kDenominators) {
        Aggregate aggregate;
        double worst = 0;
        for (size_t r = 0; r < relations_.size(); ++r) {
          const double scaled = dual[r] * static_cast<double>(denominator);
          const double rounded = std::nearbyint(scaled);
          worst = std::max(worst, std::abs(scaled - rounded));
          if (rounded != 0) aggregate.entries.push_back({relations_[r], static_cast<int64_t>(rounded)});
        }
        const bool exact = worst <= kRounding * static_cast<double>(denominator);
        if (!exact && denominator != std::end(kDenominators)[-1]) continue;
        std::sort(aggregate.entries.begin(), aggregate.entries.end(),
                  [](const auto& a, const auto& b) { return a.relation < b.relation; });
        answer.cuts.push_back(std::move(aggregate));
        break;
      }
    }
  }
  solver_->SetColumnBounds(j, lower_[Index(j)], upper_[Index(j)]);
  solver_->SetObjective(j, 0);
  return answer;
}

std::vector<std::pair<int32_t, double>> AttackerLp::Deviations() const {
  std::vector<std::pair<int32_t, double>> deviations;
  const std::span<const double> d = solver_->Solution();
  for (size_t j = 0; j < cells_.size(); ++j) {
    if (std::abs(d[j]) > 1e-9) deviations.emplace_back(cells_[j], d[j] * static_cast<double>(unit_));
  }
  return deviations;
}

}  // namespace sluis::disclosure
