#include "cli/protect/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/status/status.h"
#include "disclosure/optimise/optimise.h"

namespace sluis::cli {
namespace {

using disclosure::OptimisePhase;
using disclosure::OptimiseProgress;

// Simplex iterations without and with a time limit: what takes up to a minute or two, and what no time limit leaves
// over.
constexpr std::int64_t kDefaultSteps = 2'000'000;
constexpr std::int64_t kUnlimitedSteps = 1'000'000'000;

std::string StepName(disclosure::SuppressPhase phase) {
  switch (phase) {
    case disclosure::SuppressPhase::kConstruct:
      return "protect";
    case disclosure::SuppressPhase::kCleanup:
      return "clean up";
    case disclosure::SuppressPhase::kConceal:
      return "conceal";
  }
  return "protect";
}

std::string StepName(OptimisePhase phase) {
  switch (phase) {
    case OptimisePhase::kFirst:
      return "protect";
    case OptimisePhase::kBound:
      return "bound";
    case OptimisePhase::kSearch:
      return "improve";
  }
  return "protect";
}

}  // namespace

absl::StatusOr<EngineResult> RunEngine(const disclosure::CellSystem& system, const EngineOptions& options) {
  disclosure::OptimiseOptions optimise;
  optimise.max_steps =
      options.effort ? *options.effort : (options.time_limit_seconds ? kUnlimitedSteps : kDefaultSteps);
  optimise.threads = static_cast<std::int32_t>(options.threads);
  optimise.cancelled = options.cancelled;
  if (options.time_limit_seconds) {
    const auto begun = std::chrono::steady_clock::now();
    optimise.stop = [begun, limit = *options.time_limit_seconds] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count() >= limit;
    };
  }
  if (options.progress) {
    optimise.progress = [&options](const OptimiseProgress& progress) {
      if (progress.phase != OptimisePhase::kFirst) options.progress(StepName(progress.phase), progress.steps, 0);
    };
    optimise.suppress_progress = [&options](disclosure::SuppressPhase phase, std::int64_t done, std::int64_t total) {
      options.progress(StepName(phase), done, total);
    };
  }
  SLUIS_ASSIGN_OR_RETURN(disclosure::OptimiseResult found, disclosure::Optimise(system, optimise));
  EngineResult result;
  const disclosure::SuppressionResult& suppression = found.suppression;
  result.lower_bound = found.lower_bound;
  result.proven_optimal = found.proven_optimal;
  result.complete = !found.stopped;
  result.linear_programs =
      found.linear_programs + suppression.construct_lps + suppression.cleanup_lps + suppression.conceal_lps;
  result.statistics = {{"steps", found.steps},
                       {"max_steps", optimise.max_steps},
                       {"first_cost", found.first_cost},
                       {"relaxation_bound", found.relaxation_bound},
                       {"rounds", found.rounds},
                       {"cuts", found.cuts},
                       {"attacker_linear_programs", found.linear_programs},
                       {"integer_programs", found.integer_programs}};
  result.pattern = std::move(found.suppression.pattern);
  result.certificate = std::move(found.suppression.certificate);
  return result;
}

}  // namespace sluis::cli
