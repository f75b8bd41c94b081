// Client and server together, and each against a partner that does not keep to the protocol.

#include <sodium.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "keys/oprf/client.h"
#include "keys/oprf/dleq.h"
#include "keys/oprf/server.h"

namespace sluis::keys {
namespace {

using absl::StatusCode;
using common::testing::StatusIs;

constexpr char kOrderHex[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// Encodings that RFC 9496, Appendix A.3, lists as invalid: non-canonical field elements, negative ones, non-square x^2,
// negative xy, s = -1 (y = 0).
constexpr const char* kBadEncodings[] = {
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

std::vector<std::string> Inputs(int count) {
  std::vector<std::string> inputs;
  for (int i = 0; i < count; ++i) {
    inputs.push_back("person " + std::to_string(i));
  }
  return inputs;
}

// k * H(x), computed without blinding.
std::string DirectPseudonym(const KeyPair& key, const std::string& input) {
  Element hashed;
  Suite(Mode::kVoprf).HashToGroup(input, hashed);
  std::string out(kElementSize, '\0');
  EXPECT_EQ(crypto_scalarmult_ristretto255(reinterpret_cast<std::uint8_t*>(out.data()),
                                           key.secret_scalar().ExposeForUse().data(), hashed.data()),
            0);
  return out;
}

absl::StatusOr<std::string> RunProtocol(const KeyPair& key, std::span<const std::string> inputs) {
  SLUIS_ASSIGN_OR_RETURN(const BlindedBatch batch, Blind(inputs));
  SLUIS_ASSIGN_OR_RETURN(const std::string evaluated, BlindEvaluate(key, batch.elements()));
  SLUIS_ASSIGN_OR_RETURN(const std::string proof, GenerateProof(key, batch.elements(), evaluated));
  return Unblind(batch, evaluated, proof, key.public_key());
}

TEST(Voprf, PseudonymIsKeyTimesHash) {
  const KeyPair key = KeyPair::Generate();
  const auto inputs = Inputs(50);
  const auto pseudonyms = RunProtocol(key, inputs);
  SLUIS_ASSERT_OK(pseudonyms);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(pseudonyms->substr(i * kElementSize, kElementSize), DirectPseudonym(key, inputs[i])) << i;
  }
}

TEST(Voprf, EqualInputsGiveEqualPseudonymsButDifferentBlindedElements) {
  const KeyPair key = KeyPair::Generate();
  const std::vector<std::string> inputs(20, "the same person");
  const auto batch = Blind(inputs);
  SLUIS_ASSERT_OK(batch);
  std::set<std::string> blinded;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    blinded.insert(batch->elements().substr(i * kElementSize, kElementSize));
  }
  EXPECT_EQ(blinded.size(), inputs.size());
  const auto pseudonyms = RunProtocol(key, inputs);
  SLUIS_ASSERT_OK(pseudonyms);
  std::string expected;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expected += DirectPseudonym(key, inputs[0]);
  }
  EXPECT_EQ(*pseudonyms, expected);
}

TEST(Voprf, PseudonymsMoveToANewKeyWithoutIdentifiers) {
  const KeyPair old_key = KeyPair::Generate();
  const KeyPair new_key = KeyPair::Generate();
  Scalar inverse;
  Scalar factor;  // k' / k
  ASSERT_EQ(crypto_core_ristretto255_scalar_invert(inverse.data(), old_key.secret_scalar().ExposeForUse().data()), 0);
  crypto_core_ristretto255_scalar_mul(factor.data(), inverse.data(), new_key.secret_scalar().ExposeForUse().data());
  const auto inputs = Inputs(3);
  const auto pseudonyms = RunProtocol(old_key, inputs);
  SLUIS_ASSERT_OK(pseudonyms);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Element moved;
    ASSERT_TRUE(MultiplyElement(factor, ElementAt(*pseudonyms, i), moved));
    EXPECT_EQ(common::AsChars(moved), DirectPseudonym(new_key, inputs[i]));
  }
}

