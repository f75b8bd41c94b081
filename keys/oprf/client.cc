#include "keys/oprf/client.h"

#include <sodium.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "keys/oprf/batch_inversion.h"
#include "keys/oprf/dleq.h"

namespace sluis::keys {

absl::StatusOr<BlindedBatch> Blind(std::span<const std::string> inputs, const BlindOptions& options) {
  if (inputs.empty() || inputs.size() > kMaxBatch) {
    return absl::InvalidArgumentError(absl::StrCat(inputs.size(), " inputs to blind; a batch has 1 to ", kMaxBatch));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty() || inputs[i].size() > kMaxInputSize) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " has ", inputs[i].size(), " bytes; 1 to ",
                                                     kMaxInputSize, " are allowed: leave it out of the batch"));
    }
  }
  const Suite suite(options.mode);
  std::string elements(inputs.size() * kElementSize, '\0');
  auto* const out = reinterpret_cast<std::uint8_t*>(elements.data());
  common::SecretBytes blinds(inputs.size() * kScalarSize);
  const std::span<std::uint8_t> scalars = blinds.ExposeForFilling();
  WipedArray<kElementSize> hashed;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto blind = scalars.subspan(i * kScalarSize).first<kScalarSize>();
    options.draw(blind);
    if (sodium_is_zero(blind.data(), blind.size()) == 1) {
      return absl::InternalError(absl::StrCat("the source of blinds gave zero for input ", i));
    }
    suite.HashToGroup(inputs[i], hashed.bytes);
    if (crypto_scalarmult_ristretto255(out + i * kElementSize, blind.data(), hashed.data()) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", i, " hashes to the identity: leave it out of the batch"));
    }
  }
  return BlindedBatch(options.mode, std::move(elements), std::move(blinds));
}

// Multiplies each element by the inverse of its blind.
absl::StatusOr<std::string> RemoveBlinds(const BlindedBatch& batch, std::string_view evaluated) {
  SLUIS_ASSIGN_OR_RETURN(const std::size_t count, CountElements(evaluated, "evaluated elements"));
  if (count != batch.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(count, " evaluated elements for ", batch.size(), " blinded elements; one is needed for each"));
  }
  common::SecretBytes inverses = batch.blinds_.Clone();
  SLUIS_RETURN_IF_ERROR(InvertScalars(inverses.ExposeForFilling()));
  const std::span<const std::uint8_t> scalars = inverses.ExposeForUse();
  std::string pseudonyms(evaluated.size(), '\0');
  auto* const out = reinterpret_cast<std::uint8_t*>(pseudonyms.data());
  for (std::size_t i = 0; i < count; ++i) {
    if (crypto_scalarmult_ristretto255(out + i * kElementSize, scalars.data() + i * kScalarSize,
                                       ElementAt(evaluated, i)) != 0) {
      common::Wipe(pseudonyms);
      return absl::InvalidArgumentError(absl::StrCat(
          "evaluated element ", i, " is not the canonical encoding of a ristretto255 element other than the identity"));
    }
  }
  return pseudonyms;
}

absl::StatusOr<std::string> Unblind(const BlindedBatch& batch, std::string_view evaluated, std::string_view proof,
                                    const Element& public_key) {
  if (batch.mode() != Mode::kVoprf) {
    return absl::InvalidArgumentError("the batch was not blinded in VOPRF mode: no proof can be checked for it");
  }
  SLUIS_RETURN_IF_ERROR(VerifyProof(public_key, batch.elements(), evaluated, proof));
  return RemoveBlinds(batch, evaluated);
}

absl::StatusOr<std::string> UnblindWithoutProof(const BlindedBatch& batch, std::string_view evaluated) {
  if (batch.mode() != Mode::kOprf) {
    return absl::InvalidArgumentError("the batch was blinded in VOPRF mode: unblind it with the proof");
  }
  return RemoveBlinds(batch, evaluated);
}

std::array<std::uint8_t, 64> ComputeOutput(std::string_view input, const Element& pseudonym) {
  std::string transcript;
  AppendLengthPrefixed(transcript, input);
  AppendLengthPrefixed(transcript, common::AsChars(pseudonym));
  transcript += "Finalize";
  std::array<std::uint8_t, 64> output;
  crypto_hash_sha512(output.data(), common::AsBytes(transcript).data(), transcript.size());
  common::Wipe(transcript);
  return output;
}

}  // namespace sluis::keys
