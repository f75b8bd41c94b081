#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

namespace sluis::common {

// The cost of one guess at a passphrase (Argon2id). The default is libsodium's MODERATE: 256 MiB, about 0.4 s a core.
struct PassphraseCost {
  std::uint64_t operations = 3;
  std::uint64_t memory_bytes = 256ull << 20;
  // For tests only: libsodium's minimum.
  static PassphraseCost Cheapest() { return {1, 8192}; }
};

// What opens a keystore: a passphrase, or a key file (exactly 32 random bytes, readable by its owner only, kept on
// another volume or handed over by the service manager).
class UnlockSource {
 public:
  // `cost` counts when a keystore is created; opening takes it from the file.
  static UnlockSource Passphrase(SecretBytes passphrase, PassphraseCost cost = {});
  static UnlockSource KeyFile(std::string path);

  enum class Kind : std::uint8_t { kPassphrase = 1, kKeyFile = 2 };
  Kind kind() const { return kind_; }
  const PassphraseCost& cost() const { return cost_; }

  // Returns the 32-byte root key. Errors: INVALID_ARGUMENT on an empty passphrase or a cost out of range (1..16
  // operations, 8 KiB..1 GiB); FAILED_PRECONDITION if the key file is not a regular file of 32 bytes that only its
  // owner can access; NOT_FOUND; RESOURCE_EXHAUSTED if the memory cannot be had.
  [[nodiscard]] absl::StatusOr<SecretBytes> RootKey(std::string_view salt, const PassphraseCost& cost) const;

 private:
  UnlockSource(Kind kind, SecretBytes passphrase, PassphraseCost cost, std::string path)
      : kind_(kind), passphrase_(std::move(passphrase)), cost_(cost), path_(std::move(path)) {}
  Kind kind_;
  SecretBytes passphrase_;
  PassphraseCost cost_;
  std::string path_;
};

// True if a guess at `cost` may be asked of this machine: a damaged file must not demand all its memory.
[[nodiscard]] bool IsAcceptable(const PassphraseCost& cost);

}  // namespace sluis::common
