#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/status/status.h"
#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

// A cell that moves by less is taken to stand still at the integer.
constexpr double kWholeUnit = 1 - 1e-6;
constexpr double kStandsStill = 1e-7;
// Each round may hide cells behind new ones that can themselves be recomputed; more rounds have never been needed.
constexpr int kMaxConcealRounds = 8;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

int32_t FindRoot(std::vector<int32_t>& parent, int32_t i) {
  while (parent[Index(i)] != i) i = parent[Index(i)] = parent[Index(parent[Index(i)])];
  return i;
}

}  // namespace

void SuppressionEngine::BuildComponents() {
  std::vector<int32_t> parent(Index(system_.num_cells));
  std::iota(parent.begin(), parent.end(), 0);
  for (int64_t r = 0; r < system_.relations.size(); ++r) {
    int32_t first = -1;
    const auto join = [&](int32_t cell) {
      if (result_.pattern[Index(cell)] == 0) return;
      const int32_t root = FindRoot(parent, cell);
      if (first < 0) {
        first = root;
      } else if (root != first) {
        parent[Index(root)] = first;
      }
    };
    join(system_.relations.total[Index(r)]);
    for (const int32_t cell : system_.relations.parts(r)) join(cell);
  }
  components_.clear();
  component_of_.assign(Index(system_.num_cells), -1);
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (result_.pattern[Index(i)] == 0) continue;
    int32_t& component = component_of_[Index(FindRoot(parent, i))];
    if (component < 0) {
      component = static_cast<int32_t>(components_.size());
      components_.emplace_back().lp.resize(system_.measures.size());
    }
    component_of_[Index(i)] = component;
    components_[Index(component)].cells.push_back(i);
  }
}

absl::StatusOr<CheapestDeviationLp*> SuppressionEngine::ComponentLp(int32_t cell, int32_t measure) {
  Component& component = components_[Index(component_of_[Index(cell)])];
  std::unique_ptr<CheapestDeviationLp>& lp = component.lp[Index(measure)];
  if (lp == nullptr) {
    SLUIS_ASSIGN_OR_RETURN(lp,
                           CheapestDeviationLp::Create(system_, incidence_, measure, component.cells, row_scratch_));
  }
  return lp.get();
}

absl::Status SuppressionEngine::Cleanup() {
  BuildComponents();
  std::vector<int32_t> order;
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    weight_[Index(i)] = kForbidden;
    if (result_.pattern[Index(i)] == 0) continue;
    const bool primary = system_.IsPrimary(i);
    weight_[Index(i)] = primary ? Weight(i) : static_cast<double>(system_.cost[Index(i)]) + 1;
    if (!primary) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [this](int32_t a, int32_t b) { return system_.cost[Index(a)] > system_.cost[Index(b)]; });
  const int64_t total = static_cast<int64_t>(order.size());
  for (int64_t k = 0; k < total; ++k) {
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kCleanup, k, total));
    SLUIS_RETURN_IF_ERROR(TryRemove(order[Index(k)]));
  }
  return Checkpoint(SuppressPhase::kCleanup, total, total);
}

absl::Status SuppressionEngine::TryRemove(int32_t cell) {
  const double weight = std::exchange(weight_[Index(cell)], kForbidden);
  std::vector<Replacement> replacements;
  bool removable = true;
  // The widest level first: if one cannot be reached without the cell, that is soon known.
  std::vector<int64_t> users = UsersOf(cell);
  std::stable_sort(users.begin(), users.end(),
                   [this](int64_t a, int64_t b) { return targets_[Index(a)].level > targets_[Index(b)].level; });
  for (const int64_t t : users) {
    const Target& target = targets_[Index(t)];
    // A deviation that was just found for another level may reach this one too.
    const auto found = std::find_if(replacements.begin(), replacements.end(), [&](const Replacement& r) {
      return Serves(witnesses_[Index(r.deviation)], target);
    });
    if (found != replacements.end()) {
      replacements.push_back({.target = t, .deviation = found->deviation});
      continue;
    }
    if (result_.cleanup_lps >= options_.max_cleanup_lps ||
        result_.cleanup_iterations >= options_.max_cleanup_iterations) {
      result_.cleanup_complete = false;
      removable = false;
      break;
    }
    SLUIS_ASSIGN_OR_RETURN(CheapestDeviationLp* const lp, ComponentLp(target.cell, target.measure));
    ++result_.cleanup_lps;
    std::optional<Deviation> deviation;
    const lp::Outcome outcome = lp->Solve(target.cell, target.direction, target.level, weight_);
    result_.cleanup_iterations += lp->iterations();
    if (outcome == lp::Outcome::kOptimal) deviation = exact_.Find(target.measure, lp->vertex());
    if (!deviation || !Serves(*deviation, target)) {
      removable = false;
      break;
    }
    replacements.push_back({.target = t, .deviation = Keep(*std::move(deviation))});
  }
  if (!removable) {
    weight_[Index(cell)] = weight;
    for (const Replacement& replacement : replacements) witnesses_[Index(replacement.deviation)] = {};
    return absl::OkStatus();
  }
  result_.pattern[Index(cell)] = 0;
  for (const Replacement& replacement : replacements) Assign(replacement.target, replacement.deviation);
  return absl::OkStatus();
}

