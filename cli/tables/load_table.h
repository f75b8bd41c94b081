#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "cli/tables/cells_file.h"
#include "disclosure/cell_key/keys.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

struct HierarchyArgument {
  std::string dimension;
  std::string path;  // or `none`: nothing adds up in this dimension
};

// Where cells come from: files of cells over shared codes, a generic system, or microdata (see microdata.h).
struct TableFiles {
  std::vector<std::string> cells;  // --cells, then each --linked
  std::vector<std::string> dimensions;
  std::vector<HierarchyArgument> hierarchies;
  std::string total_code = "T";  // the total that an .hrc implies; of a dimension without hierarchy: all its codes
  std::string system;            // --system: a folder with cells.csv and rows.csv, or a .jj file
  std::string microdata;         // --microdata: records instead of cells, with codes, a value and these columns
  std::string holding_column;    // "": every record is a contributor of its own
  std::string weight_column;     // "": none
  std::int32_t top_contributions = 2;  // that the rules need of each cell
  // Against whom the cells are to be protected; with --microdata: of whom to keep the shares.
  std::optional<disclosure::ContributorRule> contributors = std::nullopt;
  std::string record_id_column;  // with --microdata and `record_keys`: names each record
  std::shared_ptr<const disclosure::RecordKeyMaker> record_keys;  // null: cells have no keys
  bool count_records = false;  // with --microdata: every record counts 1, and no column of values is read
  std::string rules;           // --rules: already read, and not to be overwritten
  ColumnNames columns;
  ReadCellsOptions read;
};

// Returns OK if the dimensions and hierarchies that `files` names fit together, before anything is read. Errors:
// INVALID_ARGUMENT, naming the option.
[[nodiscard]] absl::Status CheckDimensions(const TableFiles& files);

// Reads the hierarchies of `files`, one Dimension for each name in `files.dimensions`, in that order.
// Errors: those of CheckDimensions, of reading and of ParseHierarchy.
[[nodiscard]] absl::StatusOr<std::vector<Dimension>> LoadDimensions(const TableFiles& files);

// Returns the cells of all files of cells together. Cells with the same codes are one cell, in whichever file; a file
// without the column of a dimension is about the total of it. Each file is a whole table: every combination of the
// codes that it uses. Relations are all sums of the hierarchies that hold among the cells.
//
// Errors (INVALID_ARGUMENT, with the coordinates of the cell): those of reading; a cell twice in a file; a cell that is
// missing; files that say different things about one cell; a sum of which some parts are there and others not; more
// than 2^31 - 1 combinations of codes. Does not check additivity: MakeSystem does.
[[nodiscard]] absl::StatusOr<CellTable> LoadCells(const TableFiles& files);

}  // namespace sluis::cli
