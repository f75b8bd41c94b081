#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/document/permit_document.h"

namespace sluis::common {

// What a caller may be in a permit. A method of a service names one; whoever is none of these in any permit has no
// business with the service.
enum class Role { kCustodian, kRequester, kGate, kLinker, kKeyService, kAuditor, kMember /* any of the others */ };

// The permits that a service holds, by project. Immutable after loading; thread-safe.
class PermitSet {
 public:
  // Loads every folder. Errors: as LoadPermit, with the folder named; INVALID_ARGUMENT if two folders hold the same
  // project.
  [[nodiscard]] static absl::StatusOr<PermitSet> Load(const std::vector<std::string>& directories,
                                                      const std::vector<Approver>& approvers, int required_approvals);

  // Returns the permit of project `id`, valid on `today`. `sha256`: 32 bytes, the permit that the caller holds; empty:
  // not checked. Errors: NOT_FOUND (PERMIT_UNKNOWN); FAILED_PRECONDITION (PERMIT_MISMATCH, PERMIT_NOT_YET_VALID,
  // PERMIT_EXPIRED).
  [[nodiscard]] absl::StatusOr<const PermitBundle*> Find(std::string_view id, std::string_view sha256, Day today) const;

  // As Find, on whatever day: for who may act under a permit, which does not depend on the day. The caller checks the
  // dates that its method needs (CheckPermitDates, CheckRetention). Errors: NOT_FOUND (PERMIT_UNKNOWN);
  // FAILED_PRECONDITION (PERMIT_MISMATCH).
  [[nodiscard]] absl::StatusOr<const PermitBundle*> FindAnyDate(std::string_view id, std::string_view sha256) const;

  // As FindAnyDate, until the permit's retention_end: for what must still work after not_after, such as taking back or
  // reading again what was made under the permit. Errors: those of FindAnyDate; FAILED_PRECONDITION (RETENTION_ENDED).
  [[nodiscard]] absl::StatusOr<const PermitBundle*> FindRetained(std::string_view id, std::string_view sha256,
                                                                 Day today) const;

  // Whether `identity` (a SPIFFE ID) has `role` in at least one permit.
  [[nodiscard]] bool HasRole(std::string_view identity, Role role) const;

  const std::map<std::string, PermitBundle, std::less<>>& all() const { return permits_; }

 private:
  std::map<std::string, PermitBundle, std::less<>> permits_;
};

// Whether `identity` has `role` in `permit`.
[[nodiscard]] bool HasRole(const Permit& permit, std::string_view identity, Role role);

}  // namespace sluis::common
