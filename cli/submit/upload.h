#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/prepare/delivery_state.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::cli {

// What the linker confirmed, checked: the entry says what was sent, and the proof holds under the linker's log key in
// the permit.
struct Receipt {
  std::string entry;
  std::string proof;
};
// Text form, kept in the state and written beside the extract: the entry's line, an empty line, the proof.
[[nodiscard]] std::string FormatReceipt(const Receipt& receipt);

// Uploads the spool of a prepared delivery from where the linker has it, commits it, and returns the receipt. Doing it
// again after any failure continues; an upload that was begun with another header is begun anew. `signing_key`: the
// custodian's; signs what the delivery is (common/seal). `progress`: records sent, of all. Errors: as the linker
// answers; DATA_LOSS if the receipt does not hold, or the spool is damaged.
[[nodiscard]] absl::StatusOr<Receipt> UploadDelivery(
    linker::v1::Linker::Stub& stub, const common::Permit& permit, const DeliveryState& state,
    const DeliveryStates& states, const common::SigningKey& signing_key,
    const std::function<void(std::uint64_t sent, std::uint64_t total)>& progress);

// Has the linker forget an upload that is not complete. Errors: as the linker answers: NOT_FOUND if there is none,
// FAILED_PRECONDITION if the delivery is complete.
[[nodiscard]] absl::Status AbortUpload(linker::v1::Linker::Stub& stub, const std::string& permit_id,
                                       const std::string& register_name, const std::string& delivery_id);

// Checks a receipt. `expected_type`: of the entry; a withdrawal's may name another version of the permit. Errors:
// DATA_LOSS saying what does not hold.
[[nodiscard]] absl::StatusOr<Receipt> CheckReceipt(const linker::v1::Receipt& receipt, const common::Permit& permit,
                                                   const std::string& expected_type, const std::string& register_name,
                                                   const std::string& delivery_id);

}  // namespace sluis::cli
