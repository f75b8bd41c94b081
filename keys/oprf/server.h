#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "keys/oprf/suite.h"

// The key holder's side of RFC 9497: keys, blind evaluation and its proof.

namespace sluis::keys {

// A secret scalar k and the public key k * G. Movable only; const functions are thread-safe.
class KeyPair {
 public:
  // A fresh random key, never derived from another: a derived key cannot be destroyed on its own.
  [[nodiscard]] static KeyPair Generate();
  // The key pair of a stored scalar. Errors: INVALID_ARGUMENT if `secret` is not kScalarSize bytes, zero or not below
  // the group order.
  [[nodiscard]] static absl::StatusOr<KeyPair> FromScalar(common::SecretBytes secret);
  // DeriveKeyPair of RFC 9497, section 3.2.1; for published vectors and interoperability. `seed`: 32 bytes.
  // Errors: INVALID_ARGUMENT if `seed` has another size or `info` is over 65,535 bytes.
  [[nodiscard]] static absl::StatusOr<KeyPair> Derive(const common::SecretBytes& seed, std::string_view info,
                                                      Mode mode);

  KeyPair(KeyPair&&) = default;
  KeyPair& operator=(KeyPair&&) = default;

  const Element& public_key() const { return public_key_; }
  // The scalar: for multiplication, and for sealing into a keystore.
  const common::SecretBytes& secret_scalar() const { return secret_; }

 private:
  KeyPair(common::SecretBytes secret, const Element& public_key)
      : secret_(std::move(secret)), public_key_(public_key) {}

  common::SecretBytes secret_;
  Element public_key_;
};

// Returns k * C for each element C of `blinded`, kElementSize bytes each, in the same order. Deterministic: the same
// elements give the same answer.
//
// Errors (no partial answer): INVALID_ARGUMENT if the batch is empty, over kMaxBatch or no whole number of elements, or
// naming the index of an element that is malformed, not canonical or the identity. 42 microseconds an element.
// Constant-time in the key. Thread-safe.
[[nodiscard]] absl::StatusOr<std::string> BlindEvaluate(const KeyPair& key, std::string_view blinded);

// Returns the proof (kProofSize bytes: challenge || response) that `evaluated` is BlindEvaluate(key, blinded).
// The caller passes what BlindEvaluate returned: a proof of anything else is well-formed but does not verify.
//
// `draw` gives the nonce of the proof; a repeated or known nonce gives the key away, so only tests replace it.
// Errors: INVALID_ARGUMENT as BlindEvaluate, or if the numbers of elements differ. 57 microseconds an element.
// Constant-time in key and nonce. Thread-safe.
[[nodiscard]] absl::StatusOr<std::string> GenerateProof(const KeyPair& key, std::string_view blinded,
                                                        std::string_view evaluated,
                                                        const ScalarSource& draw = DrawRandomScalar);

}  // namespace sluis::keys
