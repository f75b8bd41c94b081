#pragma once

#include <memory>
#include <string>

#include "cli/prepare/pseudonymise.h"
#include "common/permit/permit.h"
#include "proto/sluis/keys/v1/keys.grpc.pb.h"

namespace sluis::cli {

// The key holder over gRPC. Not thread-safe.
class RemoteEvaluator final : public Evaluator {
 public:
  // `permit` outlives the evaluator. The key holder knows deliveries as REGISTER/DELIVERY: custodians name them per
  // register.
  RemoteEvaluator(std::shared_ptr<grpc::Channel> channel, const common::Permit& permit, std::string register_name);
  absl::StatusOr<Answer> Evaluate(std::string_view purpose, std::string_view delivery_id, std::uint32_t chunk,
                                  std::string_view blinded) override;

 private:
  std::unique_ptr<keys::v1::Keys::Stub> stub_;
  const common::Permit& permit_;
  const std::string register_name_;
};

}  // namespace sluis::cli
