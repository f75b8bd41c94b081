#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// The text form of a proof that an entry is in a log (c2sp.org/tlog-proof@v1), kept in files named *.tlog-proof.

namespace sluis::common {

struct TlogProof {
  std::optional<std::string> extra;  // opaque and not authenticated
  std::uint64_t index = 0;           // of the entry, from 0
  std::vector<Hash256> path;         // siblings, from the leaf's to the root's child
  std::string checkpoint;            // a signed note, verbatim
};

[[nodiscard]] std::string FormatTlogProof(const TlogProof& proof);
// Verifies nothing: see VerifyTlogProof in verifier.h. Errors: INVALID_ARGUMENT on malformed text.
[[nodiscard]] absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text);

}  // namespace sluis::common
