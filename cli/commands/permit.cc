#include <iostream>
#include <memory>

#include "cli/app/client.h"
#include "cli/app/command.h"
#include "cli/app/key_file.h"
#include "cli/show/permit_view.h"
#include "common/document/permit_document.h"
#include "common/file/atomic_file.h"
#include "common/rpc/config.h"
#include "common/status/status.h"
#include "linker/encode/permit_plan.h"

namespace sluis::cli {
namespace {

void PrintPermit(const common::Permit& permit, bool json) {
  std::cout << (json ? PermitJson(permit).dump(2) + "\n" : PermitText(permit));
}

absl::StatusOr<common::Permit> ReadPermit(const std::string& directory) {
  SLUIS_ASSIGN_OR_RETURN(const std::string document, common::ReadFileBounded(directory + "/permit.yaml", 4 << 20));
  return common::ParsePermit(document);
}

// What only the linker's rules of encoding can tell of a permit; without it the first delivery would.
absl::Status CheckSimilarity(const common::Permit& permit) {
  return permit.similarity.has_value() ? linker::PlanOf(permit).status() : absl::OkStatus();
}

}  // namespace

void AddPermitCommand(CLI::App& app, Globals& globals) {
  CLI::App* permit = app.add_subcommand("permit", "Read, approve and check permits");
  permit->require_subcommand(1);
  struct Options {
    std::string directory, name, key, config;
  };
  auto options = std::make_shared<Options>();

  CLI::App* show =
      permit->add_subcommand("show", "Print what a permit allows, field by field (it need not be approved)");
  show->footer("Example:\n  sluis permit show permits/integration");
  show->add_option("directory", options->directory, "Folder with permit.yaml")->required();
  OnRun(show, globals, [options, &globals]() -> absl::Status {
    SLUIS_RETURN_IF_ERROR(CheckIsFolder("directory", options->directory));
    SLUIS_ASSIGN_OR_RETURN(const common::Permit read, ReadPermit(options->directory));
    PrintPermit(read, globals.json);
    return absl::OkStatus();
  });

  CLI::App* approve = permit->add_subcommand("approve", "Sign a permit as an approver");
  approve->footer("Example:\n  sluis permit approve permits/integration --name anna --key anna.key");
  approve->add_option("directory", options->directory, "Folder with permit.yaml")->required();
  approve->add_option("--name", options->name, "The approver's name in the services' configuration")->required();
  approve->add_option("--key", options->key, "The approver's key file")->required();
  OnRun(approve, globals, [options]() -> absl::Status {
    SLUIS_RETURN_IF_ERROR(CheckIsFolder("directory", options->directory));
    SLUIS_ASSIGN_OR_RETURN(const common::Permit read, ReadPermit(options->directory));
    SLUIS_RETURN_IF_ERROR(CheckSimilarity(read));
    SLUIS_ASSIGN_OR_RETURN(const common::SigningKey key, ReadSigningKey(options->key));
    SLUIS_RETURN_IF_ERROR(common::ApprovePermit(options->directory, options->name, key));
    std::cout << options->directory << "/permit.yaml." << options->name << ".sig\n";
    return absl::OkStatus();
  });

  CLI::App* check = permit->add_subcommand(
      "check", "Check a permit, its attachments and its approvals as a service with this configuration would");
  check->add_option("directory", options->directory, "Folder with permit.yaml")->required();
  check->add_option("--config", options->config, "A client's configuration file")->required();
  OnRun(check, globals, [options, &globals]() -> absl::Status {
    SLUIS_RETURN_IF_ERROR(CheckIsFolder("directory", options->directory));
    SLUIS_RETURN_IF_ERROR(CheckIsFile("--config", options->config));
    SLUIS_ASSIGN_OR_RETURN(const auto config, common::LoadClientConfig(options->config));
    SLUIS_ASSIGN_OR_RETURN(const auto approvers, common::ToApprovers(config.permits()));
    SLUIS_ASSIGN_OR_RETURN(
        const common::PermitBundle bundle,
        common::LoadPermit(options->directory, approvers, static_cast<int>(config.permits().required_approvals())));
    SLUIS_RETURN_IF_ERROR(CheckSimilarity(bundle.permit));
    PrintPermit(bundle.permit, globals.json);
    return absl::OkStatus();
  });
}

}  // namespace sluis::cli
