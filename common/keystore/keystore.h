#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/keystore/key_entry.h"
#include "common/keystore/keystore_format.h"
#include "common/keystore/unlock.h"

namespace sluis::common {

// The keys of one service, in one sealed file apart from its database, so that a backup of the data never holds them
// and a destroyed key is gone.
//
// Every change rewrites the file: a crash leaves the old or the new one. The old one is overwritten before it is
// removed, if need be by the next Open; on flash memory and copying file systems that overwrites a copy only, so the
// file belongs on a volume that is encrypted itself. One process at a time (PATH.lock). Thread-safe.
class Keystore {
 public:
  // Creates an empty keystore with mode 0600. Errors: ALREADY_EXISTS; those of UnlockSource::RootKey and
  // WriteFileAtomically; FAILED_PRECONDITION if another process uses it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Keystore>> Create(const std::string& path,
                                                                        const UnlockSource& unlock);
  // Errors: NOT_FOUND; PERMISSION_DENIED if the passphrase or key is wrong or the file is damaged;
  // FAILED_PRECONDITION if it has a newer format, is unlocked by the other kind of source, is accessible to others than
  // its owner, or is in use by another process; those of UnlockSource::RootKey.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Keystore>> Open(const std::string& path,
                                                                      const UnlockSource& unlock);
  ~Keystore();
  Keystore(const Keystore&) = delete;
  Keystore& operator=(const Keystore&) = delete;

  // Stores a key and returns its entry, with state and version set. Durable when it returns OK; after an error the key
  // is not in this object, and not in the file after the next successful change. Errors: INVALID_ARGUMENT as
  // CheckKeyEntry; ALREADY_EXISTS if the id is taken (also by a destroyed key); RESOURCE_EXHAUSTED if the file would
  // exceed 16 MiB or the disk is full; as WriteFileAtomically.
  [[nodiscard]] absl::StatusOr<KeyEntry> Add(KeyEntry entry, const SecretBytes& secret);

  // Returns the active key with the highest version. Errors: NOT_FOUND.
  [[nodiscard]] absl::StatusOr<KeyEntry> Find(std::string_view project, std::string_view purpose) const;

  // Errors: NOT_FOUND; FAILED_PRECONDITION if the key is destroyed; DATA_LOSS if it cannot be unwrapped.
  [[nodiscard]] absl::StatusOr<SecretBytes> Secret(std::string_view id) const;

  // All entries, destroyed ones too, in the order of their creation. Safe to log.
  [[nodiscard]] std::vector<KeyEntry> List() const;

  // Removes the secret; the entry stays with state kDestroyed. OK if it is destroyed already. After an error it may be
  // gone from the file; call again. Errors: NOT_FOUND; as WriteFileAtomically.
  [[nodiscard]] absl::Status Destroy(std::string_view id);

 private:
  Keystore(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  static absl::StatusOr<std::unique_ptr<Keystore>> Lock(const std::string& path);
  void SetRootKey(const SecretBytes& root);
  // Writes `next` and makes it the content; on error the content stays.
  absl::Status Save(KeystoreContent next);
  // Overwrites and removes the file that the last change replaced, if it is still there.
  absl::Status ShredReplaced();

  const std::string path_;
  const int lock_fd_;
  SecretBytes wrap_key_;
  SecretBytes mac_key_;
  mutable std::mutex mutex_;
  KeystoreContent content_;
};

}  // namespace sluis::common
