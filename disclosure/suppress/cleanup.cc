#include <algorithm>
#include <utility>

#include "common/status/status.h"
#include "disclosure/suppress/batch.h"
#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

constexpr int64_t kRemovalBatch = 16;

}  // namespace

absl::Status SuppressionEngine::Cleanup() { return RemovalPass(/*swap=*/false); }

absl::Status SuppressionEngine::RemovalPass(bool swap) {
  std::vector<int32_t> order;
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (state_.suppressed(i) && !state_.primary(i)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [this](int32_t a, int32_t b) { return system_.cost[Index(a)] > system_.cost[Index(b)]; });
  const int64_t total = static_cast<int64_t>(order.size());
  std::vector<int32_t> again;  // their removal no longer held when its turn came
  std::vector<int32_t> batch;
  std::vector<Removal> removals;
  for (int64_t next = 0; next < total || !again.empty();) {
    if (Stopped()) {
      result_.cleanup_complete = false;
      break;
    }
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kCleanup, next, total));
    batch = std::exchange(again, {});
    while (next < total && static_cast<int64_t>(batch.size()) < kRemovalBatch) batch.push_back(order[Index(next++)]);
    removals.assign(batch.size(), {});
    const int64_t lps = options_.max_cleanup_lps - result_.cleanup_lps;
    const int64_t iterations = options_.max_cleanup_iterations - result_.cleanup_iterations;
    RunBatch(options_.threads, static_cast<int64_t>(batch.size()), [&](int worker, int64_t k) {
      const int32_t cell = batch[Index(k)];
      const double budget = swap ? static_cast<double>(system_.cost[Index(cell)]) : 0;
      removals[Index(k)] = ProposeRemoval(worker, cell, budget, lps, iterations);
    });
    for (const Removal& removal : removals) {
      result_.cleanup_lps += removal.lps;
      result_.cleanup_iterations += removal.iterations;
      if (removal.out_of_effort) result_.cleanup_complete = false;
      if (removal.possible && !Apply(removal)) again.push_back(removal.cell);
    }
  }
  return Checkpoint(SuppressPhase::kCleanup, total, total);
}

SuppressionEngine::Removal SuppressionEngine::ProposeRemoval(int worker, int32_t cell, double budget, int64_t max_lps,
                                                             int64_t max_iterations) {
  Removal removal;
  removal.cell = cell;
  std::vector<int64_t> users = state_.UsersOf(cell);
  // The widest level first: if one cannot be reached without the cell, that is soon known.
  std::stable_sort(users.begin(), users.end(), [this](int64_t a, int64_t b) {
    return state_.targets()[Index(a)].level > state_.targets()[Index(b)].level;
  });
  double left = budget;
  const auto is_added = [&](int32_t other) {
    return std::binary_search(removal.added.begin(), removal.added.end(), other);
  };
  // Sparse deviations: then few levels depend on any one cell.
  const auto price = [&](int32_t other) {
    if (other == cell) return kForbidden;
    if (state_.suppressed(other)) {
      return state_.primary(other) || budget > 0 ? Price(other) : static_cast<double>(system_.cost[Index(other)]) + 1;
    }
    if (left <= 0 || system_.suppressible[Index(other)] == 0) return kForbidden;
    if (is_added(other)) return 1.0;
    const double cost = static_cast<double>(system_.cost[Index(other)]);
    return cost >= left ? kForbidden : cost + 1;
  };
  const auto entry = [&](int32_t other) { return is_added(other) ? 0 : EntryPrice(other); };
  SearchEffort effort;
  effort.ball = effort.largest_ball = budget > 0 ? 0 : 500;
  if (budget <= 0) effort.largest_ball = 2'000;
  for (const int64_t t : users) {
    const Target& target = state_.targets()[Index(t)];
    // A deviation that was just found for another level may reach this one too, itself or a multiple of it.
    bool served = false;
    for (size_t r = 0; r < removal.replacements.size() && !served; ++r) {
      if (Serves(removal.replacements[r].deviation, target)) {
        removal.replacements[r].targets.push_back(t);
        served = true;
      } else if (auto multiple = MultipleFor(system_, removal.replacements[r].deviation, target)) {
        removal.replacements.push_back({.deviation = *std::move(multiple), .targets = {t}});
        served = true;
      }
    }
    if (served) continue;
    if (removal.lps >= max_lps || removal.iterations >= max_iterations) {
      removal.out_of_effort = true;
      return removal;
    }
    SearchResult found = Searcher(worker).Find(target, price, entry, effort);
    removal.lps += found.lps;
    removal.iterations += found.iterations;
    if (found.outcome != SearchOutcome::kFound) return removal;
    left -= found.price;
    if (budget > 0 && left < 0) return removal;
    for (const int32_t other : found.deviation.cell) {
      if (!state_.suppressed(other) && !is_added(other)) {
        removal.added.insert(std::upper_bound(removal.added.begin(), removal.added.end(), other), other);
      }
    }
    removal.replacements.push_back({.deviation = std::move(found.deviation), .targets = {t}});
  }
  removal.possible = true;
  return removal;
}

bool SuppressionEngine::Apply(const Removal& removal) {
  for (const Replacement& replacement : removal.replacements) {
    for (const int32_t cell : replacement.deviation.cell) {
      if (!state_.suppressed(cell) && !std::binary_search(removal.added.begin(), removal.added.end(), cell)) {
        return false;
      }
    }
  }
  for (const int64_t t : state_.UsersOf(removal.cell)) {
    const bool served =
        std::any_of(removal.replacements.begin(), removal.replacements.end(), [&](const Replacement& replacement) {
          return std::find(replacement.targets.begin(), replacement.targets.end(), t) != replacement.targets.end();
        });
    if (!served) return false;
  }
  for (const int32_t cell : removal.added) state_.Suppress(cell);
  for (const Replacement& replacement : removal.replacements)
    state_.Replace(replacement.deviation, replacement.targets);
  state_.Publish(removal.cell);
  return true;
}

}  // namespace sluis::disclosure