TEST(Voprf, ThreadsShardABatchWithOneKey) {
  const KeyPair key = KeyPair::Generate();
  const auto inputs = Inputs(40);
  std::vector<absl::StatusOr<std::string>> parts(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < parts.size(); ++t) {
    threads.emplace_back([&, t] { parts[t] = RunProtocol(key, std::span(inputs).subspan(t * 10, 10)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    SLUIS_ASSERT_OK(parts[i / 10]);
    EXPECT_EQ(parts[i / 10]->substr(i % 10 * kElementSize, kElementSize), DirectPseudonym(key, inputs[i]));
  }
}

TEST(Blind, RefusesBadBatchesAndInputsByIndex) {
  EXPECT_THAT(Blind({}), StatusIs(StatusCode::kInvalidArgument, "0 inputs"));
  EXPECT_THAT(Blind(std::vector<std::string>(kMaxBatch + 1, "x")),
              StatusIs(StatusCode::kInvalidArgument, "32769 inputs"));
  EXPECT_THAT(Blind(std::vector<std::string>{"a", ""}), StatusIs(StatusCode::kInvalidArgument, "input 1 has 0 bytes"));
  EXPECT_THAT(Blind(std::vector<std::string>{"a", "b", std::string(kMaxInputSize + 1, 'x')}),
              StatusIs(StatusCode::kInvalidArgument, "input 2 has 65536 bytes"));
  SLUIS_EXPECT_OK(Blind(std::vector<std::string>{std::string(kMaxInputSize, 'x')}));
}

TEST(Blind, RefusesABlindOfZero) {
  int drawn = 0;
  const ScalarSource zero_second = [&drawn](std::span<std::uint8_t, kScalarSize> out) {
    std::fill(out.begin(), out.end(), drawn++ == 1 ? 0 : 1);
    out[31] = 0;
  };
  EXPECT_THAT(Blind(Inputs(3), {.mode = Mode::kVoprf, .draw = zero_second}),
              StatusIs(StatusCode::kInternal, "zero for input 1"));
}

TEST(Unblind, RefusesWhatTheServerShouldNotSend) {
  const KeyPair key = KeyPair::Generate();
  const auto batch = Blind(Inputs(3));
  SLUIS_ASSERT_OK(batch);
  const std::string evaluated = *BlindEvaluate(key, batch->elements());
  const std::string proof = *GenerateProof(key, batch->elements(), evaluated);
  SLUIS_ASSERT_OK(Unblind(*batch, evaluated, proof, key.public_key()));

  const KeyPair other = KeyPair::Generate();
  EXPECT_THAT(Unblind(*batch, evaluated, proof, other.public_key()),
              StatusIs(StatusCode::kFailedPrecondition, "another key"));
  const std::string other_evaluated = *BlindEvaluate(other, batch->elements());
  const std::string other_proof = *GenerateProof(other, batch->elements(), other_evaluated);
  EXPECT_THAT(Unblind(*batch, other_evaluated, other_proof, key.public_key()),
              StatusIs(StatusCode::kFailedPrecondition, "another key"));
  EXPECT_THAT(Unblind(*batch, batch->elements(), proof, key.public_key()),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
  EXPECT_THAT(Unblind(*batch, evaluated.substr(kElementSize), proof, key.public_key()),
              StatusIs(StatusCode::kInvalidArgument, "2 evaluated elements for 3"));
  EXPECT_THAT(Unblind(*batch, evaluated, "", key.public_key()),
              StatusIs(StatusCode::kInvalidArgument, "proof has 0 bytes"));
}

TEST(Unblind, KeepsTheModesApart) {
  const KeyPair key = KeyPair::Generate();
  const auto voprf = Blind(Inputs(1));
  SLUIS_ASSERT_OK(voprf);
  EXPECT_THAT(UnblindWithoutProof(*voprf, *BlindEvaluate(key, voprf->elements())),
              StatusIs(StatusCode::kInvalidArgument, "unblind it with the proof"));
  const auto oprf = Blind(Inputs(1), {.mode = Mode::kOprf});
  SLUIS_ASSERT_OK(oprf);
  const std::string evaluated = *BlindEvaluate(key, oprf->elements());
  EXPECT_THAT(Unblind(*oprf, evaluated, *GenerateProof(key, oprf->elements(), evaluated), key.public_key()),
              StatusIs(StatusCode::kInvalidArgument, "not blinded in VOPRF mode"));
  EXPECT_THAT(UnblindWithoutProof(*oprf, std::string(32, '\0')),
              StatusIs(StatusCode::kInvalidArgument, "evaluated element 0"));
  EXPECT_THAT(UnblindWithoutProof(*oprf, evaluated + evaluated),
              StatusIs(StatusCode::kInvalidArgument, "2 evaluated elements for 1"));
}

TEST(BlindEvaluate, RefusesBadEncodingsByIndex) {
  const KeyPair key = KeyPair::Generate();
  const std::string good = Blind(Inputs(2))->elements();
  std::vector<std::string> bad = {std::string(32, '\0')};  // the identity
  for (const char* const hex : kBadEncodings) {
    bad.push_back(*common::HexDecode(hex));
  }
  for (const std::string& element : bad) {
    SCOPED_TRACE(common::HexEncode(element));
    const auto refused = BlindEvaluate(key, good + element + good);
    EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument, "blinded element 2 is not"));
    EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument, "nothing of the batch was evaluated"));
    EXPECT_THAT(GenerateProof(key, good + element, good + good.substr(0, 32)),
                StatusIs(StatusCode::kInvalidArgument, "blinded element 2"));
    EXPECT_THAT(ParsePublicKey(element), StatusIs(StatusCode::kInvalidArgument, "public key"));
  }
}

