#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "cli/tables/dimension.h"

namespace sluis::cli {

// A column of a file: one that the user named must be there, one with the default name may be missing.
struct ColumnName {
  std::string name;
  bool required = false;
};

struct ColumnNames {
  ColumnName value = {"value", true};
  ColumnName contributors = {"n", false};
  ColumnName largest = {"top1", false};
  ColumnName second = {"top2", false};
  ColumnName primary = {"primary", false};
  ColumnName lower = {"lpl", false};
  ColumnName upper = {"upl", false};
  ColumnName contributor = {"", false};  // "": none; who the contributors are, separated by |
  ColumnName cost = {"", false};         // "": none
  ColumnName status = {"", false};       // "": none; fields `publish`, `suppress` or empty
};

// The records of one file, column by column. Columns that the file does not have are empty.
struct CellRows {
  std::string path;
  std::vector<std::vector<std::int32_t>> code;  // per dimension, in the order of the dimensions
  std::vector<std::uint64_t> line;
  std::vector<std::int64_t> value;
  std::vector<std::uint8_t> known;  // 0: no value, as a published file has it where a cell is suppressed
  std::vector<std::int64_t> contributors, largest, second, lower, upper, cost;
  std::vector<std::uint8_t> primary;
  std::vector<DeclaredStatus> status;
  std::vector<std::string> contributor;  // as in the file

  [[nodiscard]] std::size_t size() const { return line.size(); }
};

struct ReadCellsOptions {
  bool values_may_be_missing = false;  // an empty field or one of x X c C . : * - .. stands for a suppressed value
  bool levels = true;                  // read primary, lower and upper where they are there
};

// Reads a file of cells: a CSV with a header (delimiter found in it; gzip and Zstandard are decompressed), the codes of
// `dimensions` in the columns of their names. Codes of a dimension without hierarchy are added to it. A dimension whose
// column is not there gets no codes; that is for the caller to judge.
//
// Errors (INVALID_ARGUMENT; file, line, column and the cell's coordinates are named, never a value): an empty file, a
// broken quote, a record with another number of fields; a column that is missing or there twice; an unknown code; a
// value that is no whole number, negative or above 2^50; a primary flag that is not 0 or 1. Those of opening a file.
[[nodiscard]] absl::StatusOr<CellRows> ReadCells(const std::string& path, const ColumnNames& columns,
                                                 const ReadCellsOptions& options, std::vector<Dimension>& dimensions);

// Returns the whole number 0 .. 2^50 that `field` holds, spaces around it taken off; else an INVALID_ARGUMENT status
// that says what is wrong with it, without the value. A decimal part of zeros is accepted if `decimals`.
[[nodiscard]] absl::StatusOr<std::int64_t> ParseAmount(std::string_view field, bool decimals = false);

}  // namespace sluis::cli
