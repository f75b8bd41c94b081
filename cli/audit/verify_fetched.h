#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/protect/package.h"

namespace sluis::cli {

// What a requester knows of a release before it has it.
struct AskedFor {
  std::string_view release_id;
  std::string_view request;  // exact bytes of the request document
};

// Returns the manifest of `files`, as a gate sent them, after checking that they are a release that was logged, and
// that of this request: release.json in its one form; each file with its length and hash, none missing, none too many;
// an entry about these files; the proof that the entry is in the log that `permit` names as the gate's; the permit's
// project; id and hash of the request.
//
// Errors: DATA_LOSS with reason RELEASE_NOT_VERIFIED, naming the file and the field that does not hold.
// Does not check the tables: VerifyRelease does. The permit may be a later version than that of the release, which is
// then fetched again under it. Cost: hashes all files once.
[[nodiscard]] absl::StatusOr<disclosure::Manifest> VerifyFetched(const disclosure::ReleaseFiles& files,
                                                                 const common::Permit& permit, const AskedFor& asked);

}  // namespace sluis::cli
