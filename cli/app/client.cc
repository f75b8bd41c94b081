#include "cli/app/client.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/rpc/server.h"
#include "common/rpc/status_convert.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr char kDiskFull[] = "DISK_FULL";
constexpr char kStoreFault[] = "STORE_FAULT";

absl::Status DiskFull(const std::string& service) {
  return common::WithReason(
      absl::ResourceExhaustedError(absl::StrCat("the disk of the ", service,
                                                " is full: ask its operator to free space, then give the same command "
                                                "again; what was confirmed before is kept")),
      kDiskFull);
}

}  // namespace

absl::Status CheckIsFile(const std::string& argument, const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  const char* what = std::filesystem::exists(path, error) ? " is not a file" : ": there is no such file";
  return absl::InvalidArgumentError(absl::StrCat(argument, " ", path, what));
}

absl::Status CheckIsFolder(const std::string& argument, const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  const char* what = std::filesystem::exists(path, error) ? " is not a folder" : ": there is no such folder";
  return absl::InvalidArgumentError(absl::StrCat(argument, " ", path, what));
}

absl::StatusOr<Client> Client::Load(const std::string& config_path, const std::string& permit_directory) {
  SLUIS_RETURN_IF_ERROR(CheckIsFile("--config", config_path));
  SLUIS_RETURN_IF_ERROR(CheckIsFolder("--permit", permit_directory));
  Client client;
  SLUIS_ASSIGN_OR_RETURN(client.config, common::LoadClientConfig(config_path));
  SLUIS_ASSIGN_OR_RETURN(const auto approvers, common::ToApprovers(client.config.permits()));
  SLUIS_ASSIGN_OR_RETURN(
      client.permit,
      common::LoadPermit(permit_directory, approvers, static_cast<int>(client.config.permits().required_approvals())));
  return client;
}

absl::StatusOr<Client> Client::Open(const std::string& config_path, const std::string& permit_directory) {
  SLUIS_ASSIGN_OR_RETURN(Client client, Load(config_path, permit_directory));
  SLUIS_RETURN_IF_ERROR(common::CheckPermitDates(client.permit.permit, common::Today()));
  return client;
}

absl::StatusOr<Client> Client::OpenRetained(const std::string& config_path, const std::string& permit_directory) {
  SLUIS_ASSIGN_OR_RETURN(Client client, Load(config_path, permit_directory));
  SLUIS_RETURN_IF_ERROR(common::CheckRetention(client.permit.permit, common::Today()));
  return client;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Client::Connect(const std::string& field, const common::v1::Peer& peer,
                                                               const std::string& permitted_identity) const {
  if (peer.address().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("configuration field ", field, ".address: host:port is expected"));
  }
  if (!peer.identity().empty() && peer.identity() != permitted_identity) {
    return absl::FailedPreconditionError(
        absl::StrCat("configuration field ", field, ".identity: the permit names ", permitted_identity));
  }
  return common::Connect(common::ToTlsFiles(config.tls()), peer.address(), permitted_identity);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Client::Keys() const {
  return Connect("keys", config.keys(), permit.permit.key_service);
}
absl::StatusOr<std::shared_ptr<grpc::Channel>> Client::Linker() const {
  return Connect("linker", config.linker(), permit.permit.linker);
}
absl::StatusOr<std::shared_ptr<grpc::Channel>> Client::Gate() const {
  return Connect("gate", config.gate(), permit.permit.gate);
}

void SetDeadline(grpc::ClientContext& context, std::chrono::seconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

absl::Status CallStatus(const grpc::Status& status, const std::string& service) {
  const absl::Status converted = common::FromGrpc(status);
  if (converted.code() == absl::StatusCode::kUnavailable && common::ReasonOf(converted) != kStoreFault) {
    return common::WithReason(
        absl::UnavailableError(absl::StrCat("the ", service,
                                            " cannot be reached: is it running, is the address right, and does its "
                                            "certificate carry the identity that the permit names? (",
                                            std::string(converted.message()), ")")),
        "SERVICE_UNREACHABLE");
  }
  if (common::ReasonOf(converted) == kDiskFull) return DiskFull(service);
  return common::Annotate(converted, absl::StrCat("the ", service, " answered"));
}

absl::Status JobFailure(const std::string& service, const std::string& message, const std::string& reason) {
  if (reason == kDiskFull) return DiskFull(service);
  if (reason == kStoreFault) {
    return common::WithReason(absl::UnavailableError(absl::StrCat("the ", service, " answered: ", message)), reason);
  }
  if (reason == "LINKER_UNREACHABLE") {
    return common::WithReason(
        absl::UnavailableError(absl::StrCat("the ", service,
                                            " lost its connection to the linker; nothing was released. Give the same "
                                            "command again once the linker runs")),
        reason);
  }
  return common::WithReason(absl::FailedPreconditionError(absl::StrCat("the ", service, " refused: ", message)),
                            reason);
}

}  // namespace sluis::cli
