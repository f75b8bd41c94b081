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

}  // namespace sluis::common
