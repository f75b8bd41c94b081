#include "common/keystore/unlock.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {
constexpr std::size_t kKeyFileBytes = 32;
}  // namespace

UnlockSource UnlockSource::Passphrase(SecretBytes passphrase, PassphraseCost cost) {
  return UnlockSource(Kind::kPassphrase, std::move(passphrase), cost, {});
}

UnlockSource UnlockSource::KeyFile(std::string path) {
  return UnlockSource(Kind::kKeyFile, SecretBytes(), PassphraseCost{0, 0}, std::move(path));
}

bool IsAcceptable(const PassphraseCost& cost) {
  return cost.operations >= 1 && cost.operations <= 16 && cost.memory_bytes >= 8192 &&
         cost.memory_bytes <= (1ull << 30);
}

absl::StatusOr<SecretBytes> UnlockSource::RootKey(std::string_view salt, const PassphraseCost& cost) const {
  if (kind_ == Kind::kPassphrase) {
    if (passphrase_.empty()) {
      return absl::InvalidArgumentError("keystore: the passphrase is empty");
    }
    if (!IsAcceptable(cost)) {
      return absl::InvalidArgumentError("keystore: passphrase cost out of range: 1..16 operations, 8 KiB..1 GiB");
    }
    return DeriveFromPassphrase(AsChars(passphrase_.ExposeForUse()), salt, cost.operations, cost.memory_bytes);
  }
  struct stat info {};
  if (lstat(path_.c_str(), &info) != 0) {
    return FileError(errno, "inspect the key file", path_);
  }
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError("keystore: the key file " + path_ +
                                         " must be a regular file that only its owner can access (chmod 0400)");
  }
  absl::StatusOr<std::string> bytes = ReadFileBounded(path_, kKeyFileBytes);
  if (absl::IsResourceExhausted(bytes.status()) || (bytes.ok() && bytes->size() != kKeyFileBytes)) {
    return absl::FailedPreconditionError("keystore: the key file " + path_ + " must have exactly 32 bytes");
  }
  SLUIS_RETURN_IF_ERROR(bytes.status());
  const SecretBytes key = SecretBytes::CopyOf(AsBytes(*bytes));
  Wipe(*bytes);
  return DeriveKey(key, "sluis keystore key file" + std::string(salt));
}

}  // namespace sluis::common
