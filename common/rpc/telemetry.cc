#include "common/rpc/telemetry.h"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluis::common {
namespace {

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("sluis", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

void Log(spdlog::level::level_enum level, std::string_view event, const LogFields& fields) {
  nlohmann::ordered_json line;
  line["event"] = event;
  for (const auto& [name, value] : fields) line[name] = value;
  const std::string text = line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  Logger().log(level, std::string_view(text).substr(1, text.size() - 2));
}

}  // namespace

void LogInfo(std::string_view event, const LogFields& fields) { Log(spdlog::level::info, event, fields); }
void LogWarning(std::string_view event, const LogFields& fields) { Log(spdlog::level::warn, event, fields); }
void LogError(std::string_view event, const LogFields& fields) { Log(spdlog::level::err, event, fields); }

struct Metrics::Families {
  explicit Families(prometheus::Registry& registry)
      : calls(prometheus::BuildCounter()
                  .Name("sluis_rpcs_total")
                  .Help("Calls by method and status code")
                  .Register(registry)),
        seconds(prometheus::BuildHistogram().Name("sluis_rpc_seconds").Help("Duration of calls").Register(registry)),
        received(prometheus::BuildCounter()
                     .Name("sluis_received_bytes_total")
                     .Help("Payload bytes received in uploads")
                     .Register(registry)),
        entries(prometheus::BuildCounter()
                    .Name("sluis_log_entries_total")
                    .Help("Entries appended to the log")
                    .Register(registry)) {}
  prometheus::Family<prometheus::Counter>& calls;
  prometheus::Family<prometheus::Histogram>& seconds;
  prometheus::Family<prometheus::Counter>& received;
  prometheus::Family<prometheus::Counter>& entries;
};

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()), families_(std::make_unique<Families>(*registry_)) {}
Metrics::~Metrics() = default;

absl::Status Metrics::Open(const std::string& listen, std::unique_ptr<Metrics>& out) {
  std::unique_ptr<Metrics> metrics(new Metrics());
  if (!listen.empty()) {
    try {
      metrics->exposer_ = std::make_unique<prometheus::Exposer>(listen, 1);
    } catch (const std::exception&) {
      return absl::UnavailableError(absl::StrCat("metrics cannot be served on ", listen, ": is the port taken?"));
    }
    metrics->exposer_->RegisterCollectable(metrics->registry_);
  }
  out = std::move(metrics);
  return absl::OkStatus();
}

void Metrics::CountCall(std::string_view method, absl::StatusCode code, std::chrono::steady_clock::duration elapsed) {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60};
  families_->calls.Add({{"method", std::string(method)}, {"code", absl::StatusCodeToString(code)}}).Increment();
  families_->seconds.Add({{"method", std::string(method)}}, kBuckets)
      .Observe(std::chrono::duration<double>(elapsed).count());
}

void Metrics::CountReceived(std::string_view method, std::size_t bytes) {
  families_->received.Add({{"method", std::string(method)}}).Increment(static_cast<double>(bytes));
}

void Metrics::CountLogEntries(std::size_t entries) {
  families_->entries.Add({}).Increment(static_cast<double>(entries));
}

}  // namespace sluis::common
