#include "cli/prepare/seal_and_shuffle.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "cli/prepare/encode_rows.h"
#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/seal/sealed_row.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxBuckets = 256;        // each is an open file while records are dealt out
constexpr std::uint32_t kMaxChunkRecords = 8192;  // what the linker accepts
constexpr std::size_t kMaxChunkBytes = 2u << 20;  // half of what the linker accepts
constexpr std::size_t kElementBytes = 32;
constexpr std::uint64_t kProgressRows = 1024;

// Cuts the shuffled records into chunks and appends them to the spool.
class ChunkWriter {
 public:
  ChunkWriter(common::RecordWriter& spool, SpoolHeader& header) : spool_(spool), header_(header) {}

  // `record`: pseudonyms, encodings, then the sealed row.
  absl::Status Append(std::string_view record) {
    const std::size_t pseudonym_bytes = header_.match_keys.size() * kElementBytes;
    chunk_.pseudonyms += record.substr(0, pseudonym_bytes);
    chunk_.encodings += record.substr(pseudonym_bytes, header_.encoding_bytes);
    chunk_.rows += record.substr(pseudonym_bytes + header_.encoding_bytes);
    ++header_.record_count;
    return ++chunk_.count == header_.chunk_records ? Flush() : absl::OkStatus();
  }

  absl::Status Finish() {
    if (chunk_.count > 0) {
      SLUIS_RETURN_IF_ERROR(Flush());
    }
    header_.content_sha256 = ContentDigest(header_.chunk_sha256);
    return spool_.Finish(/*sync=*/true);
  }

 private:
  absl::Status Flush() {
    header_.chunk_sha256.push_back(ChunkDigest(chunk_));
    SLUIS_RETURN_IF_ERROR(spool_.Append(chunk_.pseudonyms + chunk_.encodings + chunk_.rows));
    chunk_ = SpoolChunk();
    return absl::OkStatus();
  }

  common::RecordWriter& spool_;
  SpoolHeader& header_;
  SpoolChunk chunk_;
};

// Reads a bucket into memory and appends its records in random order.
absl::Status ShuffleBucket(const common::SpillFile& bucket, std::size_t record_bytes, RandomSource& random,
                           ChunkWriter& out) {
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<common::RecordReader> reader, bucket.Read());
  std::string records;
  records.reserve(bucket.records() * record_bytes);
  std::string_view record;
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const bool more, reader->Next(record));
    if (!more) {
      break;
    }
    records += record;
  }
  std::vector<std::uint32_t> order(bucket.records());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[UniformBelow(random, i)]);
  }
  for (const std::uint32_t position : order) {
    SLUIS_RETURN_IF_ERROR(out.Append(std::string_view(records).substr(position * record_bytes, record_bytes)));
  }
  return absl::OkStatus();
}

absl::Status RemoveOld(const std::string& path) {
  if (unlinkat(AT_FDCWD, path.c_str(), 0) != 0 && errno != ENOENT) {
    return common::FileError(errno, "remove", path);
  }
  return absl::OkStatus();
}

// Joins the pseudonyms of one row, encodes its features and seals its attributes: the record as it is uploaded.
class RowSealer {
 public:
  // `encoder`: null if the register has no features.
  RowSealer(const PseudonymCache& cache, const SpoolHeader& header, RowEncoder* encoder)
      : cache_(cache),
        encoder_(encoder),
        keys_(header.match_keys.size()),
        context_(common::SealedRowContext(header.permit_sha256, header.register_name, header.delivery_id)),
        data_key_(common::SecretBytes::Random(common::kAeadKeySize)) {}

  absl::StatusOr<std::string> Seal(std::string_view row) const {
    std::string record;
    record.reserve(keys_ * kElementBytes + common::SealedRowBytes(row.size()));
    const std::string none(PseudonymCache::kLookupBytes, '\0');
    for (std::size_t i = 0; i < keys_; ++i) {
      const std::string_view lookup = row.substr(i * PseudonymCache::kLookupBytes, PseudonymCache::kLookupBytes);
      if (lookup == none) {
        record.append(kElementBytes, '\0');
        continue;
      }
      SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> pseudonym, cache_.Find(lookup));
      if (!pseudonym.has_value()) {
        return absl::DataLossError("the cache of pseudonyms lost an entry that it had; prepare the delivery again");
      }
      record += *pseudonym;
    }
    std::string_view rest = row.substr(keys_ * PseudonymCache::kLookupBytes);
    if (encoder_ != nullptr) SLUIS_RETURN_IF_ERROR(encoder_->Encode(rest, record));
    return record += common::AeadSeal(data_key_, context_, rest);
  }

  std::string SealedDataKey(const std::array<std::uint8_t, 32>& gate) const {
    return common::SealTo(gate, common::AsChars(data_key_.ExposeForUse()));
  }

 private:
  const PseudonymCache& cache_;
  RowEncoder* const encoder_;
  const std::size_t keys_;
  const std::string context_;
  const common::SecretBytes data_key_;
};

