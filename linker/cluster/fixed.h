#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/sets/disjoint_sets.h"
#include "linker/cluster/agglomerate.h"
#include "linker/cluster/cluster.h"
#include "linker/cluster/prepare.h"

namespace sluis::linker {

struct FixedOutcome {
  std::vector<std::optional<ConflictReason>> refused;  // by position in `fixed`
  std::uint64_t merges = 0;
};

// Merges records by fixed pairs, pass by pass and group by group as ClusterRecords says. `sets`: the records merged so
// far; it is extended. `present`: by root of `sets` the sources (and kMaxSources's bit) of its records; kept true for
// roots. `exclusive`: of which a group may have one record at most, kMaxSources's bit included.
// `numbered.fixed` holds the records of `fixed`, position by position.
// Time: O(f log f) for f fixed pairs, and passes times apart pairs.
[[nodiscard]] FixedOutcome MergeFixedPairs(const NumberedInput& numbered, std::span<const FixedPair> fixed,
                                           SourceSet exclusive, common::DisjointSets* sets,
                                           std::vector<SourceSet>* present);

}  // namespace sluis::linker
