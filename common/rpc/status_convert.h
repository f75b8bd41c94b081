#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace sluis::common {

// absl and gRPC statuses have the same codes; the machine-readable reason (common/status) travels in the error details.
[[nodiscard]] grpc::Status ToGrpc(const absl::Status& status);
[[nodiscard]] absl::Status FromGrpc(const grpc::Status& status);

// Returns what a caller may be told of `status`. A service's own faults, which are INTERNAL and what has the reason
// DISK_FULL or STORE_FAULT, get a fixed text in place of their message, which holds directories of the service; code
// and reason are kept. Everything else comes back unchanged. The message is for the log of the service.
[[nodiscard]] absl::Status ForCaller(const absl::Status& status);

}  // namespace sluis::common
