#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spill/record_stream.h"

// Temporary files for what does not fit into memory: encrypted under a key that lives in locked memory only, gone when
// the object is, unreadable after a crash.

namespace sluis::common {

// A temporary file. Write, Finish, then read as often as wanted. Not thread-safe.
class SpillFile {
 public:
  SpillFile(SpillFile&&) = default;
  SpillFile& operator=(SpillFile&&) = default;

  // Errors: as RecordWriter::Append. FAILED_PRECONDITION after Finish.
  [[nodiscard]] absl::Status Append(std::string_view record);
  [[nodiscard]] absl::Status Finish();
  // A reader from the beginning; must not outlive the file. Errors: FAILED_PRECONDITION before Finish; as
  // RecordReader::Open.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> Read() const;
  std::uint64_t records() const { return records_; }

 private:
  friend class SpillDirectory;
  // Unlinks `path` when destroyed.
  struct Entry {
    std::string path;
    explicit Entry(std::string p) : path(std::move(p)) {}
    ~Entry();
  };
  struct Directory;
  SpillFile() = default;

  std::shared_ptr<const Directory> directory_;
  std::unique_ptr<Entry> entry_;
  RecordStreamOptions options_;
  std::unique_ptr<RecordWriter> writer_;
  std::uint64_t records_ = 0;
};

// A directory of temporary files that one process uses at a time. Thread-safe.
class SpillDirectory {
 public:
  // Opens or creates `path` with mode 0700, locks it, and removes what a crashed run left there (nobody can read it any
  // more: the key died with the process).
  // Errors:
  //   FAILED_PRECONDITION  it is not a directory, is a symbolic link, belongs to another user, or lets group or others
  //                        in; another process uses it
  //   RESOURCE_EXHAUSTED   the disk is full
  //   PERMISSION_DENIED, UNAVAILABLE  as the system says
  [[nodiscard]] static absl::StatusOr<SpillDirectory> Open(const std::string& path);

  // A new empty file, mode 0600, with room for `block_bytes` in memory. Errors: as RecordWriter::Create.
  [[nodiscard]] absl::StatusOr<SpillFile> NewFile(std::size_t block_bytes = RecordStreamOptions{}.block_bytes) const;
  const std::string& path() const;

 private:
  explicit SpillDirectory(std::shared_ptr<const SpillFile::Directory> directory) : directory_(std::move(directory)) {}
  std::shared_ptr<const SpillFile::Directory> directory_;
};

// Creates `path` with mode 0700 if it does not exist, and checks that only its owner, who must be the user of this
// process, can enter it. Errors: FAILED_PRECONDITION, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE as
// SpillDirectory::Open.
[[nodiscard]] absl::Status EnsurePrivateDirectory(const std::string& path);

}  // namespace sluis::common
