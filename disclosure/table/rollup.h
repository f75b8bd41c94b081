#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/table/hierarchy.h"
#include "disclosure/table/tabulate.h"

namespace sluis::disclosure {

// One amount per cell.
struct CubeAmounts {
  std::vector<std::int64_t> sum{};
  std::vector<std::int64_t> persons{};        // distinct contributing persons
  std::vector<std::int64_t> top_by_person{};  // cell * Cube::top, descending, 0 where absent
  bool has_holdings = false;
  std::vector<std::int64_t> holdings{};        // distinct holdings
  std::vector<std::int64_t> top_by_holding{};  // cell * Cube::top
};

// All cells of a table, totals of all levels included: the mixed-radix number of hierarchy nodes, the last dimension
// running fastest.
struct Cube {
  std::vector<std::int32_t> nodes{};  // of each dimension
  int top = 0;
  std::vector<std::int64_t> count{};
  std::vector<CubeAmounts> amounts{};
  std::vector<std::uint64_t> key{};  // of each cell: the sum of its records' keys modulo 2^64; empty: not asked for
};

// Returns the cube of `table`. `hierarchies`: of each classification, with its number of leaves.
//
// Counts and sums add up. The contribution of a holding to a total is the sum of its contributions below, so that the
// largest at a total need not be largest anywhere below: the lists of all holdings are merged level by level.
// Errors: INVALID_ARGUMENT if the hierarchies do not fit the table; OUT_OF_RANGE if a sum exceeds 2^63 - 1.
// Cost: O(cells * depth) for counts and sums; with holdings, additionally the number of (cell, holding) pairs over all
// cells. Memory: a few times the pairs of the largest slices, one per dimension and thread.
[[nodiscard]] absl::StatusOr<Cube> RollUp(const LeafTable& table, std::span<const Hierarchy* const> hierarchies,
                                          int threads);

}  // namespace sluis::disclosure
