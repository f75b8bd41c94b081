#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace sluis::common {

// absl and gRPC statuses have the same codes; the machine-readable reason (common/status) travels in the error details.
[[nodiscard]] grpc::Status ToGrpc(const absl::Status& status);
[[nodiscard]] absl::Status FromGrpc(const grpc::Status& status);

}  // namespace sluis::common
