#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/document/permit_set.h"
#include "common/rpc/telemetry.h"

namespace sluis::common {

struct Caller {
  std::string identity;  // SPIFFE ID
};

// On which days a permit allows a method.
enum class PermitDays {
  kValid,     // from not_before to not_after
  kRetained,  // until retention_end: to read again or take back what was made under it
};

// Who may call which method. One table per service; a method that is not in it is refused to everybody.
class Guard {
 public:
  using Table =
      std::map<std::string, Role, std::less<>>;  // method -> role that the caller needs in at least one permit

  // `permits` and `metrics` outlive the guard.
  Guard(const PermitSet& permits, Table table, Metrics& metrics);

  // Runs one call: authenticates the peer, checks the table, demands a deadline, runs `body`, counts and logs the
  // outcome. The caller gets an error as ForCaller has it. Errors before `body`: UNAUTHENTICATED; PERMISSION_DENIED
  // (ACCESS_DENIED); INVALID_ARGUMENT (DEADLINE_REQUIRED). Whether the caller has the role in the permit at hand `body`
  // asks first of all, with FindPermit.
  grpc::Status Run(const grpc::ServerContextBase& context, std::string_view method,
                   const std::function<absl::Status(const Caller&)>& body) const;

  // Returns the permit of project `id`, in which `caller` has `role`. `sha256`: as PermitSet::Find. Whether there is
  // such a permit, its version and its dates are told only to those who have the role in it. Errors: PERMISSION_DENIED
  // (ACCESS_DENIED), the same for an unknown project and a wrong role; FAILED_PRECONDITION (PERMIT_MISMATCH; with
  // kValid PERMIT_NOT_YET_VALID, PERMIT_EXPIRED; with kRetained RETENTION_ENDED).
  [[nodiscard]] absl::StatusOr<const PermitBundle*> FindPermit(const Caller& caller, Role role, std::string_view id,
                                                               std::string_view sha256, Day today,
                                                               PermitDays days = PermitDays::kValid) const;

  const Table& table() const { return table_; }

 private:
  absl::StatusOr<Caller> Admit(const grpc::ServerContextBase& context, std::string_view method) const;

  const PermitSet& permits_;
  const Table table_;
  Metrics& metrics_;
};

}  // namespace sluis::common
