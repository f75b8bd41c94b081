#include "cli/audit/release_directory.h"

#include <filesystem>
#include <system_error>

#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kMaxFiles = 1'000;
constexpr std::uint64_t kMaxBytes = std::uint64_t{2} << 30;

}  // namespace

absl::StatusOr<disclosure::ReleaseFiles> ReadReleaseDirectory(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  if (error) return common::FileError(error.value(), "read", directory);
  disclosure::ReleaseFiles files;
  std::uint64_t left = kMaxBytes;
  for (; entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) continue;
    const std::string path = entry->path().lexically_relative(directory).generic_string();
    if (!fs::is_regular_file(status)) {
      return absl::FailedPreconditionError("release: " + path + ": only regular files are expected");
    }
    if (files.size() == kMaxFiles) return absl::ResourceExhaustedError("release: more than 1000 files");
    SLUIS_ASSIGN_OR_RETURN(std::string bytes, common::ReadFileBounded(entry->path().string(), left));
    left -= bytes.size();
    files[path] = std::move(bytes);
  }
  if (error) return common::FileError(error.value(), "read", directory);
  return files;
}

}  // namespace sluis::cli
