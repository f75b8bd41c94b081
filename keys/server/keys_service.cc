#include "keys/server/keys_service.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/rpc/server.h"
#include "common/status/status.h"

namespace sluis::keys {

using common::Caller;
using common::Role;

namespace {

// A delivery is named REGISTER/DELIVERY; evaluations for a register are for its custodian only. Returns the register.
absl::StatusOr<const common::PermitRegister*> CheckDelivery(const common::Permit& permit, const Caller& caller,
                                                            std::string_view delivery_id) {
  const std::size_t slash = delivery_id.find('/');
  if (slash == std::string_view::npos || !common::IsDeliveryId(delivery_id.substr(slash + 1))) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery_id: REGISTER/DELIVERY is expected, DELIVERY with ", common::kDeliveryIdRule));
  }
  const common::PermitRegister* reg = permit.FindRegister(delivery_id.substr(0, slash));
  if (reg == nullptr || reg->custodian != caller.identity) {
    return common::WithReason(absl::PermissionDeniedError("the permit names no such register of this custodian"),
                              "ACCESS_DENIED");
  }
  return reg;
}

}  // namespace

KeysService::KeysService(const common::PermitSet& permits, KeyCustody& custody, const QuotaLedger& quota,
                         common::Metrics& metrics)
    : custody_(custody), quota_(quota), metrics_(metrics), guard_(permits, AccessTable(), metrics) {}

common::Guard::Table KeysService::AccessTable() {
  return {{"Keys.Evaluate", Role::kCustodian}, {"Keys.GetQuota", Role::kCustodian}};
}

grpc::Status KeysService::Evaluate(grpc::ServerContext* context, const v1::EvaluateRequest* request,
                                   v1::EvaluateResponse* response) {
  return guard_.Run(*context, "Keys.Evaluate", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(
        const common::PermitBundle* bundle,
        guard_.FindPermit(caller, Role::kCustodian, request->permit_id(), request->permit_sha256(), common::Today()));
    SLUIS_ASSIGN_OR_RETURN(const common::PermitRegister* const reg,
                           CheckDelivery(bundle->permit, caller, request->delivery_id()));
    if (request->chunk() > std::numeric_limits<std::uint32_t>::max()) {
      return absl::InvalidArgumentError("chunk: a number below 2^32 is expected");
    }
    metrics_.CountReceived("Keys.Evaluate", request->blinded_elements().size());
    ChunkRequest chunk;
    chunk.account = {caller.identity, bundle->permit.id, request->purpose()};
    chunk.delivery_id = request->delivery_id();
    chunk.chunk_number = static_cast<std::uint32_t>(request->chunk());
    chunk.blinded = request->blinded_elements();
    const QuotaBudget budget{.account = bundle->permit.EvaluationBudget(caller.identity, request->purpose()),
                             .delivery = bundle->permit.DeliveryBudget(*reg, request->purpose())};
    SLUIS_ASSIGN_OR_RETURN(ChunkAnswer answer, custody_.EvaluateChunk(chunk, budget));
    response->set_evaluated_elements(std::move(answer.evaluated));
    response->set_proof(std::move(answer.proof));
    return absl::OkStatus();
  });
}

grpc::Status KeysService::GetQuota(grpc::ServerContext* context, const v1::GetQuotaRequest* request,
                                   v1::GetQuotaResponse* response) {
  return guard_.Run(*context, "Keys.GetQuota", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(
        const common::PermitBundle* bundle,
        guard_.FindPermit(caller, Role::kCustodian, request->permit_id(), request->permit_sha256(), common::Today()));
    const common::PermitRegister* reg = nullptr;
    if (!request->delivery_id().empty()) {
      SLUIS_ASSIGN_OR_RETURN(reg, CheckDelivery(bundle->permit, caller, request->delivery_id()));
    }
    for (const char* purpose : kPurposes) {
      const std::uint64_t budget = bundle->permit.EvaluationBudget(caller.identity, purpose);
      // Of registers without features there is nothing to tell.
      if (purpose == std::string_view(kPurposeTokens) && budget == 0) continue;
      const QuotaAccount account{caller.identity, bundle->permit.id, purpose};
      SLUIS_ASSIGN_OR_RETURN(const QuotaUsage usage, quota_.Usage(account));
      auto* quota = response->add_quotas();
      quota->set_purpose(purpose);
      quota->set_budget(budget);
      quota->set_used(usage.elements);
      if (reg == nullptr) continue;
      SLUIS_ASSIGN_OR_RETURN(const QuotaUsage delivery, quota_.DeliveryUsage(account, request->delivery_id()));
      quota->set_delivery_budget(bundle->permit.DeliveryBudget(*reg, purpose));
      quota->set_delivery_used(delivery.elements);
    }
    return absl::OkStatus();
  });
}

}  // namespace sluis::keys
