#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/audit/verify_release.h"
#include "common/entry/entry.h"
#include "disclosure/protect/second_opinion.h"
#include "disclosure/release/released_table.h"

// The single checks of VerifyRelease. Each returns OK, or says what is wrong and where.

namespace sluis::cli {

// The manifest, if every file is there by which the other checks begin.
[[nodiscard]] absl::StatusOr<disclosure::Manifest> ReadManifest(const disclosure::ReleaseFiles& files);
// Hash and length of each file that the manifest names; no file more, none less.
[[nodiscard]] absl::Status CheckFiles(const disclosure::ReleaseFiles& files, const disclosure::Manifest& manifest);
[[nodiscard]] absl::StatusOr<common::Entry> CheckEntry(const disclosure::ReleaseFiles& files,
                                                       const disclosure::Manifest& manifest);
// The figures in the entry are those of the tables.
[[nodiscard]] absl::Status CheckFigures(const common::Entry& entry,
                                        const std::vector<disclosure::ReleasedTable>& tables);
// The entry is in the log that `permit` names as the gate's.
[[nodiscard]] absl::Status CheckProof(const disclosure::ReleaseFiles& files, const common::Permit& permit);
[[nodiscard]] absl::Status CheckPermit(const AuditInput& input, const disclosure::Manifest& manifest);
[[nodiscard]] absl::Status CheckRequest(const AuditInput& input, const disclosure::Manifest& manifest,
                                        const std::vector<disclosure::ReleasedTable>& tables);
[[nodiscard]] absl::StatusOr<std::vector<disclosure::ReleasedTable>> ReadTables(const disclosure::ReleaseFiles& files,
                                                                                const disclosure::Manifest& manifest);
[[nodiscard]] absl::Status CheckFormats(const disclosure::ReleaseFiles& files,
                                        const std::vector<disclosure::ReleasedTable>& tables);
[[nodiscard]] absl::Status CheckFlags(const disclosure::ReleaseFiles& files, const disclosure::Manifest& manifest);
// Of the measures that are not suppressed, the method that the request chose, as the tables name it. Errors: those of
// reading the request and the rule set; FAILED_PRECONDITION if tables or manifest name another.
[[nodiscard]] absl::StatusOr<disclosure::PublicMethods> CheckPublicMethods(
    const AuditInput& input, const disclosure::Manifest& manifest,
    const std::vector<disclosure::ReleasedTable>& tables);
// Measures whose method does not add up are passed over.
[[nodiscard]] absl::Status CheckTotals(const std::vector<disclosure::ReleasedTable>& tables,
                                       const std::vector<std::int32_t>& population,
                                       const disclosure::PublicMethods& methods);
[[nodiscard]] absl::Status CheckRecomputation(const std::vector<disclosure::ReleasedTable>& tables,
                                              const std::vector<std::int32_t>& population,
                                              const disclosure::SecondOpinionOptions& options,
                                              const disclosure::PublicMethods& methods);
[[nodiscard]] absl::Status CheckLogDirectory(const AuditInput& input);

// Adds the checks of the evidence to `verdict`. Precondition: manifest, files and entry were found in order.
// Errors: CANCELLED.
[[nodiscard]] absl::Status AddEvidenceChecks(const AuditInput& input, const AuditorInput& auditor,
                                             const AuditOptions& options, const disclosure::Manifest& manifest,
                                             const common::Entry& entry,
                                             const std::vector<disclosure::ReleasedTable>& tables, Verdict& verdict);

}  // namespace sluis::cli
