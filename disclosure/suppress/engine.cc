#include "disclosure/suppress/engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/tied_cells.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// What the linear programs charge for a cell that is suppressed already, where others cost their cost + 1. At 0 a
// deviation wanders through all suppressed cells, which takes four times as long and makes the certificate as much
// larger; the cost of the pattern rises by some percent where costs are that small, and hardly where they are amounts.
constexpr double kStandbyPrice = 4;
constexpr double kStandbyShare = 0.5;  // never dearer than this share of what the cell would cost
// Where prices are flat, new cells cost this. What is suppressed stands at a tenth: at half, a twentieth more cells end
// up suppressed; below, programs take twice as long.
constexpr double kFlatPrice = 2;
constexpr double kFlatStandbyShare = 0.1;

absl::Status CheckOptions(const CellSystem& system, const SuppressOptions& options) {
  const size_t n = Index(system.num_cells);
  if ((!options.guide.empty() && options.guide.size() != n) || (!options.start.empty() && options.start.size() != n)) {
    return absl::InvalidArgumentError("suppression: guide and start need one entry per cell, or none");
  }
  for (size_t i = 0; i < options.guide.size(); ++i) {
    if (!std::isfinite(options.guide[i]) || options.guide[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("suppression: the guide's factor of cell ", i, " is below 0"));
    }
  }
  if (options.threads < 1) return absl::InvalidArgumentError("suppression: at least one thread is needed");
  return absl::OkStatus();
}

}  // namespace

SuppressionEngine::SuppressionEngine(const CellSystem& system, const SuppressOptions& options)
    : system_(system), options_(options), state_(system, options.start), coalitions_(system) {
  for (int worker = 0; worker < options.threads; ++worker) {
    searchers_.push_back(std::make_unique<DeviationSearch>(system, state_.incidence()));
  }
}

absl::Status SuppressionEngine::Checkpoint(SuppressPhase phase, int64_t done, int64_t total) const {
  if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
    return absl::CancelledError("suppression: cancelled");
  }
  if (options_.progress) options_.progress(phase, done, total);
  return absl::OkStatus();
}

bool SuppressionEngine::Stopped() {
  if (!stopped_ && options_.stop && options_.stop()) stopped_ = true;
  return stopped_;
}

DeviationSearch& SuppressionEngine::Searcher(int worker) { return *searchers_[Index(worker)]; }

double SuppressionEngine::Price(int32_t cell) const {
  if (system_.suppressible[Index(cell)] == 0) return kForbidden;
  if (flat_prices_) return state_.suppressed(cell) ? kFlatStandbyShare * kFlatPrice : kFlatPrice;
  const double factor = options_.guide.empty() ? 1 : options_.guide[Index(cell)];
  const double price = (static_cast<double>(system_.cost[Index(cell)]) + 1) * factor;
  return state_.suppressed(cell) ? std::min(kStandbyPrice, kStandbyShare * price) : price;
}

double SuppressionEngine::EntryPrice(int32_t cell) const {
  return state_.suppressed(cell) ? 0 : static_cast<double>(system_.cost[Index(cell)]) + 1;
}

SuppressionResult SuppressionEngine::TakeResult() {
  result_.pattern = state_.pattern();
  result_.certificate = state_.TakeCertificate();
  result_.stopped = stopped_;
  result_.dense = flat_prices_;
  return std::move(result_);
}

absl::StatusOr<SuppressionResult> Suppress(const CellSystem& system, const SuppressOptions& options) {
  SLUIS_RETURN_IF_ERROR(Validate(system));
  SLUIS_RETURN_IF_ERROR(CheckOptions(system, options));
  const MergedSystem merged = MergeTiedCells(system);
  const SuppressOptions merged_options = MergeOptions(system, merged, options);
  SuppressionEngine engine(merged.system, merged_options);
  SLUIS_RETURN_IF_ERROR(engine.Construct());
  SLUIS_RETURN_IF_ERROR(engine.ProtectAgainstContributors());
  SLUIS_RETURN_IF_ERROR(engine.Cleanup());
  SLUIS_RETURN_IF_ERROR(engine.Conceal());
  SuppressionResult result = engine.TakeResult();
  result.recomputable = 0;
  for (const auto& [measure, cell] : engine.recomputable()) {
    result.recomputable += static_cast<int64_t>(merged.originals[Index(cell)].size());
  }
  result.pattern = UnmergePattern(merged, result.pattern);
  result.certificate = UnmergeCertificate(system, merged, std::move(result.certificate));
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (result.pattern[Index(i)] == 0) continue;
    if (system.IsPrimary(i)) {
      ++result.primary_cells;
      continue;
    }
    ++result.secondary_cells;
    if (__builtin_add_overflow(result.secondary_cost, system.cost[Index(i)], &result.secondary_cost)) {
      result.secondary_cost = std::numeric_limits<int64_t>::max();
    }
  }
  if (const absl::Status status = CheckCertificate(system, result.pattern, result.certificate); !status.ok()) {
    return absl::InternalError(absl::StrCat("suppression: the certificate fails: ", std::string(status.message())));
  }
  return result;
}

}  // namespace sluis::disclosure
