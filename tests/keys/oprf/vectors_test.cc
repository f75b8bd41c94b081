// The published vectors of RFC 9497, Appendix A.1 (ristretto255-SHA512). Two stand in this file; all of them are read
// from the CFRG's allVectors.json where the test data are at hand.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "keys/oprf/client.h"
#include "keys/oprf/dleq.h"
#include "keys/oprf/server.h"

namespace sluis::keys {
namespace {

using common::HexDecode;
using common::HexEncode;

struct Vector {
  Mode mode = Mode::kOprf;
  std::string seed, key_info, secret_key, public_key;  // public_key is empty in OPRF mode
  std::vector<std::string> inputs, blinds, blinded, evaluated, outputs;
  std::string proof, nonce;  // empty in OPRF mode
};

std::string Bytes(const std::string& hex) {
  auto bytes = HexDecode(hex);
  EXPECT_THAT(bytes, common::testing::IsOk());
  return bytes.value_or("");
}

std::vector<std::string> ByteList(const std::string& comma_separated_hex) {
  std::vector<std::string> list;
  std::istringstream stream(comma_separated_hex);
  for (std::string item; std::getline(stream, item, ',');) {
    list.push_back(Bytes(item));
  }
  return list;
}

std::string Joined(const std::vector<std::string>& list) {
  std::string all;
  for (const std::string& item : list) {
    all += item;
  }
  return all;
}

// Gives the scalars of `list` one after another.
ScalarSource Replay(std::vector<std::string> list) {
  return [list = std::move(list), next = std::size_t{0}](std::span<std::uint8_t, kScalarSize> out) mutable {
    const std::string& scalar = list.at(next++);
    std::copy(scalar.begin(), scalar.end(), out.begin());
  };
}

void Check(const Vector& vector) {
  auto key = KeyPair::Derive(common::SecretBytes::CopyOf(common::AsBytes(vector.seed)), vector.key_info, vector.mode);
  SLUIS_ASSERT_OK(key);
  EXPECT_EQ(HexEncode(common::AsChars(key->secret_scalar().ExposeForUse())), HexEncode(vector.secret_key));
  auto batch = Blind(vector.inputs, {.mode = vector.mode, .draw = Replay(vector.blinds)});
  SLUIS_ASSERT_OK(batch);
  EXPECT_EQ(HexEncode(batch->elements()), HexEncode(Joined(vector.blinded)));
  auto evaluated = BlindEvaluate(*key, batch->elements());
  SLUIS_ASSERT_OK(evaluated);
  EXPECT_EQ(HexEncode(*evaluated), HexEncode(Joined(vector.evaluated)));
  absl::StatusOr<std::string> pseudonyms;
  if (vector.mode == Mode::kVoprf) {
    EXPECT_EQ(HexEncode(common::AsChars(key->public_key())), HexEncode(vector.public_key));
    auto proof = GenerateProof(*key, batch->elements(), *evaluated, Replay({vector.nonce}));
    SLUIS_ASSERT_OK(proof);
    EXPECT_EQ(HexEncode(*proof), HexEncode(vector.proof));
    pseudonyms = Unblind(*batch, *evaluated, *proof, key->public_key());
  } else {
    pseudonyms = UnblindWithoutProof(*batch, *evaluated);
  }
  SLUIS_ASSERT_OK(pseudonyms);
  ASSERT_EQ(pseudonyms->size(), vector.inputs.size() * kElementSize);
  for (std::size_t i = 0; i < vector.inputs.size(); ++i) {
    Element pseudonym;
    std::copy_n(pseudonyms->begin() + static_cast<std::ptrdiff_t>(i * kElementSize), kElementSize, pseudonym.begin());
    EXPECT_EQ(HexEncode(common::AsChars(ComputeOutput(vector.inputs[i], pseudonym))), HexEncode(vector.outputs[i]));
  }
}

TEST(Rfc9497Vectors, OprfA111) {
  Vector vector;
  vector.mode = Mode::kOprf;
  vector.seed = std::string(32, '\xa3');
  vector.key_info = "test key";
  vector.secret_key = Bytes("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e");
  vector.inputs = {std::string(1, '\0')};
  vector.blinds = {Bytes("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706")};
  vector.blinded = {Bytes("609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c")};
  vector.evaluated = {Bytes("7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e")};
  vector.outputs = {
      Bytes("527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3"
            "ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6")};
  Check(vector);
}

TEST(Rfc9497Vectors, VoprfBatchOfTwoA123) {
  Vector vector;
  vector.mode = Mode::kVoprf;
  vector.seed = std::string(32, '\xa3');
  vector.key_info = "test key";
  vector.secret_key = Bytes("e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909");
  vector.public_key = Bytes("c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e");
  vector.inputs = {std::string(1, '\0'), std::string(17, '\x5a')};
  vector.blinds = {Bytes("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"),
                   Bytes("222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e")};
  vector.blinded = {Bytes("863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"),
                    Bytes("90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654")};
  vector.evaluated = {Bytes("aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"),
                      Bytes("cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a")};
  vector.outputs = {Bytes("b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
                          "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"),
                    Bytes("8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
                          "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6")};
  vector.proof = Bytes(
      "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
      "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08");
  vector.nonce = Bytes("419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c");
  Check(vector);
}

std::filesystem::path TestData() {
  const char* const given = std::getenv("SLUIS_TEST_DATA");
  if (given != nullptr && *given != '\0') {
    return given;
  }
  return std::filesystem::path(SLUIS_SOURCE_DIR) / ".." / "shared" / "data";
}

TEST(Rfc9497Vectors, AllOfRistretto255) {
  const auto path = TestData() / "vectors/oprf-rfc9497-cfrg/poc/vectors/allVectors.json";
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "allVectors.json of github.com/cfrg/draft-irtf-cfrg-voprf is not there; set SLUIS_TEST_DATA";
  }
  std::ifstream file(path);
  int checked = 0;
  for (const auto& suite : nlohmann::json::parse(file)) {
    if (suite.at("identifier") != "ristretto255-SHA512" || suite.at("mode").get<int>() > 1) {
      continue;
    }
    for (const auto& test : suite.at("vectors")) {
      SCOPED_TRACE(suite.at("mode").dump() + ": " + test.at("Input").dump());
      Vector vector;
      vector.mode = static_cast<Mode>(suite.at("mode").get<int>());
      vector.seed = Bytes(suite.at("seed"));
      vector.key_info = Bytes(suite.at("keyInfo"));
      vector.secret_key = Bytes(suite.at("skSm"));
      vector.inputs = ByteList(test.at("Input"));
      vector.blinds = ByteList(test.at("Blind"));
      vector.blinded = ByteList(test.at("BlindedElement"));
      vector.evaluated = ByteList(test.at("EvaluationElement"));
      vector.outputs = ByteList(test.at("Output"));
      ASSERT_EQ(vector.inputs.size(), test.at("Batch").get<std::size_t>());
      if (vector.mode == Mode::kVoprf) {
        vector.public_key = Bytes(suite.at("pkSm"));
        vector.proof = Bytes(test.at("Proof").at("proof"));
        vector.nonce = Bytes(test.at("Proof").at("r"));
      }
      Check(vector);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 5);  // two of OPRF; two of VOPRF and one batch of two
}

}  // namespace
}  // namespace sluis::keys
