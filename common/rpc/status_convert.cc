#include "common/rpc/status_convert.h"

#include <string>

#include "common/status/status.h"

namespace sluis::common {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()), ReasonOf(status));
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  // Details that are no reason of ours (a proxy's, say) are left out.
  const std::string details = status.error_details();
  const bool is_reason = !details.empty() && details.size() <= 64 &&
                         details.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == std::string::npos;
  return is_reason ? WithReason(converted, details) : converted;
}

absl::Status ForCaller(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const char* text = nullptr;
  if (reason == "DISK_FULL") {
    text = "the disk of the service is full; its operator frees space, then try again";
  } else if (reason == "STORE_FAULT") {
    text = "the service cannot read or write its store; its operator finds more in the log";
  } else if (absl::IsInternal(status)) {
    text = "a fault of the service; its operator finds more in the log";
  } else {
    return status;
  }
  const absl::Status told(status.code(), text);
  return reason.empty() ? told : WithReason(told, reason);
}

}  // namespace sluis::common
