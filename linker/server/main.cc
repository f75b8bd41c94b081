// sluis-linkerd: the linker.

#include <algorithm>
#include <thread>

#include "common/rpc/log_service.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/service_main.h"
#include "common/status/status.h"
#include "linker/server/linker_service.h"

namespace sluis::linker {
namespace {

// An upload to which nothing was added for two weeks is given up when the service starts; the custodian starts it anew.
constexpr std::int64_t kMaxIdleSeconds = 14 * 24 * 3600;

absl::Status ServeLinker(const common::v1::Service& config) {
  std::vector<std::string> families = RecordStore::Families();
  families.push_back(kRequestFamily);
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, common::Runtime::Open(config, families, RecordStore::kFormatVersion, true,
                                                                   RecordStore::Migrate));
  ProjectStores projects;
  for (const auto& [id, bundle] : runtime->permits.all()) {
    SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes key, runtime->StorageKey(id));
    projects[id] = std::make_unique<RecordStore>(*runtime->store, id, key);
    SLUIS_ASSIGN_OR_RETURN(const auto expired, projects[id]->ExpireUploads(common::NowSeconds(), kMaxIdleSeconds));
    for (const DeliveryName& name : expired) {
      common::LogInfo("upload_expired",
                      {{"project", id}, {"register", name.register_name}, {"delivery", name.delivery_id}});
    }
  }
  LinkerServiceOptions service_options;
  if (config.link_mebibytes() != 0) service_options.link_memory_bytes = config.link_mebibytes() << 20;
  service_options.threads =
      static_cast<int>(config.threads() != 0 ? config.threads() : std::max(1u, std::thread::hardware_concurrency()));
  LinkerService linker(runtime->permits, projects, *runtime->store, *runtime->log, *runtime->metrics, service_options);
  common::LogService log(runtime->log->writer(), runtime->permits, *runtime->metrics);
  common::ServeOptions options;
  options.listen = config.listen();
  options.tls = common::ToTlsFiles(config.tls());
  options.ready_file = config.ready_file();
  options.services = {&linker, &log};
  options.on_drain = [&linker] { linker.CancelJobs(); };
  return common::Serve(options);
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) {
  sluis::common::ServiceProgram program;
  program.name = "sluis-linkerd";
  program.description =
      "The linker of Sluis: keeps pseudonyms and sealed attributes, and links them; sees neither identifiers nor "
      "values.";
  program.serve = sluis::linker::ServeLinker;
  return sluis::common::RunService(argc, argv, program);
}
