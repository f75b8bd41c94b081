#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

struct AdviseCommand {
  TableFiles table;
  std::optional<disclosure::RuleSet> rules;  // else the table says which cells are sensitive
  std::string summary;                       // JSON; also what is printed with `json`
};

// Runs `sluis advise`: which dimension to cut at which level before anything is suppressed, and how many sensitive
// cells that would save. For those who make the table: it tells how many cells are sensitive.
//
// Returns the exit code: kExitOk, or kExitBadData if the files of the table are at fault: also if a dimension has
// several groupings that are no tree together, or the files do not hold every combination of its codes.
// Errors: INVALID_ARGUMENT if the arguments do not fit together; those of writing.
[[nodiscard]] absl::StatusOr<int> RunAdvise(const AdviseCommand& command, bool json);

}  // namespace sluis::cli
