#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/document/permit_document.h"
#include "common/rpc/config.h"

namespace sluis::cli {

// What every command that talks to services starts from: the configuration, the approved permit, connections.
struct Client {
  common::v1::Client config;
  common::PermitBundle permit;

  // Errors: as LoadClientConfig, LoadPermit, CheckPermitDates.
  [[nodiscard]] static absl::StatusOr<Client> Open(const std::string& config_path, const std::string& permit_directory);
  // As Open, but until the permit's retention_end: for commands that take something back. Errors: those of Open, with
  // CheckRetention for CheckPermitDates.
  [[nodiscard]] static absl::StatusOr<Client> OpenRetained(const std::string& config_path,
                                                           const std::string& permit_directory);

  // Connections to the services of the permit. Errors: INVALID_ARGUMENT if the configuration names no address;
  // FAILED_PRECONDITION if it names another identity than the permit does.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::Channel>> Keys() const;
  [[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::Channel>> Linker() const;
  [[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::Channel>> Gate() const;

 private:
  static absl::StatusOr<Client> Load(const std::string& config_path, const std::string& permit_directory);
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& field, const common::v1::Peer& peer,
                                                         const std::string& permitted_identity) const;
};

// Whether what an argument names is there and of its kind. `argument`: how it is called on the command line. Errors:
// INVALID_ARGUMENT.
[[nodiscard]] absl::Status CheckIsFile(const std::string& argument, const std::string& path);
[[nodiscard]] absl::Status CheckIsFolder(const std::string& argument, const std::string& path);

// Sets the deadline that services demand.
void SetDeadline(grpc::ClientContext& context, std::chrono::seconds timeout);

// The status of a call, with advice where the transport failed.
[[nodiscard]] absl::Status CallStatus(const grpc::Status& status, const std::string& service);

// Why a job of a service failed, by the reason that the service gives: RESOURCE_EXHAUSTED if its disk is full,
// UNAVAILABLE if it lost the linker, else FAILED_PRECONDITION with `message`.
[[nodiscard]] absl::Status JobFailure(const std::string& service, const std::string& message,
                                      const std::string& reason);

}  // namespace sluis::cli
