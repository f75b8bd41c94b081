#include <algorithm>
#include <limits>
#include <utility>

#include "common/status/status.h"
#include "disclosure/suppress/batch.h"
#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

constexpr int64_t kRemovalBatch = 16;
// Only suppressed cells are looked at. In a small component these balls hold them all.
constexpr int64_t kFirstBall = 500;
constexpr int64_t kLastBall = 2'000;
// Where prices are flat: all in one, and larger ones if need be.
constexpr int64_t kFlatBall = 4'000;
constexpr int64_t kLastFlatBall = 8'000;
constexpr double kFlatPrice = 1;            // of a secondary cell
constexpr double kFlatPrimaryPrice = 0.02;  // of one that is suppressed in any case
// Secondary cells that the limits on cleanup are for; twice as many may take twice as much.
constexpr int64_t kSmallPattern = 1'500;
constexpr int64_t kCellsPerFactor = 300;

// max * factor, or what fits.
int64_t Scaled(int64_t max, int64_t factor) {
  int64_t product = 0;
  return __builtin_mul_overflow(max, factor, &product) ? std::numeric_limits<int64_t>::max() : product;
}

}  // namespace

int64_t SuppressionEngine::CleanupFactor(int64_t secondary_cells) const {
  if (flat_prices_) return 1;  // there, each program takes long
  return std::max<int64_t>(1, (secondary_cells - kSmallPattern) / kCellsPerFactor);
}

SearchEffort SuppressionEngine::CleanupSearch() const {
  if (flat_prices_) return {.crossing = false, .ball = kFlatBall, .largest_ball = kLastFlatBall};
  return {.ball = kFirstBall, .largest_ball = kLastBall};
}

absl::Status SuppressionEngine::Cleanup() {
  std::vector<int32_t> order;
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (state_.suppressed(i) && !state_.primary(i)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [this](int32_t a, int32_t b) { return system_.cost[Index(a)] > system_.cost[Index(b)]; });
  const int64_t total = static_cast<int64_t>(order.size());
  const int64_t factor = CleanupFactor(total);
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
    // Each gets its share of what is left.
    const auto share = [&](int64_t most, int64_t spent) {
      const auto size = static_cast<int64_t>(batch.size());
      return std::max<int64_t>(0, (most - spent) / size + ((most - spent) % size > 0 ? 1 : 0));
    };
    const int64_t lps = share(Scaled(options_.max_cleanup_lps, factor), result_.cleanup_lps);
    const int64_t iterations = share(Scaled(options_.max_cleanup_iterations, factor), result_.cleanup_iterations);
    RunBatch(options_.threads, static_cast<int64_t>(batch.size()), [&](int worker, int64_t k) {
      removals[Index(k)] = ProposeRemoval(worker, batch[Index(k)], lps, iterations);
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

SuppressionEngine::Removal SuppressionEngine::ProposeRemoval(int worker, int32_t cell, int64_t max_lps,
                                                             int64_t max_iterations) {
  Removal removal;
  removal.cell = cell;
  std::vector<int64_t> users = state_.UsersOf(cell);
  // The widest level first: if one cannot be reached without the cell, that is soon known.
  std::stable_sort(users.begin(), users.end(), [this](int64_t a, int64_t b) {
    return state_.targets()[Index(a)].level > state_.targets()[Index(b)].level;
  });
  // Charging for secondary cells keeps deviations sparse: then few levels depend on any one cell.
  const auto price = [&](int32_t other) {
    if (other == cell || !state_.suppressed(other)) return kForbidden;
    if (flat_prices_) return state_.primary(other) ? kFlatPrimaryPrice : kFlatPrice;
    return state_.primary(other) ? Price(other) : static_cast<double>(system_.cost[Index(other)]) + 1;
  };
  const auto entry = [](int32_t) { return 0.0; };
  const SearchEffort search = CleanupSearch();
  for (const int64_t t : users) {
    const Target& target = state_.targets()[Index(t)];
    if (!state_.Rests(t, cell)) continue;  // only a further witness, for contributors, moves the cell
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
    if ((worker == 0 ? Stopped() : stopped_.load()) || removal.lps >= max_lps || removal.iterations >= max_iterations) {
      removal.out_of_effort = true;
      return removal;
    }
    SearchResult found = Searcher(worker).Find(target, price, entry, search);
    removal.lps += found.lps;
    removal.iterations += found.iterations;
    if (found.outcome != SearchOutcome::kFound) return removal;
    removal.replacements.push_back({.deviation = std::move(found.deviation), .targets = {t}});
  }
  removal.possible = ServeContributors(worker, users, price, entry, search, max_lps, max_iterations, removal);
  return removal;
}

bool SuppressionEngine::Apply(const Removal& removal) {
  for (const std::vector<Replacement>* const list : {&removal.replacements, &removal.further}) {
    for (const Replacement& replacement : *list) {
      for (const int32_t cell : replacement.deviation.cell) {
        if (!state_.suppressed(cell)) return false;
      }
    }
  }
  const std::vector<int64_t> users = state_.UsersOf(removal.cell);
  for (const int64_t t : users) {
    if (!state_.Rests(t, removal.cell)) continue;
    const bool served =
        std::any_of(removal.replacements.begin(), removal.replacements.end(), [&](const Replacement& replacement) {
          return std::find(replacement.targets.begin(), replacement.targets.end(), t) != replacement.targets.end();
        });
    if (!served) return false;
  }
  if (!ContributorsAreServed(removal, users)) return false;
  for (const Replacement& replacement : removal.replacements)
    state_.Replace(replacement.deviation, replacement.targets);
  for (const int64_t t : users) state_.DropFurther(t, removal.cell);
  for (const Replacement& further : removal.further) state_.AddFurther(further.deviation, further.targets.front());
  state_.Publish(removal.cell);
  return true;
}

}  // namespace sluis::disclosure
