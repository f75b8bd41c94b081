#pragma once

#include "absl/status/statusor.h"
#include "linker/score/record_level.h"

namespace sluis::linker {

// ChooseStableWeight for tables of any size: over all pairs if they are few; else between as many rows of `a`, drawn by
// options.fit.seed, as are worth it, and all rows of `b`. Where that would be fewer than 500 rows, and within tables
// that are not `exhaustive`, it is 2.5 (4 within), which made-up registers of persons ask for. Errors: as
// ChooseStableWeight.
[[nodiscard]] absl::StatusOr<double> WeighStable(const EncodingTable& a, const EncodingTable* b, bool exhaustive,
                                                 const RecordLevelOptions& options, const ExhaustiveOptions& run);

}  // namespace sluis::linker
