#include "linker/store/project_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/store/links_digest.h"

namespace sluis::linker {
namespace {

// Scans `prefix` and calls `visit` with each key's part behind the prefix; stops at the first error.
absl::Status ScanPrefix(const common::StoreView& view, std::string_view family, const std::string& prefix,
                        const std::function<absl::Status(std::string_view key, std::string_view value)>& visit) {
  absl::Status status;
  SLUIS_RETURN_IF_ERROR(view.Scan(family, prefix, {}, [&](std::string_view key, std::string_view value) {
    status = visit(key, value);
    return status.ok();
  }));
  return status;
}

absl::Status MissingChunk(const std::string& register_name, std::uint32_t number) {
  return absl::DataLossError(absl::StrCat("register ", register_name, ": chunk ", number, " is missing in the store"));
}

}  // namespace

absl::StatusOr<std::optional<DeliveryRecord>> ProjectReader::Delivery(const DeliveryName& name) const {
  const std::string key = keys_.DeliveryKey(name);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kDeliveries, key));
  if (!sealed) {
    return std::optional<DeliveryRecord>();
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string bytes, keys_.OpenRecord(key, *sealed));
  SLUIS_ASSIGN_OR_RETURN(DeliveryRecord delivery, DecodeDelivery(bytes));
  return std::optional(std::move(delivery));
}

absl::StatusOr<std::optional<DeliveryRecord>> ProjectReader::Current(const std::string& register_name) const {
  const std::string key = keys_.CurrentKey(register_name);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kDeliveries, key));
  if (!sealed) {
    return std::optional<DeliveryRecord>();
  }
  SLUIS_ASSIGN_OR_RETURN(std::string delivery_id, keys_.OpenRecord(key, *sealed));
  SLUIS_ASSIGN_OR_RETURN(std::optional<DeliveryRecord> delivery, Delivery({register_name, std::move(delivery_id)}));
  if (!delivery || delivery->state != DeliveryState::kCommitted) {
    return absl::DataLossError(
        absl::StrCat("register ", register_name, ": its current delivery is missing in the store"));
  }
  return delivery;
}

absl::StatusOr<std::vector<DeliveryRecord>> ProjectReader::Deliveries() const {
  std::vector<DeliveryRecord> deliveries;
  SLUIS_RETURN_IF_ERROR(ScanPrefix(view_, kDeliveries, keys_.DeliveryPrefix(),
                                   [&](std::string_view key, std::string_view sealed) -> absl::Status {
                                     SLUIS_ASSIGN_OR_RETURN(const std::string bytes, keys_.OpenRecord(key, sealed));
                                     SLUIS_ASSIGN_OR_RETURN(DeliveryRecord delivery, DecodeDelivery(bytes));
                                     deliveries.push_back(std::move(delivery));
                                     return absl::OkStatus();
                                   }));
  return deliveries;
}

absl::StatusOr<std::optional<ChunkRecord>> ProjectReader::ChunkOf(const DeliveryRecord& delivery,
                                                                  std::uint32_t number) const {
  const std::string key = keys_.ChunkKey(delivery.name(), Column::kDescription, number);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kChunks, key));
  if (!sealed) {
    return std::optional<ChunkRecord>();
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string bytes,
                         keys_.OpenColumn(Column::kDescription, key, HeaderDigest(delivery.header), *sealed));
  SLUIS_ASSIGN_OR_RETURN(const ChunkRecord chunk, DecodeChunkRecord(bytes));
  return std::optional(chunk);
}

