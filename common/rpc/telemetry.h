#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace prometheus {
class Exposer;
class Registry;
}  // namespace prometheus

// Metrics and structured logs of a service. Neither ever holds an identifier, a pseudonym, a value or a key: what may
// be said is the method, the status code, the identity of the organisation that called, names from the permit, and
// sizes of what it was sent.

namespace sluis::common {

// One log line: JSON on standard error with time, level, event and the given fields.
using LogFields = std::map<std::string, std::string>;
void LogInfo(std::string_view event, const LogFields& fields = {});
void LogWarning(std::string_view event, const LogFields& fields = {});
void LogError(std::string_view event, const LogFields& fields = {});

// Prometheus metrics: sluis_rpcs_total{method,code}, sluis_rpc_seconds{method}, sluis_received_bytes_total{method},
// sluis_log_entries_total. Thread-safe.
class Metrics {
 public:
  // Serves the metrics on `listen` (host:port) at /metrics; empty: collects only. Errors: UNAVAILABLE if the port
  // cannot be had.
  static absl::Status Open(const std::string& listen, std::unique_ptr<Metrics>& out);
  ~Metrics();

  void CountCall(std::string_view method, absl::StatusCode code, std::chrono::steady_clock::duration elapsed);
  void CountReceived(std::string_view method, std::size_t bytes);
  void CountLogEntries(std::size_t entries);

 private:
  Metrics();
  struct Families;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace sluis::common
