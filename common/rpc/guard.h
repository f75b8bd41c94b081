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

// Who may call which method. One table per service; a method that is not in it is refused to everybody.
class Guard {
 public:
  using Table =
      std::map<std::string, Role, std::less<>>;  // method -> role that the caller needs in at least one permit

  // `permits` and `metrics` outlive the guard.
  Guard(const PermitSet& permits, Table table, Metrics& metrics);

  // Runs one call: authenticates the peer, checks the table, demands a deadline, runs `body`, counts and logs the
  // outcome. Errors before `body`: UNAUTHENTICATED; PERMISSION_DENIED (ACCESS_DENIED); INVALID_ARGUMENT
  // (DEADLINE_REQUIRED). What `body` may still have to check is whether the caller has the role in the permit at hand:
  // see RequireRole.
  grpc::Status Run(const grpc::ServerContextBase& context, std::string_view method,
                   const std::function<absl::Status(const Caller&)>& body) const;

  const Table& table() const { return table_; }

 private:
  absl::StatusOr<Caller> Admit(const grpc::ServerContextBase& context, std::string_view method) const;

  const PermitSet& permits_;
  const Table table_;
  Metrics& metrics_;
};

// Errors: PERMISSION_DENIED (ACCESS_DENIED) unless `caller` has `role` in `permit`.
[[nodiscard]] absl::Status RequireRole(const Permit& permit, const Caller& caller, Role role);

}  // namespace sluis::common