absl::StatusOr<std::vector<ChunkRecord>> ProjectReader::Chunks(const DeliveryRecord& delivery) const {
  std::vector<ChunkRecord> chunks;
  const common::Hash256 header_digest = HeaderDigest(delivery.header);
  const DeliveryName name = delivery.name();
  SLUIS_RETURN_IF_ERROR(ScanPrefix(view_, kChunks, keys_.ColumnPrefix(name, Column::kDescription),
                                   [&](std::string_view key, std::string_view sealed) -> absl::Status {
                                     const auto number = static_cast<std::uint32_t>(chunks.size());
                                     if (key != keys_.ChunkKey(name, Column::kDescription, number)) {
                                       return MissingChunk(name.register_name, number);
                                     }
                                     SLUIS_ASSIGN_OR_RETURN(
                                         const std::string bytes,
                                         keys_.OpenColumn(Column::kDescription, key, header_digest, sealed));
                                     SLUIS_ASSIGN_OR_RETURN(const ChunkRecord chunk, DecodeChunkRecord(bytes));
                                     chunks.push_back(chunk);
                                     return absl::OkStatus();
                                   }));
  return chunks;
}

absl::Status ProjectReader::ScanColumn(const DeliveryRecord& delivery, Column column,
                                       const std::function<absl::Status(std::string_view bytes)>& visit) const {
  const common::Hash256 header_digest = HeaderDigest(delivery.header);
  const DeliveryName name = delivery.name();
  std::uint32_t number = 0;
  SLUIS_RETURN_IF_ERROR(ScanPrefix(view_, kChunks, keys_.ColumnPrefix(name, column),
                                   [&](std::string_view key, std::string_view sealed) -> absl::Status {
                                     if (key != keys_.ChunkKey(name, column, number)) {
                                       return MissingChunk(name.register_name, number);
                                     }
                                     SLUIS_ASSIGN_OR_RETURN(const std::string bytes,
                                                            keys_.OpenColumn(column, key, header_digest, sealed));
                                     ++number;
                                     return visit(bytes);
                                   }));
  return number == delivery.chunks ? absl::OkStatus() : MissingChunk(name.register_name, number);
}

absl::Status ProjectReader::ScanTokens(const DeliveryRecord& delivery,
                                       const std::function<absl::Status(const TokenChunk&)>& visit) const {
  const std::size_t row_bytes = delivery.header.match_keys.size() * sizeof(Token);
  if (row_bytes == 0) {
    // Tokens of no column do not tell how many records there are.
    SLUIS_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, Chunks(delivery));
    for (const ChunkRecord& chunk : chunks) {
      SLUIS_RETURN_IF_ERROR(visit({chunk.records_through - chunk.records, chunk.records, {}}));
    }
    return absl::OkStatus();
  }
  std::uint64_t first_record = 0;
  std::vector<Token> tokens;
  return ScanColumn(delivery, Column::kTokens, [&](std::string_view bytes) -> absl::Status {
    tokens.resize(bytes.size() / sizeof(Token));
    std::memcpy(tokens.data(), bytes.data(), tokens.size() * sizeof(Token));
    const auto count = static_cast<std::uint32_t>(bytes.size() / row_bytes);
    SLUIS_RETURN_IF_ERROR(visit({first_record, count, tokens}));
    first_record += count;
    return absl::OkStatus();
  });
}

