#include "keys/oprf/batch_inversion.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "keys/oprf/suite.h"

namespace sluis::keys {

absl::Status InvertScalars(std::span<std::uint8_t> scalars) {
  if (scalars.size() % kScalarSize != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(scalars.size(), " bytes are no whole number of scalars of ", kScalarSize, " bytes"));
  }
  const std::size_t count = scalars.size() / kScalarSize;
  if (count == 0) {
    return absl::OkStatus();
  }
  common::InitCrypto();
  // products[i] = scalar 0 * ... * scalar i
  common::SecretBytes products_memory(scalars.size());
  std::uint8_t* const products = products_memory.ExposeForFilling().data();
  WipedArray<kScalarSize> running;
  running.bytes[0] = 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* const product = products + i * kScalarSize;
    crypto_core_ristretto255_scalar_mul(product, running.data(), scalars.data() + i * kScalarSize);
    if (sodium_is_zero(product, kScalarSize) == 1) {
      return absl::InvalidArgumentError(absl::StrCat("scalar ", i, " is zero and has no inverse"));
    }
    std::copy_n(product, kScalarSize, running.data());
  }
  WipedArray<kScalarSize> inverse;  // of products[i] at the top of each turn
  if (crypto_core_ristretto255_scalar_invert(inverse.data(), running.data()) != 0) {
    return absl::InternalError("the product of non-zero scalars has no inverse");
  }
  WipedArray<kScalarSize> scalar;
  for (std::size_t i = count - 1; i > 0; --i) {
    std::uint8_t* const place = scalars.data() + i * kScalarSize;
    std::copy_n(place, kScalarSize, scalar.data());
    crypto_core_ristretto255_scalar_mul(place, inverse.data(), products + (i - 1) * kScalarSize);
    crypto_core_ristretto255_scalar_mul(running.data(), inverse.data(), scalar.data());
    std::copy_n(running.data(), kScalarSize, inverse.data());
  }
  std::copy_n(inverse.data(), kScalarSize, scalars.data());
  return absl::OkStatus();
}

}  // namespace sluis::keys
