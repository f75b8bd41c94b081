#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/int128.h"
#include "disclosure/system/system.h"

// Small-count rounding: only what makes a published count small is changed, and the table still adds up.

namespace sluis::disclosure {

struct SmallCountOptions {
  int64_t base = 0;                     // 2 .. 1,000: no published count of 1 .. base - 1 remains
  int64_t max_evaluations = 4'000'000;  // changes that the exchange looks at
};

struct SmallCountRounding {
  std::vector<int64_t> value;    // one entry a cell
  int64_t rounded_leaves = 0;    // leaves that became 0 or base
  int32_t rounds = 0;            // how often leaves had to be added
  int64_t max_distance = 0;      // of a published count
  int64_t squared_distance = 0;  // sum over published counts
};

// Returns `counts` with some of the leaves of 1 .. base - 1 set to 0 or `base`, so that no published cell is in
// 1 .. base - 1, and everything adds up; the sum of squared changes of published cells is made small.
//
// Leaves that reach a published cell of 1 .. base - 1 are rounded: in their order, each to where the squared changes so
// far are smaller, then single leaves and pairs are exchanged as long as that lowers the sum. Where a published cell
// becomes small by that, its small leaves are added and all is done again. `published`: of each cell, or empty for all;
// changes of other cells do not matter. Deterministic. Errors: INVALID_ARGUMENT if the lengths differ, the base is out
// of range, a count is outside 0 .. 2^40, or the table does not add up; FAILED_PRECONDITION if the rounded leaves do
// not add up to one table (a cell that is the total of relations over different leaves); RESOURCE_EXHAUSTED as
// ReachOfLeaves. Source: Langsrud and Heldal, An algorithm for small count rounding of tabular data (PSD 2018), which
// takes the leaves to go up one by one, by the largest gain; deciding in order and exchanging leaves smaller changes
// (README).
[[nodiscard]] absl::StatusOr<SmallCountRounding> RoundSmallCounts(const Relations& relations,
                                                                  std::span<const int64_t> counts,
                                                                  std::span<const uint8_t> published,
                                                                  const SmallCountOptions& options);

}  // namespace sluis::disclosure
