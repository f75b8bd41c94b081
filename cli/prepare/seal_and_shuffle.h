#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/prepare/pseudonym_cache.h"
#include "cli/prepare/pseudonymise.h"
#include "cli/prepare/randomness.h"
#include "cli/prepare/spool.h"

namespace sluis::cli {

struct SealOptions {
  // Memory for the shuffle, bytes. More means fewer temporary files; with 256 MiB a delivery of up to 32 GiB can be
  // shuffled.
  std::uint64_t memory_bytes = 256ull << 20;
  std::uint32_t chunk_records = 2048;                // 1 .. 8,192; fewer if a chunk would be over 2 MiB
  const common::SecretBytes* noise_key = nullptr;    // as NoiseKey gives it; needed if the register has features
  std::function<void(std::uint64_t rows)> progress;  // rows sealed; may be empty
};

// Seals the attributes of `rows`, joins their pseudonyms from `cache`, encodes their features if the register has any,
// brings the records into uniformly random order,
// and writes them as the spool `path`, which is there, complete and durable, on OK only. An older file is replaced.
//
// Every row is sealed under one fresh random data key, which is sealed to the gate and then forgotten, so that nobody
// but the gate can open the spool's rows, the custodian included. The order: each record goes to a random temporary
// file, each file is shuffled in memory (Fisher-Yates), the files follow one another: every permutation of the records
// is equally likely, whatever the sizes of the files.
// `header`: the fields up to and including `replaces`, and schema_sha256, are the caller's; returned complete.
// `rows`: from Pseudonymise of the same register. Errors: RESOURCE_EXHAUSTED if `memory_bytes` is too little for the
// delivery (saying how much is needed) or the disk is full; DATA_LOSS if a pseudonym or token is not in the cache any
// more or was changed; INVALID_ARGUMENT if chunk_records is out of range or the noise key is missing; UNAVAILABLE.
// Cost: about 3 microseconds a record and key, and twice the delivery on disk for the time.
[[nodiscard]] absl::StatusOr<SpoolHeader> SealAndShuffle(const common::Permit& permit, SpoolHeader header,
                                                         const PseudonymisedRows& rows, const PseudonymCache& cache,
                                                         const common::SpillDirectory& spill, RandomSource& random,
                                                         const std::string& path, const common::SecretBytes& spool_key,
                                                         const SealOptions& options);

}  // namespace sluis::cli
