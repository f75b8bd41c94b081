// sluis-linkerd: the linker.

#include <algorithm>
#include <thread>

#include "common/rpc/log_service.h"
#include "common/rpc/periodic.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/service_main.h"
#include "common/status/status.h"
#include "linker/encode/permit_plan.h"
#include "linker/server/housekeeping.h"
#include "linker/server/linker_service.h"

namespace sluis::linker {
namespace {

RecordStoreOptions ToRecordStoreOptions(const common::v1::Service& config) {
  RecordStoreOptions options;
  if (config.max_open_uploads() != 0) options.max_open_uploads = config.max_open_uploads();
  if (config.kept_link_sets() != 0) options.kept_link_sets = config.kept_link_sets();
  return options;
}

// What of a permit only the linker's rules of encoding can tell. Without it the first delivery would be refused.
absl::Status CheckSimilarity(const common::Permit& permit) {
  if (!permit.similarity.has_value()) return absl::OkStatus();
  return common::Annotate(PlanOf(permit).status(), "permit of project " + permit.id);
}

absl::Status ServeLinker(const common::v1::Service& config) {
  std::vector<std::string> families = RecordStore::Families();
  families.push_back(kRequestFamily);
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, common::Runtime::Open(config, families, RecordStore::kFormatVersion, true,
                                                                   RecordStore::Migrate));
  ProjectStores projects;
  for (const auto& [id, bundle] : runtime->permits.all()) {
    if (common::RetentionEnded(bundle.permit, common::Today())) continue;
    SLUIS_RETURN_IF_ERROR(CheckSimilarity(bundle.permit));
    absl::StatusOr<common::SecretBytes> key = runtime->StorageKey(id);
    if (absl::IsAlreadyExists(key.status())) {
      return common::WithReason(absl::FailedPreconditionError(
                                    "the retention of project " + id +
                                    " ended here and its key was destroyed; a permit that goes on needs another id"),
                                "RETENTION_ENDED");
    }
    SLUIS_RETURN_IF_ERROR(key.status());
    projects[id] = std::make_unique<RecordStore>(*runtime->store, id, *key, ToRecordStoreOptions(config));
  }
  LinkerServiceOptions service_options;
  if (config.link_mebibytes() != 0) service_options.link_memory_bytes = config.link_mebibytes() << 20;
  if (config.similarity_memory_mebibytes() != 0) {
    service_options.similarity_memory_bytes = config.similarity_memory_mebibytes() << 20;
  }
  service_options.threads =
      static_cast<int>(config.threads() != 0 ? config.threads() : std::max(1u, std::thread::hardware_concurrency()));
  LinkerService linker(runtime->permits, projects, *runtime->store, *runtime->log, *runtime->metrics, service_options);
  const HousekeepingParts house{runtime->permits, projects, *runtime->store, *runtime->log, *runtime->keystore};
  SLUIS_ASSIGN_OR_RETURN(const auto housekeeping,
                         common::PeriodicTask::Start("housekeeping", common::kHousekeepingInterval,
                                                     [&house] { return KeepHouse(house, common::NowSeconds()); }));
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