absl::StatusOr<std::optional<RowEncoder>> MakeEncoder(const common::Permit& permit, const common::PermitRegister& reg,
                                                      const std::vector<std::string>& token_inputs,
                                                      const PseudonymCache& cache, const SealOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(std::optional<EncodingPlanOfRegister> encoding, FindEncodingPlan(permit, reg));
  if (!encoding.has_value()) return std::optional<RowEncoder>();
  if (options.noise_key == nullptr) return absl::InvalidArgumentError("encodings need the custodian's noise key");
  SLUIS_ASSIGN_OR_RETURN(RowEncoder encoder,
                         RowEncoder::Make(*std::move(encoding), token_inputs, cache, *options.noise_key));
  return std::optional<RowEncoder>(std::move(encoder));
}

absl::StatusOr<std::vector<common::SpillFile>> MakeBuckets(const common::SpillDirectory& spill, std::uint64_t bytes,
                                                           std::uint64_t memory_bytes) {
  // Half of the memory for the average bucket: with many records no bucket comes near twice the average.
  const std::uint64_t bucket_bytes = std::max<std::uint64_t>(memory_bytes / 2, 1);
  const std::uint64_t count = std::max<std::uint64_t>(1, (bytes + bucket_bytes - 1) / bucket_bytes);
  if (count > kMaxBuckets) {
    return absl::ResourceExhaustedError("the delivery takes " + std::to_string(bytes >> 20) +
                                        " MiB: shuffling it needs at least " +
                                        std::to_string((bytes / (kMaxBuckets / 2) >> 20) + 1) + " MiB of memory");
  }
  const std::size_t block_bytes = std::clamp<std::uint64_t>(memory_bytes / 4 / count, 4u << 10, 64u << 10);
  std::vector<common::SpillFile> buckets;
  for (std::uint64_t i = 0; i < count; ++i) {
    SLUIS_ASSIGN_OR_RETURN(common::SpillFile bucket, spill.NewFile(block_bytes));
    buckets.push_back(std::move(bucket));
  }
  return buckets;
}

}  // namespace

absl::StatusOr<SpoolHeader> SealAndShuffle(const common::Permit& permit, SpoolHeader header,
                                           const PseudonymisedRows& rows, const PseudonymCache& cache,
                                           const common::SpillDirectory& spill, RandomSource& random,
                                           const std::string& path, const common::SecretBytes& spool_key,
                                           const SealOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitRegister* reg, FindPermittedRegister(permit, header.register_name));
  if (options.chunk_records < 1 || options.chunk_records > kMaxChunkRecords) {
    return absl::InvalidArgumentError("chunk_records must be 1 .. " + std::to_string(kMaxChunkRecords));
  }
  header.match_keys = reg->match_keys;
  header.row_bytes = static_cast<std::uint32_t>(common::SealedRowBytes(reg->RowWidth()));
  header.record_count = 0;
  header.chunk_sha256.clear();
  SLUIS_ASSIGN_OR_RETURN(std::optional<RowEncoder> encoder,
                         MakeEncoder(permit, *reg, rows.token_inputs, cache, options));
  header.encoding_plan_sha256 = encoder.has_value() ? encoder->plan().Digest() : common::Hash256{};
  header.encoding_bytes = encoder.has_value() ? static_cast<std::uint32_t>(encoder->encoding_bytes()) : 0;
  const std::size_t record_bytes = header.match_keys.size() * kElementBytes + header.encoding_bytes + header.row_bytes;
  header.chunk_records =
      static_cast<std::uint32_t>(std::clamp<std::size_t>(kMaxChunkBytes / record_bytes, 1, options.chunk_records));
  const RowSealer sealer(cache, header, encoder.has_value() ? &*encoder : nullptr);
  header.sealed_data_key = sealer.SealedDataKey(permit.gate_sealing_key);

  SLUIS_ASSIGN_OR_RETURN(std::vector<common::SpillFile> buckets,
                         MakeBuckets(spill, rows.count * record_bytes, options.memory_bytes));
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<common::RecordReader> reader, rows.rows.Read());
  std::string_view row;
  for (std::uint64_t number = 1;; ++number) {
    SLUIS_ASSIGN_OR_RETURN(const bool more, reader->Next(row));
    if (!more) {
      break;
    }
    SLUIS_ASSIGN_OR_RETURN(const std::string record, sealer.Seal(row));
    if (record.size() != record_bytes) {
      return absl::InternalError("a sealed record does not have the length of all others");
    }
    SLUIS_RETURN_IF_ERROR(buckets[UniformBelow(random, buckets.size())].Append(record));
    if (number % kProgressRows == 0 && options.progress) {
      options.progress(number);
    }
  }

  const std::string unfinished = path + ".new";
  SLUIS_RETURN_IF_ERROR(RemoveOld(unfinished));
  {
    SLUIS_ASSIGN_OR_RETURN(
        const std::unique_ptr<common::RecordWriter> spool,
        common::RecordWriter::Create(
            unfinished, spool_key, SpoolStreamOptions(header.permit_sha256, header.register_name, header.delivery_id)));
    ChunkWriter chunks(*spool, header);
    for (common::SpillFile& bucket : buckets) {
      SLUIS_RETURN_IF_ERROR(bucket.Finish());
      SLUIS_RETURN_IF_ERROR(ShuffleBucket(bucket, record_bytes, random, chunks));
    }
    SLUIS_RETURN_IF_ERROR(chunks.Finish());
  }
  SLUIS_RETURN_IF_ERROR(common::PublishFile(unfinished, path));
  if (options.progress) {
    options.progress(header.record_count);
  }
  return header;
}

}  // namespace sluis::cli
