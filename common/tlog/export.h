#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/tlog/log_reader.h"

namespace sluis::common {

// Writes the tiles and entry bundles with which the log of `reader` differs from its first `from` entries below
// `directory`, each file durably and whole, then removes the partial ones that a full one replaces. The checkpoint is
// not written: it must follow, so that it never speaks of files that are not there. With `after_crash` also removes
// unfinished files of an earlier process. Errors: as WriteFileAtomically and LogReader::Resource.
[[nodiscard]] absl::Status ExportTiles(LogReader& reader, std::uint64_t from, const std::string& directory,
                                       bool after_crash);

// Writes the signed `checkpoint` below `directory`. Errors: as WriteFileAtomically.
[[nodiscard]] absl::Status ExportCheckpoint(std::string_view checkpoint, const std::string& directory,
                                            bool after_crash);

}  // namespace sluis::common
