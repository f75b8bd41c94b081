#include "common/document/permit_set.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::common {

absl::StatusOr<PermitSet> PermitSet::Load(const std::vector<std::string>& directories,
                                          const std::vector<Approver>& approvers, int required_approvals) {
  PermitSet set;
  for (const std::string& directory : directories) {
    absl::StatusOr<PermitBundle> bundle = LoadPermit(directory, approvers, required_approvals);
    if (!bundle.ok()) return Annotate(bundle.status(), directory);
    const std::string id = bundle->permit.id;
    if (!set.permits_.emplace(id, *std::move(bundle)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(directory, ": the project ", id, " has another permit here; keep one"));
    }
  }
  return set;
}

absl::StatusOr<const PermitBundle*> PermitSet::FindAnyDate(std::string_view id, std::string_view sha256) const {
  const auto it = permits_.find(id);
  if (it == permits_.end()) {
    return WithReason(
        absl::NotFoundError("this service holds no permit of that project; its operator loads it and restarts"),
        "PERMIT_UNKNOWN");
  }
  const Permit& permit = it->second.permit;
  if (!sha256.empty() && sha256 != AsChars(permit.sha256)) {
    return WithReason(absl::FailedPreconditionError(
                          absl::StrCat("the permit of project ", permit.id, " here (version ", permit.version,
                                       ") is not the one of the request: both sides need the same bytes")),
                      "PERMIT_MISMATCH");
  }
  return &it->second;
}

absl::StatusOr<const PermitBundle*> PermitSet::Find(std::string_view id, std::string_view sha256, Day today) const {
  SLUIS_ASSIGN_OR_RETURN(const PermitBundle* bundle, FindAnyDate(id, sha256));
  SLUIS_RETURN_IF_ERROR(CheckPermitDates(bundle->permit, today));
  return bundle;
}

absl::StatusOr<const PermitBundle*> PermitSet::FindRetained(std::string_view id, std::string_view sha256,
                                                            Day today) const {
  SLUIS_ASSIGN_OR_RETURN(const PermitBundle* bundle, FindAnyDate(id, sha256));
  SLUIS_RETURN_IF_ERROR(CheckRetention(bundle->permit, today));
  return bundle;
}

bool PermitSet::HasRole(std::string_view identity, Role role) const {
  return std::any_of(permits_.begin(), permits_.end(),
                     [&](const auto& entry) { return common::HasRole(entry.second.permit, identity, role); });
}

bool HasRole(const Permit& permit, std::string_view identity, Role role) {
  switch (role) {
    case Role::kCustodian:
      return std::any_of(permit.registers.begin(), permit.registers.end(),
                         [identity](const PermitRegister& r) { return r.custodian == identity; });
    case Role::kRequester:
      return std::find(permit.requesters.begin(), permit.requesters.end(), identity) != permit.requesters.end();
    case Role::kGate:
      return permit.gate == identity;
    case Role::kLinker:
      return permit.linker == identity;
    case Role::kKeyService:
      return permit.key_service == identity;
    case Role::kAuditor:
      return std::any_of(permit.auditors.begin(), permit.auditors.end(),
                         [identity](const PermitParty& a) { return a.identity == identity; });
    case Role::kMember:
      return HasRole(permit, identity, Role::kCustodian) || HasRole(permit, identity, Role::kRequester) ||
             HasRole(permit, identity, Role::kGate) || HasRole(permit, identity, Role::kLinker) ||
             HasRole(permit, identity, Role::kKeyService) || HasRole(permit, identity, Role::kAuditor);
  }
  return false;
}

}  // namespace sluis::common
