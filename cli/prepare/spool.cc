#include "cli/prepare/spool.h"

#include <algorithm>

#include "common/crypto/crypto.h"
#include "common/seal/sealed_row.h"
#include "common/status/status.h"

namespace sluis::cli {

common::Hash256 ChunkDigest(const SpoolChunk& chunk) {
  common::Sha256Hasher hasher;
  hasher.Update(chunk.pseudonyms);
  hasher.Update(chunk.encodings);
  hasher.Update(chunk.rows);
  return hasher.Finish();
}

common::Hash256 ContentDigest(const std::vector<common::Hash256>& chunk_sha256) {
  common::Sha256Hasher hasher;
  for (const common::Hash256& digest : chunk_sha256) {
    hasher.Update(common::AsChars(digest));
  }
  return hasher.Finish();
}

common::RecordStreamOptions SpoolStreamOptions(const common::Hash256& permit_sha256, std::string_view register_name,
                                               std::string_view delivery_id) {
  return {.block_bytes = 256u << 10,
          .context = "spool" + common::SealedRowContext(permit_sha256, register_name, delivery_id)};
}

absl::StatusOr<std::unique_ptr<SpoolReader>> SpoolReader::Open(const std::string& path, const common::SecretBytes& key,
                                                               const SpoolHeader& header) {
  SLUIS_ASSIGN_OR_RETURN(
      std::unique_ptr<common::RecordReader> records,
      common::RecordReader::Open(path, key,
                                 SpoolStreamOptions(header.permit_sha256, header.register_name, header.delivery_id)));
  return std::unique_ptr<SpoolReader>(new SpoolReader(header, std::move(records)));
}

absl::StatusOr<bool> SpoolReader::Next(SpoolChunk& chunk, std::uint64_t first) {
  for (;;) {
    std::string_view record;
    SLUIS_ASSIGN_OR_RETURN(const bool more, records_->Next(record));
    if (!more && next_ == header_.chunk_sha256.size()) {
      return false;
    }
    const absl::Status foreign = absl::DataLossError("the spool of delivery " + header_.delivery_id +
                                                     " is not the one that its state describes");
    if (!more || next_ >= header_.chunk_sha256.size()) {
      return foreign;
    }
    const std::uint64_t number = next_++;
    const std::uint64_t count =
        std::min<std::uint64_t>(header_.chunk_records, header_.record_count - number * header_.chunk_records);
    const std::size_t pseudonym_bytes = count * header_.match_keys.size() * 32;
    const std::size_t encoding_bytes = count * header_.encoding_bytes;
    if (record.size() != pseudonym_bytes + encoding_bytes + count * header_.row_bytes) {
      return foreign;
    }
    if (number < first) {
      continue;
    }
    chunk.number = number;
    chunk.count = static_cast<std::uint32_t>(count);
    chunk.pseudonyms = record.substr(0, pseudonym_bytes);
    chunk.encodings = record.substr(pseudonym_bytes, encoding_bytes);
    chunk.rows = record.substr(pseudonym_bytes + encoding_bytes);
    chunk.sha256 = ChunkDigest(chunk);
    if (chunk.sha256 != header_.chunk_sha256[number]) {
      return foreign;
    }
    return true;
  }
}

}  // namespace sluis::cli
