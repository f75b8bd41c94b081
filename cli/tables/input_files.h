#pragma once

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"

namespace sluis::cli {

inline constexpr unsigned kMaxThreads = 1024;

// Returns the table that `files` names, whichever kind it is. Errors: those of LoadCells and ReadSystem;
// INVALID_ARGUMENT if none or several kinds are named.
[[nodiscard]] absl::StatusOr<CellTable> LoadTable(const TableFiles& files);

// Returns every file that reading `files` opens, so that no output overwrites one.
[[nodiscard]] std::vector<std::string> InputPaths(const TableFiles& files);

// 0 means one per processor.
[[nodiscard]] inline unsigned ThreadsOf(unsigned threads) {
  return threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace sluis::cli
