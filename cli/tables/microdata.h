#pragma once

#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "cli/tables/load_table.h"

namespace sluis::cli {

// Returns the table of all combinations of codes that the microdata of `files` make: per cell the value, the number of
// contributors and the `files.top_contributions` largest contributions. A record stands in every cell of its codes and
// of all totals above them. Records of one holding are one contributor; a weighted record counts as so many like it
// (see disclosure/rules/contributions.h).
//
// With `files.record_keys` each cell also has a key: the sum of the keys of its records, which `files.record_id_column`
// names.
//
// Errors (INVALID_ARGUMENT, with file, line and column, never a value): those of reading; a column that is missing or
// there twice; a record id that is empty or stands twice; a code that is in no hierarchy of its dimension, or is a
// total; a value that is no whole number, negative or above 2^50; a weight that is no decimal 1 .. 1,000,000; no record
// at all; more than 100,000,000 cells. Cost: O(records * cells above each * log), memory 40 bytes a record.
[[nodiscard]] absl::StatusOr<CellTable> TabulateMicrodata(const TableFiles& files);

}  // namespace sluis::cli
