#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/attack/attack.h"
#include "disclosure/release/released_table.h"

namespace sluis::disclosure {

// One measure of all tables of a release, as anyone can put it together from the published bytes.
struct PublicMeasure {
  std::string name;
  PublishedTable table;
  // Where each cell is first shown: table, and cell in it.
  std::vector<std::int32_t> shown_in;
  std::vector<std::int64_t> cell_there;
};

// Returns, for each measure, the tables that show it as one system for FindExact and FindIntervals: all additive
// relations of the hierarchies, and one cell for what stands in several tables with the same codes (totals of the other
// dimensions). Only tables whose grand totals are the same population may share cells: `population` says for each table
// which one it is (any numbering, such as NumberPopulations of the plan), for the bytes do not. Upper bounds are those
// of a reader: none.
//
// Errors: INVALID_ARGUMENT if `population` has another length, a table is invalid, or two tables show one cell with
// different values or one suppresses what the other shows (the message names the tables).
[[nodiscard]] absl::StatusOr<std::vector<PublicMeasure>> BuildPublicSystem(std::span<const ReleasedTable> tables,
                                                                           std::span<const std::int32_t> population);

}  // namespace sluis::disclosure
