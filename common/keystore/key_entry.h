#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/bytes/secret.h"

namespace sluis::common {

// All secrets are 32 bytes. The numbers are those of the file format.
enum class KeyAlgorithm : std::uint8_t {
  kRistretto255Scalar = 1,  // public key: scalar * generator
  kEd25519Seed = 2,
  kX25519Secret = 3,
  kAeadKey = 4,  // no public key
};

enum class KeyState : std::uint8_t {
  kActive = 1,
  kDestroyed = 2,  // the entry stays as a record; the secret is gone
};

// What may be said, and logged, about a key. Never holds its secret.
struct KeyEntry {
  std::string id;       // unique in the keystore
  std::string project;  // id, project and purpose: 1..128 characters of A-Z a-z 0-9 . _ : / -
  std::string purpose;
  KeyAlgorithm algorithm = KeyAlgorithm::kAeadKey;
  std::string public_key;  // 32 bytes; empty for kAeadKey
  // Counts the keys of a project and purpose, from 1. Set by the keystore.
  std::uint32_t version = 0;
  KeyState state = KeyState::kActive;
  std::int64_t created_unix_seconds = 0;
};

// Errors: INVALID_ARGUMENT, naming the field, if a name is malformed, `secret` has not 32 bytes or is not a valid
// scalar, or the public key is not that of the secret.
[[nodiscard]] absl::Status CheckKeyEntry(const KeyEntry& entry, const SecretBytes& secret);

}  // namespace sluis::common
