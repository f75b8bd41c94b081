#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::cli {

// One dimension of a table that is to be made: a tree in which all branches have the same depth.
struct GeneratedDimension {
  struct Code {
    std::string name;
    std::int32_t parent = -1;  // index; -1: the total
    std::int32_t depth = 0;    // 0: the total
    std::int32_t leaf = -1;    // number among the leaves; -1: an inner code
  };
  std::vector<Code> codes;  // in preorder: top down
  std::int32_t leaves = 0;
};

// A shape by name, with the number of records that makes its share of sensitive cells what it is known for.
struct TablePreset {
  std::string_view name;
  std::string_view shape;
  std::uint64_t records;
  std::uint32_t skew_percent;
};

[[nodiscard]] const std::vector<TablePreset>& TablePresets();

// Returns the dimensions that `shape` describes: dimensions parted by `x`, levels by `.`, each level a number of
// branches. 20x50 is flat; 4.5x5.5.2 has a total, 4 groups of 5 and a total, 5 groups of 5 of 2. Names are a letter for
// the dimension (a, b, ...), then one capital for each level, or a capital and a small letter where there are more than
// 26 branches; the total is T.
// Errors: INVALID_ARGUMENT if the text is malformed, has more than 8 dimensions or 8 levels, a level more than 676
// branches, or a dimension more than 1,000,000 codes.
[[nodiscard]] absl::StatusOr<std::vector<GeneratedDimension>> ParseTableShape(std::string_view shape);

}  // namespace sluis::cli
