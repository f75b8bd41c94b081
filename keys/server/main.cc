// sluis-keysd: the key holder.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/rpc/log_service.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/service_main.h"
#include "common/status/status.h"
#include "keys/server/keys_service.h"

namespace sluis::keys {
namespace {

constexpr std::uint32_t kFormatVersion = 1;

absl::Status LoadKeys(const common::Runtime& runtime, KeyCustody& custody) {
  for (const common::KeyEntry& entry : runtime.keystore->List()) {
    if (entry.algorithm != common::KeyAlgorithm::kRistretto255Scalar || entry.state != common::KeyState::kActive)
      continue;
    SLUIS_ASSIGN_OR_RETURN(common::SecretBytes scalar, runtime.keystore->Secret(entry.id));
    SLUIS_ASSIGN_OR_RETURN(KeyPair pair, KeyPair::FromScalar(std::move(scalar)));
    SLUIS_RETURN_IF_ERROR(custody.AddKey(entry.project, entry.purpose, std::move(pair)));
  }
  return absl::OkStatus();
}

// A permit whose public keys are not those held here would only make custodians refuse every answer: say so at start.
absl::Status CheckPermits(const common::Runtime& runtime, const KeyCustody& custody) {
  for (const auto& [id, bundle] : runtime.permits.all()) {
    for (const auto& [purpose, key] : bundle.permit.oprf_public_keys) {
      SLUIS_ASSIGN_OR_RETURN(const Element held, custody.PublicKey(id, purpose));
      if (held != key) {
        return common::WithReason(
            absl::FailedPreconditionError(absl::StrCat("the permit of project ", id, " names another public key for ",
                                                       purpose, " than the one held here")),
            "KEY_MISMATCH");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ServeKeys(const common::v1::Service& config) {
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, common::Runtime::Open(config, {kQuotaFamily}, kFormatVersion, true));
  QuotaLedger quota(*runtime->store);
  KeyCustody custody(quota);
  SLUIS_RETURN_IF_ERROR(LoadKeys(*runtime, custody));
  SLUIS_RETURN_IF_ERROR(CheckPermits(*runtime, custody));
  KeysService keys(runtime->permits, custody, quota, *runtime->metrics);
  common::LogService log(runtime->log->writer(), runtime->permits, *runtime->metrics);
  common::ServeOptions options;
  options.listen = config.listen();
  options.tls = common::ToTlsFiles(config.tls());
  options.ready_file = config.ready_file();
  options.services = {&keys, &log};
  return common::Serve(options);
}

// Makes the OPRF key of a project and purpose, and logs that it did.
absl::Status CreateKey(const std::string& config_path, const std::string& project, const std::string& purpose) {
  SLUIS_ASSIGN_OR_RETURN(const common::v1::Service config, common::LoadServiceConfig(config_path));
  SLUIS_RETURN_IF_ERROR(CheckProjectAndPurpose(project, purpose));
  SLUIS_ASSIGN_OR_RETURN(const auto runtime, common::Runtime::Open(config, {kQuotaFamily}, kFormatVersion, false));
  if (runtime->keystore->Find(project, purpose).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("project ", project, " has a key for ", purpose, " already"));
  }
  const KeyPair pair = KeyPair::Generate();
  common::KeyEntry entry;
  entry.id = absl::StrCat(project, "/", purpose);
  entry.project = project;
  entry.purpose = purpose;
  entry.algorithm = common::KeyAlgorithm::kRistretto255Scalar;
  entry.public_key = std::string(common::AsChars(pair.public_key()));
  entry.created_unix_seconds = common::NowSeconds();
  SLUIS_RETURN_IF_ERROR(runtime->keystore->Add(entry, pair.secret_scalar()).status());
  const std::string log_entry = common::FormatEntry(
      common::entry_type::kKeyCreated, common::NowSeconds(),
      {{"project", project}, {"purpose", purpose}, {"public_key", common::HexEncode(entry.public_key)}});
  SLUIS_RETURN_IF_ERROR(runtime->log->Append(log_entry, common::WriteBatch()).status());
  const nlohmann::ordered_json out = {
      {"project", project}, {"purpose", purpose}, {"public_key", common::Base64Encode(entry.public_key)}};
  std::cout << out.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace sluis::keys

int main(int argc, char** argv) {
  std::string config, project, purpose;
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
    create->add_option("--purpose", purpose, "identifiers or match-keys")->required();
    create->callback([&] { status = sluis::keys::CreateKey(config, project, purpose); });
  };
  return sluis::common::RunService(argc, argv, program);
}
