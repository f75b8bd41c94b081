#include <algorithm>

#include "disclosure/protect/package.h"

namespace sluis::disclosure {
namespace {

constexpr std::string_view kHeader = "sluis-evidence-v1\n";
constexpr std::size_t kMaxAuditors = 64;
// A data key of 32 bytes in a sealed box: ephemeral public key and tag before it.
constexpr std::size_t kSealedKeySize = 32 + 16 + common::kAeadKeySize;

// Everything before the ciphertext is authenticated with it, and so is what the evidence is about.
std::string AssociatedData(std::string_view prefix, const EvidenceBinding& binding) {
  std::string data(prefix);
  common::AppendBigEndian32(data, static_cast<std::uint32_t>(binding.release.size()));
  data += binding.release;
  data += common::AsChars(binding.published_sha256);
  return data;
}

absl::Status Malformed() { return absl::InvalidArgumentError("not sealed evidence of version 1"); }

}  // namespace

absl::StatusOr<std::string> SealEvidence(std::string_view evidence,
                                         std::span<const std::array<std::uint8_t, 32>> auditors,
                                         const EvidenceBinding& binding) {
  if (auditors.empty() || auditors.size() > kMaxAuditors) {
    return absl::InvalidArgumentError("evidence is sealed to 1 to 64 auditors");
  }
  const common::SecretBytes key = common::SecretBytes::Random(common::kAeadKeySize);
  std::string sealed(kHeader);
  common::AppendBigEndian32(sealed, static_cast<std::uint32_t>(auditors.size()));
  for (const std::array<std::uint8_t, 32>& auditor : auditors) {
    sealed += common::SealTo(auditor, common::AsChars(key.ExposeForUse()));
  }
  const std::string associated = AssociatedData(sealed, binding);
  sealed += common::AeadSeal(key, associated, evidence);
  return sealed;
}

absl::StatusOr<std::string> OpenEvidence(std::string_view sealed, const common::SealingKeyPair& auditor,
                                         const EvidenceBinding& binding) {
  const std::size_t keys_begin = kHeader.size() + 4;
  if (sealed.size() < keys_begin || !sealed.starts_with(kHeader)) return Malformed();
  const std::size_t auditors = common::ReadBigEndian32(sealed.substr(kHeader.size()));
  if (auditors == 0 || auditors > kMaxAuditors) return Malformed();
  const std::size_t prefix = keys_begin + auditors * kSealedKeySize;
  if (sealed.size() < prefix + common::kAeadOverhead) return Malformed();
  for (std::size_t a = 0; a < auditors; ++a) {
    absl::StatusOr<std::string> opened =
        common::OpenSealed(auditor, sealed.substr(keys_begin + a * kSealedKeySize, kSealedKeySize));
    if (!opened.ok()) continue;  // another auditor's
    const common::SecretBytes key = common::SecretBytes::CopyOf(common::AsBytes(*opened));
    common::Wipe(*opened);
    return common::AeadOpen(key, AssociatedData(sealed.substr(0, prefix), binding), sealed.substr(prefix));
  }
  return absl::DataLossError("the evidence was not sealed to this key, or was changed");
}

}  // namespace sluis::disclosure
