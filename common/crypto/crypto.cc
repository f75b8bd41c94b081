#include "common/crypto/crypto.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

namespace sluis::common {
namespace {

std::uint8_t* Mutable(std::string& s) { return reinterpret_cast<std::uint8_t*>(s.data()); }

}  // namespace

void InitCrypto() {
  static const bool ready = [] {
    if (sodium_init() < 0) {
      std::abort();
    }
    return true;
  }();
  (void)ready;
}

void RandomBytes(std::span<std::uint8_t> out) {
  InitCrypto();
  randombytes_buf(out.data(), out.size());
}

std::string RandomString(std::size_t size) {
  std::string out(size, '\0');
  RandomBytes({Mutable(out), size});
  return out;
}

std::string AeadSeal(const SecretBytes& key, std::string_view associated_data, std::string_view plaintext) {
  InitCrypto();
  constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  std::string sealed(kAeadOverhead + plaintext.size(), '\0');
  randombytes_buf(sealed.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Mutable(sealed) + kNonce, nullptr, AsBytes(plaintext).data(),
                                             plaintext.size(), AsBytes(associated_data).data(), associated_data.size(),
                                             nullptr, Mutable(sealed), key.ExposeForUse().data());
  return sealed;
}

absl::StatusOr<std::string> AeadOpen(const SecretBytes& key, std::string_view associated_data,
                                     std::string_view sealed) {
  InitCrypto();
  constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  if (sealed.size() < kAeadOverhead || key.size() != kAeadKeySize) {
    return absl::DataLossError("sealed bytes cannot be opened: damaged, or sealed under another key");
  }
  std::string plaintext(sealed.size() - kAeadOverhead, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Mutable(plaintext), nullptr, nullptr, AsBytes(sealed).data() + kNonce,
                                                 sealed.size() - kNonce, AsBytes(associated_data).data(),
                                                 associated_data.size(), AsBytes(sealed).data(),
                                                 key.ExposeForUse().data()) != 0) {
    return absl::DataLossError("sealed bytes cannot be opened: damaged, or sealed under another key");
  }
  return plaintext;
}

SealingKeyPair SealingKeyPair::Generate() {
  InitCrypto();
  SealingKeyPair pair;
  pair.secret_key = SecretBytes(crypto_box_SECRETKEYBYTES);
  crypto_box_keypair(pair.public_key.data(), pair.secret_key.ExposeForFilling().data());
  return pair;
}

std::string SealTo(const std::array<std::uint8_t, 32>& recipient, std::string_view plaintext) {
  InitCrypto();
  std::string sealed(plaintext.size() + crypto_box_SEALBYTES, '\0');
  // The only failure is a recipient key of small order; it yields bytes nobody can open.
  if (crypto_box_seal(Mutable(sealed), AsBytes(plaintext).data(), plaintext.size(), recipient.data()) != 0) {
    randombytes_buf(sealed.data(), sealed.size());
  }
  return sealed;
}

absl::StatusOr<std::string> OpenSealed(const SealingKeyPair& recipient, std::string_view sealed) {
  InitCrypto();
  if (sealed.size() < crypto_box_SEALBYTES) {
    return absl::DataLossError("sealed bytes cannot be opened: too short");
  }
  std::string plaintext(sealed.size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(Mutable(plaintext), AsBytes(sealed).data(), sealed.size(), recipient.public_key.data(),
                           recipient.secret_key.ExposeForUse().data()) != 0) {
    return absl::DataLossError("sealed bytes cannot be opened: damaged, or sealed to another key");
  }
  return plaintext;
}

SigningKey SigningKey::Generate() { return FromSeed(SecretBytes::Random(crypto_sign_SEEDBYTES)); }

SigningKey SigningKey::FromSeed(const SecretBytes& seed) {
  InitCrypto();
  SigningKey key;
  key.secret_key = SecretBytes(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(key.public_key.data(), key.secret_key.ExposeForFilling().data(), seed.ExposeForUse().data());
  return key;
}

SecretBytes SigningKey::Seed() const {
  return SecretBytes::CopyOf(secret_key.ExposeForUse().subspan(0, crypto_sign_SEEDBYTES));
}

std::string Sign(const SigningKey& key, std::string_view message) {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Mutable(signature), nullptr, AsBytes(message).data(), message.size(),
                       key.secret_key.ExposeForUse().data());
  return signature;
}

bool VerifySignature(const PublicKey& key, std::string_view message, std::string_view signature) {
  InitCrypto();
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(AsBytes(signature).data(), AsBytes(message).data(), message.size(), key.data()) ==
             0;
}

void ChaCha20Stream(const Hash256& key, std::uint32_t first_block, std::span<std::uint8_t> out) {
  InitCrypto();
  constexpr std::array<std::uint8_t, crypto_stream_chacha20_ietf_NONCEBYTES> kNonce{};
  std::memset(out.data(), 0, out.size());
  crypto_stream_chacha20_ietf_xor_ic(out.data(), out.data(), out.size(), kNonce.data(), first_block, key.data());
}

absl::StatusOr<SecretBytes> DeriveFromPassphrase(std::string_view passphrase, std::string_view salt,
                                                 std::uint64_t operations, std::uint64_t memory_bytes) {
  InitCrypto();
  if (salt.size() != crypto_pwhash_SALTBYTES || operations < crypto_pwhash_OPSLIMIT_MIN ||
      memory_bytes < crypto_pwhash_MEMLIMIT_MIN) {
    return absl::InvalidArgumentError(
        "passphrase parameters out of range: a salt of 16 bytes and libsodium's limits are expected");
  }
  SecretBytes key(kAeadKeySize);
  if (crypto_pwhash(key.ExposeForFilling().data(), key.size(), passphrase.data(), passphrase.size(),
                    AsBytes(salt).data(), operations, memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("not enough memory to derive the key from the passphrase");
  }
  return key;
}

SecretBytes DeriveKey(const SecretBytes& key, std::string_view label) {
  Hash256 derived = HmacSha256(key).Compute(label);
  SecretBytes out = SecretBytes::CopyOf(derived);
  Wipe(std::span<std::uint8_t>(derived));
  return out;
}

}  // namespace sluis::common
