#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/crypto/crypto.h"
#include "gtest/gtest.h"

// Project Wycheproof's vectors: valid ones must pass, invalid ones must be refused.

namespace sluis::common {
namespace {

std::string Path(const std::string& file) {
  const char* data = std::getenv("SLUIS_TEST_DATA");
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  const std::string root = data != nullptr && *data != '\0' ? data
                           : source != nullptr              ? std::string(source) + "/../shared/data"
                                                            : std::string();
  return root + "/vectors/wycheproof/testvectors_v1/" + file;
}

std::string Bytes(const nlohmann::json& hex) { return HexDecode(hex.get<std::string>()).value(); }

SecretBytes Secret(const nlohmann::json& hex) { return SecretBytes::CopyOf(AsBytes(Bytes(hex))); }

// Calls check(group, test), which says whether the test was accepted, for all tests, and compares with the verdict.
template <typename Check>
void CheckAll(const std::string& path, int expected_count, const Check& check) {
  std::ifstream in(path);
  const nlohmann::json vectors = nlohmann::json::parse(in);
  int count = 0;
  for (const auto& group : vectors["testGroups"]) {
    for (const auto& test : group["tests"]) {
      EXPECT_EQ(check(group, test), test["result"] == "valid") << "test " << test["tcId"] << ": " << test["comment"];
      ++count;
    }
  }
  EXPECT_GE(count, expected_count);
}

class WycheproofTest : public ::testing::Test {
 protected:
  // True if the file is there.
  static bool Have(const std::string& file) { return std::filesystem::exists(Path(file)); }
};

TEST_F(WycheproofTest, XChaCha20Poly1305) {
  const std::string file = "xchacha20_poly1305_test.json";
  if (!Have(file)) GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  CheckAll(Path(file), 300, [](const nlohmann::json& group, const nlohmann::json& test) {
    const std::string nonce = Bytes(test["iv"]);
    // A nonce of another length has no place in our format; Wycheproof calls all of those invalid.
    if (group["ivSize"] != 192) return false;
    const auto opened =
        AeadOpen(Secret(test["key"]), Bytes(test["aad"]), nonce + Bytes(test["ct"]) + Bytes(test["tag"]));
    return opened.ok() && *opened == Bytes(test["msg"]);
  });
}

TEST_F(WycheproofTest, Ed25519) {
  const std::string file = "ed25519_test.json";
  if (!Have(file)) GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  CheckAll(Path(file), 150, [](const nlohmann::json& group, const nlohmann::json& test) {
    const std::string bytes = Bytes(group["publicKey"]["pk"]);
    PublicKey key{};
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return VerifySignature(key, Bytes(test["msg"]), Bytes(test["sig"]));
  });
}

TEST_F(WycheproofTest, HmacSha256) {
  const std::string file = "hmac_sha256_test.json";
  if (!Have(file)) GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  CheckAll(Path(file), 170, [](const nlohmann::json& group, const nlohmann::json& test) {
    const Hash256 mac = HmacSha256(Secret(test["key"])).Compute(Bytes(test["msg"]));
    const std::size_t size = group["tagSize"].get<std::size_t>() / 8;
    return ConstantTimeEqual(AsChars(mac).substr(0, size), Bytes(test["tag"]));
  });
}

}  // namespace
}  // namespace sluis::common
