#include <sodium.h>

#include <random>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "gtest/gtest.h"

// SHA-256 and HMAC are OpenSSL's; libsodium's own, written independently, are the oracle.

namespace sluis::common {
namespace {

std::string Hex(const Hash256& hash) { return HexEncode(AsChars(hash)); }

SecretBytes Key(const std::string& bytes) { return SecretBytes::CopyOf(AsBytes(bytes)); }

std::string Repeated(int byte, std::size_t count) { return std::string(count, static_cast<char>(byte)); }

Hash256 SodiumSha256(const std::string& data) {
  Hash256 hash;
  crypto_hash_sha256(hash.data(), AsBytes(data).data(), data.size());
  return hash;
}

Hash256 SodiumHmac(const std::string& key, const std::string& data) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, AsBytes(key).data(), key.size());
  crypto_auth_hmacsha256_update(&state, AsBytes(data).data(), data.size());
  Hash256 mac;
  crypto_auth_hmacsha256_final(&state, mac.data());
  return mac;
}

std::string RandomOf(std::mt19937_64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// FIPS 180-2, appendix B, and the empty message of NIST's SHA256ShortMsg.
TEST(Sha256, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex(Sha256(Repeated('a', 1'000'000))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, EqualsLibsodiumForEveryLengthAroundTheBlocks) {
  std::mt19937_64 random(20260101);
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string data = RandomOf(random, size);
    EXPECT_EQ(Sha256(data), SodiumSha256(data)) << "length " << size;
  }
}

TEST(Sha256Hasher, GivesTheHashOfTheWholeHoweverItIsCut) {
  std::mt19937_64 random(20260102);
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string data = RandomOf(random, size);
    Sha256Hasher hasher;
    std::size_t at = 0;
    while (at < size) {
      const std::size_t part = std::uniform_int_distribution<std::size_t>(0, size - at)(random);
      hasher.Update(std::string_view(data).substr(at, part));
      at += part;
    }
    EXPECT_EQ(hasher.Finish(), SodiumSha256(data)) << "length " << size;
  }
}

TEST(Sha256Hasher, ACopyGoesOnByItself) {
  Sha256Hasher first;
  first.Update("ab");
  Sha256Hasher second = first;
  first.Update("c");
  second.Update("d");
  EXPECT_EQ(first.Finish(), Sha256("abc"));
  EXPECT_EQ(second.Finish(), Sha256("abd"));
}

// RFC 4231, test cases 1 to 4, 6 and 7 (case 5 truncates the output, which Sluis never does).
TEST(HmacSha256, AgreesWithRfc4231) {
  std::string counting;
  for (char byte = 1; byte <= 25; ++byte) counting.push_back(byte);
  EXPECT_EQ(Hex(HmacSha256(Key(Repeated(0x0b, 20))).Compute("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256(Key("Jefe")).Compute("what do ya want ", "for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(Key(Repeated(0xaa, 20))).Compute(Repeated(0xdd, 50))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(Hex(HmacSha256(Key(counting)).Compute(Repeated(0xcd, 50))),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(Hex(HmacSha256(Key(Repeated(0xaa, 131))).Compute("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(Hex(HmacSha256(Key(Repeated(0xaa, 131)))
                    .Compute("This is a test using a larger than block-size key and a larger than block-size data. The "
                             "key needs to be hashed before being used by the HMAC algorithm.")),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(HmacSha256, EqualsLibsodiumForEveryLengthOfKeyAndMessage) {
  std::mt19937_64 random(20260103);
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string key = RandomOf(random, size);
    const HmacSha256 hmac(Key(key));
    for (const std::size_t length : {std::size_t{0}, std::size_t{40}, std::size_t{55}, std::size_t{56}, 300 - size}) {
      const std::string data = RandomOf(random, length);
      EXPECT_EQ(hmac.Compute(data), SodiumHmac(key, data)) << "key of " << size << ", message of " << length;
    }
  }
}

TEST(HmacSha256, TakesTheMessageInTwoParts) {
  std::mt19937_64 random(20260104);
  const std::string key = RandomOf(random, 32);
  const HmacSha256 hmac(Key(key));
  const std::string data = RandomOf(random, 150);
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    EXPECT_EQ(hmac.Compute(data.substr(0, cut), data.substr(cut)), SodiumHmac(key, data)) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace sluis::common
