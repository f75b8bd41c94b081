#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/batch.h"
#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

constexpr int64_t kLargestBatch = 32;
constexpr int64_t kAbsorbedPerPlace = 64;  // so many deviations for each further place in a batch
constexpr int64_t kDenseIterations = 600;  // a linear program, on average, after the first few
constexpr int64_t kFirstLps = 10;
constexpr int64_t kSecondLook = 1'000;
constexpr int64_t kFlatBall = 2'000;
// A deviation is dear if it costs more than this share of all that was suppressed before it.
constexpr double kDearShare = 0.01;

}  // namespace

absl::Status SuppressionEngine::Construct() {
  // One measure after the other: what serves the first stretches to most levels of the next. Within a measure the
  // widest needs first: what they suppress serves many others.
  std::vector<int64_t> order(state_.targets().size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [this](int64_t a, int64_t b) {
    const auto key = [this](int64_t t) {
      const Target& target = state_.targets()[Index(t)];
      return std::pair(target.measure, -system_.measures[Index(target.measure)].upper_level[Index(target.cell)]);
    };
    return key(a) < key(b);
  });
  if (!options_.start.empty()) SLUIS_RETURN_IF_ERROR(ConstructInOrder(order, /*pattern_only=*/true));
  return ConstructInOrder(order, /*pattern_only=*/false);
}

absl::Status SuppressionEngine::ConstructInOrder(const std::vector<int64_t>& order, bool pattern_only) {
  const int64_t total = static_cast<int64_t>(order.size());
  const auto price = [&](int32_t cell) { return pattern_only && !state_.suppressed(cell) ? kForbidden : Price(cell); };
  const auto entry = [&](int32_t cell) { return EntryPrice(cell); };
  std::vector<uint8_t> hopeless(Index(system_.num_cells), 0);
  int64_t inexact = 0;
  int64_t absorbed = 0;
  double spent = 0;
  SearchEffort effort{.second_look = pattern_only ? 0 : kSecondLook};
  std::vector<int64_t> batch;
  std::vector<SearchResult> found;
  for (int64_t next = 0; next < total;) {
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kConstruct, next, total));
    if (options_.give_up && Stopped()) return absl::CancelledError("suppression: stopped before the pattern was safe");
    // In a batch no search knows what the others are about to suppress: batches are small as long as that is much.
    const int64_t size = std::min(kLargestBatch, 1 + absorbed / kAbsorbedPerPlace);
    batch.clear();
    for (; next < total && static_cast<int64_t>(batch.size()) < size; ++next) {
      if (state_.targets()[Index(order[Index(next)])].witness < 0) batch.push_back(order[Index(next)]);
    }
    found.assign(batch.size(), {});
    // In dense systems with wide levels programs take thousands of iterations where prices differ, and far fewer where
    // they do not; and most of the cheap cells are needed there anyway.
    flat_prices_ = flat_prices_ || (result_.construct_lps >= kFirstLps &&
                                    result_.construct_iterations > kDenseIterations * result_.construct_lps);
    // Where all cells cost the same a ball is as good as what crosses, and its program is shorter.
    if (flat_prices_) effort = {.crossing = false, .ball = kFlatBall};
    effort.dear = spent * kDearShare;
    RunBatch(options_.threads, static_cast<int64_t>(batch.size()), [&](int worker, int64_t k) {
      SearchEffort now = effort;
      if (worker == 0 ? Stopped() : stopped_.load()) now.second_look = 0;
      found[Index(k)] = Searcher(worker).Find(state_.targets()[Index(batch[Index(k)])], price, entry, now);
    });
    for (size_t k = 0; k < batch.size(); ++k) {
      SearchResult& result = found[k];
      result_.construct_lps += result.lps;
      result_.construct_iterations += result.iterations;
      const Target& target = state_.targets()[Index(batch[k])];
      if (target.witness >= 0) continue;  // served by another one of the batch
      if (result.outcome == SearchOutcome::kFound) {
        for (const int32_t cell : result.deviation.cell) spent += EntryPrice(cell);
        state_.Absorb(std::move(result.deviation));
        ++absorbed;
      } else if (result.outcome == SearchOutcome::kFailed) {
        return absl::InternalError("suppression: the linear program failed");
      } else if (pattern_only) {
        continue;
      } else if (result.outcome == SearchOutcome::kNone) {
        hopeless[Index(target.cell)] = 1;
      } else {
        ++inexact;
      }
    }
  }
  if (const auto count = std::count(hopeless.begin(), hopeless.end(), 1); count > 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "suppression: ", count, " primary cells cannot be protected even with everything else suppressed; ",
        "ask for a coarser table or for fewer cells that must be published"));
  }
  if (inexact > 0) {
    return absl::InternalError(absl::StrCat("suppression: ", inexact, " deviations could not be made exact"));
  }
  return Checkpoint(SuppressPhase::kConstruct, total, total);
}

}  // namespace sluis::disclosure
