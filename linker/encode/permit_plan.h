#pragma once

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "linker/encode/encoding_plan.h"

namespace sluis::linker {

// Returns the one encoding plan of the permit's project: all its registers are encoded by it, and its digest stands in
// every delivery that has encodings.
//
// The label is the project's id, not the permit's version, so that encodings stay comparable under a new version that
// leaves `similarity` as it is. What the permit does not set is as DefaultPlan has it, or UseFieldLevel at field level;
// min-hash has no folds unless the permit asks for them (which Validate refuses), and the stable section is that of
// DefaultStableBits. Features are in the permit's order.
// Errors: FAILED_PRECONDITION (reason NO_SIMILARITY) if the permit has no similarity; INVALID_ARGUMENT (reason
// PERMIT_INVALID) as EncodingPlan::Validate.
[[nodiscard]] absl::StatusOr<EncodingPlan> PlanOf(const common::Permit& permit);

}  // namespace sluis::linker
