#include "keys/oprf/dleq.h"

#include <sodium.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::keys {
namespace {

std::string_view Chars(const Element& element) { return common::AsChars(element); }

absl::Status BadElement(std::string_view what, std::size_t index) {
  return absl::InvalidArgumentError(absl::StrCat(
      std::string(what), " element ", index,
      " is not the canonical encoding of a ristretto255 element other than the identity; refuse the whole batch"));
}

absl::Status CheckSameCount(std::string_view blinded, std::string_view evaluated) {
  SLUIS_ASSIGN_OR_RETURN(const std::size_t blinded_count, CountElements(blinded, "blinded elements"));
  SLUIS_ASSIGN_OR_RETURN(const std::size_t evaluated_count, CountElements(evaluated, "evaluated elements"));
  if (blinded_count != evaluated_count) {
    return absl::InvalidArgumentError(absl::StrCat(evaluated_count, " evaluated elements for ", blinded_count,
                                                   " blinded elements; one is needed for each, in the same order"));
  }
  return absl::OkStatus();
}

// Makes the weights d_i, one after another.
class Weights {
 public:
  Weights(const Suite& suite, const Element& public_key) : suite_(suite) {
    std::string transcript;
    AppendLengthPrefixed(transcript, Chars(public_key));
    AppendLengthPrefixed(transcript, "Seed-" + suite.context());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> seed;
    crypto_hash_sha512(seed.data(), common::AsBytes(transcript).data(), transcript.size());
    AppendLengthPrefixed(message_, common::AsChars(seed));
    prefix_size_ = message_.size();
  }

  void Compute(std::size_t index, const std::uint8_t* blinded, const std::uint8_t* evaluated, Scalar& weight) {
    message_.resize(prefix_size_);
    message_.push_back(static_cast<char>(index >> 8));
    message_.push_back(static_cast<char>(index & 0xff));
    AppendLengthPrefixed(message_, common::AsChars({blinded, kElementSize}));
    AppendLengthPrefixed(message_, common::AsChars({evaluated, kElementSize}));
    message_ += "Composite";
    suite_.HashToScalar(message_, weight);
  }

 private:
  const Suite& suite_;
  std::string message_;
  std::size_t prefix_size_ = 0;
};

// Adds weight * point to `sum`; false if `point` is malformed or the identity.
bool AddWeighted(const Scalar& weight, const std::uint8_t* point, Element& sum) {
  Element product;
  return MultiplyElement(weight, point, product) &&
         crypto_core_ristretto255_add(sum.data(), sum.data(), product.data()) == 0;
}

// The first term of a sum costs no addition.
bool Accumulate(bool first, const Scalar& weight, const std::uint8_t* point, Element& sum) {
  return first ? MultiplyElement(weight, point, sum) : AddWeighted(weight, point, sum);
}

}  // namespace

absl::StatusOr<Composites> ComputeComposites(const Suite& suite, const Element& public_key, std::string_view blinded,
                                             std::string_view evaluated) {
  SLUIS_RETURN_IF_ERROR(CheckSameCount(blinded, evaluated));
  const std::size_t count = blinded.size() / kElementSize;
  Weights weights(suite, public_key);
  Composites composites;
  Scalar weight;
  for (std::size_t i = 0; i < count; ++i) {
    weights.Compute(i, ElementAt(blinded, i), ElementAt(evaluated, i), weight);
    if (!Accumulate(i == 0, weight, ElementAt(blinded, i), composites.m)) {
      return BadElement("blinded", i);
    }
    if (!Accumulate(i == 0, weight, ElementAt(evaluated, i), composites.z)) {
      return BadElement("evaluated", i);
    }
  }
  return composites;
}

absl::StatusOr<Element> ComputeBlindedComposite(const Suite& suite, const Element& public_key, std::string_view blinded,
                                                std::string_view evaluated) {
  SLUIS_RETURN_IF_ERROR(CheckSameCount(blinded, evaluated));
  const std::size_t count = blinded.size() / kElementSize;
  Weights weights(suite, public_key);
  Element m{};
  Scalar weight;
  for (std::size_t i = 0; i < count; ++i) {
    weights.Compute(i, ElementAt(blinded, i), ElementAt(evaluated, i), weight);
    if (!Accumulate(i == 0, weight, ElementAt(blinded, i), m)) {
      return BadElement("blinded", i);
    }
  }
  return m;
}

void ComputeChallenge(const Suite& suite, const Element& public_key, const Composites& composites, const Element& t2,
                      const Element& t3, Scalar& challenge) {
  std::string transcript;
  for (const Element* element : {&public_key, &composites.m, &composites.z, &t2, &t3}) {
    AppendLengthPrefixed(transcript, Chars(*element));
  }
  transcript += "Challenge";
  suite.HashToScalar(transcript, challenge);
}

absl::Status VerifyProof(const Element& public_key, std::string_view blinded, std::string_view evaluated,
                         std::string_view proof) {
  if (proof.size() != kProofSize) {
    return absl::InvalidArgumentError(absl::StrCat("proof has ", proof.size(), " bytes instead of ", kProofSize));
  }
  SLUIS_RETURN_IF_ERROR(ParsePublicKey(Chars(public_key)).status());
  Scalar c;
  Scalar s;
  std::copy_n(common::AsBytes(proof).begin(), kScalarSize, c.begin());
  std::copy_n(common::AsBytes(proof).begin() + kScalarSize, kScalarSize, s.begin());
  if (!IsCanonicalScalar(c) || !IsCanonicalScalar(s)) {
    return absl::InvalidArgumentError("proof holds a scalar that is not below the group order");
  }
  const Suite suite(Mode::kVoprf);
  SLUIS_ASSIGN_OR_RETURN(const Composites composites, ComputeComposites(suite, public_key, blinded, evaluated));
  const absl::Status refused = common::WithReason(
      absl::FailedPreconditionError("the key server's proof does not hold under the pinned public key: it used another "
                                    "key, or elements were changed or reordered; use nothing of this answer and "
                                    "compare the key in the permit with the key server's log"),
      "OPRF_PROOF_INVALID");
  Element t2;  // s * G + c * public key
  if (crypto_scalarmult_ristretto255_base(t2.data(), s.data()) != 0) {
    t2.fill(0);  // s = 0
  }
  Element t3;  // s * M + c * Z; a sum that is the identity (its chance is 2^-252) proves nothing
  if (!AddWeighted(c, public_key.data(), t2) || !MultiplyElement(s, composites.m.data(), t3) ||
      !AddWeighted(c, composites.z.data(), t3)) {
    return refused;
  }
  Scalar challenge;
  ComputeChallenge(suite, public_key, composites, t2, t3, challenge);
  return challenge == c ? absl::OkStatus() : refused;
}

}  // namespace sluis::keys
