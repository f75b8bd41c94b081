#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace sluis::cli {

struct GenerateTableOptions {
  std::string shape;          // see ParseTableShape
  std::uint64_t records = 0;  // 1 .. 1,000,000,000
  std::uint64_t seed = 1;
  std::uint32_t skew_percent = 60;  // 0 .. 300: how unequal the codes of a dimension are; 0: all alike
  std::uint32_t p_percent = 10;     // 1 .. 100: of the p% rule in table.csv
  std::string output_directory;     // must exist
  bool microdata = true;            // write micro.csv as well
  bool overwrite = false;
};

struct GeneratedTable {
  std::int64_t cells = 0;
  std::int64_t sensitive = 0;
  std::int64_t empty = 0;
};

// Writes a synthetic business statistic: micro.csv (id,holding,d1..dk,value), inner.csv (leaf cells that are not empty:
// d1..dk,n,value), table.csv (every cell: d1..dk,n,value,top1,top2,primary,lpl,upl) and hier_d1.csv .. (level;code).
//
// Records fall on leaf codes independently in each dimension; amounts are about log-normal (median 64, one in a million
// above 60,000). n, top1 and top2 are per record. Primary is who is sensitive under the p% rule, with upl = max(1,
// ceil(p/100 * top1) - (value - top1 - top2)) and lpl = min(upl, value). Integer arithmetic only: the same options give
// the same bytes on every machine. Files appear under their names only when all are complete.
//
// Errors: INVALID_ARGUMENT if an option is outside its range, or there would be more than 100,000,000 cells;
// ALREADY_EXISTS if a file is there and `overwrite` is false; those of writing.
// Cost: about 0.2 microseconds a record and 1 a cell; memory 28 bytes a cell.
[[nodiscard]] absl::StatusOr<GeneratedTable> GenerateTable(
    const GenerateTableOptions& options, const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace sluis::cli
