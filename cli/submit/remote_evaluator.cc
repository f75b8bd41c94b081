#include "cli/submit/remote_evaluator.h"

#include "absl/strings/str_cat.h"
#include "cli/app/client.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

// A chunk takes the key holder some seconds of computing; others may be waiting.
constexpr std::chrono::seconds kTimeout(300);

}  // namespace

RemoteEvaluator::RemoteEvaluator(std::shared_ptr<grpc::Channel> channel, const common::Permit& permit,
                                 std::string register_name)
    : stub_(keys::v1::Keys::NewStub(channel)), permit_(permit), register_name_(std::move(register_name)) {}

absl::StatusOr<Evaluator::Answer> RemoteEvaluator::Evaluate(std::string_view purpose, std::string_view delivery_id,
                                                            std::uint32_t chunk, std::string_view blinded) {
  keys::v1::EvaluateRequest request;
  request.set_permit_id(permit_.id);
  request.set_permit_sha256(std::string(common::AsChars(permit_.sha256)));
  request.set_purpose(std::string(purpose));
  request.set_delivery_id(absl::StrCat(register_name_, "/", std::string(delivery_id)));
  request.set_chunk(chunk);
  request.set_blinded_elements(std::string(blinded));
  keys::v1::EvaluateResponse response;
  grpc::ClientContext context;
  SetDeadline(context, kTimeout);
  SLUIS_RETURN_IF_ERROR(CallStatus(stub_->Evaluate(&context, request, &response), "key holder"));
  return Answer{std::move(*response.mutable_evaluated_elements()), std::move(*response.mutable_proof())};
}

}  // namespace sluis::cli
