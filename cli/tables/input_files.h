#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"

namespace sluis::cli {

// Returns the table that `files` names, whichever kind it is. Errors: those of LoadCells and ReadSystem;
// INVALID_ARGUMENT if none or several kinds are named.
[[nodiscard]] absl::StatusOr<CellTable> LoadTable(const TableFiles& files);

// Returns every file that reading `files` opens, so that no output overwrites one.
[[nodiscard]] std::vector<std::string> InputPaths(const TableFiles& files);

}  // namespace sluis::cli
