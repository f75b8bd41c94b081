#include "common/rpc/log_service.h"

#include "common/status/status.h"

namespace sluis::common {

LogService::LogService(const LogWriter& log, const PermitSet& permits, Metrics& metrics)
    : log_(log), guard_(permits, AccessTable(), metrics) {}

Guard::Table LogService::AccessTable() { return {{"TransparencyLog.GetResource", Role::kMember}}; }

grpc::Status LogService::GetResource(grpc::ServerContext* context, const v1::GetResourceRequest* request,
                                     v1::GetResourceResponse* response) {
  return guard_.Run(*context, "TransparencyLog.GetResource", [&](const Caller&) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(*response->mutable_content(), log_.ReadResource(request->path()));
    return absl::OkStatus();
  });
}

}  // namespace sluis::common
