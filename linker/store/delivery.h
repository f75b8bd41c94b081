#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/permit/permit.h"
#include "common/seal/delivery_statement.h"

// A delivery: one extract of one register, as a custodian uploads it to the linker.

namespace sluis::linker {

inline constexpr std::size_t kPseudonymBytes = 32;  // an encoded ristretto255 element
inline constexpr std::uint32_t kMaxChunkRecords = 8192;
inline constexpr std::size_t kMaxChunkBytes = 4u << 20;  // pseudonyms, encodings and rows together
inline constexpr std::uint32_t kMaxRowBytes = 64u << 10;
inline constexpr std::size_t kMaxSealedDataKeyBytes = 4096;

struct DeliveryHeader {
  std::string delivery_id;  // the custodian's choice: common::IsDeliveryId
  std::string replaces;     // delivery_id of the current delivery, which this one replaces as a whole; empty: none
  std::string permit_id;    // the project
  common::Hash256 permit_sha256{};
  std::string register_name;
  std::uint64_t records = 0;
  std::vector<std::string> match_keys;  // of the pseudonym columns, in the permit's order
  std::uint32_t row_bytes = 0;          // length of every sealed row
  std::string sealed_data_key;          // opaque to the linker
  common::Hash256 schema_sha256{};      // of the table schema that the extract was checked against
  common::Hash256 manifest_sha256{};    // of the custodian's manifest of the delivery
  std::string signature;                // the custodian's, of StatementOf; empty only in a store of format 1
  // Of the similarity encodings; all zero and 0: the register has none.
  common::Hash256 encoding_plan_sha256{};  // EncodingPlan::Digest of the permit's plan (linker/encode/permit_plan.h)
  std::uint32_t encoding_bytes = 0;        // length of every record's encodings (linker/encode/encoding_bytes.h)

  friend bool operator==(const DeliveryHeader&, const DeliveryHeader&) = default;
};

// Which delivery of a project.
struct DeliveryName {
  std::string register_name;
  std::string delivery_id;

  friend auto operator<=>(const DeliveryName&, const DeliveryName&) = default;
};

// Consecutive records of a delivery, in columns. `pseudonyms`: record after record, a pseudonym of kPseudonymBytes for
// each match key of the header; all zero where the record lacks the key. `rows`: row_bytes for each record.
// `encodings`: encoding_bytes for each record, empty if the header declares none.
struct Chunk {
  std::uint32_t records = 0;
  std::string_view pseudonyms;
  std::string_view rows;
  std::string_view encodings = {};
};

// Checks that `permit` names what `header` declares: project and document, register, match keys in order, schema,
// and no more records than agreed; that encodings are there if and only if the permit gives the register features, made
// by its plan; and that the register's custodian signed it. Sealed rows cannot be shorter than the permit's row.
// Errors: INVALID_ARGUMENT naming the field; for the signature also a reason, as CheckDeliverySignature.
[[nodiscard]] absl::Status CheckHeader(const DeliveryHeader& header, const common::Permit& permit);

// Checks that `chunk` has between 1 and kMaxChunkRecords whole records of `header`'s widths. Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::Status CheckChunk(const DeliveryHeader& header, const Chunk& chunk);

// Returns what the custodian signs of `header`.
[[nodiscard]] common::DeliveryStatement StatementOf(const DeliveryHeader& header);

// Without signature and encodings.
[[nodiscard]] std::string EncodeHeader(const DeliveryHeader& header);

// Digests that custodian and linker compute alike: SHA-256 of a line that names the format, then what is digested.
//   header:   "sluis-delivery-header-v1\n", EncodeHeader (linker/store/codec.h); with encodings
//             "sluis-delivery-header-v2\n", the same, encoding plan, encoding_bytes as 32 bits big-endian
//   chunk:    "sluis-chunk-v1\n", number and records as 32 bits big-endian, pseudonyms, rows; with encodings
//             "sluis-chunk-v2\n", number, records, pseudonyms, encodings, rows
//   delivery: "sluis-delivery-v1\n", header digest, number of chunks as 32 bits big-endian, chunk digests in order
[[nodiscard]] common::Hash256 HeaderDigest(const DeliveryHeader& header);
[[nodiscard]] common::Hash256 ChunkDigest(std::uint32_t number, const Chunk& chunk);
[[nodiscard]] common::Hash256 DeliveryDigest(const common::Hash256& header_digest,
                                             std::span<const common::Hash256> chunk_digests);

enum class DeliveryState : std::uint8_t {
  kUploading = 1,
  kCommitted = 2,  // the register's current delivery
  kReplaced = 3,   // by a later one; its records are deleted
  kWithdrawn = 4,  // its records are deleted
};

// What the linker keeps of a delivery beside its records.
struct DeliveryRecord {
  DeliveryHeader header;
  DeliveryState state = DeliveryState::kUploading;
  std::int64_t begun_seconds = 0;  // since 1970
  std::int64_t ended_seconds = 0;  // commit, replacement or withdrawal; 0 while uploading
  std::uint32_t chunks = 0;        // once committed
  common::Hash256 sha256{};        // delivery digest, once committed

  DeliveryName name() const { return {header.register_name, header.delivery_id}; }
};
[[nodiscard]] std::string EncodeDelivery(const DeliveryRecord& delivery);
// Reads formats 1, which ends before the signature, 2, which ends with it, and 3. Errors: DATA_LOSS.
[[nodiscard]] absl::StatusOr<DeliveryRecord> DecodeDelivery(std::string_view bytes);

// What the linker keeps of a chunk beside its columns.
struct ChunkRecord {
  std::uint32_t records = 0;
  std::uint64_t records_through = 0;  // of this chunk and all before it
  common::Hash256 sha256{};
  std::int64_t stored_seconds = 0;
};
[[nodiscard]] std::string EncodeChunkRecord(const ChunkRecord& chunk);
// Errors: DATA_LOSS.
[[nodiscard]] absl::StatusOr<ChunkRecord> DecodeChunkRecord(std::string_view bytes);

}  // namespace sluis::linker
