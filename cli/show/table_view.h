#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "disclosure/protect/package.h"

// What a requester reads in the terminal about tables: the gate's summary, and the tables themselves.

namespace sluis::cli {

// Returns what a dry run found: cells and share of empty ones per table, and whether the request would be refused, and
// why. `summary_json`: as the gate sent it. Errors: INTERNAL if it has another form.
[[nodiscard]] absl::StatusOr<std::string> DryRunText(std::string_view summary_json);

// Returns what was released: per table the cells, the band of suppressed ones and the file in `directory`; release id,
// link set and number of files. Errors: as DryRunText.
[[nodiscard]] absl::StatusOr<std::string> ReleaseText(std::string_view summary_json,
                                                      const disclosure::ReleaseFiles& files,
                                                      const std::string& directory);

// Returns the tables of a release, those that were asked for first and linkage rates after them, each as RenderText
// shows it with at most some 40 rows a section and as many sections as make about 200 lines, followed by what is shown
// of it and the path of the whole table in `directory`. Precondition: VerifyFetched(files) returned `manifest`.
// Errors: INTERNAL if a file is no table.
[[nodiscard]] absl::StatusOr<std::string> TablesText(const disclosure::ReleaseFiles& files,
                                                     const disclosure::Manifest& manifest,
                                                     const std::string& directory);

}  // namespace sluis::cli
