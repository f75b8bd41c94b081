#include "linker/store/project_keys.h"

#include <cstring>
#include <utility>

namespace sluis::linker {
namespace {

std::string Associated(std::string_view key, std::string_view context = {}) {
  std::string out = "sluis-linker-v1\n";
  common::AppendBigEndian32(out, static_cast<std::uint32_t>(key.size()));
  return out.append(key).append(context);
}

std::string WithNumber(std::string prefix, std::uint32_t number) {
  common::AppendBigEndian32(prefix, number);
  return prefix;
}

}  // namespace

ProjectKeys::ProjectKeys(std::string project, const common::SecretBytes& storage_key)
    : project_(std::move(project)),
      record_key_(common::DeriveKey(storage_key, "sluis-linker-v1 records")),
      token_key_(common::DeriveKey(storage_key, "sluis-linker-v1 tokens")),
      pseudonym_key_(common::DeriveKey(storage_key, "sluis-linker-v1 pseudonyms")),
      encoding_key_(common::DeriveKey(storage_key, "sluis-linker-v1 encodings")),
      row_key_(common::DeriveKey(storage_key, "sluis-linker-v1 rows")),
      link_key_(common::DeriveKey(storage_key, "sluis-linker-v1 links")),
      comparison_key_(common::DeriveKey(storage_key, "sluis-linker-v1 comparisons")),
      join_(common::DeriveKey(storage_key, "sluis-linker-v1 join")) {}

std::string ProjectKeys::DeliveryKey(const DeliveryName& name) const {
  return DeliveryPrefix() + name.register_name + "/" + name.delivery_id;
}

std::string ProjectKeys::CurrentKey(std::string_view register_name) const {
  return (project_ + "/current/").append(register_name);
}

std::string ProjectKeys::ChunkPrefix(const DeliveryName& name) const {
  return project_ + "/" + name.register_name + "/" + name.delivery_id + "/";
}

std::string ProjectKeys::ColumnPrefix(const DeliveryName& name, Column column) const {
  return ChunkPrefix(name) + static_cast<char>(column);
}

std::string ProjectKeys::ChunkKey(const DeliveryName& name, Column column, std::uint32_t number) const {
  return WithNumber(ColumnPrefix(name, column), number);
}

std::string ProjectKeys::LinkSetKey(const common::Hash256& id) const {
  return LinkSetPrefix() + common::HexEncode(common::AsChars(id));
}

std::string ProjectKeys::BuildKey(std::string_view build) const { return BuildPrefix().append(build); }

std::string ProjectKeys::ComparisonPrefixOf(std::string_view hex_id) const {
  return ComparisonPrefix().append(hex_id).append("/");
}

std::string ProjectKeys::ComparisonPartKey(const common::Hash256& id, std::uint32_t number) const {
  return WithNumber(ComparisonPrefixOf(common::HexEncode(common::AsChars(id))), number);
}

std::string ProjectKeys::ComparedPrefix(const DeliveryName& name) const {
  return ComparedPrefix() + name.register_name + "/" + name.delivery_id + "/";
}

std::string ProjectKeys::ComparedKey(const DeliveryName& name, const common::Hash256& id) const {
  return ComparedPrefix(name) + common::HexEncode(common::AsChars(id));
}

std::string ProjectKeys::LinkChunkPrefix(std::string_view build) const {
  return (project_ + "/links/").append(build).append("/");
}

std::string ProjectKeys::LinkChunkKey(std::string_view build, std::string_view register_name,
                                      std::uint32_t number) const {
  return WithNumber(LinkChunkPrefix(build).append(register_name).append("/"), number);
}

const common::SecretBytes& ProjectKeys::KeyOf(Column column) const {
  switch (column) {
    case Column::kTokens:
      return token_key_;
    case Column::kPseudonyms:
      return pseudonym_key_;
    case Column::kEncodings:
      return encoding_key_;
    case Column::kRows:
      return row_key_;
    case Column::kDescription:
      break;
  }
  return record_key_;
}

std::string ProjectKeys::SealRecord(std::string_view key, std::string_view plaintext) const {
  return common::AeadSeal(record_key_, Associated(key), plaintext);
}

std::string ProjectKeys::SealColumn(Column column, std::string_view key, const common::Hash256& header_digest,
                                    std::string_view plaintext) const {
  return common::AeadSeal(KeyOf(column), Associated(key, common::AsChars(header_digest)), plaintext);
}

std::string ProjectKeys::SealLinks(std::string_view key, std::string_view plaintext) const {
  return common::AeadSeal(link_key_, Associated(key), plaintext);
}

std::string ProjectKeys::SealComparison(std::string_view key, std::string_view plaintext) const {
  return common::AeadSeal(comparison_key_, Associated(key), plaintext);
}

absl::StatusOr<std::string> ProjectKeys::OpenRecord(std::string_view key, std::string_view sealed) const {
  return common::AeadOpen(record_key_, Associated(key), sealed);
}

absl::StatusOr<std::string> ProjectKeys::OpenColumn(Column column, std::string_view key,
                                                    const common::Hash256& header_digest,
                                                    std::string_view sealed) const {
  return common::AeadOpen(KeyOf(column), Associated(key, common::AsChars(header_digest)), sealed);
}

absl::StatusOr<std::string> ProjectKeys::OpenLinks(std::string_view key, std::string_view sealed) const {
  return common::AeadOpen(link_key_, Associated(key), sealed);
}

absl::StatusOr<std::string> ProjectKeys::OpenComparison(std::string_view key, std::string_view sealed) const {
  return common::AeadOpen(comparison_key_, Associated(key), sealed);
}

Token ProjectKeys::JoinToken(std::string_view match_key, std::string_view pseudonym) const {
  const common::Hash256 mac = join_.Compute(match_key, pseudonym);
  Token token;
  std::memcpy(&token, mac.data(), sizeof(token));
  return token;
}

}  // namespace sluis::linker
