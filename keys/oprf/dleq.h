#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "keys/oprf/suite.h"

// The batched proof of RFC 9497, section 2.2: that one secret scalar k gives both the public key k * G and every
// evaluated element k * C_i, without showing k. Random weights d_i, hashed from the whole batch, fold it into two sums,
// M = sum d_i * C_i and Z = sum d_i * D_i, of which one proof is made.
//
// A multi-scalar multiplication does not pay on libsodium: with 253-bit weights, Pippenger's buckets take 26 additions
// an element at the best window for 32,768 elements, and an addition, which decodes and encodes, takes the time of a
// third of a scalar multiplication: six times what multiplying and adding each element costs.

namespace sluis::keys {

struct Composites {
  Element m{};
  Element z{};
};

// Returns M and Z. `blinded` and `evaluated` hold the same number of elements.
// Errors: INVALID_ARGUMENT if the lengths are bad or differ, or naming the index of an element that is malformed or the
// identity. About 115 microseconds an element.
[[nodiscard]] absl::StatusOr<Composites> ComputeComposites(const Suite& suite, const Element& public_key,
                                                           std::string_view blinded, std::string_view evaluated);

// Returns M only, at half the cost: who knows k finds Z = k * M. Errors: as ComputeComposites, except that the elements
// of `evaluated` are hashed but not decoded.
[[nodiscard]] absl::StatusOr<Element> ComputeBlindedComposite(const Suite& suite, const Element& public_key,
                                                              std::string_view blinded, std::string_view evaluated);

// Sets `challenge` to the scalar that RFC 9497 hashes from public key, composites and the two commitments.
void ComputeChallenge(const Suite& suite, const Element& public_key, const Composites& composites, const Element& t2,
                      const Element& t3, Scalar& challenge);

// Returns OK if `proof` shows that `evaluated` holds, in order, the elements of `blinded` multiplied by the secret key
// of `public_key`.
//
// Errors: INVALID_ARGUMENT if a length is bad, an element or the public key malformed or the identity (naming the
// index), or a scalar of the proof not canonical; FAILED_PRECONDITION, reason OPRF_PROOF_INVALID, if the proof does not
// hold: another key, elements changed or out of order. Thread-safe. Not constant-time; all inputs are public.
[[nodiscard]] absl::Status VerifyProof(const Element& public_key, std::string_view blinded, std::string_view evaluated,
                                       std::string_view proof);

}  // namespace sluis::keys
