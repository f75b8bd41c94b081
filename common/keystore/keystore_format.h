#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/keystore/key_entry.h"
#include "common/keystore/unlock.h"

// The bytes of a keystore file; README.md has the layout.

namespace sluis::common {

inline constexpr std::uint32_t kKeystoreFormat = 1;
inline constexpr std::size_t kMaxKeystoreBytes = 16 << 20;

struct StoredKey {
  KeyEntry entry;
  std::string wrapped;  // empty once destroyed
};

struct KeystoreContent {
  UnlockSource::Kind kind = UnlockSource::Kind::kPassphrase;
  PassphraseCost cost;
  std::string file_id;  // 16 bytes
  std::string salt;     // 16 bytes
  std::vector<StoredKey> keys;
};

// Returns what an entry's secret is bound to: the file and everything that the entry says.
[[nodiscard]] std::string WrappingContext(std::string_view file_id, const KeyEntry& entry);

// Returns the file: header, keys and a MAC over both.
[[nodiscard]] std::string EncodeKeystore(const KeystoreContent& content, const SecretBytes& mac_key);

// Reads the part that must be known to unlock the file; nothing in it is authenticated yet. Errors: FAILED_PRECONDITION
// on a newer format; CannotUnlock() on anything malformed.
[[nodiscard]] absl::StatusOr<KeystoreContent> DecodeKeystoreHeader(std::string_view bytes);

// Checks the MAC, then reads all. Errors: CannotUnlock().
[[nodiscard]] absl::StatusOr<KeystoreContent> DecodeKeystore(std::string_view bytes, const SecretBytes& mac_key);

// PERMISSION_DENIED, the same for a wrong passphrase and for damage, so that it helps nobody to guess.
[[nodiscard]] absl::Status CannotUnlock();

}  // namespace sluis::common
