#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// The Merkle tree of RFC 6962, section 2.1, as the writer of a log needs it. Verification is in verifier.h and shares
// none of this code.

namespace sluis::common {

[[nodiscard]] Hash256 LeafHash(std::string_view entry);
[[nodiscard]] Hash256 NodeHash(const Hash256& left, const Hash256& right);

// Returns the root over `hashes`, the roots of consecutive perfect subtrees of one height; the hash of the empty string
// if there are none. Cost: one hash fewer than there are hashes.
[[nodiscard]] Hash256 RootOver(std::span<const Hash256> hashes);

// Returns the hash of the perfect subtree of 2^height leaves that begins at leaf index * 2^height.
using SubtreeReader = std::function<absl::StatusOr<Hash256>(int height, std::uint64_t index)>;

// Returns the root of the first `size` leaves. `read` is asked only for subtrees within them. Errors: those of `read`.
[[nodiscard]] absl::StatusOr<Hash256> RootOfSize(std::uint64_t size, const SubtreeReader& read);

// Returns PATH(index, D[size]): the siblings from the leaf upwards. Errors: INVALID_ARGUMENT if index >= size; those of
// `read`.
[[nodiscard]] absl::StatusOr<std::vector<Hash256>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                                                  const SubtreeReader& read);

// Returns PROOF(old_size, D[new_size]), empty if the sizes are equal. Errors: INVALID_ARGUMENT if old_size is 0 or
// above new_size; those of `read`.
[[nodiscard]] absl::StatusOr<std::vector<Hash256>> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                                                    const SubtreeReader& read);

}  // namespace sluis::common
