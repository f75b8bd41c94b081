#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/app/client.h"
#include "cli/app/command.h"
#include "cli/app/key_file.h"
#include "cli/app/progress.h"
#include "cli/extract/check.h"
#include "cli/extract/code_list.h"
#include "cli/extract/reader.h"
#include "cli/prepare/encode_rows.h"
#include "cli/prepare/extract_rows.h"
#include "cli/prepare/prepare.h"
#include "cli/submit/remote_evaluator.h"
#include "cli/submit/upload.h"
#include "cli/submit/workspace.h"
#include "common/crypto/crypto.h"
#include "common/entry/entry.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

struct Options {
  std::string config, permit, register_name, delivery, replaces, file, receipt;
  bool dry_run = false;
  std::size_t error_cap = 1000;
};

absl::StatusOr<common::Hash256> HashFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("the file ", path, " cannot be read"));
  common::Sha256Hasher hasher;
  std::string block(1 << 20, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    hasher.Update(std::string_view(block).substr(0, static_cast<std::size_t>(in.gcount())));
  }
  return hasher.Finish();
}

absl::StatusOr<std::shared_ptr<const ExtractPlan>> MakePlan(const common::PermitBundle& bundle,
                                                            const common::PermitRegister& reg) {
  const auto schema = common::Schema::Parse(bundle.attachments.at(reg.schema));
  if (!schema.ok()) return common::Annotate(schema.status(), reg.schema);
  CodeLists lists;
  for (const common::PermitField& field : reg.fields) {
    if (field.code_list.empty()) continue;
    auto list = ParseCodeList(bundle.attachments.at(field.code_list));
    if (!list.ok()) return common::Annotate(list.status(), field.code_list);
    lists[field.code_list] = *std::move(list);
  }
  return ExtractPlan::Make(*schema, bundle.permit, reg.name, std::move(lists));
}

ExtractReader::Options ReaderOptions(const common::SecretBytes& token_key) {
  ExtractReader::Options options;
  options.token_key = &token_key;
  return options;
}

nlohmann::ordered_json ToJson(const DryRunReport& report) {
  nlohmann::ordered_json out = {{"dry_run", true}, {"records", report.records}};
  for (const auto& purpose : report.purposes) {
    out["identifiers"].push_back({{"purpose", purpose.name},
                                  {"distinct", purpose.distinct},
                                  {"cached", purpose.cached},
                                  {"needed", purpose.distinct - purpose.cached},
                                  {"delivery_budget", purpose.delivery_budget}});
  }
  for (const auto& key : report.keys) out["match_keys"].push_back({{"name", key.name}, {"records", key.records}});
  for (const auto& field : report.fields)
    out["fields"].push_back({{"name", field.name}, {"granularity", field.granularity}});
  if (!report.features.empty()) {
    out["encodings"] = {{"features", report.features}, {"bytes", report.encoding_bytes}};
  }
  out["row_bytes"] = report.row_bytes;
  out["bytes_to_key_holder"] = report.bytes_to_key_holder;
  out["bytes_to_linker"] = report.bytes_to_linker;
  return out;
}

// What a warning means for the custodian.
std::string WarningInWords(const std::string& rule) {
  if (rule == "IDENTIFIER_MISSING") return "without an identifier: kept, they can be linked by the other match keys";
  if (rule == "IDENTIFIER_ELEVEN_TEST") {
    return "whose identifier fails the eleven test: kept, they can be linked by the other match keys";
  }
  return absl::StrCat("with the warning ", rule, ": kept");
}

void PrintDryRun(const DryRunReport& report) {
  std::cout << "Dry run: nothing was sent, to nobody; no service was asked.\n"
            << report.records << " records would go to the linker, each as " << report.row_bytes
            << " sealed bytes with these attributes, which only the gate can open:\n";
  for (const auto& field : report.fields) std::cout << "  " << field.name << ": " << field.granularity << "\n";
  std::cout << "Match keys, as pseudonyms:\n";
  for (const auto& key : report.keys) std::cout << "  " << key.name << ": " << key.records << " records carry it\n";
  if (!report.features.empty()) {
    std::cout << "Each record also carries a similarity encoding of " << report.encoding_bytes << " bytes, made of "
              << absl::StrJoin(report.features, ", ") << ".\n";
  }
  std::cout << "They would need these evaluations by the key holder, of blinded identifiers and tokens:\n";
  for (const auto& purpose : report.purposes) {
    const std::uint64_t needed = purpose.distinct - purpose.cached;
    std::cout << "  " << purpose.name << ": " << needed << " of " << purpose.distinct << " distinct (" << purpose.cached
              << " were evaluated before); the permit gives a delivery " << purpose.delivery_budget
              << (needed > purpose.delivery_budget ? ", which is too few: it would be refused\n" : "\n");
  }
  std::cout << "Bytes that would be sent: " << report.bytes_to_key_holder << " to the key holder, "
            << report.bytes_to_linker << " to the linker.\n";
}

