#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluis::cli {

// Stable over releases; scripts rely on them.
enum ExitCode : int {
  kExitOk = 0,
  kExitInternal = 1,     // a fault of Sluis
  kExitUsage = 2,        // the command line, a configuration or a document is wrong
  kExitRefused = 3,      // the permit, an approval, an identity or a rule stands against it
  kExitBadData = 4,      // the extract has errors; they are listed
  kExitUnavailable = 5,  // a service or file cannot be reached now; try again
  kExitNotVerified = 6,  // a proof, signature, log or protection does not hold
  kExitLimit = 7,        // a quota, the disk or the memory is used up
  kExitCancelled = 8,    // stopped by the user; what was done stays
};

[[nodiscard]] int ToExitCode(const absl::Status& status);

// Prints `status` on standard error, as text or, with `json`, as {"error": ..., "reason": ..., "message": ...}, and
// returns its exit code.
int ReportError(const absl::Status& status, bool json);

// For a command that failed on its data: an INVALID_ARGUMENT (about the files, not the command line), a DATA_LOSS (a
// compressed file that is damaged) or a RESOURCE_EXHAUSTED (a field or line above a reader's limit) is printed and
// kExitBadData comes back; so does kExitUsage for what is no file at all. Any other error comes back as it is.
// Precondition: `status` is not OK.
[[nodiscard]] absl::StatusOr<int> ReportBadData(const absl::Status& status, bool json);

}  // namespace sluis::cli
