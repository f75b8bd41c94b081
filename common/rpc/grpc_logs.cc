#include "common/rpc/grpc_logs.h"

#include <grpc/support/log.h>

#include <string_view>

#include "common/rpc/telemetry.h"

namespace sluis::common {
namespace {

void Drop(gpr_log_func_args*) {}

void PassOn(gpr_log_func_args* line) {
  if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
  // Peers are known by their SPIFFE IDs; that a certificate does not carry the address that was dialled is no error
  // here.
  if (std::string_view(line->message).find("No match found for server name") != std::string_view::npos) return;
  LogWarning("grpc", {{"message", line->message}});
}

}  // namespace

void RouteGrpcLogs(bool to_structured_log) { gpr_set_log_function(to_structured_log ? PassOn : Drop); }

}  // namespace sluis::common
