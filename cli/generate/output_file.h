#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cli/generate/registers.h"
#include "common/bytes/secret.h"

namespace sluis::cli {

// What was written to one file. The content is what a reader sees after decompression: it is the same on every machine,
// while compressed bytes depend on the version of zlib or zstd.
struct WrittenFile {
  std::uint64_t bytes = 0;
  common::Hash256 sha256{};
  std::uint64_t content_bytes = 0;
  common::Hash256 content_sha256{};
};

// A file that comes into being under its name only when it is complete: written beside it under a temporary name,
// synced, then renamed. Destroyed before Publish, it leaves nothing. Not thread-safe.
class OutputFile {
 public:
  // `directory_fd` stays open as long as this lives. `name`: final name in that directory.
  OutputFile(int directory_fd, std::string name, Compression compression);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Errors of all four, with the file named: RESOURCE_EXHAUSTED if the disk or the disk quota is full;
  // PERMISSION_DENIED; UNAVAILABLE on another input-output fault. After an error call nothing more.
  [[nodiscard]] absl::Status Open();
  [[nodiscard]] absl::Status Append(std::string_view content);
  // Writes what is buffered and syncs.
  [[nodiscard]] absl::Status Finish();
  // Renames the finished file to its name, over a file of that name.
  [[nodiscard]] absl::Status Publish();

  // Precondition: Finish succeeded.
  const WrittenFile& written() const { return written_; }

 private:
  struct State;
  absl::Status Compress(std::string_view content, bool last);
  absl::Status Put(std::string_view bytes);
  absl::Status Flush();

  int directory_fd_;
  std::string name_;
  std::string temporary_;
  Compression compression_;
  std::unique_ptr<State> state_;
  WrittenFile written_;
};

}  // namespace sluis::cli
