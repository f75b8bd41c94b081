#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"

namespace sluis::cli {

struct RoundCommand {
  TableFiles table;
  std::string method = "controlled";  // or small-counts
  std::int64_t base = 0;
  std::string out;      // rounded.csv: the columns of the codes, then the column of values under its own name
  std::string summary;  // JSON
};

// Runs `sluis round`: rounds the values of a table so that it still adds up, checks that by addition, and writes them.
// Returns the exit code: kExitOk, or kExitBadData if the files of the table are at fault.
// Errors: INVALID_ARGUMENT if the arguments do not fit together; FAILED_PRECONDITION if no additive table was found;
// those of writing.
[[nodiscard]] absl::StatusOr<int> RunRound(const RoundCommand& command, bool json);

}  // namespace sluis::cli
