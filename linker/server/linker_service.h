#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>

#include "common/document/permit_set.h"
#include "common/rpc/guard.h"
#include "common/rpc/job.h"
#include "common/rpc/service_log.h"
#include "common/rpc/telemetry.h"
#include "linker/store/record_store.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::linker {

// The records of each project of the permits.
using ProjectStores = std::map<std::string, std::unique_ptr<RecordStore>, std::less<>>;

// The family in which the service remembers which request made which link set.
inline constexpr char kRequestFamily[] = "link_requests";

struct LinkerServiceOptions {
  std::uint64_t link_memory_bytes = std::uint64_t{1} << 30;
  std::uint64_t similarity_memory_bytes = std::uint64_t{2} << 30;
  int threads = 2;
};

// The gRPC door of the linker.
class LinkerService final : public v1::Linker::Service {
 public:
  // All but `options` outlive the service. `store` holds kRequestFamily.
  LinkerService(const common::PermitSet& permits, const ProjectStores& projects, common::Store& store,
                common::ServiceLog& log, common::Metrics& metrics, const LinkerServiceOptions& options);

  grpc::Status BeginUpload(grpc::ServerContext*, const v1::BeginUploadRequest*, v1::BeginUploadResponse*) override;
  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadRequest>*, v1::UploadResponse*) override;
  grpc::Status CommitUpload(grpc::ServerContext*, const v1::CommitUploadRequest*, v1::CommitUploadResponse*) override;
  grpc::Status AbortUpload(grpc::ServerContext*, const v1::AbortUploadRequest*, v1::AbortUploadResponse*) override;
  grpc::Status Withdraw(grpc::ServerContext*, const v1::WithdrawRequest*, v1::WithdrawResponse*) override;
  grpc::Status StartLink(grpc::ServerContext*, const v1::StartLinkRequest*, v1::StartLinkResponse*) override;
  grpc::Status GetLinkJob(grpc::ServerContext*, const v1::GetLinkJobRequest*, v1::GetLinkJobResponse*) override;
  grpc::Status CancelLinkJob(grpc::ServerContext*, const v1::CancelLinkJobRequest*,
                             v1::CancelLinkJobResponse*) override;
  grpc::Status GetLinkSet(grpc::ServerContext*, const v1::GetLinkSetRequest*, v1::GetLinkSetResponse*) override;
  grpc::Status FetchRows(grpc::ServerContext*, const v1::FetchRowsRequest*,
                         grpc::ServerWriter<v1::FetchRowsResponse>*) override;

  void CancelJobs() { jobs_.CancelAll(); }
  static common::Guard::Table AccessTable();

 private:
  struct Project {
    const common::PermitBundle* bundle;
    RecordStore* records;
  };
  // Errors: as Guard::FindPermit.
  absl::StatusOr<Project> Find(const std::string& permit_id, const std::string& permit_sha256,
                               const common::Caller& caller, common::Role role,
                               common::PermitDays days = common::PermitDays::kValid) const;
  // As Find, for the custodian of `register_name`. Errors: also PERMISSION_DENIED.
  absl::StatusOr<Project> FindForCustodian(const std::string& permit_id, const std::string& register_name,
                                           const common::Caller& caller,
                                           common::PermitDays days = common::PermitDays::kValid) const;
  absl::Status ReceiveChunks(const common::Caller& caller, grpc::ServerReader<v1::UploadRequest>& reader,
                             v1::UploadResponse& response);
  absl::Status Confirm(const PreparedDelivery& prepared, const char* entry_type, v1::Receipt& receipt);
  absl::StatusOr<std::string> Link(const Project& project, const std::string& request_key, common::JobControl& control);
  absl::Status FillReport(const Project& project, const std::string& link_set_id,
                          v1::GetLinkJobResponse& response) const;

  const ProjectStores& projects_;
  common::Store& store_;
  common::ServiceLog& log_;
  common::Metrics& metrics_;
  const LinkerServiceOptions options_;
  common::Guard guard_;
  common::JobRunner jobs_;  // last: its thread uses all above
};

}  // namespace sluis::linker
