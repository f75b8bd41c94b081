#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/tables/load_table.h"
#include "cli/tables/make_system.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

struct ProtectCommand {
  TableFiles table;
  std::optional<disclosure::RuleSet> rules;
  std::string cost = "value";
  std::optional<std::int64_t> effort;
  std::optional<double> time_limit_seconds;
  unsigned threads = 0;  // 0: one per processor; does not change the pattern
  std::string out;       // pattern.csv
  std::string certificate;
  std::string summary;
};

// Runs `sluis protect`: finds a safe pattern, has it attacked by the judge, and only then writes the files. Returns the
// exit code: kExitOk; kExitBadData if the files of the table are at fault; kExitRefused if the sensitive cells cannot
// be protected whatever is suppressed (some are named); kExitNotVerified if the judge breaks the pattern: a fault of
// Sluis, and nothing is written.
// Errors: INVALID_ARGUMENT if the arguments do not fit together; CANCELLED; those of the engine and of writing.
[[nodiscard]] absl::StatusOr<int> RunProtect(const ProtectCommand& command, bool json, bool quiet);

}  // namespace sluis::cli
