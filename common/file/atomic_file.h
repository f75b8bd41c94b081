#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Whole files, written so that a crash leaves the old or the new content, never a mixture. POSIX only.

namespace sluis::common {

// Makes `bytes` the content of the file at `path`, durably, with permissions `mode` (not reduced by the umask).
//
// Writes a new file beside it, syncs it, renames it over `path` and syncs the directory: after OK the new content
// survives a power cut; after an error or a crash before that the old content, or the absence of the file, is still
// there, or (only if syncing the directory failed) possibly the new content. A crash may leave the temporary file: see
// RemoveStaleTemporaries. The directory must exist.
// Errors:
//   FAILED_PRECONDITION  `path` is a symbolic link or anything else than a regular file; the directory does not exist
//   RESOURCE_EXHAUSTED   DISK_FULL: the disk or the disk quota is full
//   PERMISSION_DENIED    the process may not write there
//   UNAVAILABLE          any other input-output fault
// Safe against concurrent writers (one wins). Cost: two fsyncs.
[[nodiscard]] absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, std::uint32_t mode);

// Returns the content of the regular file at `path`, at most `max_bytes` long.
// Errors: NOT_FOUND; FAILED_PRECONDITION if it is a symbolic link or not a regular file; RESOURCE_EXHAUSTED if it is
// longer than `max_bytes` (nothing is returned); PERMISSION_DENIED; UNAVAILABLE on another input-output fault.
[[nodiscard]] absl::StatusOr<std::string> ReadFileBounded(const std::string& path, std::uint64_t max_bytes);

// Removes what crashed calls of WriteFileAtomically(path, ...) left behind. Precondition: nobody writes `path` now.
// Errors: as WriteFileAtomically.
[[nodiscard]] absl::Status RemoveStaleTemporaries(const std::string& path);

// Creates `path` and its missing parents with permissions `mode`, durably. OK if it is a directory already.
// Errors: as WriteFileAtomically.
[[nodiscard]] absl::Status CreateDirectories(const std::string& path, std::uint32_t mode);

// Returns the status for the error number `error` of an operation on `path`: "cannot `action` `path`: reason".
[[nodiscard]] absl::Status FileError(int error, std::string_view action, std::string_view path);

}  // namespace sluis::common
