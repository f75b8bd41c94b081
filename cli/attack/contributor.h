#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "disclosure/attack/attack.h"

namespace sluis::cli {

// Returns what a contributor knows beside what is published: `path` is a CSV with the columns of the cells of `table`
// and `value`, the contributor's own share of each cell (cells may be left out; leaf cells are enough, for totals
// follow). A cell with one contributor (its n is 1) is known exactly. Errors (INVALID_ARGUMENT, with file, line and
// coordinates): those of reading; a column that is missing; a cell that is not in the table or is there twice; a value
// that is no amount; a share above a value that is in the table's file.
[[nodiscard]] absl::StatusOr<std::vector<disclosure::KnownRange>> ReadContributor(const std::string& path,
                                                                                  const CellTable& table);

}  // namespace sluis::cli
