#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "disclosure/protect/package.h"

namespace sluis::cli {

// Returns all files below `directory`, path relative to it -> bytes. Errors: NOT_FOUND if there is no such directory;
// FAILED_PRECONDITION on anything but regular files and directories; RESOURCE_EXHAUSTED above 1,000 files or 2 GiB in
// all; as ReadFileBounded.
[[nodiscard]] absl::StatusOr<disclosure::ReleaseFiles> ReadReleaseDirectory(const std::string& directory);

}  // namespace sluis::cli
