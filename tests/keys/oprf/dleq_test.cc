#include "keys/oprf/dleq.h"

#include <sodium.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "keys/oprf/client.h"
#include "keys/oprf/server.h"

namespace sluis::keys {
namespace {

using absl::StatusCode;
using common::testing::StatusIs;

std::string Chars(const Element& element) { return std::string(common::AsChars(element)); }

// A second implementation of RFC 9497, section 2.2.1, written straight from the text and shared with nothing above
// libsodium: expand_message_xmd included.
std::string Sha512(const std::string& bytes) {
  std::string hash(64, '\0');
  crypto_hash_sha512(reinterpret_cast<std::uint8_t*>(hash.data()), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                     bytes.size());
  return hash;
}
std::string TwoBytes(std::size_t n) { return {static_cast<char>(n / 256), static_cast<char>(n % 256)}; }
std::string Prefixed(const std::string& bytes) { return TwoBytes(bytes.size()) + bytes; }
const std::string& OracleContext() {
  static const std::string context = std::string("OPRFV1-\x01", 8) + "-ristretto255-SHA512";
  return context;
}
Scalar OracleHashToScalar(const std::string& message) {
  const std::string domain = "HashToScalar-" + OracleContext();
  const std::string suffix = domain + static_cast<char>(domain.size());
  const std::string b0 = Sha512(std::string(128, '\0') + message + TwoBytes(64) + std::string(1, '\0') + suffix);
  const std::string b1 = Sha512(b0 + '\x01' + suffix);
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.data(), reinterpret_cast<const std::uint8_t*>(b1.data()));
  return scalar;
}
std::pair<std::string, std::string> OracleComposites(const std::string& public_key, const std::string& blinded,
                                                     const std::string& evaluated) {
  const std::string seed = Sha512(Prefixed(public_key) + Prefixed("Seed-" + OracleContext()));
  std::string sums[2] = {std::string(32, '\0'), std::string(32, '\0')};
  for (std::size_t i = 0; i * 32 < blinded.size(); ++i) {
    const std::string c = blinded.substr(i * 32, 32);
    const std::string d = evaluated.substr(i * 32, 32);
    const Scalar weight = OracleHashToScalar(Prefixed(seed) + TwoBytes(i) + Prefixed(c) + Prefixed(d) + "Composite");
    for (int side = 0; side < 2; ++side) {
      Element product;
      Element sum;
      const std::string& point = side == 0 ? c : d;
      EXPECT_EQ(crypto_scalarmult_ristretto255(product.data(), weight.data(),
                                               reinterpret_cast<const std::uint8_t*>(point.data())),
                0);
      EXPECT_EQ(crypto_core_ristretto255_add(sum.data(), reinterpret_cast<const std::uint8_t*>(sums[side].data()),
                                             product.data()),
                0);
      sums[side] = Chars(sum);
    }
  }
  return {sums[0], sums[1]};
}

struct Exchange {
  KeyPair key = KeyPair::Generate();
  std::string blinded;
  std::string evaluated;
  std::string proof;
};

Exchange MakeExchange(int count) {
  Exchange exchange;
  std::vector<std::string> inputs;
  for (int i = 0; i < count; ++i) {
    inputs.push_back("input " + std::to_string(i));
  }
  exchange.blinded = Blind(inputs)->elements();
  exchange.evaluated = *BlindEvaluate(exchange.key, exchange.blinded);
  exchange.proof = *GenerateProof(exchange.key, exchange.blinded, exchange.evaluated);
  return exchange;
}

class CompositesOfCount : public ::testing::TestWithParam<int> {};

TEST_P(CompositesOfCount, EqualTheSecondImplementation) {
  const Exchange exchange = MakeExchange(GetParam());
  const Suite suite(Mode::kVoprf);
  const Element& public_key = exchange.key.public_key();
  const auto [m, z] = OracleComposites(Chars(public_key), exchange.blinded, exchange.evaluated);
  const auto composites = ComputeComposites(suite, public_key, exchange.blinded, exchange.evaluated);
  SLUIS_ASSERT_OK(composites);
  EXPECT_EQ(Chars(composites->m), m);
  EXPECT_EQ(Chars(composites->z), z);
  // The server's short cut: M alone, and Z = k * M.
  const auto server_m = ComputeBlindedComposite(suite, public_key, exchange.blinded, exchange.evaluated);
  SLUIS_ASSERT_OK(server_m);
  EXPECT_EQ(Chars(*server_m), m);
  EXPECT_EQ(*BlindEvaluate(exchange.key, m), z);
}
// 300: the index of an element takes both of its bytes.
INSTANTIATE_TEST_SUITE_P(Counts, CompositesOfCount, ::testing::Values(1, 2, 3, 300));

TEST(VerifyProof, AcceptsTheServersProof) {
  for (const int count : {1, 2, 5}) {
    const Exchange exchange = MakeExchange(count);
    SLUIS_EXPECT_OK(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, exchange.proof));
  }
}

TEST(VerifyProof, RefusesAnotherKey) {
  const Exchange exchange = MakeExchange(3);
  const KeyPair other = KeyPair::Generate();
  const auto refused = VerifyProof(other.public_key(), exchange.blinded, exchange.evaluated, exchange.proof);
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition, "does not hold under the pinned public key"));
  EXPECT_EQ(common::ReasonOf(refused), "OPRF_PROOF_INVALID");
  // A server that evaluates with one key and proves with the pinned one.
  const auto with_other = BlindEvaluate(other, exchange.blinded);
  const auto proof = GenerateProof(exchange.key, exchange.blinded, *with_other);
  SLUIS_ASSERT_OK(proof);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, *with_other, *proof),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
}

