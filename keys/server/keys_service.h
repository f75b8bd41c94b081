#pragma once

#include <grpcpp/grpcpp.h>

#include "common/document/permit_set.h"
#include "common/rpc/guard.h"
#include "common/rpc/telemetry.h"
#include "keys/custody/custody.h"
#include "proto/sluis/keys/v1/keys.grpc.pb.h"

namespace sluis::keys {

// The gRPC door of the key holder: guard, conversion, core call, status; nothing else.
class KeysService final : public v1::Keys::Service {
 public:
  // All outlive the service.
  KeysService(const common::PermitSet& permits, KeyCustody& custody, const QuotaLedger& quota,
              common::Metrics& metrics);

  grpc::Status Evaluate(grpc::ServerContext* context, const v1::EvaluateRequest* request,
                        v1::EvaluateResponse* response) override;
  grpc::Status GetQuota(grpc::ServerContext* context, const v1::GetQuotaRequest* request,
                        v1::GetQuotaResponse* response) override;

  // Who may call what; the stranger test walks over it.
  static common::Guard::Table AccessTable();

 private:
  KeyCustody& custody_;
  const QuotaLedger& quota_;
  common::Metrics& metrics_;
  common::Guard guard_;
};

}  // namespace sluis::keys
