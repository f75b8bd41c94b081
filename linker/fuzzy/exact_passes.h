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
  // Groups whose token is too frequent to say who is one person (kMostOfASource). By pass: how many, and the records of
  // the largest.
  std::vector<FixedPair> refused;
  std::vector<std::uint64_t> refused_groups;
  std::vector<std::uint64_t> largest_refused;
};

// Where a source may hold a person more than once a token still stands for no person if more records of a source than
// this have it: it is a placeholder ("unknown", 99999), which would make one entity of all that have it. The same bound
// as that of the null models on the records of a person in a source.
inline constexpr std::size_t kMostOfASource = 8;

// Returns what the exact passes of the sources say, as pairs that connect the records of each token: n - 1 pairs for n
// records. Under kDedupe tokens of different sources do not meet. That records of a one-per-person source share a token
// is for ClusterRecords to find: their group then is a conflict as a whole. Under kDedupe and kLinkAndDedupe groups
// with more than kMostOfASource records of one source are `refused`, and not among `pairs`; under kLink a source that
// repeats people was declared to, and may well hold a person that often.
//
// `sources`: each with the same number of passes. Memory: 24 bytes for each token, and the result. Time: O(n log n).
[[nodiscard]] ExactPairs FindExactPairs(std::span<const MatchSource> sources, MatchMode mode);

}  // namespace sluis::linker
