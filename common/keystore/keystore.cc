#include "common/keystore/keystore.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kSaltBytes = 16;

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const int fd = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) {
    close(fd);
  }
  return synced ? absl::OkStatus() : FileError(error, "sync the directory of", path);
}

absl::Status OverwriteWithZeros(const std::string& path, std::size_t size) {
  const int fd = openat(AT_FDCWD, path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return FileError(errno, "overwrite", path);
  }
  const std::string zeros(4096, '\0');
  absl::Status result = absl::OkStatus();
  while (size > 0 && result.ok()) {
    const ssize_t written = write(fd, zeros.data(), std::min(size, zeros.size()));
    if (written < 0 && errno != EINTR) {
      result = FileError(errno, "overwrite", path);
    }
    size -= static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  }
  if (result.ok() && fsync(fd) != 0) {
    result = FileError(errno, "sync", path);
  }
  close(fd);
  return result;
}

}  // namespace

Keystore::~Keystore() { close(lock_fd_); }

absl::StatusOr<std::unique_ptr<Keystore>> Keystore::Lock(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    return FileError(errno, "lock", path);
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(fd);
    return error == EWOULDBLOCK ? absl::FailedPreconditionError("keystore: " + path + " is in use by another process")
                                : FileError(error, "lock", path);
  }
  return std::unique_ptr<Keystore>(new Keystore(path, fd));  // the constructor is private
}

void Keystore::SetRootKey(const SecretBytes& root) {
  wrap_key_ = DeriveKey(root, "sluis keystore wrap");
  mac_key_ = DeriveKey(root, "sluis keystore mac");
}

absl::StatusOr<std::unique_ptr<Keystore>> Keystore::Create(const std::string& path, const UnlockSource& unlock) {
  SLUIS_ASSIGN_OR_RETURN(std::unique_ptr<Keystore> keystore, Lock(path));
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    return absl::AlreadyExistsError("keystore: " + path + " exists already");
  }
  KeystoreContent content;
  content.kind = unlock.kind();
  content.cost = unlock.cost();
  content.file_id = RandomString(kSaltBytes);
  content.salt = RandomString(kSaltBytes);
  SLUIS_ASSIGN_OR_RETURN(const SecretBytes root, unlock.RootKey(content.salt, content.cost));
  keystore->SetRootKey(root);
  SLUIS_RETURN_IF_ERROR(RemoveStaleTemporaries(path));
  SLUIS_RETURN_IF_ERROR(keystore->Save(std::move(content)));
  return keystore;
}

absl::StatusOr<std::unique_ptr<Keystore>> Keystore::Open(const std::string& path, const UnlockSource& unlock) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return FileError(errno, "open the keystore", path);
  }
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError("keystore: " + path + " must be accessible to its owner only (chmod 0600)");
  }
  SLUIS_ASSIGN_OR_RETURN(std::unique_ptr<Keystore> keystore, Lock(path));
  SLUIS_ASSIGN_OR_RETURN(const std::string bytes, ReadFileBounded(path, kMaxKeystoreBytes));
  SLUIS_ASSIGN_OR_RETURN(const KeystoreContent header, DecodeKeystoreHeader(bytes));
  if (header.kind != unlock.kind()) {
    return absl::FailedPreconditionError("keystore: " + path + " is unlocked by a " +
                                         (header.kind == UnlockSource::Kind::kPassphrase
                                              ? "passphrase, but a key file was given"
                                              : "key file, but a passphrase was given"));
  }
  SLUIS_ASSIGN_OR_RETURN(const SecretBytes root, unlock.RootKey(header.salt, header.cost));
  keystore->SetRootKey(root);
  SLUIS_ASSIGN_OR_RETURN(keystore->content_, DecodeKeystore(bytes, keystore->mac_key_));
  // Only now, when the file is known to be whole.
  SLUIS_RETURN_IF_ERROR(keystore->ShredReplaced());
  SLUIS_RETURN_IF_ERROR(RemoveStaleTemporaries(path));
  return keystore;
}

