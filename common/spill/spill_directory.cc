#include "common/spill/spill_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::string_view kFilePrefix = "spill-";

absl::Status RemoveLeftovers(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) {
    return FileError(errno, "list", path);
  }
  absl::Status status = absl::OkStatus();
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(kFilePrefix) && unlinkat(dirfd(directory), entry->d_name, 0) != 0) {
      status = FileError(errno, "remove old temporary files in", path);
    }
  }
  closedir(directory);
  return status;
}

}  // namespace

// The key and the lock, shared by the directory and all its files.
struct SpillFile::Directory {
  std::string path;
  SecretBytes key;
  int lock = -1;

  Directory(std::string p, int l) : path(std::move(p)), key(SecretBytes::Random(kAeadKeySize)), lock(l) {}
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { close(lock); }
};

SpillFile::Entry::~Entry() { unlinkat(AT_FDCWD, path.c_str(), 0); }

absl::Status SpillFile::Append(std::string_view record) {
  if (writer_ == nullptr) {
    return absl::FailedPreconditionError("temporary file is finished: nothing can be appended");
  }
  ++records_;
  return Annotate(writer_->Append(record), "temporary directory " + directory_->path);
}

absl::Status SpillFile::Finish() {
  if (writer_ == nullptr) {
    return absl::FailedPreconditionError("temporary file is finished already");
  }
  const absl::Status finished = writer_->Finish(/*sync=*/false);
  writer_.reset();
  return Annotate(finished, "temporary directory " + directory_->path);
}

absl::StatusOr<std::unique_ptr<RecordReader>> SpillFile::Read() const {
  if (writer_ != nullptr) {
    return absl::FailedPreconditionError("temporary file is not finished: finish it before reading");
  }
  return RecordReader::Open(entry_->path, directory_->key, options_);
}

absl::StatusOr<SpillDirectory> SpillDirectory::Open(const std::string& path) {
  SLUIS_RETURN_IF_ERROR(EnsurePrivateDirectory(path));
  const int lock = open((path + "/.lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) {
    return FileError(errno, "create a lock in", path);
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(lock);
    if (error == EWOULDBLOCK) {
      return absl::FailedPreconditionError("temporary directory " + path +
                                           " is in use by another process: wait for it, or name another directory");
    }
    return FileError(error, "lock", path);
  }
  auto directory = std::make_shared<const SpillFile::Directory>(path, lock);
  SLUIS_RETURN_IF_ERROR(RemoveLeftovers(path));
  return SpillDirectory(std::move(directory));
}

absl::StatusOr<SpillFile> SpillDirectory::NewFile(std::size_t block_bytes) const {
  SpillFile file;
  file.directory_ = directory_;
  file.options_.block_bytes = block_bytes;
  file.options_.context = "temporary";
  const std::string path = directory_->path + "/" + std::string(kFilePrefix) + HexEncode(RandomString(8));
  file.entry_ = std::make_unique<SpillFile::Entry>(path);
  absl::StatusOr<std::unique_ptr<RecordWriter>> writer = RecordWriter::Create(path, directory_->key, file.options_);
  if (!writer.ok()) {
    return Annotate(writer.status(), "temporary directory " + directory_->path);
  }
  file.writer_ = *std::move(writer);
  return file;
}

const std::string& SpillDirectory::path() const { return directory_->path; }

absl::Status EnsurePrivateDirectory(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) {
      return FileError(errno, "inspect", path);
    }
    SLUIS_RETURN_IF_ERROR(CreateDirectories(path, 0700));
    if (lstat(path.c_str(), &info) != 0) {
      return FileError(errno, "inspect", path);
    }
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(path + " is not a directory: remove it, or name another one");
  }
  if (info.st_uid != geteuid()) {
    return absl::FailedPreconditionError("directory " + path +
                                         " belongs to another user: name one that belongs to the user who runs this");
  }
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError("directory " + path +
                                         " can be entered by group or others: set its mode to 0700 (chmod 700)");
  }
  return absl::OkStatus();
}

}  // namespace sluis::common
