#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/spill/record_stream.h"

namespace sluis::cli {

// What the linker is told about a delivery before its chunks.
struct SpoolHeader {
  std::string permit_id;
  common::Hash256 permit_sha256{};
  std::string register_name;
  std::string delivery_id;
  std::string replaces;  // delivery that this one corrects; empty: none
  std::uint64_t record_count = 0;
  std::vector<std::string> match_keys;  // order of the pseudonym columns
  std::uint32_t row_bytes = 0;          // of a sealed row
  std::string sealed_data_key;          // to the gate
  common::Hash256 schema_sha256{};
  common::Hash256 encoding_plan_sha256{};     // of the similarity encodings; all zero: none
  std::uint32_t encoding_bytes = 0;           // of a record's encodings; 0: none
  std::uint32_t chunk_records = 0;            // in every chunk but the last
  std::vector<common::Hash256> chunk_sha256;  // ChunkDigest of each chunk
  common::Hash256 content_sha256{};           // over chunk_sha256 in order

  friend bool operator==(const SpoolHeader&, const SpoolHeader&) = default;
};

struct SpoolChunk {
  std::uint64_t number = 0;
  std::uint32_t count = 0;
  std::string pseudonyms;  // count x match keys x 32 bytes; all zero: the record lacks the key
  std::string encodings;   // count x encoding_bytes, as linker/encode/encoding_bytes.h
  std::string rows;        // count x row_bytes
  common::Hash256 sha256{};
};

// Returns SHA-256 of pseudonyms || encodings || rows.
[[nodiscard]] common::Hash256 ChunkDigest(const SpoolChunk& chunk);
// Returns SHA-256 over the chunks' digests, in order.
[[nodiscard]] common::Hash256 ContentDigest(const std::vector<common::Hash256>& chunk_sha256);

// Reads the chunks of a finished spool in order. Not thread-safe.
class SpoolReader {
 public:
  // `key` and `header` must outlive the reader. Errors: as RecordReader::Open.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SpoolReader>> Open(const std::string& path,
                                                                         const common::SecretBytes& key,
                                                                         const SpoolHeader& header);
  // Sets `chunk` to the next chunk with number `first` or above; false after the last. Errors: DATA_LOSS if the spool
  // is damaged or not the one of the header; UNAVAILABLE.
  [[nodiscard]] absl::StatusOr<bool> Next(SpoolChunk& chunk, std::uint64_t first = 0);

 private:
  SpoolReader(const SpoolHeader& header, std::unique_ptr<common::RecordReader> records)
      : header_(header), records_(std::move(records)) {}
  const SpoolHeader& header_;
  std::unique_ptr<common::RecordReader> records_;
  std::uint64_t next_ = 0;
};

// The stream options under which the spool of a delivery is written and read.
[[nodiscard]] common::RecordStreamOptions SpoolStreamOptions(const common::Hash256& permit_sha256,
                                                             std::string_view register_name,
                                                             std::string_view delivery_id);

}  // namespace sluis::cli
