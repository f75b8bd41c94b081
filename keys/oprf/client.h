#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "keys/oprf/suite.h"

// The custodian's side of RFC 9497: blind identifiers, check the key server's proof, unblind to pseudonyms.
//
// A pseudonym is the group element N = k * H(x), 32 bytes, not the RFC's output hash: N' = (k'/k) * N moves a store to
// a new key without any identifier, the hash cannot be moved.

namespace sluis::keys {

struct BlindOptions {
  Mode mode = Mode::kVoprf;
  // Draws the blind of each input in turn. Tests with published vectors replace it; a known or repeated blind gives
  // the input away.
  ScalarSource draw = DrawRandomScalar;
};

// Inputs blinded and waiting for the answer of the key server. Keep it until the answer came: a retry that sends the
// same elements again is not debited again. Movable only; const functions are thread-safe.
class BlindedBatch {
 public:
  BlindedBatch(BlindedBatch&&) = default;
  BlindedBatch& operator=(BlindedBatch&&) = default;

  // What goes to the key server: kElementSize bytes each, in the order of the inputs. Uniformly random, whatever the
  // inputs are.
  const std::string& elements() const { return elements_; }
  std::size_t size() const { return elements_.size() / kElementSize; }
  Mode mode() const { return mode_; }

 private:
  friend absl::StatusOr<BlindedBatch> Blind(std::span<const std::string> inputs, const BlindOptions& options);
  friend absl::StatusOr<std::string> RemoveBlinds(const BlindedBatch& batch, std::string_view evaluated);
  BlindedBatch(Mode mode, std::string elements, common::SecretBytes blinds)
      : mode_(mode), elements_(std::move(elements)), blinds_(std::move(blinds)) {}

  Mode mode_;
  std::string elements_;
  common::SecretBytes blinds_;
};

// Returns the inputs hashed to the group and multiplied by a fresh random blind each.
//
// Errors (all or nothing; messages name the index of the input): INVALID_ARGUMENT if there is no input or more than
// kMaxBatch, if an input is empty (everybody without identifier would get one pseudonym), longer than kMaxInputSize, or
// hashes to the identity; INTERNAL if `options.draw` gives zero.
// Hides the inputs from whoever holds the key; does not hide how many there are, so callers send each distinct input
// once. About 59 microseconds an input; callers with more cores shard their batches over threads.
[[nodiscard]] absl::StatusOr<BlindedBatch> Blind(std::span<const std::string> inputs, const BlindOptions& options = {});

// Returns the pseudonyms N of the inputs of `batch`, kElementSize bytes each, in their order, after checking `proof`
// against `public_key`, which the caller pins from the permit and never takes from the key server's answer.
//
// Errors (no partial result): INVALID_ARGUMENT and FAILED_PRECONDITION (reason OPRF_PROOF_INVALID) as VerifyProof;
// INVALID_ARGUMENT also if `batch` was blinded in another mode than kVoprf. About 159 microseconds an element, of which
// 115 for the proof. Thread-safe. The blinds are constant-time; what came over the wire is not.
[[nodiscard]] absl::StatusOr<std::string> Unblind(const BlindedBatch& batch, std::string_view evaluated,
                                                  std::string_view proof, const Element& public_key);

// As Unblind, for a batch of mode kOprf, which has no proof: whoever answered may have used any key. For
// interoperability with other implementations of RFC 9497; nothing in Sluis stores what it returns.
// Errors: INVALID_ARGUMENT if `batch` is of mode kVoprf, or `evaluated` has a bad length or element (naming its index).
[[nodiscard]] absl::StatusOr<std::string> UnblindWithoutProof(const BlindedBatch& batch, std::string_view evaluated);

// Returns the RFC's Output: SHA-512 over input, pseudonym and "Finalize" (RFC 9497, section 3.3.1). Precondition:
// `input` is at most kMaxInputSize bytes.
[[nodiscard]] std::array<std::uint8_t, 64> ComputeOutput(std::string_view input, const Element& pseudonym);

}  // namespace sluis::keys
