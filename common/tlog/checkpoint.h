#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/tlog/note.h"

// Checkpoints (c2sp.org/tlog-checkpoint): what a log signs about itself.

namespace sluis::common {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash256 root{};
  std::string extensions;  // opaque lines, each with its newline; Sluis writes none
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Returns the note text: origin, size and root, a line each, then the extensions.
[[nodiscard]] std::string FormatCheckpoint(const Checkpoint& checkpoint);

// Errors: INVALID_ARGUMENT unless `text` is a canonical checkpoint.
[[nodiscard]] absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text);

// Returns the checkpoint in the signed note `note`, signed by a key of `keys` whose name is the checkpoint's origin.
// Errors: as VerifyNote and ParseCheckpoint; DATA_LOSS if the log's own key did not sign.
[[nodiscard]] absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, std::span<const VerifierKey> keys);

}  // namespace sluis::common
