#pragma once

#include <grpcpp/grpcpp.h>

#include "common/rpc/guard.h"
#include "common/tlog/writer.h"
#include "proto/sluis/common/v1/log.grpc.pb.h"

namespace sluis::common {

// Serves a service's transparency log to every party of its permits.
class LogService final : public v1::TransparencyLog::Service {
 public:
  LogService(const LogWriter& log, const PermitSet& permits, Metrics& metrics);
  grpc::Status GetResource(grpc::ServerContext* context, const v1::GetResourceRequest* request,
                           v1::GetResourceResponse* response) override;
  static Guard::Table AccessTable();

 private:
  const LogWriter& log_;
  Guard guard_;
};

}  // namespace sluis::common
