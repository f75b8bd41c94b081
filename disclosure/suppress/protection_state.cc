#include "disclosure/suppress/protection_state.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

bool Moves(const Deviation& deviation, int32_t cell) {
  return std::binary_search(deviation.cell.begin(), deviation.cell.end(), cell);
}

}  // namespace

ProtectionState::ProtectionState(const CellSystem& system, const Pattern& start)
    : system_(system),
      incidence_(BuildIncidence(system.relations, system.num_cells)),
      pattern_(Index(system.num_cells), 0),
      primary_(Index(system.num_cells), 0),
      users_(Index(system.num_cells)) {
  for (int32_t i = 0; i < system.num_cells; ++i) {
    primary_[Index(i)] = system.IsPrimary(i);
    const bool starts = !start.empty() && start[Index(i)] != 0 && system.suppressible[Index(i)] != 0;
    pattern_[Index(i)] = primary_[Index(i)] != 0 || starts;
  }
  CollectTargets();
}

void ProtectionState::CollectTargets() {
  for (size_t m = 0; m < system_.measures.size(); ++m) {
    const Measure& measure = system_.measures[m];
    for (int32_t i = 0; i < system_.num_cells; ++i) {
      for (const Direction direction : {Direction::kLower, Direction::kUpper}) {
        const int64_t level = (direction == Direction::kUpper ? measure.upper_level : measure.lower_level)[Index(i)];
        if (level == 0) continue;
        targets_.push_back(
            {.measure = static_cast<int32_t>(m), .cell = i, .direction = direction, .level = level, .witness = -1});
      }
    }
  }
}

int64_t ProtectionState::FirstTarget(int32_t measure, int32_t cell) const {
  const auto at = std::lower_bound(targets_.begin(), targets_.end(), std::pair(measure, cell),
                                   [](const Target& target, const std::pair<int32_t, int32_t>& key) {
                                     return std::pair(target.measure, target.cell) < key;
                                   });
  return at - targets_.begin();
}

int64_t ProtectionState::Keep(Deviation deviation) {
  if (!free_witnesses_.empty()) {
    const int64_t place = free_witnesses_.back();
    free_witnesses_.pop_back();
    witnesses_[Index(place)] = std::move(deviation);
    return place;
  }
  witnesses_.push_back(std::move(deviation));
  witness_uses_.push_back(0);
  return static_cast<int64_t>(witnesses_.size()) - 1;
}

void ProtectionState::Assign(int64_t target, int64_t witness) {
  const int64_t old = std::exchange(targets_[Index(target)].witness, witness);
  EnterUser(target, witness);
  if (old >= 0) Release(old);
}

void ProtectionState::EnterUser(int64_t target, int64_t witness) {
  ++witness_uses_[Index(witness)];
  for (const int32_t cell : witnesses_[Index(witness)].cell) {
    std::vector<int32_t>& users = users_[Index(cell)];
    users.push_back(static_cast<int32_t>(target));
    // Entries of the past are dropped now and then, so that a cell in many witnesses does not collect them for ever.
    if (users.size() >= 64 && (users.size() & (users.size() - 1)) == 0) {
      std::sort(users.begin(), users.end());
      users.erase(std::unique(users.begin(), users.end()), users.end());
    }
  }
}

void ProtectionState::Release(int64_t witness) {
  if (--witness_uses_[Index(witness)] > 0) return;
  witnesses_[Index(witness)] = {};
  free_witnesses_.push_back(witness);
}

std::vector<int64_t> ProtectionState::WitnessesOf(int64_t target) const {
  std::vector<int64_t> result = {targets_[Index(target)].witness};
  const auto more = further_.find(target);
  if (more != further_.end()) result.insert(result.end(), more->second.begin(), more->second.end());
  return result;
}

