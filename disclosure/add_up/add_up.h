#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

// A table from its leaves upwards: the methods that change values change the leaves, and add up the rest again.

namespace sluis::disclosure {

// Which cells are leaves (the total of no relation), and for each other cell one relation that defines it.
struct AddUpOrder {
  std::vector<int32_t> leaves;    // ascending
  std::vector<int64_t> relation;  // one for each cell that is no leaf, after the relations that define its parts
};

// Returns the order in which the relations define every cell from the leaves. Where a cell is the total of several
// relations, the first one whose parts are all defined counts.
//
// Errors: INVALID_ARGUMENT if a cell index is out of range, or cells are defined by each other in a circle.
// Cost: O(cells + entries of relations).
[[nodiscard]] absl::StatusOr<AddUpOrder> OrderFromLeaves(const Relations& relations, int32_t num_cells);

// Sets every cell that is no leaf to the sum of the parts of its defining relation. `values`: one entry a cell; the
// leaves are read. With an unsigned type the sums are modulo 2^bits; with a signed one the caller sees to it that none
// overflows.
template <typename T>
void AddUp(const Relations& relations, const AddUpOrder& order, std::span<T> values) {
  for (const int64_t r : order.relation) {
    T sum = 0;
    for (const int32_t part : relations.parts(r)) sum = static_cast<T>(sum + values[static_cast<size_t>(part)]);
    values[static_cast<size_t>(relations.total[static_cast<size_t>(r)])] = sum;
  }
}

// For each leaf, the cells that it is added into: itself first, then the others in no particular order.
struct LeafReach {
  std::vector<int64_t> begin;  // one more than there are leaves, in the order of AddUpOrder::leaves
  std::vector<int32_t> cell;

  [[nodiscard]] std::span<const int32_t> cells(size_t leaf) const {
    return std::span(cell).subspan(static_cast<size_t>(begin[leaf]),
                                   static_cast<size_t>(begin[leaf + 1] - begin[leaf]));
  }
};

// Returns the reach of every leaf under the defining relations of `order`.
//
// Errors: RESOURCE_EXHAUSTED if there are more than `max_entries` entries; INVALID_ARGUMENT if a leaf is added into a
// cell twice: the relations then describe no table in which a record stands in a cell once or not at all.
[[nodiscard]] absl::StatusOr<LeafReach> ReachOfLeaves(const Relations& relations, const AddUpOrder& order,
                                                      int32_t num_cells, int64_t max_entries = int64_t{1} << 28);

// Returns the first relation that `values` does not keep, or -1. Exact: 128-bit sums. Precondition: one value a cell,
// and every cell index of `relations` in range.
[[nodiscard]] int64_t FirstBrokenRelation(const Relations& relations, std::span<const int64_t> values);

}  // namespace sluis::disclosure
