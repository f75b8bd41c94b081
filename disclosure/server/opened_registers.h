#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"
#include "common/rpc/job.h"
#include "disclosure/cell_key/keys.h"
#include "disclosure/table/columns.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::disclosure {

// The rows of a link set, opened into columns.
struct OpenedRegisters {
  std::string link_set_id;
  std::vector<RegisterColumns> registers;  // in the order of the permit; those that were not asked for have no rows
  // Of each register the keys of its rows, if asked for.
  std::vector<std::vector<std::uint64_t>> record_keys;
};

// Fetches the rows of the backbone and of the registers in `used` (positions in the permit) from the linker and opens
// them with the gate's key. Other registers are not fetched. `link_set`: an id, or empty for the latest. `permit` must
// outlive the result.
//
// `record_keys`: null, or what gives rows their keys. A record is known by the nonce under which its custodian sealed
// it: the same in every link set of a delivery, whatever becomes of linkage ids, authenticated with the row, and drawn
// anew when the register is delivered again.
//
// The linker is believed nothing but which rows belong to one person and which were found on the backbone. Each
// delivery must be signed by its register's custodian under this very permit; that is checked before anything is
// fetched or opened. Its rows must be exactly as many as signed, all different, and open under the signed data key.
//
// Errors:
//   FAILED_PRECONDITION  DELIVERY_MISSING: a register that is used has no delivery in the link set
//   DATA_LOSS            DELIVERY_UNSIGNED, DELIVERY_SIGNATURE_WRONG; DATA_KEY_FOREIGN: sealed to another gate;
//                        ROW_FOREIGN: damaged, or of another delivery; ROW_REPEATED; ROW_COUNT_WRONG; ROWS_MALFORMED:
//                        lengths do not fit, or a person that the backbone lacks or has twice
//   CANCELLED            as `control` says; others as the linker answers
// Memory: the columns, some 40 bytes a person and as many a row of one register while it runs.
[[nodiscard]] absl::StatusOr<OpenedRegisters> OpenRegisters(linker::v1::Linker::StubInterface& linker,
                                                            const common::Permit& permit, const std::string& link_set,
                                                            const std::set<int>& used,
                                                            const common::SealingKeyPair& gate_key,
                                                            common::JobControl& control,
                                                            const RecordKeyMaker* record_keys = nullptr);

}  // namespace sluis::disclosure
