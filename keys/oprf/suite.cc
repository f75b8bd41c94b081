#include "keys/oprf/suite.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::keys {
namespace {

static_assert(kElementSize == crypto_core_ristretto255_BYTES);
static_assert(kScalarSize == crypto_core_ristretto255_SCALARBYTES);

void UpdateHash(crypto_hash_sha512_state& state, std::string_view bytes) {
  crypto_hash_sha512_update(&state, common::AsBytes(bytes).data(), bytes.size());
}

}  // namespace

void DrawRandomScalar(std::span<std::uint8_t, kScalarSize> out) {
  common::InitCrypto();
  crypto_core_ristretto255_scalar_random(out.data());
}

std::string ContextString(Mode mode) {
  std::string context = "OPRFV1-";
  context.push_back(static_cast<char>(mode));
  context += "-ristretto255-SHA512";
  return context;
}

void ExpandMessageXmd(std::string_view message, std::string_view domain, std::span<std::uint8_t, 64> out) {
  static constexpr std::array<std::uint8_t, crypto_hash_sha512_BYTES * 2> kZeroBlock{};  // one input block of SHA-512
  static constexpr std::array<std::uint8_t, 3> kLengthAndZero = {0, 64, 0};              // I2OSP(64, 2) || I2OSP(0, 1)
  static constexpr std::uint8_t kOne = 1;
  const auto domain_size = static_cast<std::uint8_t>(domain.size());
  WipedArray<crypto_hash_sha512_BYTES> b0;
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, kZeroBlock.data(), kZeroBlock.size());
  UpdateHash(state, message);
  crypto_hash_sha512_update(&state, kLengthAndZero.data(), kLengthAndZero.size());
  UpdateHash(state, domain);
  crypto_hash_sha512_update(&state, &domain_size, 1);
  crypto_hash_sha512_final(&state, b0.data());
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, b0.data(), b0.bytes.size());
  crypto_hash_sha512_update(&state, &kOne, 1);
  UpdateHash(state, domain);
  crypto_hash_sha512_update(&state, &domain_size, 1);
  crypto_hash_sha512_final(&state, out.data());
  sodium_memzero(&state, sizeof(state));
}

Suite::Suite(Mode mode)
    : context_(ContextString(mode)),
      hash_to_group_domain_("HashToGroup-" + context_),
      hash_to_scalar_domain_("HashToScalar-" + context_) {
  common::InitCrypto();
}

void Suite::HashToGroup(std::string_view input, Element& out) const {
  WipedArray<64> uniform;
  ExpandMessageXmd(input, hash_to_group_domain_, uniform.bytes);
  crypto_core_ristretto255_from_hash(out.data(), uniform.data());
}

void Suite::HashToScalar(std::string_view message, Scalar& out) const {
  HashToScalarUnder(hash_to_scalar_domain_, message, out);
}

void Suite::HashToScalarUnder(std::string_view domain, std::string_view message, std::span<std::uint8_t, 32> out) {
  WipedArray<64> uniform;
  ExpandMessageXmd(message, domain, uniform.bytes);
  crypto_core_ristretto255_scalar_reduce(out.data(), uniform.data());
}

void AppendLengthPrefixed(std::string& out, std::string_view bytes) {
  out.push_back(static_cast<char>(bytes.size() >> 8));
  out.push_back(static_cast<char>(bytes.size() & 0xff));
  out += bytes;
}

bool MultiplyElement(std::span<const std::uint8_t, kScalarSize> scalar, const std::uint8_t* point, Element& out) {
  if (crypto_scalarmult_ristretto255(out.data(), scalar.data(), point) == 0) {
    return true;
  }
  // libsodium refuses malformed points and identity results alike.
  out.fill(0);
  return sodium_is_zero(point, kElementSize) == 0 && crypto_core_ristretto255_is_valid_point(point) == 1;
}

bool IsCanonicalScalar(std::span<const std::uint8_t, kScalarSize> scalar) {
  WipedArray<64> wide;
  std::copy(scalar.begin(), scalar.end(), wide.bytes.begin());
  WipedArray<kScalarSize> reduced;
  crypto_core_ristretto255_scalar_reduce(reduced.data(), wide.data());
  return sodium_memcmp(reduced.data(), scalar.data(), kScalarSize) == 0;
}

absl::StatusOr<std::size_t> CountElements(std::string_view elements, std::string_view what) {
  if (elements.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(what), ": the batch is empty; send 1 to ", kMaxBatch));
  }
  if (elements.size() % kElementSize != 0) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(what), ": ", elements.size(),
                                                   " bytes are no whole number of elements of ", kElementSize,
                                                   " bytes; send canonical encodings one after another"));
  }
  const std::size_t count = elements.size() / kElementSize;
  if (count > kMaxBatch) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(what), ": ", count, " elements are over the limit of ",
                                                   kMaxBatch, " a batch; send smaller batches"));
  }
  return count;
}

absl::StatusOr<Element> ParsePublicKey(std::string_view bytes) {
  Element key{};
  if (bytes.size() != kElementSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("OPRF public key has ", bytes.size(), " bytes instead of ", kElementSize));
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  if (sodium_is_zero(key.data(), key.size()) == 1 || crypto_core_ristretto255_is_valid_point(key.data()) != 1) {
    return absl::InvalidArgumentError(
        "OPRF public key is not the canonical encoding of a ristretto255 element other than the identity");
  }
  return key;
}

}  // namespace sluis::keys
