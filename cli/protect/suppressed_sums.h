#pragma once

#include "absl/status/statusor.h"
#include "cli/protect/engine.h"
#include "cli/tables/cell_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

namespace sluis::cli {

// As RunEngine, for patterns under which also the suppressed parts of each published total together have rule.threshold
// contributors or none: as long as some have fewer, their sum becomes a cell to be protected, and the engine runs
// again. Pattern and certificate are those of `system` (made of `table`); the lower bound is that of the levels alone.
// Errors: as RunEngine; FAILED_PRECONDITION too if 50 rounds do not do.
[[nodiscard]] absl::StatusOr<EngineResult> RunEngineUnderSums(const CellTable& table,
                                                              const disclosure::CellSystem& system,
                                                              const disclosure::MinimumFrequencyRule& rule,
                                                              const EngineOptions& options);

}  // namespace sluis::cli
