#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// Files of encrypted records, written once from beginning to end and read the same way, in bounded memory. The format
// is in README.md.

namespace sluis::common {

inline constexpr std::size_t kMaxRecordBytes = 16u << 20;

struct RecordStreamOptions {
  // Bytes of plaintext that are collected before they are sealed and written: the memory of a reader or writer, up to
  // the size of the last record.
  std::size_t block_bytes = 64u << 10;
  // What the file is for. Authenticated, not stored: a file read under another context than it was written under is
  // refused, so that files cannot be exchanged for each other.
  std::string context;
};

// Writes one file. Not thread-safe.
class RecordWriter {
 public:
  // Creates `path` with mode 0600; it must not exist. `key`: 32 bytes, must outlive the writer.
  // Errors: FAILED_PRECONDITION if it exists; RESOURCE_EXHAUSTED if the disk or the quota is full; PERMISSION_DENIED;
  // NOT_FOUND if the directory does not exist; UNAVAILABLE on another input-output fault. All name the path.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(const std::string& path,
                                                                            const SecretBytes& key,
                                                                            const RecordStreamOptions& options);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Errors: INVALID_ARGUMENT if `record` is longer than kMaxRecordBytes; RESOURCE_EXHAUSTED if the disk is full, and
  // UNAVAILABLE, after which the file is of no use.
  [[nodiscard]] absl::Status Append(std::string_view record);
  // Writes the end; without it a reader refuses the file. With `sync` all of it is on stable storage on OK (its name in
  // the directory is not: see PublishFile). Errors: as Append. Nothing may be appended afterwards.
  [[nodiscard]] absl::Status Finish(bool sync);

  std::uint64_t records() const { return records_; }

 private:
  RecordWriter(int fd, std::string path, const SecretBytes& key, const RecordStreamOptions& options,
               std::string file_id);
  absl::Status WriteBlock(bool last);
  absl::Status WriteAll(std::string_view bytes);

  int fd_;
  std::string path_;
  const SecretBytes& key_;
  std::size_t block_bytes_;
  std::string associated_data_;  // up to the block's number
  std::string buffer_;
  std::uint64_t block_ = 0;
  std::uint64_t records_ = 0;
};

// Reads one file. Not thread-safe.
class RecordReader {
 public:
  // `key` must outlive the reader. Errors: NOT_FOUND; DATA_LOSS if it is no file of this format; FAILED_PRECONDITION if
  // it is a symbolic link or of a newer format; PERMISSION_DENIED; UNAVAILABLE.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const std::string& path,
                                                                          const SecretBytes& key,
                                                                          const RecordStreamOptions& options);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Sets `record` to the next one, valid until the next call; false at the end, which is reached only if the file is
  // whole. Errors: DATA_LOSS if a block was changed, exchanged, repeated or lost, if the file was cut off or continued,
  // or if key or context are not the writer's; UNAVAILABLE on an input-output fault.
  [[nodiscard]] absl::StatusOr<bool> Next(std::string_view& record);

 private:
  RecordReader(int fd, std::string path, const SecretBytes& key, const RecordStreamOptions& options,
               std::string_view file_id);
  absl::Status ReadBlock();
  absl::Status Damaged() const;
  // Reads `size` bytes, or fewer at the end of the file.
  absl::StatusOr<std::string> ReadUpTo(std::size_t size);

  int fd_;
  std::string path_;
  const SecretBytes& key_;
  std::size_t max_sealed_bytes_;
  std::string associated_data_;
  std::string plaintext_;
  std::size_t position_ = 0;
  std::uint64_t block_ = 0;
  bool last_ = false;
};

// Renames `from`, a finished and synced file, to `to` in the same directory, durably: after a crash `to` is either what
// it was or all of the new file. Errors: as RecordWriter::Create.
[[nodiscard]] absl::Status PublishFile(const std::string& from, const std::string& to);

}  // namespace sluis::common
