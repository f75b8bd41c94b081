#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One classification of a table: parent[code] is the code that `code` is part of, or -1 for a code without parent (the
// total). Top-down: a parent comes before its children. Several codes without parent are several unrelated totals.
struct DimensionTree {
  std::vector<int32_t> parent;
};

// The cells of a multi-dimensional hierarchical table: the cross product of the codes of its dimensions, totals
// included. A cell's id is the mixed-radix number of its codes, the last dimension running fastest.
class TableShape {
 public:
  // Errors: INVALID_ARGUMENT if there is no dimension, a dimension has no code, a parent does not come before its
  // child, or there would be more than 2^31 - 1 cells. The message names the dimension's and the code's index.
  [[nodiscard]] static absl::StatusOr<TableShape> Create(std::vector<DimensionTree> dimensions);

  [[nodiscard]] int32_t num_cells() const { return num_cells_; }
  [[nodiscard]] int32_t num_dimensions() const { return static_cast<int32_t>(dimensions_.size()); }
  [[nodiscard]] int32_t num_codes(int32_t dimension) const {
    return static_cast<int32_t>(dimensions_[static_cast<size_t>(dimension)].parent.size());
  }

  // Precondition: one code in range per dimension.
  [[nodiscard]] int32_t CellId(std::span<const int32_t> codes) const;
  // Precondition: 0 <= cell < num_cells().
  [[nodiscard]] std::vector<int32_t> Codes(int32_t cell) const;

  // Returns every relation of the table: for each dimension, each code with children and each combination of codes of
  // the other dimensions, "the children add up to the parent". A code with one child gives a relation of one part: the
  // two cells are the same number, and a pattern that suppresses only one of them protects nothing.
  // Ordered by dimension, code, then combination.
  [[nodiscard]] Relations BuildRelations() const;

 private:
  TableShape() = default;

  std::vector<DimensionTree> dimensions_;
  std::vector<int64_t> stride_;
  int32_t num_cells_ = 0;
};

}  // namespace sluis::disclosure
