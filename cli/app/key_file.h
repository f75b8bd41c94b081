#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"

// Secret keys of people: a file of 32 bytes in base 64, readable by its owner only.

namespace sluis::cli {

// Errors: ALREADY_EXISTS if there is a file at `path`; as WriteFileAtomically.
[[nodiscard]] absl::Status WriteKeyFile(const std::string& path, const common::SecretBytes& secret);
// Errors: NOT_FOUND; PERMISSION_DENIED if others than its owner may read it; INVALID_ARGUMENT if it holds no key.
[[nodiscard]] absl::StatusOr<common::SecretBytes> ReadKeyFile(const std::string& path);

[[nodiscard]] absl::StatusOr<common::SigningKey> ReadSigningKey(const std::string& path);
[[nodiscard]] absl::StatusOr<common::SealingKeyPair> ReadSealingKey(const std::string& path);

}  // namespace sluis::cli
