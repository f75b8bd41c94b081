#include "disclosure/bound/cut_descent.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace sluis::disclosure {
namespace {

// Measured on two- and three-dimensional tables: more cells or more patience finds hardly more violated cuts.
constexpr size_t kCellsLookedAt = 16;
constexpr int32_t kPatience = 6;
constexpr int32_t kMaxSteps = 200;
// A relation that was just changed is left alone for so many steps: a dearer move would be taken back at once.
constexpr int32_t kTabuSteps = 5;
constexpr int32_t kNever = std::numeric_limits<int32_t>::min() / 2;
constexpr int64_t kMaxTimes = 1'000;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

CutDescent::CutDescent(const ProtectionModel& model)
    : model_(model),
      times_(Index(model.num_cells()), 0),
      relation_times_(Index(model.num_relations()), 0),
      cost_(Index(model.num_cells()), 0),
      changed_at_(Index(model.num_relations()), kNever) {}

Aggregate CutDescent::Seed(const Attacker& attacker, const ProtectionModel::Entry& relation) {
  return {.entries = {{.relation = relation.id, .times = attacker.up ? -relation.sign : relation.sign}}};
}

double CutDescent::CostOf(int32_t cell, int64_t times) const {
  if (times == 0 || cell == attacker_.cell) return 0;
  const double weight = weight_[Index(cell)];
  if (weight == 0) return 0;
  const int64_t reach = model_.Reach(attacker_.measure, cell, times > 0);
  if (reach == kNoUpperBound) return owed_ * weight;
  return std::min(owed_, static_cast<double>(times > 0 ? times : -times) * static_cast<double>(reach)) * weight;
}

void CutDescent::Apply(int32_t relation, int64_t times) {
  if (relation_times_[Index(relation)] == 0) relations_.push_back(relation);
  relation_times_[Index(relation)] += times;
  for (const ProtectionModel::Entry& member : model_.CellsOf(relation)) {
    int64_t& at = times_[Index(member.id)];
    if (at == 0) cells_.push_back(member.id);
    at += member.sign * times;
    cost_[Index(member.id)] = CostOf(member.id, at);
  }
}

double CutDescent::ChangeBy(int32_t relation, int64_t times) const {
  double change = 0;
  for (const ProtectionModel::Entry& member : model_.CellsOf(relation)) {
    change += CostOf(member.id, times_[Index(member.id)] + member.sign * times) - cost_[Index(member.id)];
  }
  return change;
}

// A cell stands in cells_ twice after it dropped out and came back.
void CutDescent::SortCells() {
  std::sort(cells_.begin(), cells_.end());
  cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
}

CutDescent::Move CutDescent::BestMove(int32_t step) {
  SortCells();
  dearest_.clear();
  for (const int32_t cell : cells_) {
    if (cost_[Index(cell)] > 0) dearest_.emplace_back(-cost_[Index(cell)], cell);
  }
  const size_t looked_at = std::min(kCellsLookedAt, dearest_.size());
  std::partial_sort(dearest_.begin(), dearest_.begin() + static_cast<std::ptrdiff_t>(looked_at), dearest_.end());
  Move best;
  best.change = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < looked_at; ++k) {
    const int32_t cell = dearest_[k].second;
    const int64_t times = times_[Index(cell)];
    for (const ProtectionModel::Entry& entry : model_.RelationsOf(cell)) {
      if (step - changed_at_[Index(entry.id)] < kTabuSteps) continue;
      const int64_t more = -times * entry.sign;
      if (std::abs(relation_times_[Index(entry.id)] + more) > kMaxTimes) continue;
      const double change = ChangeBy(entry.id, more);
      if (change < best.change) best = {.relation = entry.id, .times = more, .change = change};
    }
  }
  return best;
}

Aggregate CutDescent::Run(const Attacker& attacker, const Aggregate& start, std::span<const double> weight) {
  attacker_ = attacker;
  weight_ = weight;
  int64_t own_times = 0;
  for (const Aggregate::Entry& entry : start.entries) {
    for (const ProtectionModel::Entry& own : model_.RelationsOf(attacker.cell)) {
      if (own.id == entry.relation) own_times += own.sign * entry.times;
    }
  }
  owed_ = static_cast<double>(attacker.need) * static_cast<double>(std::abs(own_times));
  for (const Aggregate::Entry& entry : start.entries) Apply(entry.relation, entry.times);
  SortCells();
  double cost = 0;
  for (const int32_t cell : cells_) cost += cost_[Index(cell)];
  // The attacker's own relations stay as they are.
  for (const ProtectionModel::Entry& own : model_.RelationsOf(attacker.cell)) {
    changed_at_[Index(own.id)] = kMaxSteps;
    relations_.push_back(own.id);
  }
  const auto snapshot = [this] {
    Aggregate aggregate;
    std::sort(relations_.begin(), relations_.end());
    relations_.erase(std::unique(relations_.begin(), relations_.end()), relations_.end());
    for (const int32_t relation : relations_) {
      const int64_t times = relation_times_[Index(relation)];
      if (times != 0) aggregate.entries.push_back({.relation = relation, .times = times});
    }
    return aggregate;
  };
  Aggregate best = start;
  double best_cost = cost;
  int32_t best_step = 0;
  bool kept = true;
  for (int32_t step = 1; step < kMaxSteps && step - best_step <= kPatience; ++step) {
    const Move move = BestMove(step);
    if (move.relation < 0) break;
    if (move.change >= 0 && !kept) {
      best = snapshot();
      kept = true;
    }
    Apply(move.relation, move.times);
    changed_at_[Index(move.relation)] = step;
    cost += move.change;
    if (cost < best_cost - 1e-9 * owed_) {
      best_cost = cost;
      best_step = step;
      kept = false;
    }
  }
  if (!kept) best = snapshot();
  for (const int32_t cell : cells_) times_[Index(cell)] = 0, cost_[Index(cell)] = 0;
  for (const int32_t relation : relations_) relation_times_[Index(relation)] = 0, changed_at_[Index(relation)] = kNever;
  cells_.clear();
  relations_.clear();
  return best;
}

}  // namespace sluis::disclosure