void PrintReceipt(const Options& options, const DeliveryState& state, const Receipt& receipt, bool json) {
  const auto entry = common::ParseEntry(receipt.entry);
  if (json) {
    std::cout << nlohmann::ordered_json{{"register", options.register_name},
                                        {"delivery", options.delivery},
                                        {"records", state.header.record_count},
                                        {"identifiers_evaluated", state.evaluated},
                                        {"tokens_evaluated", state.tokens_evaluated},
                                        {"delivery_sha256", entry->Text("delivery_sha256")},
                                        {"entry", receipt.entry},
                                        {"proof", receipt.proof}}
                     .dump(2)
              << "\n";
    return;
  }
  std::cout << "Delivered " << state.header.record_count << " records of " << options.register_name << " as "
            << options.delivery << " (" << state.evaluated << " identifiers"
            << (state.header.encoding_bytes > 0 ? absl::StrCat(" and ", state.tokens_evaluated, " tokens") : "")
            << " evaluated).\n"
            << "Receipt, in the linker's log and verified: " << entry->Text("delivery_sha256") << "\n";
  if (!options.receipt.empty()) std::cout << "Kept in " << options.receipt << "\n";
}

absl::StatusOr<Receipt> ParseReceipt(const std::string& text) {
  const std::size_t gap = text.find("\n\n");
  if (gap == std::string::npos) return absl::DataLossError("the receipt in the state directory is damaged");
  return Receipt{text.substr(0, gap), text.substr(gap + 2)};
}

// Returns the custodian's signing key, checked against the permit before anything leaves.
absl::StatusOr<common::SigningKey> SigningKeyOf(const Client& client, const common::PermitRegister& reg) {
  if (client.config.signing_key().empty()) {
    return absl::InvalidArgumentError(
        "configuration field signing_key: the file with the custodian's signing key is expected, as `sluis key create` "
        "writes it; its public key stands in the permit");
  }
  SLUIS_ASSIGN_OR_RETURN(common::SigningKey key, ReadSigningKey(client.config.signing_key()));
  if (key.public_key != reg.custodian_key) {
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("the permit names another custodian_key for register ", reg.name,
                                                   " than that of the file ", client.config.signing_key())),
        "SIGNING_KEY_NOT_PERMITTED");
  }
  return key;
}

