#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

struct RoundCommand {
  TableFiles table;
  // With `rules` one of their methods by name; else controlled, small-counts or random, with `base`.
  std::string method = "controlled";
  std::int64_t base = 0;  // 0: not given
  std::optional<disclosure::RuleSet> rules;
  // For methods that draw: a file whose bytes are the secret, and the name of the variable. The same secret, variable
  // and records give the same value in every table.
  std::string secret;
  std::string variable;
  std::string out;      // rounded.csv: the columns of the codes, then the column of values under its own name
  std::string summary;  // JSON
};

// Runs `sluis round`: rounds or perturbs the values of a table and writes them. Of a method that adds up this is
// checked by addition; of one that draws, the summary says of how many cells the true value can be told from the
// result. Returns the exit code: kExitOk, or kExitBadData if the files of the table are at fault. Errors:
// INVALID_ARGUMENT if the arguments do not fit together; FAILED_PRECONDITION if no additive table was found; those of
// writing.
[[nodiscard]] absl::StatusOr<int> RunRound(const RoundCommand& command, bool json);

}  // namespace sluis::cli
