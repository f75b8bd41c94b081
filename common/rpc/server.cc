#include "common/rpc/server.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/file/atomic_file.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr int kMaxMessageBytes = 8 << 20;
constexpr std::size_t kMaxServerMemory = std::size_t{512} << 20;
constexpr int kMaxThreads = 128;
constexpr std::chrono::seconds kDrain(20);

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void HardenProcess() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

std::int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int32_t Today() { return static_cast<std::int32_t>(NowSeconds() / 86'400); }

absl::Status Serve(const ServeOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ServerCredentials> credentials,
                         MakeServerCredentials(options.tls));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen, credentials, &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 3'600'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 600'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("sluis");
  quota.Resize(kMaxServerMemory);
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.listen, ": is the port taken, the certificate readable?"));
  }
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
  const std::string address = absl::StrCat(host, ":", port);
  LogInfo("serving", {{"address", address}});
  if (!options.ready_file.empty()) {
    SLUIS_RETURN_IF_ERROR(WriteFileAtomically(options.ready_file, address + "\n", 0644));
  }

  const sigset_t set = StopSignals();
  int signal_number = 0;
  sigwait(&set, &signal_number);

  LogInfo("draining");
  if (!options.ready_file.empty()) unlink(options.ready_file.c_str());
  server->GetHealthCheckService()->SetServingStatus(false);
  if (options.on_drain) options.on_drain();
  server->Shutdown(std::chrono::system_clock::now() + kDrain);
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace sluis::common
