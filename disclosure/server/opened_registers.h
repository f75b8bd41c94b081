#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"
#include "common/rpc/job.h"
#include "disclosure/table/columns.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::disclosure {

// The rows of a link set, opened into columns.
struct OpenedRegisters {
  std::string link_set_id;
  std::vector<RegisterColumns> registers;  // in the order of the permit; those that were not asked for have no rows
};

// Fetches the rows of the backbone and of the registers in `used` (positions in the permit) from the linker and opens
// them with the gate's key. Other registers are not fetched. `link_set`: an id, or empty for the latest. `permit` must
// outlive the result.
//
// Errors: FAILED_PRECONDITION if a register that is used has no delivery in the link set (DELIVERY_MISSING); DATA_LOSS
// if a row cannot be opened; CANCELLED; as the linker answers. Memory: the columns, and some 40 bytes a person while it
// runs.
[[nodiscard]] absl::StatusOr<OpenedRegisters> OpenRegisters(linker::v1::Linker::Stub& linker,
                                                            const common::Permit& permit, const std::string& link_set,
                                                            const std::set<int>& used,
                                                            const common::SealingKeyPair& gate_key,
                                                            common::JobControl& control);

}  // namespace sluis::disclosure
