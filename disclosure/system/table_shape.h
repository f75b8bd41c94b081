#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One classification of a table: parent[code] is the code that `code` is part of, or -1 for a code without parent (the
// total). Top-down: a parent comes before its children. Several codes without parent are several unrelated totals.
struct DimensionTree {
  std::vector<int32_t> parent;
};

// "The parts add up to the total", among the codes of one dimension.
struct CodeSum {
  int32_t total = 0;
  std::vector<int32_t> parts;

  friend bool operator==(const CodeSum&, const CodeSum&) = default;
};

// One classification of a table that need not be a tree: several groupings of the same codes (provinces and labour
// market regions over municipalities) are several sums. Codes without any sum are allowed.
struct DimensionSums {
  int32_t num_codes = 0;
  std::vector<CodeSum> sums;
};

// What BuildRelationsAmong found.
struct PartialRelations {
  Relations relations;  // cells are positions in the list of cells
  // Ids of the total and of a part of the first relation that the list holds in part: its total and some parts are
  // there, and that part is not. -1 if there is none.
  int32_t total_of_gap = -1;
  int32_t gap = -1;
};

// The cells of a multi-dimensional hierarchical table: the cross product of the codes of its dimensions, totals
// included. A cell's id is the mixed-radix number of its codes, the last dimension running fastest.
class TableShape {
 public:
  // Errors: INVALID_ARGUMENT if there is no dimension, a dimension has no code, a parent does not come before its
  // child, or there would be more than 2^31 - 1 cells. The message names the dimension's and the code's index.
  [[nodiscard]] static absl::StatusOr<TableShape> Create(std::vector<DimensionTree> dimensions);

  // The same for classifications that need not be trees. Errors: INVALID_ARGUMENT if there is no dimension, a dimension
  // has no code, a sum has no part, a code twice or a code out of range, a code is a part of itself over some sums, or
  // there would be more than 2^31 - 1 cells.
  [[nodiscard]] static absl::StatusOr<TableShape> CreateFromSums(std::vector<DimensionSums> dimensions);

  [[nodiscard]] int32_t num_cells() const { return num_cells_; }
  [[nodiscard]] int32_t num_dimensions() const { return static_cast<int32_t>(dimensions_.size()); }
  [[nodiscard]] int32_t num_codes(int32_t dimension) const {
    return dimensions_[static_cast<size_t>(dimension)].num_codes;
  }

  // Precondition: one code in range per dimension.
  [[nodiscard]] int32_t CellId(std::span<const int32_t> codes) const;
  // Precondition: 0 <= cell < num_cells().
  [[nodiscard]] std::vector<int32_t> Codes(int32_t cell) const;

  // Returns every relation of the table: for each dimension, each sum of it (in a tree: each code with children, in the
  // order of the codes) and each combination of codes of the other dimensions, "the parts add up to the total". A sum
  // of one part gives a relation of one part: the two cells are the same number, and a pattern that suppresses only one
  // of them protects nothing. Ordered by dimension, sum, then combination.
  [[nodiscard]] Relations BuildRelations() const;

  // Returns the relations that hold among `cells` alone: those whose total and parts are all in it, in the order above.
  // For tables that share codes without being one cross product. `cells`: ids, strictly ascending.
  // Cost: O(cells + entries of relations), and 4 bytes per cell of the shape where `cells` is a large part of it.
  [[nodiscard]] PartialRelations BuildRelationsAmong(std::span<const int32_t> cells) const;

 private:
  TableShape() = default;
  [[nodiscard]] absl::Status SetDimensions(std::vector<DimensionSums> dimensions);

  std::vector<DimensionSums> dimensions_;
  std::vector<int64_t> stride_;
  int32_t num_cells_ = 0;
};

}  // namespace sluis::disclosure