TEST(VerifyProof, RefusesOneElementUnderAnotherKey) {
  Exchange exchange = MakeExchange(4);
  const KeyPair other = KeyPair::Generate();
  exchange.evaluated.replace(64, 32, BlindEvaluate(other, exchange.blinded)->substr(64, 32));
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, exchange.proof),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
  const auto proof = GenerateProof(exchange.key, exchange.blinded, exchange.evaluated);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, *proof),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
}

TEST(VerifyProof, RefusesSwappedElements) {
  const Exchange exchange = MakeExchange(2);
  const std::string swapped = exchange.evaluated.substr(32) + exchange.evaluated.substr(0, 32);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, swapped, exchange.proof),
              StatusIs(StatusCode::kFailedPrecondition, "reordered"));
  const auto proof = GenerateProof(exchange.key, exchange.blinded, swapped);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, swapped, *proof),
              StatusIs(StatusCode::kFailedPrecondition, "reordered"));
}

TEST(VerifyProof, RefusesTheProofOfAnotherBatch) {
  const Exchange exchange = MakeExchange(2);
  const std::string other_blinded = Blind(std::vector<std::string>{"a", "b"})->elements();
  const auto other_evaluated = BlindEvaluate(exchange.key, other_blinded);
  const auto other_proof = GenerateProof(exchange.key, other_blinded, *other_evaluated);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, *other_proof),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
}

TEST(VerifyProof, RefusesEveryChangedByteOfTheProof) {
  const Exchange exchange = MakeExchange(1);
  for (std::size_t at = 0; at < kProofSize; ++at) {
    std::string proof = exchange.proof;
    proof[at] = static_cast<char>(proof[at] ^ 1);
    EXPECT_FALSE(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, proof).ok()) << at;
  }
}

TEST(VerifyProof, RefusesScalarsThatAreNotCanonical) {
  const Exchange exchange = MakeExchange(1);
  // c + order and s + order are the same scalars in another encoding.
  const auto order = common::HexDecode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  for (const std::size_t at : {0, 32}) {
    std::string proof = exchange.proof;
    sodium_add(reinterpret_cast<std::uint8_t*>(proof.data()) + at, common::AsBytes(*order).data(), 32);
    EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, proof),
                StatusIs(StatusCode::kInvalidArgument, "not below the group order"));
  }
}

TEST(VerifyProof, RefusesZeroScalars) {
  const Exchange exchange = MakeExchange(1);
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, exchange.evaluated, std::string(64, '\0')),
              StatusIs(StatusCode::kFailedPrecondition, "does not hold"));
}

TEST(VerifyProof, RefusesBadLengths) {
  const Exchange exchange = MakeExchange(2);
  const Element& key = exchange.key.public_key();
  const auto refusal = [&](const std::string& blinded, const std::string& evaluated, const std::string& proof) {
    return VerifyProof(key, blinded, evaluated, proof);
  };
  EXPECT_THAT(refusal(exchange.blinded, exchange.evaluated, exchange.proof.substr(1)),
              StatusIs(StatusCode::kInvalidArgument, "proof has 63 bytes"));
  EXPECT_THAT(refusal(exchange.blinded, exchange.evaluated.substr(32), exchange.proof),
              StatusIs(StatusCode::kInvalidArgument, "1 evaluated elements for 2"));
  EXPECT_THAT(refusal(exchange.blinded, exchange.evaluated.substr(1), exchange.proof),
              StatusIs(StatusCode::kInvalidArgument, "evaluated elements: 63 bytes"));
  EXPECT_THAT(refusal("", "", exchange.proof), StatusIs(StatusCode::kInvalidArgument, "empty"));
}

TEST(VerifyProof, RefusesBadElementsByIndexAndABadPublicKey) {
  const Exchange exchange = MakeExchange(3);
  std::string evaluated = exchange.evaluated;
  evaluated.replace(64, 32, std::string(32, '\0'));
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), exchange.blinded, evaluated, exchange.proof),
              StatusIs(StatusCode::kInvalidArgument, "evaluated element 2"));
  std::string blinded = exchange.blinded;
  blinded.replace(32, 32, std::string(32, '\xff'));
  EXPECT_THAT(VerifyProof(exchange.key.public_key(), blinded, exchange.evaluated, exchange.proof),
              StatusIs(StatusCode::kInvalidArgument, "blinded element 1"));
  EXPECT_THAT(VerifyProof(Element{}, exchange.blinded, exchange.evaluated, exchange.proof),
              StatusIs(StatusCode::kInvalidArgument, "public key"));
}

// Seed 9497. That random bytes pass has a chance of about 2^-252.
TEST(VerifyProof, RefusesRandomBytesWithoutCrashing) {
  const Exchange exchange = MakeExchange(2);
  std::mt19937_64 random(9497);
  const auto bytes = [&random](std::size_t size) {
    std::string out(size, '\0');
    for (char& c : out) {
      c = static_cast<char>(random());
    }
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    const std::string blinded = round % 3 == 0 ? exchange.blinded : bytes(random() % 130);
    const std::string evaluated = round % 3 == 1 ? exchange.evaluated : bytes(random() % 130);
    const std::string proof = round % 2 == 0 ? bytes(64) : bytes(random() % 100);
    EXPECT_FALSE(VerifyProof(exchange.key.public_key(), blinded, evaluated, proof).ok());
    Element key;
    const std::string key_bytes = bytes(32);
    std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
    EXPECT_FALSE(VerifyProof(key, exchange.blinded, exchange.evaluated, exchange.proof).ok());
  }
}

}  // namespace
}  // namespace sluis::keys
