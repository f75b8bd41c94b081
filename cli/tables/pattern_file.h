#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"

namespace sluis::cli {

// Appends a CSV field, quoted where it must be, and the delimiter or line feed after it.
void AppendField(std::string& to, std::string_view field, char after);

// Returns a pattern as a file: the columns of `names`, then primary,supp as 0 or 1; lines end with a line feed. One
// record a cell in the order of `names`. `primary`, `pattern`: entries of further cells are left out.
[[nodiscard]] std::string PatternCsv(const CellNames& names, std::span<const std::uint8_t> primary,
                                     std::span<const std::uint8_t> pattern);

// Reads such a file (also other columns may be in it, in any order) and returns one entry per cell of `table`, 1:
// suppressed; auxiliary cells are suppressed.
// Errors (INVALID_ARGUMENT, with file, line and coordinates): those of reading; a column that is missing; a cell that
// is not in the table, is there twice, or is missing; a field that is not 0 or 1.
[[nodiscard]] absl::StatusOr<std::vector<std::uint8_t>> ReadPattern(const std::string& path, const CellTable& table);

// Writes `bytes` to `path`, whole or not at all, readable by the owner alone. Errors: as common::WriteFileAtomically.
[[nodiscard]] absl::Status WriteOutput(const std::string& path, std::string_view bytes);

// Returns OK if none of `outputs` (empty ones are left out) names one of `inputs`, another output or something that is
// no regular file, and the folder of each exists; the message names the file. What writing would find wrong after hours
// of work, found before.
[[nodiscard]] absl::Status CheckOutputs(const std::vector<std::string>& inputs,
                                        const std::vector<std::string>& outputs);

}  // namespace sluis::cli
