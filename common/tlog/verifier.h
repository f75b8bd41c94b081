#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/note.h"

// Verification of logs and proofs, for auditors. Shares with the writer SHA-256, Ed25519 and the text formats, but no
// code that computes or reads a tree: a mistake there must not excuse itself here.

namespace sluis::common {

// OK if `path` proves that the tree of `size` leaves with `root` has `leaf_hash` at `index`. Errors: DATA_LOSS.
// Source: RFC 9162, section 2.1.3.2.
[[nodiscard]] absl::Status CheckInclusion(std::uint64_t index, std::uint64_t size, const Hash256& leaf_hash,
                                          std::span<const Hash256> path, const Hash256& root);

// OK if `path` proves that the tree of `new_size` leaves with `new_root` extends that of `old_size` with `old_root`.
// Errors: INVALID_ARGUMENT if old_size is 0 (anything extends the empty tree, nothing is proved); DATA_LOSS. Source:
// RFC 9162, section 2.1.4.2.
[[nodiscard]] absl::Status CheckConsistency(std::uint64_t old_size, std::uint64_t new_size, const Hash256& old_root,
                                            const Hash256& new_root, std::span<const Hash256> path);

struct VerifiedInclusion {
  std::uint64_t index = 0;
  Checkpoint checkpoint;
};

// Returns where the log signed by `key` has `entry`, as the .tlog-proof `proof` proves. Errors: INVALID_ARGUMENT if the
// proof is malformed; DATA_LOSS if it does not hold for these bytes and this key.
[[nodiscard]] absl::StatusOr<VerifiedInclusion> VerifyTlogProof(std::string_view proof, std::string_view entry,
                                                                const VerifierKey& key);

struct LogVerification {
  VerifierKey key;
  // A signed checkpoint seen earlier; the log must extend it.
  std::optional<std::string> older_checkpoint;
  // Called with each entry, in order; may be empty. An error ends the verification and is returned.
  std::function<absl::Status(std::uint64_t index, std::string_view entry)> visit;
};

// Returns the checkpoint of the log whose static files are in `directory`, after checking its signature, every entry
// bundle, every tile and the root against each other, and the older checkpoint.
//
// For a partial tile that is not there the full one is read, as a log that has grown meanwhile removes them.
// Errors: DATA_LOSS naming the file, and the entry or hash in it, that is missing, malformed or does not agree;
// INVALID_ARGUMENT if the older checkpoint is malformed. Cost: reads all files once; memory for 32 bytes per 256
// entries. Does not find files that belong to no tile.
[[nodiscard]] absl::StatusOr<Checkpoint> VerifyLogDirectory(const std::string& directory,
                                                            const LogVerification& verification);

}  // namespace sluis::common
