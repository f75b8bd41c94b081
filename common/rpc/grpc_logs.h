#pragma once

namespace sluis::common {

// Keeps gRPC's own log lines from standard error. A service passes errors on as structured log lines; the command-line
// program, which reports the status of its calls, drops them. Call it before any other use of gRPC.
void RouteGrpcLogs(bool to_structured_log);

}  // namespace sluis::common
