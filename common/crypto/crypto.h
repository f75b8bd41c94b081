#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// The few cryptographic operations that Sluis uses, each a thin wrapper around libsodium or, for SHA-256, OpenSSL (it
// uses the processor's SHA instructions). All functions are thread-safe. Errors never name which of key, nonce,
// associated data or ciphertext was wrong.

namespace sluis::common {

// Initialises libsodium; called by everything below that needs it. Aborts the process if no randomness can be had.
void InitCrypto();

void RandomBytes(std::span<std::uint8_t> out);
[[nodiscard]] std::string RandomString(std::size_t size);

[[nodiscard]] Hash256 Sha256(std::string_view data);
// Incremental SHA-256.
class Sha256Hasher {
 public:
  Sha256Hasher();
  void Update(std::string_view data);
  // Ends the computation; the object must not be used afterwards.
  [[nodiscard]] Hash256 Finish();

 private:
  alignas(16) std::array<std::uint8_t, 128> state_;
};

// HMAC-SHA-256 with the key's two blocks hashed once: below 0.2 microseconds for a message of up to 55 bytes on a
// processor with SHA instructions. `key`: any length; longer than 64 bytes, its hash is used (RFC 2104).
class HmacSha256 {
 public:
  explicit HmacSha256(const SecretBytes& key);
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  // Returns HMAC(key, a || b).
  [[nodiscard]] Hash256 Compute(std::string_view a, std::string_view b = {}) const;

 private:
  alignas(64) std::array<std::uint8_t, 512> state_;
};

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadOverhead = 24 + 16;  // nonce and tag

// XChaCha20-Poly1305 with a random 192-bit nonce in front: returns nonce || ciphertext || tag, kAeadOverhead bytes
// longer than `plaintext`. Precondition: key.size() == kAeadKeySize. `associated_data` is authenticated, not stored.
[[nodiscard]] std::string AeadSeal(const SecretBytes& key, std::string_view associated_data,
                                   std::string_view plaintext);
// Errors: DATA_LOSS if key, associated data or bytes are not those that were sealed.
[[nodiscard]] absl::StatusOr<std::string> AeadOpen(const SecretBytes& key, std::string_view associated_data,
                                                   std::string_view sealed);

// X25519 key pair for sealing to a recipient (libsodium's crypto_box_seal: ephemeral X25519, XSalsa20-Poly1305).
struct SealingKeyPair {
  std::array<std::uint8_t, 32> public_key{};
  SecretBytes secret_key;
  static SealingKeyPair Generate();
};
[[nodiscard]] std::string SealTo(const std::array<std::uint8_t, 32>& recipient, std::string_view plaintext);
// Errors: DATA_LOSS if `sealed` was not sealed to this pair.
[[nodiscard]] absl::StatusOr<std::string> OpenSealed(const SealingKeyPair& recipient, std::string_view sealed);

// Ed25519 (RFC 8032).
using PublicKey = std::array<std::uint8_t, 32>;
struct SigningKey {
  PublicKey public_key{};
  SecretBytes secret_key;  // 64 bytes: seed || public key
  static SigningKey Generate();
  // `seed`: 32 bytes.
  static SigningKey FromSeed(const SecretBytes& seed);
  [[nodiscard]] SecretBytes Seed() const;
};
[[nodiscard]] std::string Sign(const SigningKey& key, std::string_view message);  // 64 bytes
[[nodiscard]] bool VerifySignature(const PublicKey& key, std::string_view message, std::string_view signature);

// Writes the ChaCha20 key stream (RFC 8439) under `key`, nonce 0, from 64-byte block `first_block` on: a pseudorandom
// function's output, so one key may serve one purpose only. At most 2^32 - first_block blocks.
void ChaCha20Stream(const Hash256& key, std::uint32_t first_block, std::span<std::uint8_t> out);

// Argon2id: `salt` is 16 bytes. Errors: RESOURCE_EXHAUSTED if `memory_bytes` cannot be had; INVALID_ARGUMENT on a bad
// salt or limits.
[[nodiscard]] absl::StatusOr<SecretBytes> DeriveFromPassphrase(std::string_view passphrase, std::string_view salt,
                                                               std::uint64_t operations, std::uint64_t memory_bytes);

// Returns 32 bytes derived from `key` for the use named by `label` (HMAC-SHA-256 as a PRF). Different labels give
// independent keys.
[[nodiscard]] SecretBytes DeriveKey(const SecretBytes& key, std::string_view label);

}  // namespace sluis::common
