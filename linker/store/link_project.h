#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/permit/permit.h"
#include "linker/match/deterministic.h"
#include "linker/store/link_set_writer.h"
#include "linker/store/record_store.h"

namespace sluis::linker {

// Links the current deliveries of all satellites of `permit` to that of its backbone, as LinkSatellites defines it, and
// returns the link set, written but for its last change; RecordStore::Finish makes it one (see PendingChange).
//
// Every backbone record and every unlinked source entity gets a random 128-bit linkage id; every record of every
// register is in the link set, found or not. A satellite without a delivery is left out; one without records is there,
// and has no links. The reports in the header are exact: RoundedReport before they leave.
//
// `seed`: 32 random bytes, for the linkage ids; used for no other link set. `options.progress` counts the scans of
// tokens, not the writing of links.
// Errors:
//   FAILED_PRECONDITION  the backbone, which is named, has no delivery (reason BACKBONE_MISSING); or a register was
//                        delivered under another version of the permit (reason PERMIT_CHANGED)
//   ABORTED              another linkage of the project is running, or a delivery was replaced or withdrawn meanwhile
//   and those of LinkSatellites and RecordStore. After an error nothing of the link set is left.
// Cost: 1 million persons and 3 satellites of 1 million: a few seconds on 2 cores; see tests/bench/linker_bench.cc.
// Memory: `options.memory_bytes`, a chunk for each thread, and 5 MiB of links on their way to the store.
[[nodiscard]] absl::StatusOr<PreparedLinkSet> LinkProject(RecordStore& store, const common::Permit& permit,
                                                          common::SecretBytes seed, const LinkOptions& options,
                                                          std::int64_t now_seconds);

}  // namespace sluis::linker
