// sluis-disclosured: the statistical office's gate.

#include <algorithm>
#include <thread>

#include "common/rpc/log_service.h"
#include "common/rpc/periodic.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/service_main.h"
#include "common/status/status.h"
#include "disclosure/server/gate_service.h"
#include "disclosure/server/retention.h"

namespace sluis::disclosure {
namespace {

absl::StatusOr<common::SealingKeyPair> SealingKey(const common::Keystore& keystore) {
  SLUIS_ASSIGN_OR_RETURN(const common::KeyEntry entry,
                         keystore.Find(common::kServiceProject, common::kSealingKeyPurpose));
  common::SealingKeyPair pair;
  SLUIS_ASSIGN_OR_RETURN(pair.secret_key, keystore.Secret(entry.id));
  std::copy(entry.public_key.begin(), entry.public_key.end(), pair.public_key.begin());
  return pair;
}

// The key that seals the ledger; made on first use.
absl::StatusOr<common::SecretBytes> LedgerKey(common::Keystore& keystore) {
  constexpr char kLedgerKeyPurpose[] = "ledger";
  absl::StatusOr<common::KeyEntry> found = keystore.Find(common::kServiceProject, kLedgerKeyPurpose);
  if (absl::IsNotFound(found.status())) {
    common::KeyEntry entry;
    entry.id = kLedgerKeyPurpose;
    entry.project = common::kServiceProject;
    entry.purpose = kLedgerKeyPurpose;
    entry.created_unix_seconds = common::NowSeconds();
    found = keystore.Add(entry, common::SecretBytes::Random(common::kAeadKeySize));
  }
  if (!found.ok()) return found.status();
  return keystore.Secret(found->id);
}

absl::Status ServeGate(const common::v1::Service& config) {
  if (config.linker().address().empty() || config.linker().identity().empty()) {
    return absl::InvalidArgumentError("configuration field linker: address and identity are expected");
  }
  std::vector<std::string> families = ReleaseStore::Families();
  for (const std::string& family : LedgerStore::Families()) families.push_back(family);
  // Releases that were made before there was a ledger keep their marks: nothing is to be done.
  const common::StoreMigration migrate = [](common::Store&, std::uint32_t) { return absl::OkStatus(); };
  SLUIS_ASSIGN_OR_RETURN(const auto runtime,
                         common::Runtime::Open(config, families, ReleaseStore::kFormatVersion, true, migrate));
  SLUIS_ASSIGN_OR_RETURN(const common::SealingKeyPair sealing_key, SealingKey(*runtime->keystore));
  ReleaseStores releases;
  for (const auto& [id, bundle] : runtime->permits.all()) {
    if (common::RetentionEnded(bundle.permit, common::Today())) continue;
    if (bundle.permit.gate_sealing_key != sealing_key.public_key) {
      return common::WithReason(absl::FailedPreconditionError("the permit of project " + id +
                                                              " names another gate_sealing_key than the one held here"),
                                "KEY_MISMATCH");
    }
    absl::StatusOr<common::SecretBytes> key = runtime->StorageKey(id);
    if (absl::IsAlreadyExists(key.status())) {
      return common::WithReason(absl::FailedPreconditionError(
                                    "the retention of project " + id +
                                    " ended here and its key was destroyed; a permit that goes on needs another id"),
                                "RETENTION_ENDED");
    }
    SLUIS_RETURN_IF_ERROR(key.status());
    releases[id] = std::make_unique<ReleaseStore>(*runtime->store, bundle.permit, *std::move(key));
  }
  SLUIS_ASSIGN_OR_RETURN(common::SecretBytes ledger_key, LedgerKey(*runtime->keystore));
  const auto project_key =
      [&runtime](const std::string& project) -> absl::StatusOr<std::optional<common::SecretBytes>> {
    const absl::StatusOr<common::KeyEntry> entry = runtime->keystore->Find(project, common::kStoragePurpose);
    if (absl::IsNotFound(entry.status())) return std::nullopt;
    SLUIS_RETURN_IF_ERROR(entry.status());
    return runtime->keystore->Secret(entry->id);
  };
  const LedgerStore ledger(*runtime->store, std::move(ledger_key), project_key);
  SLUIS_RETURN_IF_ERROR(ledger.CheckComplete());
  SLUIS_ASSIGN_OR_RETURN(const auto channel, common::Connect(common::ToTlsFiles(config.tls()),
                                                             config.linker().address(), config.linker().identity()));
  const auto linker = sluis::linker::v1::Linker::NewStub(channel);
  const int threads =
      static_cast<int>(config.threads() != 0 ? config.threads() : std::max(1u, std::thread::hardware_concurrency()));
  GateService gate(GateParts{runtime->permits, releases, ledger, *runtime->log, *runtime->metrics, *linker, sealing_key,
                             std::min(threads, 64)});
  SLUIS_RETURN_IF_ERROR(gate.LoadQuestions());
  const auto end_retention = [&runtime]() -> absl::Status {
    // A project in which it fails keeps no other from its end.
    absl::Status first_error;
    for (const auto& [id, bundle] : runtime->permits.all()) {
      first_error.Update(common::Annotate(
          EndRetention(bundle.permit, *runtime->store, *runtime->log, *runtime->keystore, common::NowSeconds()), id));
    }
    return first_error;
  };
  SLUIS_ASSIGN_OR_RETURN(const auto retention,
                         common::PeriodicTask::Start("retention", common::kHousekeepingInterval, end_retention));
  common::LogService log(runtime->log->writer(), runtime->permits, *runtime->metrics);
  common::ServeOptions options;
  options.listen = config.listen();
  options.tls = common::ToTlsFiles(config.tls());
  options.ready_file = config.ready_file();
  options.services = {&gate, &log};
  options.on_drain = [&gate] { gate.CancelJobs(); };
  return common::Serve(options);
}

}  // namespace
}  // namespace sluis::disclosure

int main(int argc, char** argv) {
  sluis::common::ServiceProgram program;
  program.name = "sluis-disclosured";
  program.description =
      "The gate of Sluis: opens attributes, tabulates, protects, and lets nothing out that is not proven safe and "
      "logged.";
  program.with_sealing_key = true;
  program.serve = sluis::disclosure::ServeGate;
  return sluis::common::RunService(argc, argv, program);
}
