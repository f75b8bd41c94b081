#pragma once

#include "absl/status/statusor.h"
#include "linker/score/record_level.h"

namespace sluis::linker {

// Returns the weight of the encodings' stable section (RecordLevelOptions::stable_weight) with which `a` and `b`, or
// `a` within itself if `b` is null, are linked best, as far as can be told without truth.
//
// Where people move and relatives share addresses, the stable features must outweigh the address; where names are
// mistyped and addresses are not, they must not. So each of a few weights is tried in a fit of one round, over all
// pairs, and that one is taken by which the most true links are expected, less the false ones: links * (2 precision -
// 1). A weight is left out if most of its links are none under the largest weight that is credible: then it links
// people at one address, whom the estimate of its precision cannot tell from one person. If a fit finds relatives among
// its links, as it may within a source, a weight is tried with which the address hardly counts.
//
// Returns 1 if there is no stable section or no weight is credible. Deterministic. Time: five fits over all pairs, or
// six, so give a sample of large tables. Errors: as FitRecordLevel.
[[nodiscard]] absl::StatusOr<double> ChooseStableWeight(const EncodingTable& a, const EncodingTable* b,
                                                        const RecordLevelOptions& options,
                                                        const ExhaustiveOptions& run);

}  // namespace sluis::linker
