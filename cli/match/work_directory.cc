#include "cli/match/work_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/spill/spill_directory.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint32_t kFileMode = 0600;
constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::string_view kFormat = "sluis-match-work 1\n";
constexpr std::string_view kFormatName = "FORMAT";
constexpr std::string_view kKeyName = "key";
constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kComparisons = "comparisons";
constexpr std::size_t kKeyBytes = 32;

std::string In(const std::string& path, std::string_view name) { return absl::StrCat(path, "/", std::string(name)); }

absl::Status Write(const std::string& path, std::string_view bytes) {
  SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(path));
  return common::WriteFileAtomically(path, bytes, kFileMode);
}

// Whether nothing is in the directory but what an Open that was killed leaves.
absl::StatusOr<bool> IsNew(const std::string& path) {
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != kLockName && !name.starts_with(absl::StrCat(".", std::string(kFormatName), ".tmp-"))) return false;
  }
  if (error) return common::FileError(error.value(), "list", path);
  return true;
}

std::string KeyChecksum(std::string_view key) {
  const common::Hash256 hash = common::Sha256(absl::StrCat("sluis-match-work-key 1 ", std::string(key)));
  return std::string(common::AsChars(hash));
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkDirectory>> WorkDirectory::Open(const std::string& path) {
  SLUIS_RETURN_IF_ERROR(common::EnsurePrivateDirectory(path));
  const int lock = open(In(path, kLockName).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (lock < 0) return common::FileError(errno, "create a lock in", path);
  std::unique_ptr<WorkDirectory> directory(new WorkDirectory(path, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return common::FileError(errno, "lock", path);
    return absl::FailedPreconditionError("another run uses the work directory " + path +
                                         ": wait for it, or name another directory");
  }
  SLUIS_RETURN_IF_ERROR(directory->CheckFormat());
  SLUIS_RETURN_IF_ERROR(common::CreateDirectories(In(path, kComparisons), kDirectoryMode));
  return directory;
}

absl::Status WorkDirectory::CheckFormat() const {
  const std::string path = In(path_, kFormatName);
  const absl::StatusOr<std::string> format = common::ReadFileBounded(path, kFormat.size());
  if (format.ok() && *format == kFormat) return absl::OkStatus();
  if (format.ok() || absl::IsResourceExhausted(format.status())) {
    return absl::FailedPreconditionError("the work directory " + path_ +
                                         " was made by another version of sluis match: name another one");
  }
  if (!absl::IsNotFound(format.status())) return format.status();
  SLUIS_ASSIGN_OR_RETURN(const bool is_new, IsNew(path_));
  if (is_new) return Write(path, kFormat);
  return absl::FailedPreconditionError(path_ + " is no work directory of sluis match and not empty: name another one");
}

WorkDirectory::~WorkDirectory() { close(lock_); }

absl::StatusOr<common::SecretBytes> WorkDirectory::Key() const {
  const std::string path = In(path_, kKeyName);
  absl::StatusOr<std::string> kept = common::ReadFileBounded(path, 2 * kKeyBytes);
  if (kept.ok()) {
    const bool whole = kept->size() == 2 * kKeyBytes && KeyChecksum(kept->substr(0, kKeyBytes)) == kept->substr(32);
    common::SecretBytes key;
    if (whole) key = common::SecretBytes::CopyOf(common::AsBytes(*kept).first(kKeyBytes));
    common::Wipe(*kept);
    if (whole) return key;
  }
  if (kept.ok() || absl::IsResourceExhausted(kept.status())) {
    return absl::DataLossError("the key in the work directory " + path_ +
                               " is damaged: remove the directory, and comparisons are done again");
  }
  if (!absl::IsNotFound(kept.status())) return kept.status();
  common::SecretBytes key = common::SecretBytes::Random(kKeyBytes);
  std::string bytes(common::AsChars(key.ExposeForUse()));
  bytes += KeyChecksum(bytes);
  const absl::Status written = Write(path, bytes);
  common::Wipe(bytes);
  SLUIS_RETURN_IF_ERROR(written);
  return key;
}

std::string WorkDirectory::PartPath(const linker::ComparisonKey& key, std::uint32_t part) const {
  return absl::StrCat(path_, "/", std::string(kComparisons), "/", common::HexEncode(common::AsChars(key)), ".", part);
}

absl::StatusOr<std::optional<std::string>> WorkDirectory::Find(const linker::ComparisonKey& key, std::uint32_t part) {
  absl::StatusOr<std::string> bytes = common::ReadFileBounded(PartPath(key, part), linker::kMaxComparisonPartBytes);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  SLUIS_RETURN_IF_ERROR(bytes.status());
  return *std::move(bytes);
}

absl::Status WorkDirectory::Save(const linker::ComparisonKey& key, std::uint32_t part, std::string_view bytes) {
  return Write(PartPath(key, part), bytes);
}

}  // namespace sluis::cli
