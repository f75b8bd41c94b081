#include "linker/store/link_set.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/store/codec.h"

namespace sluis::linker {
namespace {

bool HasSimilarity(const LinkSetHeader& header) {
  return std::any_of(header.reports.begin(), header.reports.end(),
                     [](const LinkageReport& report) { return report.similarity.has_value(); });
}

// What format 2 adds, for each report: an outcome, 0 if it has none, and then what it says.
void AddSimilarity(const LinkSetHeader& header, Encoder& out) {
  for (const LinkageReport& report : header.reports) {
    if (!report.similarity) {
      out.U8(0);
      continue;
    }
    const SimilarityReport& similarity = *report.similarity;
    out.U8(static_cast<std::uint8_t>(similarity.outcome)).U64(similarity.links).U64(similarity.linked_records);
    for (const EstimatedShare& share : {similarity.precision, similarity.recall}) {
      out.U32(share.value).U32(share.low).U32(share.high);
    }
  }
}

absl::Status ReadSimilarity(Decoder& in, std::vector<LinkageReport>& reports) {
  for (LinkageReport& report : reports) {
    const std::uint8_t outcome = in.U8();
    if (outcome == 0) {
      continue;
    }
    if (outcome > static_cast<std::uint8_t>(SimilarityOutcome::kNothingLeft)) {
      return absl::DataLossError("the linker's store: a report has an unknown outcome");
    }
    SimilarityReport& similarity = report.similarity.emplace();
    similarity.outcome = static_cast<SimilarityOutcome>(outcome);
    similarity.links = in.U64();
    similarity.linked_records = in.U64();
    for (EstimatedShare* share : {&similarity.precision, &similarity.recall}) {
      share->value = in.U32();
      share->low = in.U32();
      share->high = in.U32();
    }
  }
  return absl::OkStatus();
}

}  // namespace

const LinkedRegister* LinkSetHeader::FindRegister(std::string_view name) const {
  const auto found = std::find_if(registers.begin(), registers.end(), [&](const auto& r) { return r.name == name; });
  return found == registers.end() ? nullptr : &*found;
}

std::string EncodeLinkSetHeader(const LinkSetHeader& header) {
  Encoder out;
  out.Bytes(header.permit_id).Hash(header.permit_sha256).U64(static_cast<std::uint64_t>(header.made_seconds));
  out.U32(static_cast<std::uint32_t>(header.registers.size()));
  for (const LinkedRegister& linked : header.registers) {
    out.Bytes(linked.name).Bytes(linked.delivery_id).Hash(linked.delivery_sha256);
    out.U64(linked.records).U32(linked.chunks).Hash(linked.links_sha256);
  }
  out.U32(static_cast<std::uint32_t>(header.reports.size()));
  for (const LinkageReport& report : header.reports) {
    out.Bytes(report.register_name).U64(report.records).U64(report.entities);
    out.U64(report.unlinked).U64(report.unlinked_records).U32(static_cast<std::uint32_t>(report.passes.size()));
    for (const PassReport& pass : report.passes) {
      out.Bytes(pass.match_key).U64(pass.links).U64(pass.linked_records);
      out.U64(pass.conflicts).U64(pass.ambiguous).U64(pass.unavailable);
    }
  }
  if (HasSimilarity(header)) {
    AddSimilarity(header, out);
  }
  return out.Take();
}

absl::StatusOr<LinkSetHeader> DecodeLinkSetHeader(std::string_view bytes) {
  Decoder in(bytes);
  LinkSetHeader header;
  header.permit_id = in.Bytes();
  header.permit_sha256 = in.Hash();
  header.made_seconds = static_cast<std::int64_t>(in.U64());
  header.registers.resize(in.Count(84));
  for (LinkedRegister& linked : header.registers) {
    linked.name = in.Bytes();
    linked.delivery_id = in.Bytes();
    linked.delivery_sha256 = in.Hash();
    linked.records = in.U64();
    linked.chunks = in.U32();
    linked.links_sha256 = in.Hash();
  }
  header.reports.resize(in.Count(40));
  for (LinkageReport& report : header.reports) {
    report.register_name = in.Bytes();
    report.records = in.U64();
    report.entities = in.U64();
    report.unlinked = in.U64();
    report.unlinked_records = in.U64();
    report.passes.resize(in.Count(44));
    for (PassReport& pass : report.passes) {
      pass.match_key = in.Bytes();
      pass.links = in.U64();
      pass.linked_records = in.U64();
      pass.conflicts = in.U64();
      pass.ambiguous = in.U64();
      pass.unavailable = in.U64();
    }
  }
  if (!in.AtEnd()) {
    SLUIS_RETURN_IF_ERROR(ReadSimilarity(in, header.reports));
  }
  SLUIS_RETURN_IF_ERROR(in.Finish());
  return header;
}

LinkSetId LinkSetIdOf(const LinkSetHeader& header) {
  const std::string_view format = HasSimilarity(header) ? "sluis-link-set-v2\n" : "sluis-link-set-v1\n";
  return common::Sha256(std::string(format) + EncodeLinkSetHeader(header));
}

bool StoredLinkSet::deleted() const { return build == kDeletedBuild; }

std::string EncodeStoredLinkSet(const StoredLinkSet& link_set) {
  return link_set.build + EncodeLinkSetHeader(link_set.header);
}

absl::StatusOr<StoredLinkSet> DecodeStoredLinkSet(const LinkSetId& id, std::string_view bytes) {
  const std::size_t header_begin = std::min(bytes.size(), kBuildIdLength);
  StoredLinkSet link_set{.id = id, .build = std::string(bytes.substr(0, header_begin)), .header = {}};
  SLUIS_ASSIGN_OR_RETURN(link_set.header, DecodeLinkSetHeader(bytes.substr(header_begin)));
  if (!link_set.deleted() && LinkSetIdOf(link_set.header) != id) {
    return absl::DataLossError("the linker's store: a link set does not have the hash that is its id");
  }
  return link_set;
}

std::string EncodeLinkChunk(const LinkChunk& chunk) {
  std::string out;
  out.reserve(chunk.ids.size() * (sizeof(LinkageId) + 1));
  for (const LinkageId& id : chunk.ids) {
    out.append(common::AsChars(id));
  }
  for (const bool found : chunk.found) {
    out.push_back(found ? 1 : 0);
  }
  return out;
}

absl::StatusOr<LinkChunk> DecodeLinkChunk(std::string_view bytes) {
  const std::size_t records = bytes.size() / (sizeof(LinkageId) + 1);
  if (bytes.size() % (sizeof(LinkageId) + 1) != 0) {
    return absl::DataLossError("the linker's store: a chunk of links does not have its format");
  }
  LinkChunk chunk;
  chunk.ids.resize(records);
  chunk.found.resize(records);
  for (std::size_t i = 0; i < records; ++i) {
    std::memcpy(chunk.ids[i].data(), bytes.data() + i * sizeof(LinkageId), sizeof(LinkageId));
    chunk.found[i] = bytes[records * sizeof(LinkageId) + i] != 0;
  }
  return chunk;
}

LinkageIds::LinkageIds(common::SecretBytes seed) : seed_(std::move(seed)) { common::InitCrypto(); }

LinkageIds::~LinkageIds() { common::Wipe(block_); }

LinkageId LinkageIds::Get(std::uint32_t register_number, std::uint32_t record) {
  static_assert(crypto_stream_chacha20_ietf_KEYBYTES == 32);
  constexpr std::uint32_t kIdsPerBlock = 4;
  if (block_register_ != register_number || block_number_ != record / kIdsPerBlock) {
    block_register_ = register_number;
    block_number_ = record / kIdsPerBlock;
    std::array<std::uint8_t, crypto_stream_chacha20_ietf_NONCEBYTES> nonce{};
    std::memcpy(nonce.data(), &register_number, sizeof(register_number));
    block_.fill(0);
    crypto_stream_chacha20_ietf_xor_ic(block_.data(), block_.data(), block_.size(), nonce.data(), block_number_,
                                       seed_.ExposeForUse().data());
  }
  LinkageId id;
  std::memcpy(id.data(), block_.data() + (record % kIdsPerBlock) * id.size(), id.size());
  return id;
}

}  // namespace sluis::linker
