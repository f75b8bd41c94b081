#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "linker/match/token.h"
#include "linker/store/delivery.h"

namespace sluis::linker {

// The store's column families.
inline constexpr std::string_view kDeliveries = "deliveries";
inline constexpr std::string_view kChunks = "chunks";
inline constexpr std::string_view kLinkSets = "linksets";

// What a chunk of a delivery is stored as. The letter is part of its key.
enum class Column : char {
  kDescription = 'd',  // ChunkRecord
  kTokens = 't',       // join tokens, column after column
  kPseudonyms = 'n',   // as uploaded
  kEncodings = 'e',    // as uploaded; absent if the delivery has none
  kRows = 'r',         // as uploaded
};

// One project's keys: where its records stand in the store, under which keys they are sealed, and the join key.
//
// Every value is sealed under a key of its own kind, with its place in the store as associated data, so that a value
// that is moved, or put in the place of another, does not open. Thread-safe.
class ProjectKeys {
 public:
  // `storage_key`: 32 bytes, the project's own; destroying it destroys the project.
  ProjectKeys(std::string project, const common::SecretBytes& storage_key);

  const std::string& project() const { return project_; }

  // Places. Registers and delivery ids hold no '/'.
  static std::string DeliveryPrefixOf(const std::string& project) { return project + "/delivery/"; }
  static std::string LinkSetPrefixOf(const std::string& project) { return project + "/set/"; }
  std::string DeliveryPrefix() const { return DeliveryPrefixOf(project_); }
  std::string DeliveryKey(const DeliveryName& name) const;
  std::string CurrentKey(std::string_view register_name) const;
  std::string ChunkPrefix(const DeliveryName& name) const;
  std::string ColumnPrefix(const DeliveryName& name, Column column) const;
  std::string ChunkKey(const DeliveryName& name, Column column, std::uint32_t number) const;
  std::string LinkSetPrefix() const { return LinkSetPrefixOf(project_); }
  std::string LinkSetKey(const common::Hash256& id) const;
  std::string BuildPrefix() const { return project_ + "/build/"; }
  std::string BuildKey(std::string_view build) const;
  // Comparisons of two deliveries, or of one with itself: each in numbered parts, and noted at both deliveries.
  std::string ComparisonPrefix() const { return project_ + "/comparison/"; }
  std::string ComparisonPrefixOf(std::string_view hex_id) const;
  std::string ComparisonPartKey(const common::Hash256& id, std::uint32_t number) const;
  std::string ComparedPrefix() const { return project_ + "/compared/"; }
  std::string ComparedPrefix(const DeliveryName& name) const;
  std::string ComparedKey(const DeliveryName& name, const common::Hash256& id) const;
  std::string LinkChunkPrefix(std::string_view build) const;
  std::string LinkChunkKey(std::string_view build, std::string_view register_name, std::uint32_t number) const;

  // Seals what stands at `key`. Chunks are bound to the header of their delivery too: an id that was aborted and used
  // again cannot get chunks of its former life.
  std::string SealRecord(std::string_view key, std::string_view plaintext) const;
  std::string SealColumn(Column column, std::string_view key, const common::Hash256& header_digest,
                         std::string_view plaintext) const;
  std::string SealLinks(std::string_view key, std::string_view plaintext) const;
  std::string SealComparison(std::string_view key, std::string_view plaintext) const;
  // Errors: DATA_LOSS if `sealed` was not sealed for this place.
  [[nodiscard]] absl::StatusOr<std::string> OpenRecord(std::string_view key, std::string_view sealed) const;
  [[nodiscard]] absl::StatusOr<std::string> OpenColumn(Column column, std::string_view key,
                                                       const common::Hash256& header_digest,
                                                       std::string_view sealed) const;
  [[nodiscard]] absl::StatusOr<std::string> OpenLinks(std::string_view key, std::string_view sealed) const;
  [[nodiscard]] absl::StatusOr<std::string> OpenComparison(std::string_view key, std::string_view sealed) const;

  // Returns the first 16 bytes of HMAC-SHA-256(join key, match key || pseudonym): equal if and only if match key and
  // pseudonym are. Precondition: kPseudonymBytes bytes, so that the two cannot be confused.
  Token JoinToken(std::string_view match_key, std::string_view pseudonym) const;

 private:
  const common::SecretBytes& KeyOf(Column column) const;

  std::string project_;
  common::SecretBytes record_key_, token_key_, pseudonym_key_, encoding_key_, row_key_, link_key_, comparison_key_;
  common::HmacSha256 join_;
};

}  // namespace sluis::linker
