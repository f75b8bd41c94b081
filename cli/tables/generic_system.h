#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "cli/tables/cells_file.h"

namespace sluis::cli {

// Reads a system of cells and relations that is no table:
//   a folder    cells.csv: id,value,sensitive,prot (prot: the protection level in both directions, the lower one at
//   most
//               the value), or id,value,primary,lpl,upl; a column value_known of 0 marks a value that is not known;
//               other columns are not read. rows.csv: row,cell,coef; each row sums to 0, coefficients are 1 and -1.
//   a .jj file  the format of the literature: a line 0; the number of cells; for each `index value weight status
//               lower-bound upper-bound LPL UPL SPL`, status s (may be suppressed), u (sensitive) or z (published);
//               the number of relations; for each `right-side terms : index (coefficient) ...`.
// A row with several cells of both signs is told by an auxiliary sum, which is never published.
//
// Errors (INVALID_ARGUMENT, with file and line, or id): those of reading; an id twice; a row that names no cell of
// cells.csv, a cell twice, or cells of one sign only; a coefficient other than 1 and -1; of a .jj file, what is not
// supported: a right side other than 0, lower bounds above 0, sliding levels wider than LPL + UPL.
[[nodiscard]] absl::StatusOr<CellTable> ReadSystem(const std::string& path, const ReadCellsOptions& options);

}  // namespace sluis::cli