absl::Status SuppressionEngine::Conceal() {
  for (int round = 0; round < kMaxConcealRounds; ++round) {
    BuildComponents();
    result_.recomputable = 0;
    bool grew = false;
    for (int32_t m = 0; m < static_cast<int32_t>(system_.measures.size()); ++m) {
      SLUIS_ASSIGN_OR_RETURN(const std::vector<uint8_t> concealed, FindConcealed(m));
      for (int32_t i = 0; i < system_.num_cells; ++i) {
        if (concealed[Index(i)] != 0) continue;
        SLUIS_ASSIGN_OR_RETURN(const bool given, GiveCompany(m, i));
        grew = grew || given;
        if (!given) ++result_.recomputable;
      }
      if (grew) break;  // the other measures are looked at under the pattern as it is now
    }
    if (!grew) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> SuppressionEngine::FindConcealed(int32_t measure) {
  std::vector<uint8_t> concealed(Index(system_.num_cells), 1);
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    weight_[Index(i)] = result_.pattern[Index(i)] != 0 ? 1 : kForbidden;
    if (result_.pattern[Index(i)] != 0) concealed[Index(i)] = 0;
  }
  for (const Deviation& deviation : witnesses_) {
    if (deviation.measure != measure) continue;
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      if (std::abs(static_cast<double>(deviation.numerator[k])) >= static_cast<double>(deviation.denominator)) {
        concealed[Index(deviation.cell[k])] = 1;
      }
    }
  }
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (concealed[Index(i)] != 0) continue;
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kConceal, i, system_.num_cells));
    SLUIS_ASSIGN_OR_RETURN(CheapestDeviationLp* const lp, ComponentLp(i, measure));
    for (const Direction direction : {Direction::kUpper, Direction::kLower}) {
      ++result_.conceal_lps;
      if (lp->Solve(i, direction, 1, weight_) != lp::Outcome::kOptimal) continue;
      for (const ApproximateEntry& entry : lp->vertex()) {
        const double moved = entry.at_bound ? static_cast<double>(entry.exact) : entry.approximate;
        if (std::abs(moved) >= kWholeUnit) concealed[Index(entry.cell)] = 1;
      }
      break;
    }
  }
  return concealed;
}

absl::StatusOr<bool> SuppressionEngine::GiveCompany(int32_t measure, int32_t cell) {
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    weight_[Index(i)] = Weight(i);
  }
  SLUIS_ASSIGN_OR_RETURN(CheapestDeviationLp* const lp, FullLp(measure));
  for (const Direction direction : {Direction::kUpper, Direction::kLower}) {
    ++result_.conceal_lps;
    if (lp->Solve(cell, direction, 1, weight_) != lp::Outcome::kOptimal) continue;
    bool grew = false;
    for (const ApproximateEntry& entry : lp->vertex()) {
      const double moved = entry.at_bound ? static_cast<double>(entry.exact) : entry.approximate;
      if (std::abs(moved) <= kStandsStill || result_.pattern[Index(entry.cell)] != 0) continue;
      result_.pattern[Index(entry.cell)] = 1;
      grew = true;
    }
    return grew;
  }
  return false;
}

}  // namespace sluis::disclosure
