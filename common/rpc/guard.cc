#include "common/rpc/guard.h"

#include "absl/strings/str_cat.h"
#include "common/rpc/status_convert.h"
#include "common/rpc/tls.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::chrono::hours kLongestDeadline(24);

absl::Status Denied() {
  return WithReason(absl::PermissionDeniedError("this identity may not do that: no permit gives it the role"),
                    "ACCESS_DENIED");
}

}  // namespace

Guard::Guard(const PermitSet& permits, Table table, Metrics& metrics)
    : permits_(permits), table_(std::move(table)), metrics_(metrics) {}

absl::StatusOr<Caller> Guard::Admit(const grpc::ServerContextBase& context, std::string_view method) const {
  SLUIS_ASSIGN_OR_RETURN(std::string identity, PeerIdentity(context));
  const auto rule = table_.find(method);
  if (rule == table_.end() || !permits_.HasRole(identity, rule->second)) return Denied();
  if (context.deadline() > std::chrono::system_clock::now() + kLongestDeadline) {
    return WithReason(absl::InvalidArgumentError("set a deadline on the call, at most 24 hours"), "DEADLINE_REQUIRED");
  }
  return Caller{std::move(identity)};
}

grpc::Status Guard::Run(const grpc::ServerContextBase& context, std::string_view method,
                        const std::function<absl::Status(const Caller&)>& body) const {
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<Caller> caller = Admit(context, method);
  absl::Status status = caller.status();
  if (status.ok()) {
    try {
      status = body(*caller);
    } catch (const std::bad_alloc&) {
      status = absl::ResourceExhaustedError("the service is out of memory; retry later with smaller requests");
    } catch (const std::exception&) {
      status = absl::InternalError("a fault of the service; its operator finds more in the log");
    }
  }
  metrics_.CountCall(method, status.code(), std::chrono::steady_clock::now() - start);
  if (!status.ok()) {
    LogFields fields = {{"method", std::string(method)},
                        {"code", absl::StatusCodeToString(status.code())},
                        {"reason", ReasonOf(status)}};
    if (caller.ok()) fields["caller"] = caller->identity;
    const absl::Status told = ForCaller(status);
    if (told != status || absl::IsInternal(status) || absl::IsDataLoss(status)) {
      fields["message"] = std::string(status.message());
      LogError("call_failed", fields);
    } else {
      LogWarning("call_refused", fields);
    }
    status = told;
  }
  return ToGrpc(status);
}

absl::StatusOr<const PermitBundle*> Guard::FindPermit(const Caller& caller, Role role, std::string_view id,
                                                      std::string_view sha256, Day today, PermitDays days) const {
  const auto it = permits_.all().find(id);
  if (it == permits_.all().end() || !HasRole(it->second.permit, caller.identity, role)) return Denied();
  return days == PermitDays::kValid ? permits_.Find(id, sha256, today) : permits_.FindRetained(id, sha256, today);
}

}  // namespace sluis::common