absl::Status Keystore::ShredReplaced() {
  const std::string replaced = path_ + ".old";
  struct stat old_info {};
  if (lstat(replaced.c_str(), &old_info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : FileError(errno, "inspect", replaced);
  }
  struct stat info {};
  if (lstat(path_.c_str(), &info) != 0) {
    return FileError(errno, "inspect", path_);
  }
  const bool same_file = info.st_ino == old_info.st_ino && info.st_dev == old_info.st_dev;
  if (!same_file) {
    // The rename must be durable before its predecessor is destroyed.
    SLUIS_RETURN_IF_ERROR(SyncDirectoryOf(path_));
    SLUIS_RETURN_IF_ERROR(OverwriteWithZeros(replaced, static_cast<std::size_t>(old_info.st_size)));
  }
  if (unlinkat(AT_FDCWD, replaced.c_str(), 0) != 0) {
    return FileError(errno, "remove", replaced);
  }
  return SyncDirectoryOf(path_);
}

absl::Status Keystore::Save(KeystoreContent next) {
  const std::string bytes = EncodeKeystore(next, mac_key_);
  if (bytes.size() > kMaxKeystoreBytes) {
    return absl::ResourceExhaustedError("keystore: the file would exceed " + std::to_string(kMaxKeystoreBytes) +
                                        " bytes");
  }
  SLUIS_RETURN_IF_ERROR(ShredReplaced());
  // A second name keeps the old file in reach after the rename, to overwrite it.
  if (linkat(AT_FDCWD, path_.c_str(), AT_FDCWD, (path_ + ".old").c_str(), 0) != 0 && errno != ENOENT) {
    return FileError(errno, "link", path_);
  }
  SLUIS_RETURN_IF_ERROR(WriteFileAtomically(path_, bytes, 0600));
  content_ = std::move(next);
  return absl::OkStatus();
}

absl::StatusOr<KeyEntry> Keystore::Add(KeyEntry entry, const SecretBytes& secret) {
  SLUIS_RETURN_IF_ERROR(CheckKeyEntry(entry, secret));
  const std::lock_guard<std::mutex> lock(mutex_);
  entry.state = KeyState::kActive;
  entry.version = 1;
  for (const StoredKey& key : content_.keys) {
    if (key.entry.id == entry.id) {
      return absl::AlreadyExistsError("keystore: a key with this id exists already");
    }
    if (key.entry.project == entry.project && key.entry.purpose == entry.purpose) {
      entry.version = std::max(entry.version, key.entry.version + 1);
    }
  }
  KeystoreContent next = content_;
  next.keys.push_back(
      {entry, AeadSeal(wrap_key_, WrappingContext(content_.file_id, entry), AsChars(secret.ExposeForUse()))});
  SLUIS_RETURN_IF_ERROR(Save(std::move(next)));
  // What was replaced holds nothing that is destroyed; if it cannot be overwritten now, the next change or Open does.
  ShredReplaced().IgnoreError();
  return entry;
}

absl::StatusOr<KeyEntry> Keystore::Find(std::string_view project, std::string_view purpose) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const KeyEntry* newest = nullptr;
  for (const StoredKey& key : content_.keys) {
    if (key.entry.project == project && key.entry.purpose == purpose && key.entry.state == KeyState::kActive &&
        (newest == nullptr || key.entry.version > newest->version)) {
      newest = &key.entry;
    }
  }
  if (newest == nullptr) {
    return absl::NotFoundError("keystore: no active key for this project and purpose");
  }
  return *newest;
}

absl::StatusOr<SecretBytes> Keystore::Secret(std::string_view id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const StoredKey& key : content_.keys) {
    if (key.entry.id != id) {
      continue;
    }
    if (key.entry.state != KeyState::kActive) {
      return absl::FailedPreconditionError("keystore: the key is destroyed");
    }
    SLUIS_ASSIGN_OR_RETURN(std::string secret,
                           AeadOpen(wrap_key_, WrappingContext(content_.file_id, key.entry), key.wrapped));
    SecretBytes bytes = SecretBytes::CopyOf(AsBytes(secret));
    Wipe(secret);
    return bytes;
  }
  return absl::NotFoundError("keystore: no key with this id");
}

std::vector<KeyEntry> Keystore::List() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<KeyEntry> entries;
  for (const StoredKey& key : content_.keys) {
    entries.push_back(key.entry);
  }
  return entries;
}

absl::Status Keystore::Destroy(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  KeystoreContent next = content_;
  for (StoredKey& key : next.keys) {
    if (key.entry.id == id) {
      if (key.entry.state == KeyState::kDestroyed) {
        // An earlier call may have failed after the new file was in place.
        return ShredReplaced();
      }
      key.entry.state = KeyState::kDestroyed;
      key.wrapped.clear();
      SLUIS_RETURN_IF_ERROR(Save(std::move(next)));
      return ShredReplaced();
    }
  }
  return absl::NotFoundError("keystore: no key with this id");
}

}  // namespace sluis::common
