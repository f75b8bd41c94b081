#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/review.h"
#include "linker/fuzzy/compare.h"

namespace sluis::linker {

// As Compare, for sources encoded at field level: Fellegi and Sunter's model over agreement levels of fields
// (linker/fellegi_sunter).
//
// All pairs are compared if they are at most plan.exhaustive_pairs. Else candidates come from BlockFields. Pairs go
// through in batches, twice: once to count patterns, once to score. `repeats`: up to 7 other records of a source may be
// one person. `decisions` are applied to the patterns that they are about, once the model is estimated. Errors, beside
// Compare's: INVALID_ARGUMENT as ApplyReview; FAILED_PRECONDITION if there are decisions, but the fit is not credible.
[[nodiscard]] absl::StatusOr<CompareResult> CompareFields(const CompareSide& a, const CompareSide* b, bool repeats,
                                                          const MatchPlan& plan, const MatchOptions& options,
                                                          std::uint64_t seed,
                                                          std::span<const ReviewDecision> decisions = {});

}  // namespace sluis::linker
