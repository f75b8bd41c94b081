#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/app/client.h"
#include "cli/app/command.h"
#include "cli/submit/upload.h"
#include "cli/submit/workspace.h"
#include "common/entry/entry.h"
#include "common/status/status.h"

// What takes a delivery back: `sluis withdraw` one that the linker has, `sluis abort` one that it has not.

namespace sluis::cli {
namespace {

constexpr std::chrono::seconds kCallTimeout(60);

struct Options {
  std::string config, permit, register_name, delivery;
};

absl::Status Withdraw(const Options& options, const Globals& globals) {
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::OpenRetained(options.config, options.permit));
  SLUIS_ASSIGN_OR_RETURN(const auto workspace, Workspace::Open(client));
  SLUIS_ASSIGN_OR_RETURN(const auto channel, client.Linker());
  linker::v1::WithdrawRequest request;
  request.set_permit_id(client.permit.permit.id);
  request.set_register_(options.register_name);
  request.set_delivery_id(options.delivery);
  linker::v1::WithdrawResponse response;
  grpc::ClientContext context;
  SetDeadline(context, kCallTimeout);
  SLUIS_RETURN_IF_ERROR(
      CallStatus(linker::v1::Linker::NewStub(channel)->Withdraw(&context, request, &response), "linker"));
  SLUIS_ASSIGN_OR_RETURN(const Receipt receipt,
                         CheckReceipt(response.receipt(), client.permit.permit, common::entry_type::kWithdrawal,
                                      options.register_name, options.delivery));
  SLUIS_RETURN_IF_ERROR(workspace->states->Remove(options.register_name, options.delivery));
  if (globals.json) {
    std::cout << nlohmann::ordered_json{{"withdrawn", options.delivery},
                                        {"entry", receipt.entry},
                                        {"proof", receipt.proof}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << "Withdrawn: delivery " << options.delivery << " of " << options.register_name
              << "; the entry in the linker's log is verified.\n";
  }
  return absl::OkStatus();
}

absl::Status Abort(const Options& options, const Globals& globals) {
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::OpenRetained(options.config, options.permit));
  SLUIS_ASSIGN_OR_RETURN(const auto workspace, Workspace::Open(client));
  SLUIS_ASSIGN_OR_RETURN(const auto state, workspace->states->Load(options.register_name, options.delivery));
  if (state.has_value() && state->stage == DeliveryStage::kCommitted) {
    return absl::FailedPreconditionError(
        absl::StrCat("delivery ", options.delivery, " was delivered already: take it back with `sluis withdraw`"));
  }
  SLUIS_ASSIGN_OR_RETURN(const auto channel, client.Linker());
  const absl::Status aborted = AbortUpload(*linker::v1::Linker::NewStub(channel), client.permit.permit.id,
                                           options.register_name, options.delivery);
  // Of a delivery that never got as far as the linker there is only what lies here.
  if (!aborted.ok() && !(absl::IsNotFound(aborted) && state.has_value())) return aborted;
  SLUIS_RETURN_IF_ERROR(
      workspace->cache->ForgetBlinds({client.permit.permit.id, options.register_name, options.delivery}));
  SLUIS_RETURN_IF_ERROR(workspace->states->Remove(options.register_name, options.delivery));
  if (globals.json) {
    std::cout << nlohmann::ordered_json{{"aborted", options.delivery}}.dump(2) << "\n";
  } else {
    std::cout << "Aborted: neither the linker nor this machine keeps anything of delivery " << options.delivery
              << " of " << options.register_name
              << ", but the pseudonyms that were evaluated for it stay in the cache.\n";
  }
  return absl::OkStatus();
}

void AddOptions(CLI::App* command, Options& options) {
  command->add_option("--config", options.config, "Configuration of this custodian")->required();
  command->add_option("--permit", options.permit, "Folder with the permit")->required();
  command->add_option("--register", options.register_name, "Register of the permit")->required();
  command->add_option("--delivery", options.delivery, "The delivery")->required();
}

}  // namespace

void AddWithdrawCommands(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<Options>();
  CLI::App* withdraw = app.add_subcommand("withdraw", "Withdraw a delivery as a whole");
  withdraw->footer(
      "Example:\n  sluis withdraw --config jobs.yaml --permit permits/integration --register jobs --delivery "
      "jobs-2026-10");
  AddOptions(withdraw, *options);
  OnRun(withdraw, globals, [options, &globals] { return Withdraw(*options, globals); });

  auto unfinished = std::make_shared<Options>();
  CLI::App* abort = app.add_subcommand("abort", "Give up a delivery that is not complete, here and at the linker");
  abort->footer(
      "Its file may be submitted again, under this or another name; what was evaluated is not debited again.\n"
      "Example:\n  sluis abort --config jobs.yaml --permit permits/integration --register jobs --delivery "
      "jobs-2026-10");
  AddOptions(abort, *unfinished);
  OnRun(abort, globals, [unfinished, &globals] { return Abort(*unfinished, globals); });
}

}  // namespace sluis::cli