absl::Status ProjectReader::ScanEncodings(
    const DeliveryRecord& delivery,
    const std::function<absl::Status(std::uint64_t first_record, std::string_view encodings)>& visit) const {
  std::uint64_t first_record = 0;
  return ScanColumn(delivery, Column::kEncodings, [&](std::string_view bytes) -> absl::Status {
    SLUIS_RETURN_IF_ERROR(visit(first_record, bytes));
    first_record += bytes.size() / delivery.header.encoding_bytes;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> ProjectReader::ReadColumn(const DeliveryRecord& delivery, Column column,
                                                      std::uint32_t chunk) const {
  const std::string key = keys_.ChunkKey(delivery.name(), column, chunk);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kChunks, key));
  if (!sealed) {
    return absl::NotFoundError(absl::StrCat("register ", delivery.header.register_name, ": the delivery has no chunk ",
                                            chunk, ", or was replaced or withdrawn"));
  }
  return keys_.OpenColumn(column, key, HeaderDigest(delivery.header), *sealed);
}

absl::StatusOr<std::string> ProjectReader::Pseudonyms(const DeliveryRecord& delivery, std::uint32_t chunk) const {
  return ReadColumn(delivery, Column::kPseudonyms, chunk);
}

absl::StatusOr<std::string> ProjectReader::Encodings(const DeliveryRecord& delivery, std::uint32_t chunk) const {
  return ReadColumn(delivery, Column::kEncodings, chunk);
}

absl::StatusOr<std::string> ProjectReader::Rows(const DeliveryRecord& delivery, std::uint32_t chunk) const {
  return ReadColumn(delivery, Column::kRows, chunk);
}

absl::StatusOr<StoredLinkSet> ProjectReader::ReadLinkSet(const LinkSetId& id) const {
  const std::string key = keys_.LinkSetKey(id);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kLinkSets, key));
  if (!sealed) {
    return absl::NotFoundError("there is no such link set");
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string bytes, keys_.OpenRecord(key, *sealed));
  SLUIS_ASSIGN_OR_RETURN(StoredLinkSet link_set, DecodeStoredLinkSet(id, bytes));
  if (link_set.deleted()) {
    return common::WithReason(
        absl::NotFoundError("the link set was deleted: the linker keeps only the newest ones; use the newest, or link "
                            "again"),
        "LINK_SET_DELETED");
  }
  return link_set;
}

absl::StatusOr<LinkSetHeader> ProjectReader::LinkSet(const LinkSetId& id) const {
  SLUIS_ASSIGN_OR_RETURN(StoredLinkSet found, ReadLinkSet(id));
  return std::move(found.header);
}

absl::StatusOr<std::vector<StoredLinkSet>> ProjectReader::LinkSets() const {
  std::vector<StoredLinkSet> link_sets;
  const std::string prefix = keys_.LinkSetPrefix();
  SLUIS_RETURN_IF_ERROR(
      ScanPrefix(view_, kLinkSets, prefix, [&](std::string_view key, std::string_view sealed) -> absl::Status {
        SLUIS_ASSIGN_OR_RETURN(const std::string id_bytes, common::HexDecode(key.substr(prefix.size())));
        LinkSetId id{};
        std::memcpy(id.data(), id_bytes.data(), std::min(id.size(), id_bytes.size()));
        SLUIS_ASSIGN_OR_RETURN(const std::string bytes, keys_.OpenRecord(key, sealed));
        SLUIS_ASSIGN_OR_RETURN(StoredLinkSet link_set, DecodeStoredLinkSet(id, bytes));
        link_sets.push_back(std::move(link_set));
        return absl::OkStatus();
      }));
  std::sort(link_sets.begin(), link_sets.end(), [](const StoredLinkSet& a, const StoredLinkSet& b) {
    return a.header.made_seconds < b.header.made_seconds;
  });
  return link_sets;
}

absl::Status ProjectReader::ScanLinks(const LinkSetId& id, const std::string& register_name,
                                      const std::function<absl::Status(std::uint32_t, LinkChunk)>& visit) const {
  SLUIS_ASSIGN_OR_RETURN(const auto found, ReadLinkSet(id));
  const LinkedRegister* const linked = found.header.FindRegister(register_name);
  if (linked == nullptr) {
    return absl::NotFoundError(absl::StrCat("the link set does not hold register ", register_name));
  }
  LinksDigest digest;
  for (std::uint32_t number = 0; number < linked->chunks; ++number) {
    const std::string key = keys_.LinkChunkKey(found.build, register_name, number);
    SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, view_.Get(kLinkSets, key));
    if (!sealed) {
      return MissingChunk(register_name, number);
    }
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, keys_.OpenLinks(key, *sealed));
    digest.Add(bytes);
    SLUIS_ASSIGN_OR_RETURN(LinkChunk chunk, DecodeLinkChunk(bytes));
    SLUIS_RETURN_IF_ERROR(visit(number, std::move(chunk)));
  }
  if (digest.Finish() != linked->links_sha256) {
    return absl::DataLossError(
        absl::StrCat("register ", register_name, ": its links do not have the hash that the link set states"));
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
