#pragma once

#include "linker/fellegi_sunter/em.h"
#include "linker/fellegi_sunter/non_match_model.h"

namespace sluis::linker {

// Adds to `data` what EM must know of `changes`, in place of what it had.
void SetChanges(const NonMatchModel& non_matches, const std::vector<JointChange>& changes, EmData& data);

// Returns the joint changes with which the data are best explained, no field in two of them: greedily the pair of
// fields that raises the objective most (of the five pairs that do so after two steps), then further fields as long as
// each raises it by more than 10 (natural logarithm), at most two such changes. `run`: EM's result without changes,
// from which each trial takes 10 steps.
//
// A change that makes pairs of two persons likelier to be matches, such as "given name and birth date are replaced",
// which makes a match of every brother, gains nothing: what it gains on `controls`, patterns of pairs of which none is
// a match, as many as if they were all pairs, is taken off. Without controls none is looked for.
//
// `data` must have no changes. Cost: O(fields^2) trials of O(patterns * fields) each, over the patterns that could be
// matches at all.
[[nodiscard]] std::vector<JointChange> FindJointChanges(const EmData& data, const EmData& controls,
                                                        const NonMatchModel& non_matches, const EmRun& run);

}  // namespace sluis::linker
