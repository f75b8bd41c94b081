#include "keys/oprf/server.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "keys/oprf/dleq.h"

namespace sluis::keys {

KeyPair KeyPair::Generate() {
  common::SecretBytes secret(kScalarSize);
  DrawRandomScalar(secret.ExposeForFilling().first<kScalarSize>());
  Element public_key;
  // A scalar in 1 .. order-1 times the generator is never the identity, the only case in which this fails.
  (void)!crypto_scalarmult_ristretto255_base(public_key.data(), secret.ExposeForUse().data());
  return KeyPair(std::move(secret), public_key);
}

absl::StatusOr<KeyPair> KeyPair::FromScalar(common::SecretBytes secret) {
  if (secret.size() != kScalarSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("OPRF secret key has ", secret.size(), " bytes instead of ", kScalarSize));
  }
  common::InitCrypto();
  Element public_key;
  if (!IsCanonicalScalar(secret.ExposeForUse().first<kScalarSize>()) ||
      crypto_scalarmult_ristretto255_base(public_key.data(), secret.ExposeForUse().data()) != 0) {
    return absl::InvalidArgumentError("OPRF secret key is zero or not below the group order");
  }
  return KeyPair(std::move(secret), public_key);
}

absl::StatusOr<KeyPair> KeyPair::Derive(const common::SecretBytes& seed, std::string_view info, Mode mode) {
  if (seed.size() != 32 || info.size() > 65'535) {
    return absl::InvalidArgumentError(
        absl::StrCat("deriving an OPRF key needs a seed of 32 bytes and at most 65535 bytes of info; got ", seed.size(),
                     " and ", info.size()));
  }
  const std::string domain = "DeriveKeyPair" + ContextString(mode);
  std::string input(common::AsChars(seed.ExposeForUse()));
  AppendLengthPrefixed(input, info);
  input.push_back(0);
  common::SecretBytes secret(kScalarSize);
  for (int counter = 0; counter <= 255; ++counter) {
    input.back() = static_cast<char>(counter);
    Suite::HashToScalarUnder(domain, input, secret.ExposeForFilling().first<kScalarSize>());
    if (sodium_is_zero(secret.ExposeForUse().data(), secret.size()) == 0) {
      break;
    }
  }
  common::Wipe(input);
  return FromScalar(std::move(secret));
}

absl::StatusOr<std::string> BlindEvaluate(const KeyPair& key, std::string_view blinded) {
  SLUIS_ASSIGN_OR_RETURN(const std::size_t count, CountElements(blinded, "blinded elements"));
  const std::uint8_t* const secret = key.secret_scalar().ExposeForUse().data();
  std::string evaluated(blinded.size(), '\0');
  auto* const out = reinterpret_cast<std::uint8_t*>(evaluated.data());
  for (std::size_t i = 0; i < count; ++i) {
    if (crypto_scalarmult_ristretto255(out + i * kElementSize, secret, ElementAt(blinded, i)) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "blinded element ", i, " is not the canonical encoding of a ristretto255 element other than the identity; ",
          "nothing of the batch was evaluated"));
    }
  }
  return evaluated;
}

absl::StatusOr<std::string> GenerateProof(const KeyPair& key, std::string_view blinded, std::string_view evaluated,
                                          const ScalarSource& draw) {
  const Suite suite(Mode::kVoprf);
  Composites composites;
  SLUIS_ASSIGN_OR_RETURN(composites.m, ComputeBlindedComposite(suite, key.public_key(), blinded, evaluated));
  const std::uint8_t* const secret = key.secret_scalar().ExposeForUse().data();
  WipedArray<kScalarSize> nonce;
  draw(nonce.bytes);
  Element t2;
  Element t3;
  if (crypto_scalarmult_ristretto255(composites.z.data(), secret, composites.m.data()) != 0 ||
      crypto_scalarmult_ristretto255_base(t2.data(), nonce.data()) != 0 ||
      crypto_scalarmult_ristretto255(t3.data(), nonce.data(), composites.m.data()) != 0) {
    return absl::InternalError("the composite of the batch is the identity or the nonce of the proof is zero");
  }
  Scalar challenge;
  ComputeChallenge(suite, key.public_key(), composites, t2, t3, challenge);
  WipedArray<kScalarSize> product;
  Scalar response;
  crypto_core_ristretto255_scalar_mul(product.data(), challenge.data(), secret);
  crypto_core_ristretto255_scalar_sub(response.data(), nonce.data(), product.data());
  std::string proof(common::AsChars(challenge));
  proof += common::AsChars(response);
  return proof;
}

}  // namespace sluis::keys
