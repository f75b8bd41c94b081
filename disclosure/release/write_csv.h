#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "disclosure/release/released_table.h"

namespace sluis::disclosure {

// Returns `text` with everything that some reader takes for the end of a line (line feed, carriage return, vertical
// tab, form feed, U+001C to U+001E, U+0085, U+2028, U+2029) replaced by a blank.
[[nodiscard]] std::string WithoutLineBreaks(std::string_view text);

// Returns `table` as tidy CSV: comma, UTF-8, line feeds; a row for each cell and measure, in the table's order.
// Columns: for each dimension NAME, NAME_label, NAME_level; then measure, unit, value, flag. A suppressed value is NaN
// with flag C; others are whole numbers with flag F. Where a measure is protected by another method than suppression, a
// last column `method` says which each is protected by. Precondition: ValidateReleasedTable(table) is OK.
[[nodiscard]] std::string WriteTidyCsv(const ReleasedTable& table);

// Reads what WriteTidyCsv writes; `name` becomes the table's name. The result is valid.
// Errors: INVALID_ARGUMENT naming row (the header is row 1) and column: not a tidy table, a row missing, twice or out
// of order, value and flag that contradict each other, a value that is no whole number.
[[nodiscard]] absl::StatusOr<ReleasedTable> ReadTidyCsv(std::string_view csv, std::string_view name);

struct SdmxOptions {
  std::string agency = "SLUIS";  // [A-Za-z][A-Za-z0-9_-]*, parts joined by dots
  std::string version = "1.0";   // of the dataflow
  bool with_labels = false;      // codes as "CODE: label"
};

// Returns `table` as SDMX-CSV 2.0 (media type application/vnd.sdmx.data+csv; version=2.0.0): RFC 4180, first columns
// STRUCTURE, STRUCTURE_ID, ACTION (I, which sdmx1 for Python needs); then the dimensions in upper case, INDICATOR (the
// measure), OBS_VALUE, OBS_STATUS, CONF_STATUS, UNIT_MEASURE. A suppressed value is NaN with OBS_STATUS Q and
// CONF_STATUS C; others have A and F. The row is always there: an absent one would leave an earlier value standing.
// Where the tidy CSV has a column `method`, here an attribute METHOD follows.
// Labels lose their line separators, which some readers take for the end of a row even in quotes.
// Precondition: ValidateReleasedTable(table) is OK. Errors: INVALID_ARGUMENT if agency or version are malformed.
[[nodiscard]] absl::StatusOr<std::string> WriteSdmxCsv(const ReleasedTable& table, const SdmxOptions& options);

}  // namespace sluis::disclosure