absl::Status Deliver(const Options& options, const Client& client, const common::PermitRegister& reg,
                     const std::shared_ptr<const ExtractPlan>& plan, Workspace& workspace, const Globals& globals) {
  const common::Permit& permit = client.permit.permit;
  SLUIS_ASSIGN_OR_RETURN(const common::SigningKey signing_key, SigningKeyOf(client, reg));
  DeliveryJob job;
  job.permit = &permit;
  job.register_name = reg.name;
  job.delivery_id = options.delivery;
  job.replaces = options.replaces;
  SLUIS_ASSIGN_OR_RETURN(job.input_sha256, HashFile(options.file));
  job.schema_sha256 = permit.FindAttachment(reg.schema)->sha256;
  SLUIS_ASSIGN_OR_RETURN(const auto same, workspace.states->FindByInput(permit.sha256, reg.name, job.input_sha256));
  if (same.has_value() && same->header.delivery_id != options.delivery) {
    return common::WithReason(absl::FailedPreconditionError(absl::StrCat(
                                  "this very file was submitted before, as delivery ", same->header.delivery_id,
                                  "; submit it under that name, or a corrected file")),
                              "DUPLICATE_DELIVERY");
  }

  const common::SecretBytes token_key = common::SecretBytes::Random(32);
  SLUIS_ASSIGN_OR_RETURN(const auto reader, ExtractReader::Open(options.file, plan, ReaderOptions(token_key)));
  SLUIS_ASSIGN_OR_RETURN(ExtractRows source, ExtractRows::Make(*reader, permit));
  SLUIS_ASSIGN_OR_RETURN(const auto keys_channel, client.Keys());
  RemoteEvaluator evaluator(keys_channel, permit, reg.name);
  SystemRandom random;
  const Workshop workshop{*workspace.cache, *workspace.states, *workspace.spill, random};
  Progress pseudonymising("pseudonymise " + reg.name, "rows", globals.quiet);
  std::optional<Progress> evaluating;  // if tokens are not in the cache
  Progress sealing("seal and shuffle " + reg.name, "rows", globals.quiet);
  PseudonymiseOptions pseudonymise;
  std::uint64_t rows = 0;
  pseudonymise.progress = [&](const PseudonymiseProgress& p) {
    rows = p.rows;
    pseudonymising.Update(p.rows, 0);
    if (p.tokens == 0) return;
    pseudonymising.Finish();
    if (!evaluating.has_value()) evaluating.emplace("evaluate tokens of " + reg.name, "tokens", globals.quiet);
    evaluating->Update(p.tokens_evaluated, p.tokens);
  };
  SealOptions seal;
  const common::SecretBytes noise_key = NoiseKey(workspace.local_key, permit.id);
  seal.noise_key = &noise_key;
  seal.progress = [&](std::uint64_t done) {
    pseudonymising.Finish();
    if (evaluating.has_value()) evaluating->Finish();
    sealing.Update(done, rows);
  };
  SLUIS_ASSIGN_OR_RETURN(DeliveryState state, PrepareDelivery(job, source, evaluator, workshop, pseudonymise, seal));
  pseudonymising.Finish();
  sealing.Finish();

  Receipt receipt;
  if (state.stage == DeliveryStage::kCommitted) {
    SLUIS_ASSIGN_OR_RETURN(receipt, ParseReceipt(state.receipt));
  } else {
    SLUIS_ASSIGN_OR_RETURN(const auto linker_channel, client.Linker());
    const auto stub = linker::v1::Linker::NewStub(linker_channel);
    Progress uploading("upload " + reg.name, "records", globals.quiet);
    absl::StatusOr<Receipt> uploaded =
        UploadDelivery(*stub, permit, state, *workspace.states, signing_key,
                       [&](std::uint64_t sent, std::uint64_t total) { uploading.Update(sent, total); });
    if (common::ReasonOf(uploaded.status()) == "DELIVERY_NOT_CURRENT") {
      return common::Annotate(uploaded.status(),
                              absl::StrCat("delivery ", options.delivery,
                                           " is prepared here and nothing of it is lost: run the same command again "
                                           "with --replaces and the register's current delivery, or without it if "
                                           "there is none"));
    }
    SLUIS_RETURN_IF_ERROR(uploaded.status());
    receipt = *std::move(uploaded);
    uploading.Finish();
    state.stage = DeliveryStage::kCommitted;
    state.receipt = FormatReceipt(receipt);
    SLUIS_RETURN_IF_ERROR(workspace.states->Save(state));
  }
  // What was replaced does not stand any more: its file may be delivered again, under a new id. It was forgotten as
  // soon as this delivery was saved; this removes what is left of it.
  SLUIS_RETURN_IF_ERROR(workspace.states->Tidy());
  if (!options.receipt.empty()) {
    SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(options.receipt, FormatReceipt(receipt), 0644));
  }
  PrintReceipt(options, state, receipt, globals.json);
  return absl::OkStatus();
}

// Deliveries of the register that were begun under other names and neither delivered nor given up.
absl::Status TellUnfinished(const Options& options, const DeliveryStates& states, const Globals& globals) {
  if (globals.quiet) return absl::OkStatus();
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DeliveryState> all, states.List());
  for (const DeliveryState& state : all) {
    if (state.stage == DeliveryStage::kCommitted || state.header.register_name != options.register_name ||
        state.header.delivery_id == options.delivery) {
      continue;
    }
    std::cerr << "  delivery " << state.header.delivery_id
              << " was begun and is not complete: submit it again, or give it up with `sluis abort`\n";
  }
  return absl::OkStatus();
}

