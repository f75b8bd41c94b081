#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

struct AttackCommand {
  TableFiles table;
  std::optional<disclosure::RuleSet> rules;
  bool public_only = false;  // leave levels aside, also where the table has them
  std::string pattern;       // empty: the cells without a value are the suppressed ones
  std::string certificate;
  std::string contributor;  // own.csv: the attacker is a contributor
  bool full = false;        // all intervals
  std::string out;          // intervals.csv
  std::string summary;
  unsigned threads = 0;  // 0: one per processor
};

// Runs `sluis attack`: prints what was found, writes the files, and returns the exit code: kExitOk if the pattern
// holds; kExitNotVerified if a suppressed cell can be recomputed exactly, a sensitive one falls short of its protection
// level, or the certificate does not check; kExitBadData if the files of the table are at fault.
// Errors: INVALID_ARGUMENT if the arguments do not fit together; CANCELLED; those of writing.
[[nodiscard]] absl::StatusOr<int> RunAttack(const AttackCommand& command, bool json, bool quiet);

}  // namespace sluis::cli
