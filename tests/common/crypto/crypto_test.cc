#include "common/crypto/crypto.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;

std::string FromHex(const std::string& hex) { return HexDecode(hex).value(); }

SecretBytes Secret(const std::string& hex) { return SecretBytes::CopyOf(AsBytes(FromHex(hex))); }

std::string Exposed(const SecretBytes& secret) { return std::string(AsChars(secret.ExposeForUse())); }

std::array<std::uint8_t, 32> Fixed32(const std::string& hex) {
  const std::string bytes = FromHex(hex);
  std::array<std::uint8_t, 32> fixed{};
  std::ranges::copy(AsBytes(bytes), fixed.begin());
  return fixed;
}

std::string WithFlippedBit(std::string bytes, std::size_t at, int bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return bytes;
}

TEST(RandomString, IsOfTheSizeAskedForAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string random = RandomString(16);
    EXPECT_EQ(random.size(), 16u);
    // 1,000 draws of 128 bits collide with probability below 2^-108.
    EXPECT_TRUE(seen.insert(random).second);
  }
  EXPECT_EQ(RandomString(0), "");
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1: nonce || ciphertext || tag.
constexpr char kXChaChaKey[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
constexpr char kXChaChaAssociated[] = "50515253c0c1c2c3c4c5c6c7";
constexpr char kXChaChaSealed[] =
    "404142434445464748494a4b4c4d4e4f5051525354555657"
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb"
    "96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49";
constexpr char kXChaChaPlaintext[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
    "it.";

TEST(AeadOpen, OpensThePublishedVector) {
  const auto plaintext = AeadOpen(Secret(kXChaChaKey), FromHex(kXChaChaAssociated), FromHex(kXChaChaSealed));
  SLUIS_ASSERT_OK(plaintext);
  EXPECT_EQ(*plaintext, kXChaChaPlaintext);
}

TEST(AeadOpen, RefusesEveryFlippedBitOfTheVector) {
  const std::string sealed = FromHex(kXChaChaSealed);
  const std::string associated = FromHex(kXChaChaAssociated);
  const std::string key = FromHex(kXChaChaKey);
  for (int bit = 0; bit < 8; ++bit) {
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      EXPECT_THAT(AeadOpen(Secret(kXChaChaKey), associated, WithFlippedBit(sealed, i, bit)),
                  StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
    }
    for (std::size_t i = 0; i < associated.size(); ++i) {
      EXPECT_THAT(AeadOpen(Secret(kXChaChaKey), WithFlippedBit(associated, i, bit), sealed),
                  StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
    }
    for (std::size_t i = 0; i < key.size(); ++i) {
      EXPECT_THAT(AeadOpen(SecretBytes::CopyOf(AsBytes(WithFlippedBit(key, i, bit))), associated, sealed),
                  StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
    }
  }
}

TEST(AeadOpen, RefusesEveryTruncationAndKeysOfOtherLengths) {
  const std::string sealed = FromHex(kXChaChaSealed);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(AeadOpen(Secret(kXChaChaKey), FromHex(kXChaChaAssociated), sealed.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  }
  for (const std::size_t size : {0, 16, 31, 33}) {
    EXPECT_THAT(AeadOpen(SecretBytes(size), FromHex(kXChaChaAssociated), sealed),
                StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  }
}

TEST(AeadSeal, RoundTripsEveryLengthWithItsOverhead) {
  const SecretBytes key = SecretBytes::Random(kAeadKeySize);
  for (std::size_t size = 0; size <= 200; ++size) {
    const std::string plaintext = RandomString(size);
    const std::string sealed = AeadSeal(key, "row", plaintext);
    EXPECT_EQ(sealed.size(), size + kAeadOverhead);
    const auto opened = AeadOpen(key, "row", sealed);
    SLUIS_ASSERT_OK(opened);
    EXPECT_EQ(*opened, plaintext);
  }
}

TEST(AeadSeal, NeverUsesANonceTwice) {
  const SecretBytes key = SecretBytes::Random(kAeadKeySize);
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(nonces.insert(AeadSeal(key, "", "same").substr(0, 24)).second);
}

TEST(SealTo, OnlyTheRecipientOpens) {
  const SealingKeyPair recipient = SealingKeyPair::Generate();
  const SealingKeyPair other = SealingKeyPair::Generate();
  for (const std::string& plaintext : {std::string(), std::string("evidence"), RandomString(5000)}) {
    const std::string sealed = SealTo(recipient.public_key, plaintext);
    const auto opened = OpenSealed(recipient, sealed);
    SLUIS_ASSERT_OK(opened);
    EXPECT_EQ(*opened, plaintext);
    EXPECT_THAT(OpenSealed(other, sealed), StatusIs(absl::StatusCode::kDataLoss, "sealed to another key"));
    EXPECT_NE(SealTo(recipient.public_key, plaintext), sealed);
  }
}

TEST(OpenSealed, RefusesEveryFlippedBitAndEveryTruncation) {
  const SealingKeyPair recipient = SealingKeyPair::Generate();
  const std::string sealed = SealTo(recipient.public_key, "a data key of 32 bytes goes here");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      EXPECT_THAT(OpenSealed(recipient, WithFlippedBit(sealed, i, bit)),
                  StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"))
          << "byte " << i << " bit " << bit;
    }
    EXPECT_THAT(OpenSealed(recipient, sealed.substr(0, i)), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  }
}

TEST(SealTo, ARecipientOfSmallOrderGetsNoiseOfTheSameLength) {
  const std::array<std::uint8_t, 32> small_order{};
  const std::string sealed = SealTo(small_order, "plaintext");
  EXPECT_EQ(sealed.size(), 9u + 48u);
  EXPECT_NE(sealed, SealTo(small_order, "plaintext"));
  EXPECT_EQ(sealed.find("plaintext"), std::string::npos);
}

// RFC 8032, section 7.1, tests 1 to 3.
TEST(Sign, AgreesWithRfc8032) {
  struct Vector {
    std::string seed, public_key, message, signature;
  };
  const std::vector<Vector> vectors = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
       "4655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
       "eb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
       "dc027beceea1ec40a"},
  };
  for (const Vector& vector : vectors) {
    const SigningKey key = SigningKey::FromSeed(Secret(vector.seed));
    EXPECT_EQ(HexEncode(AsChars(key.public_key)), vector.public_key);
    EXPECT_EQ(HexEncode(Exposed(key.Seed())), vector.seed);
    const std::string signature = Sign(key, FromHex(vector.message));
    EXPECT_EQ(HexEncode(signature), vector.signature);
    EXPECT_TRUE(VerifySignature(key.public_key, FromHex(vector.message), signature));
  }
}

TEST(VerifySignature, RefusesEveryFlippedBitOtherKeysAndOtherLengths) {
  const SigningKey key = SigningKey::Generate();
  const std::string message = "checkpoint";
  const std::string signature = Sign(key, message);
  ASSERT_TRUE(VerifySignature(key.public_key, message, signature));
  for (int bit = 0; bit < 8; ++bit) {
    for (std::size_t i = 0; i < signature.size(); ++i) {
      EXPECT_FALSE(VerifySignature(key.public_key, message, WithFlippedBit(signature, i, bit)));
    }
    for (std::size_t i = 0; i < message.size(); ++i) {
      EXPECT_FALSE(VerifySignature(key.public_key, WithFlippedBit(message, i, bit), signature));
    }
  }
  EXPECT_FALSE(VerifySignature(SigningKey::Generate().public_key, message, signature));
  for (std::size_t size = 0; size < signature.size(); ++size) {
    EXPECT_FALSE(VerifySignature(key.public_key, message, signature.substr(0, size)));
  }
  EXPECT_FALSE(VerifySignature(key.public_key, message, signature + '\0'));
}

// With the neutral element as key and commitment and S = 0 the verification equation holds for every message.
TEST(VerifySignature, RefusesAKeyOfSmallOrder) {
  const PublicKey neutral = Fixed32("0100000000000000000000000000000000000000000000000000000000000000");
  const std::string signature = std::string(AsChars(neutral)) + std::string(32, '\0');
  EXPECT_FALSE(VerifySignature(neutral, "any message", signature));
}

// The expected key was computed with OpenSSL 4.0.0's Argon2id (time 2, 256 KiB, one lane).
TEST(DeriveFromPassphrase, AgreesWithAnIndependentArgon2id) {
  const auto key = DeriveFromPassphrase("correct horse battery staple", "0123456789abcdef", 2, 256 << 10);
  SLUIS_ASSERT_OK(key);
  EXPECT_EQ(HexEncode(Exposed(*key)), "eaff76d43702878260353524f19cb95c6eadca8511284a0794aab4302ff9c0b1");
}

TEST(DeriveFromPassphrase, DependsOnEveryInput) {
  std::set<std::string> keys;
  const auto derive = [&keys](const std::string& passphrase, const std::string& salt, int operations, int memory) {
    const auto key = DeriveFromPassphrase(passphrase, salt, operations, memory);
    SLUIS_ASSERT_OK(key);
    EXPECT_EQ(key->size(), kAeadKeySize);
    EXPECT_TRUE(keys.insert(Exposed(*key)).second);
  };
  derive("a", "0123456789abcdef", 1, 8192);
  derive("b", "0123456789abcdef", 1, 8192);
  derive("", "0123456789abcdef", 1, 8192);
  derive("a", "0123456789abcdeg", 1, 8192);
  derive("a", "0123456789abcdef", 2, 8192);
  derive("a", "0123456789abcdef", 1, 16384);
}

// RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1.
TEST(ChaCha20Stream, EqualsTheTestVectors) {
  std::array<std::uint8_t, 80> stream;
  stream.fill(0xAA);
  ChaCha20Stream({}, 0, stream);
  EXPECT_EQ(HexEncode(AsChars(stream)),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
            "9f07e7be5551387a98ba977c732d080d");
  std::array<std::uint8_t, 16> second;
  ChaCha20Stream({}, 1, second);
  EXPECT_EQ(HexEncode(AsChars(second)), "9f07e7be5551387a98ba977c732d080d");
}

TEST(DeriveFromPassphrase, RefusesParametersOutOfRange) {
  for (const std::size_t size : {0, 8, 15, 17, 32}) {
    EXPECT_THAT(DeriveFromPassphrase("a", std::string(size, 's'), 1, 8192),
                StatusIs(absl::StatusCode::kInvalidArgument, "salt of 16 bytes"));
  }
  const std::string salt(16, 's');
  EXPECT_THAT(DeriveFromPassphrase("a", salt, 0, 8192), StatusIs(absl::StatusCode::kInvalidArgument, "limits"));
  EXPECT_THAT(DeriveFromPassphrase("a", salt, 1, 8191), StatusIs(absl::StatusCode::kInvalidArgument, "limits"));
}

TEST(DeriveKey, GivesIndependentKeysPerLabelAndKey) {
  const SecretBytes key = SecretBytes::Random(32);
  std::set<std::string> derived = {Exposed(key)};
  for (const char* label : {"", "a", "b", "ab", "records", "records "}) {
    const SecretBytes one = DeriveKey(key, label);
    EXPECT_EQ(one.size(), 32u);
    EXPECT_TRUE(derived.insert(Exposed(one)).second) << "label '" << label << "'";
    EXPECT_EQ(Exposed(DeriveKey(key, label)), Exposed(one));
  }
  EXPECT_TRUE(derived.insert(Exposed(DeriveKey(SecretBytes::Random(32), "a"))).second);
}

// RFC 4231, test case 2: the derivation is HMAC-SHA-256 and nothing else, so that stored keys stay derivable.
TEST(DeriveKey, IsHmacSha256) {
  EXPECT_EQ(HexEncode(Exposed(DeriveKey(SecretBytes::CopyOf(AsBytes("Jefe")), "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace sluis::common
