#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/permit/permit.h"
#include "linker/match/deterministic.h"
#include "linker/store/link_set_writer.h"
#include "linker/store/record_store.h"

namespace sluis::linker {

// Says at once whether LinkProject would refuse before it begins to link. Errors: those of LinkProject but ABORTED, as
// things stand.
[[nodiscard]] absl::Status CheckLinkable(const ProjectReader& reader, const common::Permit& permit);

struct SimilarityOptions {
  // Bound on what linking by similarity holds; the passes are over by then.
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
};

// Links the current deliveries of all satellites of `permit` to that of its backbone, as LinkSatellites defines it,
// then what is left over of those with encodings as LinkResidue does, if the backbone has encodings too, and returns
// the link set, written but for its last change; RecordStore::Finish makes it one (see PendingChange).
//
// Deliveries that were linked before under the same version of the permit are not linked again: their link set is
// returned, with the same reports, as already_done. So nobody learns more by asking again, and each different link set
// counts towards permit.max_link_sets, also after it was deleted (see LinkSetWriter::Prepare); the count is durable
// with the change that makes the link set, before anything of it can be read.
//
// Every backbone record and every unlinked source entity gets a random 128-bit linkage id; every record of every
// register is in the link set, found or not. A satellite without a delivery is left out; one without records is there,
// and has no links. The reports in the header are exact: RoundedReport before they leave.
//
// Comparisons by similarity are kept, sealed, until one of their two deliveries is replaced, withdrawn or erased, or no
// linkage uses them any more: after a crash, or with one new delivery, only the others are made. The links are the
// same.
//
// `seed`: 32 random bytes, for the linkage ids; used for no other link set. `options.progress` counts the scans of
// tokens, then comparisons, not the writing of links.
// Errors:
//   FAILED_PRECONDITION  the backbone, which is named, has no delivery (reason BACKBONE_MISSING); or a register was
//                        delivered under another version of the permit (reason PERMIT_CHANGED)
//   RESOURCE_EXHAUSTED   permit.max_link_sets were made under this version of the permit (reason LINK_SET_LIMIT);
//                        `similarity.memory_bytes` does not suffice (reason SIMILARITY_MEMORY)
//   ABORTED              another linkage of the project is running, or a delivery was replaced or withdrawn meanwhile
//   and those of LinkSatellites, LinkResidue and RecordStore. After an error nothing of the link set is left.
// Cost: 1 million persons and 3 satellites of 1 million: a few seconds on 2 cores; see tests/bench/linker_bench.cc.
// Memory: `options.memory_bytes`, later `similarity.memory_bytes`, a chunk for each thread, 5 bytes for each record of
// a satellite with encodings, and 5 MiB of links on their way to the store.
[[nodiscard]] absl::StatusOr<PreparedLinkSet> LinkProject(RecordStore& store, const common::Permit& permit,
                                                          common::SecretBytes seed, const LinkOptions& options,
                                                          std::int64_t now_seconds,
                                                          const SimilarityOptions& similarity = {});

}  // namespace sluis::linker
