#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"

namespace sluis::cli {

// Returns OK if `files` names one kind of table, with dimensions and hierarchies that fit it: what is wrong with the
// command line, before anything is read. Errors: INVALID_ARGUMENT, naming the options.
[[nodiscard]] absl::Status CheckTableFiles(const TableFiles& files);

// Returns the table that `files` names, whichever kind it is. Errors: those of CheckTableFiles, LoadCells,
// TabulateMicrodata and ReadSystem.
[[nodiscard]] absl::StatusOr<CellTable> LoadTable(const TableFiles& files);

// Returns every file that reading `files` opens, so that no output overwrites one.
[[nodiscard]] std::vector<std::string> InputPaths(const TableFiles& files);

}  // namespace sluis::cli
