#include "cli/audit/verify_fetched.h"

#include "cli/audit/checks.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

absl::StatusOr<disclosure::Manifest> Verify(const disclosure::ReleaseFiles& files, const common::Permit& permit,
                                            const AskedFor& asked) {
  SLUIS_ASSIGN_OR_RETURN(disclosure::Manifest manifest, ReadManifest(files));
  SLUIS_RETURN_IF_ERROR(CheckFiles(files, manifest));
  SLUIS_RETURN_IF_ERROR(CheckEntry(files, manifest).status());
  SLUIS_RETURN_IF_ERROR(CheckProof(files, permit));
  if (manifest.project != permit.id) {
    return absl::FailedPreconditionError("release.json: project: not that of the permit");
  }
  if (manifest.release != asked.release_id) {
    return absl::FailedPreconditionError("release.json: release: not the one that was asked for");
  }
  if (manifest.request_sha256 != common::Sha256(asked.request)) {
    return absl::FailedPreconditionError("release.json: request_sha256: not that of the request that was sent");
  }
  return manifest;
}

}  // namespace

absl::StatusOr<disclosure::Manifest> VerifyFetched(const disclosure::ReleaseFiles& files, const common::Permit& permit,
                                                   const AskedFor& asked) {
  absl::StatusOr<disclosure::Manifest> manifest = Verify(files, permit, asked);
  if (manifest.ok()) return manifest;
  return common::WithReason(
      absl::DataLossError("what the gate sent does not hold, and was not kept; tell an auditor: " +
                          std::string(manifest.status().message())),
      "RELEASE_NOT_VERIFIED");
}

}  // namespace sluis::cli
