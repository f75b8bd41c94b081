#include "cli/app/exit_code.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "common/status/status.h"

namespace sluis::cli {

int ToExitCode(const absl::Status& status) {
  // The service was restarted while it worked: the same command again starts over.
  if (common::ReasonOf(status) == "JOB_UNKNOWN") return kExitUnavailable;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
      return kExitRefused;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
      return kExitUnavailable;
    case absl::StatusCode::kDataLoss:
      return kExitNotVerified;
    case absl::StatusCode::kResourceExhausted:
      return kExitLimit;
    case absl::StatusCode::kCancelled:
      return kExitCancelled;
    default:
      return kExitInternal;
  }
}

int ReportError(const absl::Status& status, bool json) {
  const std::string message(status.message());
  if (json) {
    const nlohmann::ordered_json line = {
        {"error", absl::StatusCodeToString(status.code())}, {"reason", common::ReasonOf(status)}, {"message", message}};
    std::fprintf(stderr, "%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "sluis: %s\n", message.c_str());
  }
  return ToExitCode(status);
}

absl::StatusOr<int> ReportBadData(const absl::Status& status, bool json) {
  const bool no_file = absl::IsFailedPrecondition(status);
  if (!no_file && !absl::IsInvalidArgument(status) && !absl::IsDataLoss(status) && !absl::IsResourceExhausted(status)) {
    return status;
  }
  ReportError(status, json);
  return no_file ? kExitUsage : kExitBadData;
}

}  // namespace sluis::cli
