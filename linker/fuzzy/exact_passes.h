#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linker/cluster/cluster.h"
#include "linker/fuzzy/match_plan.h"
#include "linker/fuzzy/match_source.h"

namespace sluis::linker {

struct ExactPairs {
  std::vector<FixedPair> pairs;        // ascending by pass
  std::vector<std::uint64_t> records;  // by pass: records that have a token
  std::vector<std::uint64_t> groups;   // by pass: tokens that several records share
};

// Returns what the exact passes of the sources say, as pairs that connect the records of each token: n - 1 pairs for n
// records. Under kDedupe tokens of different sources do not meet. That records of a one-per-person source share a token
// is for ClusterRecords to find: their group then is a conflict as a whole.
//
// `sources`: each with the same number of passes. Memory: 24 bytes for each token, and the result. Time: O(n log n).
[[nodiscard]] ExactPairs FindExactPairs(std::span<const MatchSource> sources, MatchMode mode);

}  // namespace sluis::linker
