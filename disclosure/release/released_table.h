#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sluis::disclosure {

// A table as it leaves: what is here is public. A suppressed value is absent, and nothing tells why: no reason, no
// protection level, no difference between primary and secondary.

struct ReleasedCode {
  std::string code, label;
  int level = 0;  // 0: the total; in preorder, so that a code belongs to the last one before it of a lower level
};

struct ReleasedDimension {
  std::string name;
  std::vector<ReleasedCode> codes;
};

struct ReleasedMeasure {
  std::string name, unit;
  // What protects it other than suppression, as DescribeMethod says it, on one line; empty: suppression alone.
  std::string method = {};
};

struct ReleasedTable {
  std::string name;
  std::vector<ReleasedDimension> dimensions;
  std::vector<ReleasedMeasure> measures;
  // Cell * measures.size() + measure; cells in the mixed-radix order of codes, the last dimension fastest. Nothing:
  // suppressed.
  std::vector<std::optional<std::int64_t>> values;

  [[nodiscard]] std::int64_t Cells() const;
  // Whether another method than suppression protects a measure: the formats then say which.
  [[nodiscard]] bool NamesMethods() const;
  // Position of the code of `dimension` in `cell`.
  [[nodiscard]] std::size_t CodeOf(std::int64_t cell, std::size_t dimension) const;
  // Parent code of each code of `dimension`; -1 for the first.
  [[nodiscard]] std::vector<std::int32_t> Parents(std::size_t dimension) const;

  friend bool operator==(const ReleasedTable& a, const ReleasedTable& b);
};

// The public flags: SDMX CL_CONF_STATUS F (free) and C (confidential), one code for all reasons.
inline constexpr char kFlagFree[] = "F";
inline constexpr char kFlagConfidential[] = "C";

// Returns OK if `table` can be written in every format: at least one dimension, each with codes of which the first
// alone has level 0 and no level is skipped; unique codes; names [a-z][a-z0-9_]*, none of them twice nor one of
// measure, unit, value, flag, method, nor one that ends in _label or _level; at least one measure; one value a cell and
// measure, none negative. Errors: INVALID_ARGUMENT naming the part.
[[nodiscard]] absl::Status ValidateReleasedTable(const ReleasedTable& table);

}  // namespace sluis::disclosure