// Returns the exit code: errors of the extract have one of their own.
absl::StatusOr<int> Submit(const Options& options, const Globals& globals) {
  SLUIS_RETURN_IF_ERROR(CheckIsFile("file", options.file));
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::Open(options.config, options.permit));
  const common::PermitRegister* reg = client.permit.permit.FindRegister(options.register_name);
  if (reg == nullptr) {
    return absl::PermissionDeniedError(absl::StrCat("the permit names no register ", options.register_name));
  }
  SLUIS_ASSIGN_OR_RETURN(const auto plan, MakePlan(client.permit, *reg));
  SLUIS_RETURN_IF_ERROR(FindEncodingPlan(client.permit.permit, *reg).status());
  SLUIS_ASSIGN_OR_RETURN(const auto workspace, Workspace::Open(client));

  SLUIS_RETURN_IF_ERROR(TellUnfinished(options, *workspace->states, globals));

  CheckOptions check;
  check.error_cap = options.error_cap;
  check.spill = &*workspace->spill;
  const common::SecretBytes unique_key = common::SecretBytes::Random(32);
  check.unique_key = &unique_key;
  Progress checking("check " + reg->name, "records", globals.quiet);
  check.progress = [&](std::uint64_t records) { checking.Update(records, 0); };
  const CheckReport report = CheckExtract(options.file, plan, check);
  if (!report.ok()) {
    std::cout << (globals.json ? cli::ToJson(report) + "\n" : ToText(report));
    std::cerr << "sluis: the extract has errors; nothing has left. Correct the file and submit it again.\n";
    return kExitBadData;
  }
  checking.Update(report.records, 0);
  checking.Finish();
  for (const auto& [rule, count] : report.warnings) {
    if (!globals.quiet) std::cerr << "  " << count << " rows " << WarningInWords(rule) << "\n";
  }

  if (options.dry_run) {
    const common::SecretBytes token_key = common::SecretBytes::Random(32);
    SLUIS_ASSIGN_OR_RETURN(const auto reader, ExtractReader::Open(options.file, plan, ReaderOptions(token_key)));
    SLUIS_ASSIGN_OR_RETURN(ExtractRows source, ExtractRows::Make(*reader, client.permit.permit));
    SLUIS_ASSIGN_OR_RETURN(const DryRunReport dry,
                           DryRun(client.permit.permit, reg->name, source, *workspace->cache, *workspace->spill));
    if (globals.json) {
      std::cout << ToJson(dry).dump(2) << "\n";
    } else {
      PrintDryRun(dry);
    }
    return kExitOk;
  }
  SLUIS_RETURN_IF_ERROR(Deliver(options, client, *reg, plan, *workspace, globals));
  return kExitOk;
}

}  // namespace

void AddSubmitCommand(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<Options>();
  CLI::App* submit =
      app.add_subcommand("submit", "Check an extract, coarsen, pseudonymise and seal it, and deliver it to the linker");
  submit->footer(
      "Run again after any failure: it continues where it stopped, and nothing is debited or delivered twice.\n"
      "A forgotten or wrong --replaces can be put right by running again, until the linker has the delivery.\n"
      "Examples:\n"
      "  sluis submit --config jobs.yaml --permit permits/integration --register jobs --delivery jobs-2026-10 "
      "--dry-run jobs.csv\n"
      "  sluis submit --config jobs.yaml --permit permits/integration --register jobs --delivery jobs-2026-10 "
      "jobs.csv\n"
      "  sluis submit ... --delivery jobs-2026-10b --replaces jobs-2026-10 corrected.csv");
  submit->add_option("--config", options->config, "Configuration of this custodian")->required();
  submit->add_option("--permit", options->permit, "Folder with the permit")->required();
  submit->add_option("--register", options->register_name, "Register of the permit")->required();
  submit->add_option("--delivery", options->delivery, "Your name for this delivery; new for each file")->required();
  submit->add_option("--replaces", options->replaces, "The delivery that this one corrects as a whole");
  submit->add_option("--receipt", options->receipt, "File for the receipt");
  submit->add_option("--error-cap", options->error_cap, "Errors that are listed; all are counted")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}))
      ->capture_default_str();
  submit->add_flag("--dry-run", options->dry_run, "Check and coarsen all, send nothing: say what would leave");
  submit->add_option("file", options->file, "CSV or fixed-width file, also .gz or .zst")->required();
  OnRunWithCode(submit, globals, [options, &globals] { return Submit(*options, globals); });
}

}  // namespace sluis::cli
