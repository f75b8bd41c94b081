#include "linker/store/delivery.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/codec.h"

namespace sluis::linker {
namespace {

absl::Status Wrong(const std::string& field, const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat("delivery header, ", field, ": ", expected));
}

std::string BigEndian32(std::uint32_t value) {
  std::string out;
  common::AppendBigEndian32(out, value);
  return out;
}

std::string EncodingFields(const DeliveryHeader& header) {
  return Encoder().Hash(header.encoding_plan_sha256).U32(header.encoding_bytes).Take();
}

absl::Status CheckEncodings(const DeliveryHeader& header, const common::PermitRegister& named,
                            const common::Permit& permit) {
  if (named.features.empty()) {
    return header.encoding_bytes == 0 && header.encoding_plan_sha256 == common::Hash256{}
               ? absl::OkStatus()
               : Wrong("encoding_plan_sha256", "the permit gives the register no features, so it has no encodings");
  }
  SLUIS_ASSIGN_OR_RETURN(const EncodingPlan plan, PlanOf(permit));
  if (header.encoding_plan_sha256 != plan.Digest()) {
    return Wrong("encoding_plan_sha256", "is not the permit's encoding plan; encode the extract by the current permit");
  }
  if (header.encoding_bytes != EncodingBytes(plan)) {
    return Wrong("encoding_bytes", absl::StrCat("the permit's encoding plan has ", EncodingBytes(plan), " a record"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHeader(const DeliveryHeader& header, const common::Permit& permit) {
  if (!common::IsDeliveryId(header.delivery_id)) {
    return Wrong("delivery_id", absl::StrCat("must be ", common::kDeliveryIdRule));
  }
  if (!header.replaces.empty() && (!common::IsDeliveryId(header.replaces) || header.replaces == header.delivery_id)) {
    return Wrong("replaces", "must be empty or the id of another delivery");
  }
  if (header.permit_id != permit.id) {
    return Wrong("permit_id", "is not this project's");
  }
  if (header.permit_sha256 != permit.sha256) {
    return Wrong("permit_sha256", "differs from the permit that the linker holds; get the current permit");
  }
  const common::PermitRegister* const named = permit.FindRegister(header.register_name);
  if (named == nullptr) {
    return Wrong("register", "the permit does not name it");
  }
  if (header.records > named->max_records) {
    return Wrong("records", absl::StrCat("the permit allows at most ", named->max_records));
  }
  if (header.match_keys != named->match_keys) {
    return Wrong("match_keys", "must be the register's match keys in the permit's order");
  }
  if (header.match_keys.empty() && named->features.empty()) {
    return Wrong("match_keys", "the permit gives the register neither match keys nor features");
  }
  SLUIS_RETURN_IF_ERROR(CheckEncodings(header, *named, permit));
  if (header.row_bytes < std::max<std::size_t>(named->RowWidth(), 1) || header.row_bytes > kMaxRowBytes) {
    return Wrong("row_bytes", absl::StrCat("must be between the row's ", named->RowWidth(), " and ", kMaxRowBytes));
  }
  if (header.sealed_data_key.empty() || header.sealed_data_key.size() > kMaxSealedDataKeyBytes) {
    return Wrong("sealed_data_key", absl::StrCat("must have 1 to ", kMaxSealedDataKeyBytes, " bytes"));
  }
  const common::PermitAttachment* const schema = permit.FindAttachment(named->schema);
  if (schema == nullptr || header.schema_sha256 != schema->sha256) {
    return Wrong("schema_sha256", "differs from the permit's table schema for the register");
  }
  return common::Annotate(common::CheckDeliverySignature(StatementOf(header), named->custodian_key, header.signature),
                          "delivery header, signature");
}

common::DeliveryStatement StatementOf(const DeliveryHeader& header) {
  return {.permit_sha256 = header.permit_sha256,
          .register_name = header.register_name,
          .delivery_id = header.delivery_id,
          .replaces = header.replaces,
          .record_count = header.records,
          .row_bytes = header.row_bytes,
          .sealed_data_key = header.sealed_data_key,
          .schema_sha256 = header.schema_sha256,
          .match_keys = header.match_keys,
          .encoding_plan_sha256 = header.encoding_plan_sha256,
          .encoding_bytes = header.encoding_bytes};
}

absl::Status CheckChunk(const DeliveryHeader& header, const Chunk& chunk) {
  if (chunk.records == 0 || chunk.records > kMaxChunkRecords) {
    return absl::InvalidArgumentError(absl::StrCat("a chunk must have 1 to ", kMaxChunkRecords, " records"));
  }
  if (chunk.pseudonyms.size() != chunk.records * header.match_keys.size() * kPseudonymBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the chunk's pseudonyms must have ", header.match_keys.size(),
                                                   " times ", kPseudonymBytes, " bytes for each record"));
  }
  if (chunk.rows.size() != std::uint64_t{chunk.records} * header.row_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the chunk's rows must have ", header.row_bytes, " bytes for each record"));
  }
  if (chunk.encodings.size() != std::uint64_t{chunk.records} * header.encoding_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the chunk's encodings must have ", header.encoding_bytes, " bytes for each record"));
  }
  if (chunk.pseudonyms.size() + chunk.rows.size() + chunk.encodings.size() > kMaxChunkBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a chunk must have at most ", kMaxChunkBytes, " bytes"));
  }
  return absl::OkStatus();
}

std::string EncodeHeader(const DeliveryHeader& header) {
  Encoder out;
  out.Bytes(header.delivery_id).Bytes(header.replaces).Bytes(header.permit_id).Hash(header.permit_sha256);
  out.Bytes(header.register_name).U64(header.records).U32(static_cast<std::uint32_t>(header.match_keys.size()));
  for (const std::string& match_key : header.match_keys) {
    out.Bytes(match_key);
  }
  out.U32(header.row_bytes).Bytes(header.sealed_data_key).Hash(header.schema_sha256).Hash(header.manifest_sha256);
  return out.Take();
}

common::Hash256 HeaderDigest(const DeliveryHeader& header) {
  if (header.encoding_bytes == 0) {
    return common::Sha256("sluis-delivery-header-v1\n" + EncodeHeader(header));
  }
  return common::Sha256("sluis-delivery-header-v2\n" + EncodeHeader(header) + EncodingFields(header));
}

common::Hash256 ChunkDigest(std::uint32_t number, const Chunk& chunk) {
  common::Sha256Hasher hasher;
  hasher.Update(chunk.encodings.empty() ? "sluis-chunk-v1\n" : "sluis-chunk-v2\n");
  hasher.Update(BigEndian32(number) + BigEndian32(chunk.records));
  hasher.Update(chunk.pseudonyms);
  hasher.Update(chunk.encodings);
  hasher.Update(chunk.rows);
  return hasher.Finish();
}

common::Hash256 DeliveryDigest(const common::Hash256& header_digest, std::span<const common::Hash256> chunk_digests) {
  common::Sha256Hasher hasher;
  hasher.Update("sluis-delivery-v1\n");
  hasher.Update(common::AsChars(header_digest));
  hasher.Update(BigEndian32(static_cast<std::uint32_t>(chunk_digests.size())));
  for (const common::Hash256& digest : chunk_digests) {
    hasher.Update(common::AsChars(digest));
  }
  return hasher.Finish();
}

std::string EncodeDelivery(const DeliveryRecord& delivery) {
  Encoder out;
  out.U8(static_cast<std::uint8_t>(delivery.state)).U64(static_cast<std::uint64_t>(delivery.begun_seconds));
  out.U64(static_cast<std::uint64_t>(delivery.ended_seconds)).U32(delivery.chunks).Hash(delivery.sha256);
  return out.Take() + EncodeHeader(delivery.header) + Encoder().Bytes(delivery.header.signature).Take() +
         EncodingFields(delivery.header);
}

absl::StatusOr<DeliveryRecord> DecodeDelivery(std::string_view bytes) {
  Decoder in(bytes);
  DeliveryRecord delivery;
  const std::uint8_t state = in.U8();
  delivery.state = static_cast<DeliveryState>(state);
  delivery.begun_seconds = static_cast<std::int64_t>(in.U64());
  delivery.ended_seconds = static_cast<std::int64_t>(in.U64());
  delivery.chunks = in.U32();
  delivery.sha256 = in.Hash();
  DeliveryHeader& header = delivery.header;
  header.delivery_id = in.Bytes();
  header.replaces = in.Bytes();
  header.permit_id = in.Bytes();
  header.permit_sha256 = in.Hash();
  header.register_name = in.Bytes();
  header.records = in.U64();
  header.match_keys.resize(in.Count(sizeof(std::uint32_t)));
  for (std::string& match_key : header.match_keys) {
    match_key = in.Bytes();
  }
  header.row_bytes = in.U32();
  header.sealed_data_key = in.Bytes();
  header.schema_sha256 = in.Hash();
  header.manifest_sha256 = in.Hash();
  if (!in.AtEnd()) {
    header.signature = in.Bytes();
  }
  if (!in.AtEnd()) {
    header.encoding_plan_sha256 = in.Hash();
    header.encoding_bytes = in.U32();
  }
  SLUIS_RETURN_IF_ERROR(in.Finish());
  if (state < 1 || state > 4) {
    return absl::DataLossError("the linker's store: a delivery has an unknown state");
  }
  return delivery;
}

std::string EncodeChunkRecord(const ChunkRecord& chunk) {
  Encoder out;
  out.U32(chunk.records).U64(chunk.records_through).Hash(chunk.sha256);
  out.U64(static_cast<std::uint64_t>(chunk.stored_seconds));
  return out.Take();
}

absl::StatusOr<ChunkRecord> DecodeChunkRecord(std::string_view bytes) {
  Decoder in(bytes);
  ChunkRecord chunk;
  chunk.records = in.U32();
  chunk.records_through = in.U64();
  chunk.sha256 = in.Hash();
  chunk.stored_seconds = static_cast<std::int64_t>(in.U64());
  SLUIS_RETURN_IF_ERROR(in.Finish());
  return chunk;
}

}  // namespace sluis::linker
