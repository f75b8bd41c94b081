#include "common/keystore/key_entry.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kMaxName = 128;

absl::Status CheckName(const std::string& name, std::string_view field) {
  const bool clean = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == ':' || c == '/' || c == '-';
  });
  if (name.empty() || name.size() > kMaxName || !clean) {
    return absl::InvalidArgumentError("key " + std::string(field) +
                                      " must have 1 to 128 characters of A-Z a-z 0-9 . _ : / -");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKeyEntry(const KeyEntry& entry, const SecretBytes& secret) {
  InitCrypto();
  SLUIS_RETURN_IF_ERROR(CheckName(entry.id, "id"));
  SLUIS_RETURN_IF_ERROR(CheckName(entry.project, "project"));
  SLUIS_RETURN_IF_ERROR(CheckName(entry.purpose, "purpose"));
  if (secret.size() != 32) {
    return absl::InvalidArgumentError("key secret must have 32 bytes");
  }
  std::array<std::uint8_t, 32> expected{};
  bool usable = true;
  switch (entry.algorithm) {
    case KeyAlgorithm::kRistretto255Scalar: {
      // Fails for zero. A scalar must also be reduced, or the key would have two encodings.
      SecretBytes wide(64);
      SecretBytes reduced(32);
      std::copy(secret.ExposeForUse().begin(), secret.ExposeForUse().end(), wide.ExposeForFilling().begin());
      crypto_core_ristretto255_scalar_reduce(reduced.ExposeForFilling().data(), wide.ExposeForUse().data());
      usable = ConstantTimeEqual(AsChars(reduced.ExposeForUse()), AsChars(secret.ExposeForUse())) &&
               crypto_scalarmult_ristretto255_base(expected.data(), secret.ExposeForUse().data()) == 0;
      break;
    }
    case KeyAlgorithm::kEd25519Seed:
      expected = SigningKey::FromSeed(secret).public_key;
      break;
    case KeyAlgorithm::kX25519Secret:
      usable = crypto_scalarmult_base(expected.data(), secret.ExposeForUse().data()) == 0;
      break;
    case KeyAlgorithm::kAeadKey:
      return entry.public_key.empty() ? absl::OkStatus() : absl::InvalidArgumentError("an AEAD key has no public key");
    default:
      return absl::InvalidArgumentError("key algorithm is unknown");
  }
  if (!usable) {
    return absl::InvalidArgumentError("key secret is not a valid scalar");
  }
  if (entry.public_key != AsChars(expected)) {
    return absl::InvalidArgumentError("key public_key is not that of the secret");
  }
  return absl::OkStatus();
}

}  // namespace sluis::common
