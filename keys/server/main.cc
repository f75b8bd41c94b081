// sluis-keysd: the key holder.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/rpc/log_service.h"
#include "common/rpc/periodic.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/service_main.h"
#include "common/status/status.h"
#include "keys/server/keys_service.h"
#include "keys/server/project_keys.h"

namespace sluis::keys {
namespace {

// 2: chunks count their repetitions, deliveries have sums. Records of version 1 are read as they are and written anew
// when they change; the number keeps a program that knows only version 1 from counting wrongly.
constexpr std::uint32_t kFormatVersion = 2;
absl::Status MigrateNothing(common::Store&, std::uint32_t) { return absl::OkStatus(); }

absl::StatusOr<std::unique_ptr<common::Runtime>> OpenRuntime(const common::v1::Service& config, bool with_permits) {
  return common::Runtime::Open(config, {kQuotaFamily}, kFormatVersion, with_permits, MigrateNothing);
}

absl::Status ServeKeys(const common::v1::Service& config) {
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, OpenRuntime(config, true));
  QuotaLedger quota(*runtime->store);
  KeyCustody custody(quota);
  const KeyRecords records{*runtime->keystore, *runtime->log};
  SLUIS_RETURN_IF_ERROR(CompleteKeyChanges(records, common::NowSeconds()).status());
  SLUIS_RETURN_IF_ERROR(LoadKeys(records.keystore, custody));
  for (const auto& [id, bundle] : runtime->permits.all()) {
    SLUIS_RETURN_IF_ERROR(CheckPermitKeys(bundle.permit, records.keystore));
  }
  const auto end_retention = [&]() -> absl::Status {
    // A project in which it fails keeps no other from its end.
    absl::Status first_error;
    for (const auto& [id, bundle] : runtime->permits.all()) {
      first_error.Update(common::Annotate(
          EndRetention(bundle.permit, records, custody, quota, common::Today(), common::NowSeconds()), id));
    }
    return first_error;
  };
  SLUIS_ASSIGN_OR_RETURN(const auto retention,
                         common::PeriodicTask::Start("retention", common::kHousekeepingInterval, end_retention));
  KeysService keys(runtime->permits, custody, quota, *runtime->metrics);
  common::LogService log(runtime->log->writer(), runtime->permits, *runtime->metrics);
  common::ServeOptions options;
  options.listen = config.listen();
  options.tls = common::ToTlsFiles(config.tls());
  options.ready_file = config.ready_file();
  options.services = {&keys, &log};
  return common::Serve(options);
}

nlohmann::ordered_json ToJson(const common::KeyEntry& key) {
  return {{"project", key.project}, {"purpose", key.purpose}, {"public_key", common::Base64Encode(key.public_key)}};
}

absl::Status CreateKey(const std::string& config_path, const std::string& project, const std::string& purpose) {
  SLUIS_ASSIGN_OR_RETURN(const common::v1::Service config, common::LoadServiceConfig(config_path));
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, OpenRuntime(config, false));
  SLUIS_ASSIGN_OR_RETURN(const common::KeyEntry key,
                         CreateProjectKey({*runtime->keystore, *runtime->log}, project, purpose, common::NowSeconds()));
  std::cout << ToJson(key).dump(2) << "\n";
  return absl::OkStatus();
}

absl::Status DestroyKey(const std::string& config_path, const std::string& project, const std::string& confirmation) {
  if (confirmation != project) {
    return absl::InvalidArgumentError(absl::StrCat(
        "destroying the keys of project ", project,
        " cannot be undone: no delivery can be pseudonymised any more. Repeat its id as --confirm ", project));
  }
  SLUIS_ASSIGN_OR_RETURN(const common::v1::Service config, common::LoadServiceConfig(config_path));
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, OpenRuntime(config, false));
  SLUIS_ASSIGN_OR_RETURN(const std::vector<common::KeyEntry> keys,
                         DestroyProjectKeys({*runtime->keystore, *runtime->log}, project, common::NowSeconds()));
  nlohmann::ordered_json out = {{"project", project}, {"destroyed", nlohmann::ordered_json::array()}};
  for (const common::KeyEntry& key : keys) out["destroyed"].push_back(ToJson(key));
  std::cout << out.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace sluis::keys

int main(int argc, char** argv) {
  std::string config, project, purpose, confirmation;
  sluis::common::ServiceProgram program;
  program.name = "sluis-keysd";
  program.description =
      "The key holder of Sluis: evaluates blinded identifiers and proves it; sees neither identifiers nor pseudonyms.";
  program.serve = sluis::keys::ServeKeys;
  program.extend = [&](CLI::App& app, absl::Status& status) {
    CLI::App* create =
        app.add_subcommand("create-key", "Make the key of a project and purpose (the service must not be running)");
    create->add_option("--config", config, "YAML configuration")->required();
    create->add_option("--project", project, "Id of the permit")->required();
    create->add_option("--purpose", purpose, "identifiers, match-keys, or tokens (of similarity encodings)")
        ->required();
    create->callback([&] { status = sluis::keys::CreateKey(config, project, purpose); });
    CLI::App* destroy = app.add_subcommand(
        "destroy-key", "Destroy all keys of a project before its retention ends (the service must not be running)");
    destroy->add_option("--config", config, "YAML configuration")->required();
    destroy->add_option("--project", project, "Id of the permit")->required();
    destroy->add_option("--confirm", confirmation, "The id once more: it cannot be undone")->required();
    destroy->callback([&] { status = sluis::keys::DestroyKey(config, project, confirmation); });
  };
  return sluis::common::RunService(argc, argv, program);
}
