#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "common/rpc/tls.h"
#include "proto/sluis/common/v1/config.pb.h"

namespace sluis::common {

// Reads a service's or the client's YAML configuration; paths in it become absolute (relative ones are relative to the
// file). Errors: NOT_FOUND; INVALID_ARGUMENT with the field that is unknown, missing or wrong.
[[nodiscard]] absl::StatusOr<v1::Service> LoadServiceConfig(const std::string& path);
[[nodiscard]] absl::StatusOr<v1::Client> LoadClientConfig(const std::string& path);

[[nodiscard]] TlsFiles ToTlsFiles(const v1::Tls& tls);
// Errors: INVALID_ARGUMENT if a public key is not 32 bytes in base 64.
[[nodiscard]] absl::StatusOr<std::vector<Approver>> ToApprovers(const v1::PermitPolicy& policy);

}  // namespace sluis::common
