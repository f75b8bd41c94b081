#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linker/cluster/cluster.h"
#include "linker/cluster/prepare.h"

namespace sluis::linker {

// Adds up, for every entity, records and pairs, and from them mean and least log odds.
//
// `entity_of`: by record number. `is_old`: by record number whether `entities` counts the record already; may be empty.
// `pairs`: sorted, each once, with at least one record that is not old. `entities`: as many as there are, those with
// old records as they were, the others zero.
void SummariseEntities(const NumberedInput& numbered, std::span<const NumberedPair> pairs,
                       std::span<const std::uint32_t> entity_of, const std::vector<bool>& is_old,
                       const ClusterOptions& options, std::vector<Entity>* entities);

// The log odds of a pair in units, limited to +-max_log_odds; that much if it is fixed.
[[nodiscard]] std::int64_t LimitedUnits(const NumberedPair& pair, double max_log_odds);

}  // namespace sluis::linker
