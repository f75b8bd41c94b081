#include "cli/app/key_file.h"

#include <sodium.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::Status WriteKeyFile(const std::string& path, const common::SecretBytes& secret) {
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " exists; a key is never written over another, name a new file"));
  }
  std::string text = common::Base64Encode(common::AsChars(secret.ExposeForUse())) + "\n";
  const absl::Status status = common::WriteFileAtomically(path, text, 0600);
  common::Wipe(text);
  return status;
}

absl::StatusOr<common::SecretBytes> ReadKeyFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the key file ", path, " may be read by others than its owner; run chmod 600 on it"));
  }
  SLUIS_ASSIGN_OR_RETURN(std::string text, common::ReadFileBounded(path, 128));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  absl::StatusOr<std::string> bytes = common::Base64Decode(text);
  common::Wipe(text);
  if (!bytes.ok() || bytes->size() != 32) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " holds no key: 32 bytes in base 64 are expected, as `sluis key create` writes them"));
  }
  common::SecretBytes secret = common::SecretBytes::CopyOf(common::AsBytes(*bytes));
  common::Wipe(*bytes);
  return secret;
}

absl::StatusOr<common::SigningKey> ReadSigningKey(const std::string& path) {
  SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes seed, ReadKeyFile(path));
  return common::SigningKey::FromSeed(seed);
}

absl::StatusOr<common::SealingKeyPair> ReadSealingKey(const std::string& path) {
  common::SealingKeyPair pair;
  SLUIS_ASSIGN_OR_RETURN(pair.secret_key, ReadKeyFile(path));
  common::InitCrypto();
  crypto_scalarmult_base(pair.public_key.data(), pair.secret_key.ExposeForUse().data());
  return pair;
}

}  // namespace sluis::cli
