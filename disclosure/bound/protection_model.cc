#include "disclosure/bound/protection_model.h"

#include <algorithm>
#include <utility>

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

ProtectionModel::ProtectionModel(const CellSystem& system) : system_(system) {
  state_.assign(Index(system.num_cells), CellState::kPublished);
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (system.suppressible[Index(i)] != 0) state_[Index(i)] = CellState::kFree;
    if (system.IsPrimary(i)) state_[Index(i)] = CellState::kSuppressed;
  }
  for (size_t m = 0; m < system.measures.size(); ++m) {
    const Measure& measure = system.measures[m];
    for (int32_t i = 0; i < system.num_cells; ++i) {
      for (const bool up : {false, true}) {
        const int64_t need = (up ? measure.upper_level : measure.lower_level)[Index(i)];
        if (need > 0) attackers_.push_back({.measure = static_cast<int32_t>(m), .cell = i, .up = up, .need = need});
      }
    }
  }
  const Relations& relations = system.relations;
  const auto moves = [this](int32_t cell) { return state_[Index(cell)] != CellState::kPublished; };
  relation_begin_ = {0};
  cell_begin_.assign(Index(system.num_cells) + 1, 0);
  for (int64_t r = 0; r < relations.size(); ++r) {
    for (const int32_t cell : relations.parts(r)) {
      if (moves(cell)) cells_.push_back({.id = cell, .sign = 1});
    }
    if (moves(relations.total[Index(r)])) cells_.push_back({.id = relations.total[Index(r)], .sign = -1});
    relation_begin_.push_back(static_cast<int64_t>(cells_.size()));
  }
  for (const Entry& entry : cells_) ++cell_begin_[Index(entry.id) + 1];
  for (int64_t i = 0; i < system.num_cells; ++i) cell_begin_[Index(i) + 1] += cell_begin_[Index(i)];
  relations_.resize(cells_.size());
  std::vector<int64_t> next(cell_begin_.begin(), cell_begin_.end() - 1);
  for (int32_t r = 0; r < relations.size(); ++r) {
    for (const Entry& entry : CellsOf(r)) relations_[Index(next[Index(entry.id)]++)] = {.id = r, .sign = entry.sign};
  }
}

int64_t ProtectionModel::CostOf(std::span<const uint8_t> pattern) const {
  int64_t cost = 0;
  for (int32_t i = 0; i < num_cells(); ++i) {
    if (state(i) == CellState::kFree && pattern[Index(i)] != 0) cost += system_.cost[Index(i)];
  }
  return cost;
}

ProtectionModel::Range ProtectionModel::AttackersOf(int32_t measure, int32_t cell) const {
  const auto key = std::pair(measure, cell);
  const auto before = [](const Attacker& a, const std::pair<int32_t, int32_t>& k) {
    return std::pair(a.measure, a.cell) < k;
  };
  const auto at = std::lower_bound(attackers_.begin(), attackers_.end(), key, before);
  auto end = at;
  while (end != attackers_.end() && std::pair(end->measure, end->cell) == key) ++end;
  return {.begin = static_cast<int32_t>(at - attackers_.begin()),
          .end = static_cast<int32_t>(end - attackers_.begin())};
}

}  // namespace sluis::disclosure
