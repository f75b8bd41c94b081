#include "disclosure/round/leaf_choice.h"

#include <algorithm>
#include <utility>

#include "disclosure/system/int128.h"

namespace sluis::disclosure {

LeafChoice::LeafChoice(const LeafReach& reach, std::span<const size_t> leaf, int64_t step, std::vector<int64_t> error,
                       std::span<const uint8_t> counts, Cost cost)
    : reach_(reach),
      leaf_(leaf),
      step_(step),
      error_(std::move(error)),
      counts_(counts),
      cost_(cost),
      weight_(error_.size(), 3 * step),
      upper_(leaf.size(), 0),
      rise_(error_.size()),
      fall_(error_.size()),
      begin_{0} {
  for (const size_t k : leaf_) {
    for (const int32_t cell : reach_.cells(k)) {
      if (counts_[static_cast<size_t>(cell)] != 0) cell_.push_back(cell);
    }
    std::sort(cell_.begin() + begin_.back(), cell_.end());
    begin_.push_back(static_cast<int64_t>(cell_.size()));
  }
  for (size_t c = 0; c < error_.size(); ++c) Refresh(c);
}

void LeafChoice::Refresh(size_t cell) {
  const int64_t e = error_[cell];
  if (cost_ == Cost::kSquared) {
    rise_[cell] = step_ * (step_ + 2 * e);
    fall_[cell] = step_ * (step_ - 2 * e);
    return;
  }
  const auto cost = [&](int64_t error) {
    const int64_t distance = error < 0 ? -error : error;
    return distance + weight_[cell] * (distance / step_);
  };
  rise_[cell] = cost(e + step_) - cost(e);
  fall_[cell] = cost(e - step_) - cost(e);
}

int64_t LeafChoice::Gain(size_t item) const {
  const std::vector<int64_t>& change = upper_[item] != 0 ? fall_ : rise_;
  int64_t sum = 0;
  for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) {
    sum += change[static_cast<size_t>(cell_[static_cast<size_t>(k)])];
  }
  return -sum;
}

// Both change, in opposite directions: cells above both stay as they are.
int64_t LeafChoice::PairGain(size_t a, size_t b) const {
  const std::vector<int64_t>& change_a = upper_[a] != 0 ? fall_ : rise_;
  const std::vector<int64_t>& change_b = upper_[b] != 0 ? fall_ : rise_;
  int64_t sum = 0;
  int64_t i = begin_[a], j = begin_[b];
  while (i < begin_[a + 1] || j < begin_[b + 1]) {
    const int32_t x = i < begin_[a + 1] ? cell_[static_cast<size_t>(i)] : INT32_MAX;
    const int32_t y = j < begin_[b + 1] ? cell_[static_cast<size_t>(j)] : INT32_MAX;
    if (x < y) sum += change_a[static_cast<size_t>(x)];
    if (y < x) sum += change_b[static_cast<size_t>(y)];
    i += x <= y ? 1 : 0;
    j += y <= x ? 1 : 0;
  }
  return -sum;
}

void LeafChoice::Flip(size_t item) {
  const int64_t change = upper_[item] != 0 ? -step_ : step_;
  upper_[item] ^= 1;
  for (const int32_t cell : reach_.cells(leaf_[item])) {
    error_[static_cast<size_t>(cell)] += change;
    Refresh(static_cast<size_t>(cell));
  }
}

void LeafChoice::Balance(std::span<const int64_t> own_error) {
  std::vector<int64_t> decided(error_.size(), 0);
  for (size_t item = 0; item < leaf_.size(); ++item) {
    Int128 sum = 0;  // of errors so far; up lowers the squares if 2 * sum + cells * (2 * own + step) < 0
    for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) {
      sum += decided[static_cast<size_t>(cell_[static_cast<size_t>(k)])];
    }
    const int64_t cells = begin_[item + 1] - begin_[item];
    const bool up = 2 * sum + Int128{cells} * (2 * own_error[item] + step_) < 0;
    if (up) Flip(item);
    for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) {
      decided[static_cast<size_t>(cell_[static_cast<size_t>(k)])] += own_error[item] + (up ? step_ : 0);
    }
  }
}

void LeafChoice::StartFrom(std::span<const uint8_t> upper) {
  for (size_t item = 0; item < leaf_.size(); ++item) {
    if (upper[item] != 0) Flip(item);
  }
}

int64_t LeafChoice::Improve(const std::vector<std::vector<int32_t>>& groups, int64_t max_evaluations) {
  int64_t evaluations = 0;
  for (bool improved = true; improved;) {
    improved = false;
    for (size_t item = 0; item < leaf_.size(); ++item) {
      if (++evaluations > max_evaluations) return evaluations;
      if (Gain(item) <= 0) continue;
      Flip(item);
      improved = true;
    }
    for (const std::vector<int32_t>& group : groups) {
      for (size_t a = 0; a < group.size(); ++a) {
        for (size_t b = a + 1; b < group.size(); ++b) {
          const size_t first = static_cast<size_t>(group[a]), second = static_cast<size_t>(group[b]);
          if (upper_[first] == upper_[second]) continue;
          if (++evaluations > max_evaluations) return evaluations;
          if (PairGain(first, second) <= 0) continue;
          Flip(first);
          Flip(second);
          improved = true;
        }
      }
    }
  }
  return evaluations;
}

