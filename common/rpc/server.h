#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/tls.h"

namespace sluis::common {

struct ServeOptions {
  std::string listen;  // host:port; port 0 takes a free one
  TlsFiles tls;
  std::string ready_file;  // written with "host:port\n" once calls are accepted, removed at the end; empty: none
  std::vector<grpc::Service*> services;
  std::function<void()> on_drain;  // called once when the service starts to drain: stop long jobs
};

// Serves until SIGTERM or SIGINT, then drains: health turns to NOT_SERVING, no new calls, running ones get 20 seconds.
// Call BlockSignals() before any thread is started. Errors: UNAVAILABLE if the address cannot be had; as
// MakeServerCredentials.
[[nodiscard]] absl::Status Serve(const ServeOptions& options);

// Makes SIGTERM and SIGINT wait for Serve, ignores SIGPIPE.
void BlockSignals();

// No core dumps and no debugger: memory holds keys or attributes.
void HardenProcess();

// Today in UTC, as days since 1970-01-01, and the time as seconds since then. The one place where services read the
// clock.
[[nodiscard]] std::int32_t Today();
[[nodiscard]] std::int64_t NowSeconds();

}  // namespace sluis::common
