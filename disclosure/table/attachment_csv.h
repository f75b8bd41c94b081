#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::disclosure {

// Returns the records of a small CSV file in memory: comma, double quotes (RFC 4180), UTF-8, a byte order mark allowed,
// blank lines skipped. The first record is the header; with `header` non-empty it must be exactly that, and it is not
// part of the result. Every record has as many cells as the header.
//
// `name`: what messages call the file. Errors: INVALID_ARGUMENT naming file and record (the header is record 1) if the
// file is empty, the quoting is broken, the header differs, or a record has another number of cells.
// Holds the whole file in memory: for hierarchies, code lists and released tables, not for extracts.
[[nodiscard]] absl::StatusOr<std::vector<std::vector<std::string>>> ReadAttachmentCsv(
    std::string_view content, std::string_view name, const std::vector<std::string>& header);

}  // namespace sluis::disclosure
