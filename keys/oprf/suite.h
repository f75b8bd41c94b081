#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// What client and server of the oblivious pseudorandom function share: the suite ristretto255-SHA512 of RFC 9497 with
// its sizes, its hash functions and the few group operations, all on libsodium. Every function is thread-safe.

namespace sluis::keys {

inline constexpr std::size_t kElementSize = 32;  // canonical ristretto255 encoding (RFC 9496)
inline constexpr std::size_t kScalarSize = 32;   // little-endian, below the group order
inline constexpr std::size_t kProofSize = 64;    // challenge scalar || response scalar
// Elements in one batch, that is, under one proof. RFC 9497 numbers the elements of a batch in two bytes (65,535 at
// most); half of that makes a message of 1 MiB and lets a client stop early after a bad answer.
inline constexpr std::size_t kMaxBatch = 32'768;
// RFC 9497 writes the length of an input in two bytes.
inline constexpr std::size_t kMaxInputSize = 65'535;

using Element = std::array<std::uint8_t, kElementSize>;
using Scalar = std::array<std::uint8_t, kScalarSize>;

// The modes of RFC 9497, section 3.1. Sluis pseudonymises in kVoprf only: without a proof a key server could use
// another key for each custodian.
enum class Mode : std::uint8_t { kOprf = 0, kVoprf = 1 };

// A fixed-size secret on the stack, wiped when it goes out of scope.
template <std::size_t N>
struct WipedArray {
  std::array<std::uint8_t, N> bytes{};
  WipedArray() = default;
  WipedArray(const WipedArray&) = delete;
  WipedArray& operator=(const WipedArray&) = delete;
  ~WipedArray() { common::Wipe(bytes); }
  std::uint8_t* data() { return bytes.data(); }
  const std::uint8_t* data() const { return bytes.data(); }
};

// Fills its argument with a uniformly random scalar in 1 .. order-1.
using ScalarSource = std::function<void(std::span<std::uint8_t, kScalarSize>)>;
// The system's generator by way of libsodium; everything but a test vector uses this.
void DrawRandomScalar(std::span<std::uint8_t, kScalarSize> out);

// Returns the context string of RFC 9497, section 3.1: "OPRFV1-" || mode || "-ristretto255-SHA512".
[[nodiscard]] std::string ContextString(Mode mode);

// expand_message_xmd of RFC 9380, section 5.3.1, with SHA-512 and 64 bytes of output, which is one block.
// Precondition: `domain` is at most 255 bytes.
void ExpandMessageXmd(std::string_view message, std::string_view domain, std::span<std::uint8_t, 64> out);

// The hash functions of RFC 9497, section 4.1, with their domain separation tags made once for a mode.
class Suite {
 public:
  explicit Suite(Mode mode);
  // The result is the identity with probability 2^-252; scalar multiplication then fails, which callers report.
  void HashToGroup(std::string_view input, Element& out) const;
  void HashToScalar(std::string_view message, Scalar& out) const;
  // HashToScalar with a domain of the caller's, for DeriveKeyPair.
  static void HashToScalarUnder(std::string_view domain, std::string_view message, std::span<std::uint8_t, 32> out);
  const std::string& context() const { return context_; }

 private:
  std::string context_;
  std::string hash_to_group_domain_;
  std::string hash_to_scalar_domain_;
};

// Appends `bytes` after its length in two bytes, big-endian. Precondition: at most 65,535 bytes.
void AppendLengthPrefixed(std::string& out, std::string_view bytes);

// Sets `out` to scalar * point; false if `point` is not the canonical encoding of an element or is the identity.
// A zero product, which is the identity, is a valid result here. `point` and the fact that the product is zero are
// public.
[[nodiscard]] bool MultiplyElement(std::span<const std::uint8_t, kScalarSize> scalar, const std::uint8_t* point,
                                   Element& out);

// True if `scalar` is below the group order.
[[nodiscard]] bool IsCanonicalScalar(std::span<const std::uint8_t, kScalarSize> scalar);

// Returns the number of elements in `elements`, encodings one after another. `what` names them in messages.
// Errors: INVALID_ARGUMENT if the length is zero, no multiple of kElementSize or more than kMaxBatch elements.
[[nodiscard]] absl::StatusOr<std::size_t> CountElements(std::string_view elements, std::string_view what);

// Returns `bytes` as a public key. Errors: INVALID_ARGUMENT if it is not 32 bytes, not canonical or the identity.
[[nodiscard]] absl::StatusOr<Element> ParsePublicKey(std::string_view bytes);

inline const std::uint8_t* ElementAt(std::string_view elements, std::size_t index) {
  return common::AsBytes(elements).data() + index * kElementSize;
}

}  // namespace sluis::keys
