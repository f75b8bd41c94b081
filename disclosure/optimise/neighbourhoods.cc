#include "disclosure/optimise/neighbourhoods.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

// A neighbourhood at scale 1: secondary cells that are freed, and published cells that may be suppressed instead.
constexpr double kFewestFreed = 15;
constexpr double kMostFreed = 180;
constexpr double kFewestCandidates = 100;
constexpr double kMostCandidates = 700;
constexpr double kShrink = 0.9;  // where something was found all the same
constexpr double kShrinkInVain = 0.7;
constexpr double kGrow = 1.05;
constexpr double kSmallestScale = 0.05;
constexpr double kLargestScale = 3;
// Cells that the relaxation suppresses at least this much are always candidates.
constexpr double kWanted = 0.05;
constexpr int kMaxRounds = 15;
constexpr int64_t kMaxSteps = 100'000;  // and the round at hand
// What drawing a neighbourhood counts for, so that no search goes on for ever.
constexpr int64_t kStepsToDraw = 100;
constexpr int64_t kMaxNodes = 5'000;
constexpr int64_t kMaxIterations = 5'000;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

std::vector<uint8_t> Neighbourhoods::Region(std::span<const uint8_t> best, int32_t centre, size_t freed) {
  std::vector<uint8_t> region(best.size(), 0);
  // Nearest first. A step from cell to cell is between 1 and 2 long, drawn for each: cells that share several relations
  // with the region come sooner.
  using Place = std::pair<double, int32_t>;
  std::priority_queue<Place, std::vector<Place>, std::greater<>> next;
  next.emplace(0, centre);
  while (!next.empty() && freed > 0) {
    const auto [distance, cell] = next.top();
    next.pop();
    if (std::exchange(region[Index(cell)], 1) != 0) continue;
    if (model_.state(cell) == CellState::kFree) --freed;
    for (const ProtectionModel::Entry& relation : model_.RelationsOf(cell)) {
      for (const ProtectionModel::Entry& other : model_.CellsOf(relation.id)) {
        if (best[Index(other.id)] == 0 || region[Index(other.id)] != 0) continue;
        next.emplace(distance + 1 + Draw01(), other.id);
      }
    }
  }
  return region;
}

Neighbourhoods::Bounds Neighbourhoods::Draw(std::span<const uint8_t> best) {
  std::vector<int32_t> secondary;
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) == CellState::kFree && best[Index(i)] != 0) secondary.push_back(i);
  }
  const auto freed = static_cast<size_t>(1 + scale_ * (kFewestFreed + (kMostFreed - kFewestFreed) * Draw01()));
  const auto candidates =
      static_cast<size_t>(scale_ * (kFewestCandidates + (kMostCandidates - kFewestCandidates) * Draw01()));
  const std::vector<uint8_t> region = Region(best, secondary[random_() % secondary.size()], freed);
  std::vector<uint8_t> touched(Index(model_.num_relations()), 0);
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (region[Index(i)] == 0) continue;
    for (const ProtectionModel::Entry& relation : model_.RelationsOf(i)) touched[Index(relation.id)] = 1;
  }
  Bounds bounds{.lower = std::vector<uint8_t>(best.size(), 0), .upper = std::vector<uint8_t>(best.size(), 0)};
  std::vector<std::pair<double, int32_t>> around;
  const CutMaster& master = relaxation_.master();
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) != CellState::kFree) continue;
    if (best[Index(i)] != 0) {
      bounds.upper[Index(i)] = 1;
      bounds.lower[Index(i)] = region[Index(i)] != 0 ? 0 : 1;
    } else if (master.lower()[Index(i)] == master.upper()[Index(i)]) {
      bounds.upper[Index(i)] = master.upper()[Index(i)];
    } else if (relaxation_.x()[Index(i)] > kWanted) {
      around.emplace_back(-1, i);
    } else {
      const std::span<const ProtectionModel::Entry> own = model_.RelationsOf(i);
      const bool crosses =
          std::all_of(own.begin(), own.end(), [&](const auto& e) { return touched[Index(e.id)] != 0; });
      const auto left = static_cast<double>(std::max<int64_t>(0, master.reduced()[Index(i)]));
      if (crosses) around.emplace_back(left * (0.5 + Draw01()), i);
    }
  }
  std::sort(around.begin(), around.end());
  for (size_t k = 0; k < std::min(candidates, around.size()); ++k) bounds.upper[Index(around[k].second)] = 1;
  return bounds;
}

absl::StatusOr<Neighbourhoods::Answer> Neighbourhoods::Search(std::span<const uint8_t> best, int64_t best_cost,
                                                              int64_t max_steps, int32_t threads,
                                                              const std::function<bool()>& stop) {
  Answer answer;
  answer.cost = best_cost;
  answer.work.steps = kStepsToDraw;
  const Bounds bounds = Draw(best);
  const CoveringOptions options{
      .max_nodes = kMaxNodes, .max_iterations = kMaxIterations, .threads = threads, .stop = stop};
  for (int round = 0; round < kMaxRounds && answer.work.steps < std::min(max_steps, kMaxSteps) && !(stop && stop());
       ++round) {
    SLUIS_ASSIGN_OR_RETURN(ClosingRound found, closing_.Round(bounds.lower, bounds.upper, options));
    ++answer.work.rounds;
    answer.work.cuts += found.cuts;
    answer.work.programs += found.linear_programs;
    answer.work.steps += found.simplex_iterations + kStepsPerIntegerIteration * found.integer_iterations;
    answer.integer_programs += found.integer_programs;
    if (!found.pattern.empty() && found.cost < answer.cost) {
      answer.pattern = std::move(found.pattern);
      answer.cost = found.cost;
    }
    answer.searched = found.complete && (found.none || found.bound >= answer.cost);
    if (!found.complete || answer.searched || found.cuts == 0) break;
  }
  const double change = answer.searched ? kGrow : answer.pattern.empty() ? kShrinkInVain : kShrink;
  scale_ = std::clamp(scale_ * change, kSmallestScale, kLargestScale);
  return answer;
}

}  // namespace sluis::disclosure
