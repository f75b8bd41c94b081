#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"

// Permits as they lie on disk: a folder with permit.yaml, one file permit.yaml.NAME.sig per approver (base 64 of the
// Ed25519 signature), and the attachments at the paths that the permit names.

namespace sluis::common {

// A permit with everything that belongs to it, checked.
struct PermitBundle {
  Permit permit;
  std::string document;                            // exact bytes of permit.yaml
  std::map<std::string, std::string> attachments;  // name -> bytes; each has the hash that the permit names
};

// Reads `document` and checks everything but dates and approvals. Errors: INVALID_ARGUMENT with the field and what is
// expected.
[[nodiscard]] absl::StatusOr<Permit> ParsePermit(std::string_view document);

// Reads the folder `directory`. Errors: NOT_FOUND if permit.yaml or an attachment is absent; INVALID_ARGUMENT as
// ParsePermit, and for an attachment whose bytes do not have the hash named; PERMISSION_DENIED (PERMIT_UNSIGNED) as
// VerifyApprovals. Dates are the caller's to check, at each use.
[[nodiscard]] absl::StatusOr<PermitBundle> LoadPermit(const std::string& directory,
                                                      const std::vector<Approver>& approvers, int required_approvals);

// Signs the permit in `directory` and writes permit.yaml.NAME.sig beside it.
[[nodiscard]] absl::Status ApprovePermit(const std::string& directory, const std::string& approver_name,
                                         const SigningKey& key);

}  // namespace sluis::common
