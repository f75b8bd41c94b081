#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/table_shape.h"

// Advice before anything is suppressed: which dimension to coarsen, and what that would save.

namespace sluis::disclosure {

// What a table, cut off at some depth in each dimension, has to hide. A cell is there if each of its codes is; a
// *detailed* cell is one none of whose codes has children there: together they are the table without its totals.
struct TableFigures {
  std::vector<int32_t> depth;  // of each dimension: the deepest level kept; 0: the total only
  int64_t cells = 0;
  int64_t filled_cells = 0;  // primary, or not 0
  int64_t primary_cells = 0;
  int64_t detailed_primary_cells = 0;
  int64_t detailed_value = 0;          // sum over detailed cells
  int64_t detailed_primary_value = 0;  // of it, in primary cells: what is lost at once

  bool operator==(const TableFigures&) const = default;
};

// One level less in one dimension, and the table that is left.
struct Coarsening {
  int32_t dimension = 0;
  TableFigures after;
};

struct RedesignAdvice {
  TableFigures as_it_is;
  // Every dimension cut at every depth, the others as they are; best first: most primary cells saved for each other
  // filled cell that is given up, then most saved, then the lower dimension and the deeper level.
  std::vector<Coarsening> single;
  // Step by step: each time the best of the dimensions' next levels, until no cell is primary or only the total is
  // left.
  std::vector<Coarsening> path;
};

// Returns the advice for a table of the cross product of `dimensions`. A coarser table is part of the finer one, so
// that nothing is tabulated again: its primary cells are those of the cells it keeps.
//
// `primary`, `value`: one entry for each cell of TableShape::Create(dimensions); values of 0 .. 2^50. What secondary
// suppression would cost is not in the figures: it falls with the primary cells, but not in proportion.
// The advice tells how many cells are primary: it is for those who make the table, not for those who ask for it.
// Errors: as TableShape::Create; INVALID_ARGUMENT if a length is wrong, or a value is out of range (the message names
// the cell's index); OUT_OF_RANGE if the values add up to more than 2^63 - 1.
// Cost: O(cells * dimensions).
[[nodiscard]] absl::StatusOr<RedesignAdvice> AdviseRedesign(const std::vector<DimensionTree>& dimensions,
                                                            std::span<const uint8_t> primary,
                                                            std::span<const int64_t> value);

}  // namespace sluis::disclosure