bool LeafChoice::Exceeds(size_t cell) const {
  return counts_[cell] != 0 && (error_[cell] >= step_ || error_[cell] <= -step_);
}

void LeafChoice::Repair(const std::vector<std::vector<int32_t>>& groups, int64_t max_evaluations) {
  std::vector<std::vector<int32_t>> items(error_.size()), groups_of(leaf_.size());
  for (size_t item = 0; item < leaf_.size(); ++item) {
    for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) {
      items[static_cast<size_t>(cell_[static_cast<size_t>(k)])].push_back(static_cast<int32_t>(item));
    }
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const int32_t item : groups[g]) groups_of[static_cast<size_t>(item)].push_back(static_cast<int32_t>(g));
  }
  std::vector<size_t> exceeding;
  std::vector<uint8_t> listed(error_.size(), 0);
  int64_t steps = 0, distance = 0;  // of all cells
  const auto size = [](int64_t e) { return e < 0 ? -e : e; };
  const auto list = [&](size_t cell) {
    if (listed[cell] != 0 || !Exceeds(cell)) return;
    listed[cell] = 1;
    exceeding.push_back(cell);
  };
  for (size_t c = 0; c < error_.size(); ++c) {
    if (counts_[c] == 0) continue;
    steps += size(error_[c]) / step_;
    distance += size(error_[c]);
    list(c);
  }
  const auto flip = [&](size_t item) {
    const int64_t change = upper_[item] != 0 ? -step_ : step_;
    for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) {
      const int64_t e = error_[static_cast<size_t>(cell_[static_cast<size_t>(k)])];
      steps += size(e + change) / step_ - size(e) / step_;
      distance += size(e + change) - size(e);
    }
    Flip(item);
    for (int64_t k = begin_[item]; k < begin_[item + 1]; ++k) list(static_cast<size_t>(cell_[static_cast<size_t>(k)]));
  };
  // The changes since the best choice, to go back to it.
  int64_t best_steps = steps, best_distance = distance;
  std::vector<size_t> since_best;
  std::vector<int64_t> last_change(leaf_.size(), -1'000);
  int64_t evaluations = 0, time = 0;
  constexpr int64_t kRest = 10;        // a leaf that changed stays for as many turns
  constexpr size_t kMostLeaves = 100;  // of a cell that are looked at in a turn
  for (size_t turn = 0; evaluations < max_evaluations && steps > 0; ++turn) {
    std::erase_if(exceeding, [&](size_t cell) {
      if (Exceeds(cell)) return false;
      listed[cell] = 0;
      return true;
    });
    const size_t cell = exceeding[turn % exceeding.size()];
    const uint8_t wrong = error_[cell] > 0 ? 1 : 0;
    int64_t best_gain = INT64_MIN;
    std::pair<size_t, size_t> best{0, 0};
    const std::vector<int32_t>& below = items[cell];
    const size_t stride = below.size() / kMostLeaves + 1;
    for (size_t n = turn % stride; n < below.size(); n += stride) {
      const size_t a = static_cast<size_t>(below[n]);
      if (upper_[a] != wrong || time - last_change[a] < kRest) continue;
      ++evaluations;
      if (const int64_t gain = Gain(a); gain > best_gain) {
        best_gain = gain;
        best = {a, a};
      }
      for (const int32_t g : groups_of[a]) {
        for (const int32_t other : groups[static_cast<size_t>(g)]) {
          const size_t b = static_cast<size_t>(other);
          if (upper_[b] == wrong || time - last_change[b] < kRest) continue;
          ++evaluations;
          if (const int64_t gain = PairGain(a, b); gain > best_gain) {
            best_gain = gain;
            best = {a, b};
          }
        }
      }
    }
    ++time;
    ++evaluations;
    if (best_gain <= 0) {
      for (const size_t c : exceeding) {
        weight_[c] += step_;
        Refresh(c);
      }
    }
    if (best_gain == INT64_MIN) continue;
    const std::vector<size_t> changes =
        best.first == best.second ? std::vector<size_t>{best.first} : std::vector<size_t>{best.first, best.second};
    for (const size_t item : changes) {
      flip(item);
      last_change[item] = time;
      since_best.push_back(item);
    }
    if (steps < best_steps || (steps == best_steps && distance < best_distance)) {
      best_steps = steps;
      best_distance = distance;
      since_best.clear();
    }
  }
  for (const size_t item : since_best) Flip(item);
}

std::vector<std::vector<int32_t>> GroupsOfItems(const Relations& relations, std::span<const int32_t> item_of) {
  std::vector<std::vector<int32_t>> groups;
  for (int64_t r = 0; r < relations.size(); ++r) {
    std::vector<int32_t> group;
    for (const int32_t part : relations.parts(r)) {
      if (item_of[static_cast<size_t>(part)] >= 0) group.push_back(item_of[static_cast<size_t>(part)]);
    }
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace sluis::disclosure
