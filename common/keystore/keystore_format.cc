#include "common/keystore/keystore_format.h"

#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::string_view kMagic = "SLUISKEY";
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kIdBytes = 16;

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendBigEndian32(out, static_cast<std::uint32_t>(bytes.size()));
  out.append(bytes);
}

void AppendEntry(std::string& out, const KeyEntry& entry) {
  AppendBytes(out, entry.project);
  AppendBytes(out, entry.purpose);
  AppendBytes(out, entry.id);
  AppendBigEndian32(out, entry.version);
  out.push_back(static_cast<char>(entry.algorithm));
  out.push_back(static_cast<char>(entry.state));
  AppendBytes(out, entry.public_key);
  AppendBigEndian64(out, static_cast<std::uint64_t>(entry.created_unix_seconds));
}

// Takes fields off the front; once something is missing, everything after it is empty and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  std::string_view Take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint8_t Byte() {
    const std::string_view taken = Take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }
  std::uint32_t Number32() {
    const std::string_view taken = Take(4);
    return taken.empty() ? 0 : ReadBigEndian32(taken);
  }
  std::uint64_t Number64() {
    const std::string_view taken = Take(8);
    return taken.empty() ? 0 : ReadBigEndian64(taken);
  }
  std::string Bytes() { return std::string(Take(Number32())); }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

absl::Status ReadHeader(FieldReader& reader, KeystoreContent& content) {
  if (reader.Take(kMagic.size()) != kMagic) {
    return CannotUnlock();
  }
  const std::uint32_t format = reader.Number32();
  if (reader.ok() && format > kKeystoreFormat) {
    return absl::FailedPreconditionError("keystore: the file has format " + std::to_string(format) +
                                         ", this program reads " + std::to_string(kKeystoreFormat) +
                                         "; use the newer program that wrote it");
  }
  content.kind = static_cast<UnlockSource::Kind>(reader.Byte());
  content.file_id = reader.Take(kIdBytes);
  content.salt = reader.Take(kIdBytes);
  content.cost.operations = reader.Number64();
  content.cost.memory_bytes = reader.Number64();
  const bool passphrase = content.kind == UnlockSource::Kind::kPassphrase;
  if (!reader.ok() || format == 0 || (!passphrase && content.kind != UnlockSource::Kind::kKeyFile) ||
      (passphrase && !IsAcceptable(content.cost))) {
    return CannotUnlock();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CannotUnlock() {
  return absl::PermissionDeniedError(
      "keystore: cannot be unlocked: the passphrase or key file is wrong, or the file is damaged");
}

std::string WrappingContext(std::string_view file_id, const KeyEntry& entry) {
  std::string context = "sluis keystore entry v1";
  AppendBytes(context, file_id);
  AppendEntry(context, entry);
  return context;
}

std::string EncodeKeystore(const KeystoreContent& content, const SecretBytes& mac_key) {
  std::string bytes(kMagic);
  AppendBigEndian32(bytes, kKeystoreFormat);
  bytes.push_back(static_cast<char>(content.kind));
  bytes.append(content.file_id).append(content.salt);
  AppendBigEndian64(bytes, content.cost.operations);
  AppendBigEndian64(bytes, content.cost.memory_bytes);
  AppendBigEndian32(bytes, static_cast<std::uint32_t>(content.keys.size()));
  for (const StoredKey& key : content.keys) {
    AppendEntry(bytes, key.entry);
    AppendBytes(bytes, key.wrapped);
  }
  const Hash256 mac = HmacSha256(mac_key).Compute(bytes);
  return bytes.append(AsChars(mac));
}

absl::StatusOr<KeystoreContent> DecodeKeystoreHeader(std::string_view bytes) {
  KeystoreContent content;
  FieldReader reader(bytes);
  SLUIS_RETURN_IF_ERROR(ReadHeader(reader, content));
  return content;
}

absl::StatusOr<KeystoreContent> DecodeKeystore(std::string_view bytes, const SecretBytes& mac_key) {
  if (bytes.size() < kMacBytes) {
    return CannotUnlock();
  }
  const std::string_view body = bytes.substr(0, bytes.size() - kMacBytes);
  const Hash256 mac = HmacSha256(mac_key).Compute(body);
  if (!ConstantTimeEqual(AsChars(mac), bytes.substr(body.size()))) {
    return CannotUnlock();
  }
  KeystoreContent content;
  FieldReader reader(body);
  SLUIS_RETURN_IF_ERROR(ReadHeader(reader, content));
  const std::uint32_t count = reader.Number32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    StoredKey key;
    key.entry.project = reader.Bytes();
    key.entry.purpose = reader.Bytes();
    key.entry.id = reader.Bytes();
    key.entry.version = reader.Number32();
    key.entry.algorithm = static_cast<KeyAlgorithm>(reader.Byte());
    key.entry.state = static_cast<KeyState>(reader.Byte());
    key.entry.public_key = reader.Bytes();
    key.entry.created_unix_seconds = static_cast<std::int64_t>(reader.Number64());
    key.wrapped = reader.Bytes();
    content.keys.push_back(std::move(key));
  }
  if (!reader.at_end()) {
    return CannotUnlock();
  }
  return content;
}

}  // namespace sluis::common
