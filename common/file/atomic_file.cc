#include "common/file/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

// An open file descriptor, closed on destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct SplitPath {
  std::string directory;
  std::string name;
};

SplitPath Split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return {".", path};
  }
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string TemporaryPrefix(const std::string& name) { return "." + name + ".tmp-"; }

// Fails unless `name` in `directory` is absent or a regular file.
absl::Status CheckReplaceable(int directory, const std::string& name, const std::string& path) {
  struct stat info {};
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : FileError(errno, "inspect", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("cannot write " + path + ": it is not a regular file");
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return FileError(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteTemporary(int directory, const std::string& temporary, std::string_view bytes, std::uint32_t mode,
                            const std::string& path) {
  const Descriptor file(openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                               static_cast<mode_t>(mode)));
  if (!file.ok()) {
    return FileError(errno, "create a file beside", path);
  }
  if (fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
    return FileError(errno, "set the permissions of", path);
  }
  SLUIS_RETURN_IF_ERROR(WriteAll(file.get(), bytes, path));
  if (fsync(file.get()) != 0) {
    return FileError(errno, "sync", path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FileError(int error, std::string_view action, std::string_view path) {
  std::string message = "cannot ";
  message.append(action).append(" ").append(path).append(": ").append(std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
      return WithReason(absl::ResourceExhaustedError(message + "; free space and try again"), "DISK_FULL");
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
      return absl::FailedPreconditionError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, std::uint32_t mode) {
  const SplitPath split = Split(path);
  const Descriptor directory(open(split.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) {
    if (errno == ENOENT) {
      return absl::FailedPreconditionError("cannot write " + path + ": its directory does not exist");
    }
    return FileError(errno, "open the directory of", path);
  }
  SLUIS_RETURN_IF_ERROR(CheckReplaceable(directory.get(), split.name, path));
  const std::string temporary = TemporaryPrefix(split.name) + HexEncode(RandomString(8));
  absl::Status written = WriteTemporary(directory.get(), temporary, bytes, mode, path);
  if (written.ok() && renameat(directory.get(), temporary.c_str(), directory.get(), split.name.c_str()) != 0) {
    written = FileError(errno, "rename the new file to", path);
  }
  if (!written.ok()) {
    unlinkat(directory.get(), temporary.c_str(), 0);
    return written;
  }
  if (fsync(directory.get()) != 0) {
    return FileError(errno, "sync the directory of", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFileBounded(const std::string& path, std::uint64_t max_bytes) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.ok()) {
    return FileError(errno, "open", path);
  }
  struct stat info {};
  if (fstat(file.get(), &info) != 0) {
    return FileError(errno, "inspect", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("cannot read " + path + ": it is not a regular file");
  }
  const auto too_long = [&] {
    return absl::ResourceExhaustedError("cannot read " + path + ": it is longer than " + std::to_string(max_bytes) +
                                        " bytes");
  };
  if (static_cast<std::uint64_t>(info.st_size) > max_bytes) {
    return too_long();
  }
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t length = 0;
  for (;;) {
    if (length == content.size()) {
      // The file may grow while it is read; one byte past the limit shows it.
      if (length > max_bytes) {
        return too_long();
      }
      content.resize(static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes - length, 1 << 16)) + length + 1);
    }
    const ssize_t got = read(file.get(), content.data() + length, content.size() - length);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return FileError(errno, "read", path);
    }
    if (got == 0) {
      break;
    }
    length += static_cast<std::size_t>(got);
  }
  if (length > max_bytes) {
    return too_long();
  }
  content.resize(length);
  return content;
}

absl::Status RemoveStaleTemporaries(const std::string& path) {
  const SplitPath split = Split(path);
  DIR* directory = opendir(split.directory.c_str());
  if (directory == nullptr) {
    return FileError(errno, "open the directory of", path);
  }
  const std::string prefix = TemporaryPrefix(split.name);
  std::vector<std::string> stale;
  for (const dirent* entry = readdir(directory); entry != nullptr; entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.size() == prefix.size() + 16 && name.compare(0, prefix.size(), prefix) == 0) {
      stale.push_back(name);
    }
  }
  absl::Status result = absl::OkStatus();
  for (const std::string& name : stale) {
    if (unlinkat(dirfd(directory), name.c_str(), 0) != 0 && errno != ENOENT && result.ok()) {
      result = FileError(errno, "remove an unfinished file beside", path);
    }
  }
  closedir(directory);
  return result;
}

absl::Status CreateDirectories(const std::string& path, std::uint32_t mode) {
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) {
    const Descriptor parent(open(Split(path).directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.ok() || fsync(parent.get()) != 0) {
      return FileError(errno, "sync the directory of", path);
    }
    return absl::OkStatus();
  }
  if (errno == EEXIST) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return FileError(errno, "inspect", path);
    }
    return S_ISDIR(info.st_mode)
               ? absl::OkStatus()
               : absl::FailedPreconditionError("cannot create the directory " + path + ": a file has that name");
  }
  const SplitPath split = Split(path);
  if (errno != ENOENT || split.directory == path || split.directory == ".") {
    return FileError(errno, "create the directory", path);
  }
  SLUIS_RETURN_IF_ERROR(CreateDirectories(split.directory, mode));
  return CreateDirectories(path, mode);
}

}  // namespace sluis::common
