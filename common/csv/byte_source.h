#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// A file as a stream of bytes, decompressed on the way. Memory is bounded whatever the file's length.

namespace sluis::common {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills the front of `out` (not empty) and returns how many bytes, 0 only at the end.
  // Errors: DATA_LOSS with reason FILE_TRUNCATED or FILE_COMPRESSION if compressed data end early or are damaged;
  // UNAVAILABLE on an input-output fault.
  [[nodiscard]] virtual absl::StatusOr<std::size_t> Read(std::span<char> out) = 0;
};

// Opens the regular file at `path`. Content that begins like gzip (any number of members) or Zstandard is
// decompressed; a name that ends in .gz or .zst demands it. A Zstandard window above 128 MiB (`--long` above 27) is
// refused, so that the file cannot choose our memory.
// Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (not a regular file); DATA_LOSS with reason
// FILE_COMPRESSION if the name promises a compression that the content lacks.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path);

// Returns all that OpenFileSource(path) reads. Errors: its and Read's, the latter with the path in front;
// INVALID_ARGUMENT if there is more than `max_mebibytes`.
[[nodiscard]] absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_mebibytes);

// As OpenFileSource for bytes in memory; never an error at once, but `Read` may fail as above.
[[nodiscard]] std::unique_ptr<ByteSource> MakeMemorySource(std::string bytes);

}  // namespace sluis::common
