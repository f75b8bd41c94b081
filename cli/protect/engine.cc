#include "cli/protect/engine.h"

#include <utility>

#include "common/status/status.h"
#include "disclosure/suppress/suppress.h"

namespace sluis::cli {

absl::StatusOr<EngineResult> RunEngine(const disclosure::CellSystem& system, const EngineOptions& options) {
  disclosure::SuppressOptions suppress;
  suppress.cancelled = options.cancelled;
  if (options.progress) {
    suppress.progress = [&options](disclosure::SuppressPhase phase, std::int64_t done, std::int64_t total) {
      switch (phase) {
        case disclosure::SuppressPhase::kConstruct:
          return options.progress("protect", done, total);
        case disclosure::SuppressPhase::kCleanup:
          return options.progress("clean up", done, total);
        case disclosure::SuppressPhase::kConceal:
          return options.progress("conceal", done, total);
      }
    };
  }
  SLUIS_ASSIGN_OR_RETURN(disclosure::SuppressionResult found, disclosure::Suppress(system, suppress));
  EngineResult result;
  result.pattern = std::move(found.pattern);
  result.certificate = std::move(found.certificate);
  result.complete = found.cleanup_complete;
  result.linear_programs = found.construct_lps + found.cleanup_lps + found.conceal_lps;
  result.statistics = {{"construct_linear_programs", found.construct_lps},
                       {"cleanup_linear_programs", found.cleanup_lps},
                       {"cleanup_iterations", found.cleanup_iterations},
                       {"conceal_linear_programs", found.conceal_lps}};
  return result;
}

}  // namespace sluis::cli