TEST(BlindEvaluate, RefusesBadLengths) {
  const KeyPair key = KeyPair::Generate();
  EXPECT_THAT(BlindEvaluate(key, ""), StatusIs(StatusCode::kInvalidArgument, "empty"));
  EXPECT_THAT(BlindEvaluate(key, std::string(33, 'x')), StatusIs(StatusCode::kInvalidArgument, "33 bytes"));
  EXPECT_THAT(BlindEvaluate(key, std::string((kMaxBatch + 1) * kElementSize, 'x')),
              StatusIs(StatusCode::kInvalidArgument, "32769 elements are over the limit of 32768"));
}

// Seed 255. About one in 16 random strings with the top bit clear is an element; every other one must be refused, and
// with libsodium's decoder as the judge no other answer is right.
TEST(BlindEvaluate, JudgesRandomBytesAsTheDecoderDoes) {
  const KeyPair key = KeyPair::Generate();
  std::mt19937_64 random(255);
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string element(kElementSize, '\0');
    for (char& c : element) {
      c = static_cast<char>(random());
    }
    const bool valid = crypto_core_ristretto255_is_valid_point(common::AsBytes(element).data()) == 1;
    EXPECT_EQ(BlindEvaluate(key, element).ok(), valid);
    accepted += valid ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 4000);
}

TEST(KeyPair, KeepsItsScalar) {
  const KeyPair key = KeyPair::Generate();
  const auto again = KeyPair::FromScalar(key.secret_scalar().Clone());
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_NE(KeyPair::Generate().public_key(), key.public_key());
}

TEST(KeyPair, RefusesScalarsOutOfRange) {
  EXPECT_THAT(KeyPair::FromScalar(common::SecretBytes(31)), StatusIs(StatusCode::kInvalidArgument, "31 bytes"));
  EXPECT_THAT(KeyPair::FromScalar(common::SecretBytes(32)), StatusIs(StatusCode::kInvalidArgument, "zero"));
  const std::string order = *common::HexDecode(kOrderHex);
  EXPECT_THAT(KeyPair::FromScalar(common::SecretBytes::CopyOf(common::AsBytes(order))),
              StatusIs(StatusCode::kInvalidArgument, "not below the group order"));
  std::string one_less = order;
  one_less[0] = static_cast<char>(one_less[0] - 1);
  SLUIS_EXPECT_OK(KeyPair::FromScalar(common::SecretBytes::CopyOf(common::AsBytes(one_less))));
}

TEST(KeyPair, DeriveRefusesBadSizes) {
  EXPECT_THAT(KeyPair::Derive(common::SecretBytes(31), "info", Mode::kVoprf),
              StatusIs(StatusCode::kInvalidArgument, "seed of 32 bytes"));
  EXPECT_THAT(KeyPair::Derive(common::SecretBytes(32), std::string(65'536, 'x'), Mode::kVoprf),
              StatusIs(StatusCode::kInvalidArgument, "65536"));
}

TEST(ParsePublicKey, TakesWhatAKeyPairShows) {
  const KeyPair key = KeyPair::Generate();
  const auto parsed = ParsePublicKey(common::AsChars(key.public_key()));
  SLUIS_ASSERT_OK(parsed);
  EXPECT_EQ(*parsed, key.public_key());
  EXPECT_THAT(ParsePublicKey("short"), StatusIs(StatusCode::kInvalidArgument, "5 bytes"));
}

}  // namespace
}  // namespace sluis::keys