std::vector<int64_t> ProtectionState::WitnessesThatMove(int32_t cell, size_t most) const {
  std::vector<int64_t> result;
  for (const int32_t user : users_[Index(cell)]) {
    for (const int64_t witness : WitnessesOf(user)) {
      if (Moves(witnesses_[Index(witness)], cell)) result.push_back(witness);
    }
    if (result.size() >= 4 * most) break;
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  if (result.size() > most) result.resize(most);
  return result;
}

bool ProtectionState::Rests(int64_t target, int32_t cell) const {
  return Moves(witnesses_[Index(targets_[Index(target)].witness)], cell);
}

void ProtectionState::AddFurther(Deviation deviation, int64_t target) {
  for (const int32_t cell : deviation.cell) Suppress(cell);
  const int64_t kept = Keep(std::move(deviation));
  further_[target].push_back(kept);
  EnterUser(target, kept);
}

void ProtectionState::DropFurther(int64_t target, int32_t cell) {
  const auto at = further_.find(target);
  if (at == further_.end()) return;
  std::erase_if(at->second, [&](int64_t witness) {
    if (!Moves(witnesses_[Index(witness)], cell)) return false;
    Release(witness);
    return true;
  });
  if (at->second.empty()) further_.erase(at);
}

std::vector<int64_t> ProtectionState::UsersOf(int32_t cell) const {
  std::vector<int64_t> users(users_[Index(cell)].begin(), users_[Index(cell)].end());
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  std::erase_if(users, [&](int64_t t) {
    if (Rests(t, cell)) return false;
    const auto more = further_.find(t);
    return more == further_.end() || std::none_of(more->second.begin(), more->second.end(), [&](int64_t witness) {
             return Moves(witnesses_[Index(witness)], cell);
           });
  });
  return users;
}

void ProtectionState::Replace(Deviation deviation, const std::vector<int64_t>& targets) {
  const int64_t kept = Keep(std::move(deviation));
  for (const int64_t t : targets) Assign(t, kept);
}

void ProtectionState::Publish(int32_t cell) {
  pattern_[Index(cell)] = 0;
  users_[Index(cell)] = {};
}

void ProtectionState::Absorb(Deviation deviation) {
  const int64_t kept = Keep(std::move(deviation));
  const Deviation witness = witnesses_[Index(kept)];  // a copy: Assign may move witnesses_
  for (const int32_t cell : witness.cell) {
    Suppress(cell);
    for (int64_t t = FirstTarget(witness.measure, cell); t < static_cast<int64_t>(targets_.size()); ++t) {
      const Target& target = targets_[Index(t)];
      if (target.cell != cell || target.measure != witness.measure) break;
      if (target.witness < 0 && Serves(witness, target)) Assign(t, kept);
    }
  }
  Stretch(kept);
  if (witness_uses_[Index(kept)] == 0) {
    witnesses_[Index(kept)] = {};
    free_witnesses_.push_back(kept);
  }
}

void ProtectionState::Stretch(int64_t kept) {
  const Deviation shape = witnesses_[Index(kept)];  // a copy: witnesses_ grows
  for (int32_t m = 0; m < static_cast<int32_t>(system_.measures.size()); ++m) {
    for (const bool backwards : {false, true}) {
      const Ratio most = MostTimes(system_.measures[Index(m)], shape, backwards);
      std::vector<int64_t> reached;
      Ratio least;
      for (size_t k = 0; k < shape.cell.size(); ++k) {
        const Direction moves = (shape.numerator[k] > 0) != backwards ? Direction::kUpper : Direction::kLower;
        for (int64_t t = FirstTarget(m, shape.cell[k]); t < static_cast<int64_t>(targets_.size()); ++t) {
          const Target& target = targets_[Index(t)];
          if (target.cell != shape.cell[k] || target.measure != m) break;
          const Ratio asked{target.level, std::abs(shape.numerator[k])};
          if (target.witness >= 0 || target.direction != moves || most < asked) continue;
          reached.push_back(t);
          if (least < asked) least = asked;
        }
      }
      if (reached.empty()) continue;
      std::optional<Deviation> multiple = Times(shape, m, backwards, least);
      if (multiple) Replace(*std::move(multiple), reached);
    }
  }
}

Certificate ProtectionState::TakeCertificate() {
  Certificate certificate;
  std::vector<int32_t> place(witnesses_.size(), -1);
  const auto place_of = [&](int64_t witness) {
    int32_t& at = place[Index(witness)];
    if (at < 0) {
      at = static_cast<int32_t>(certificate.deviations.size());
      certificate.deviations.push_back(std::move(witnesses_[Index(witness)]));
    }
    return at;
  };
  for (int64_t t = 0; t < static_cast<int64_t>(targets_.size()); ++t) {
    const Target& target = targets_[Index(t)];
    std::vector<int32_t> deviations;
    for (const int64_t witness : WitnessesOf(t)) deviations.push_back(place_of(witness));
    std::sort(deviations.begin() + 1, deviations.end());
    for (const int32_t deviation : deviations) {
      certificate.claims.push_back(
          {.measure = target.measure, .cell = target.cell, .direction = target.direction, .deviation = deviation});
    }
  }
  return certificate;
}

}  // namespace sluis::disclosure
