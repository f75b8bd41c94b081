#include "linker/fuzzy/comparison_store.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/fuzzy/comparison_codec.h"

namespace sluis::linker {
namespace {

using common::AsChars;
using common::Hash256;

// Raise it whenever linker/candidate, linker/score or linker/fellegi_sunter give other results for the same input.
constexpr std::string_view kAlgorithm = "sluis-comparison-5";
// Of what is kept.
constexpr std::string_view kFormat = "sluis-kept-comparison-2\n";

constexpr std::size_t kChecksumBytes = sizeof(Hash256);
constexpr std::size_t kPairsInPart = (kMaxComparisonPartBytes - kChecksumBytes) / kPairBytes;

// Hashes numbers and byte strings, each behind its length, so that no two sequences hash the same bytes.
class Digest {
 public:
  void Add(std::string_view bytes) {
    Add(bytes.size());
    hasher_.Update(bytes);
  }
  void Add(std::uint64_t number) {
    char bytes[8];
    for (std::size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<char>(number >> (8 * i) & 0xFF);
    hasher_.Update({bytes, sizeof(bytes)});
  }
  template <typename T>
  void AddAll(const T* data, std::size_t count) {
    Add({reinterpret_cast<const char*>(data), count * sizeof(T)});
  }
  void Add(const EncodingTable& table) {
    Add(table.bits());
    AddAll(table.data(), table.rows() * table.words());
  }
  Hash256 Finish() { return hasher_.Finish(); }

 private:
  common::Sha256Hasher hasher_;
};

void AddSide(const CompareSide& side, const Hash256& digest, Digest& out) {
  out.Add(AsChars(digest));
  std::string left_out((side.left_out.size() + 7) / 8, '\0');
  bool any = false;
  for (std::size_t record = 0; record < side.left_out.size(); ++record) {
    if (!side.left_out[record]) continue;
    left_out[record / 8] = static_cast<char>(left_out[record / 8] | 1 << (record % 8));
    any = true;
  }
  out.Add(any ? std::string_view(left_out) : std::string_view());
}

// A part is its checksum, which binds it to its place, and its content.
Hash256 Checksum(const ComparisonKey& key, std::uint32_t part, std::string_view content) {
  Digest digest;
  digest.Add(kFormat);
  digest.Add(AsChars(key));
  digest.Add(part);
  digest.Add(content);
  return digest.Finish();
}

absl::Status SavePart(ComparisonStore& store, const ComparisonKey& key, std::uint32_t part, std::string_view content) {
  const Hash256 checksum = Checksum(key, part, content);
  std::string bytes(AsChars(checksum));
  bytes += content;
  return store.Save(key, part, bytes);
}

absl::StatusOr<std::optional<std::string>> FindPart(ComparisonStore& store, const ComparisonKey& key,
                                                    std::uint32_t part) {
  SLUIS_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store.Find(key, part));
  if (!bytes) return bytes;
  const std::string_view content = std::string_view(*bytes).substr(std::min(bytes->size(), kChecksumBytes));
  if (bytes->size() < kChecksumBytes || !bytes->starts_with(AsChars(Checksum(key, part, content)))) {
    return absl::DataLossError("a kept comparison is damaged: its checksum does not fit");
  }
  bytes->erase(0, kChecksumBytes);
  return bytes;
}

absl::Status ReadPairs(std::string_view content, const MatchSource& a, const MatchSource* b,
                       std::vector<ScoredPair>& pairs) {
  const std::uint32_t records_b = b == nullptr ? a.records : b->records;
  for (; content.size() >= kPairBytes; content.remove_prefix(kPairBytes)) {
    const ScoredPair pair = ReadPair(content);
    if (pair.a >= a.records || pair.b >= records_b || !std::isfinite(pair.log_odds)) {
      return absl::DataLossError("a kept comparison pairs records that the sources do not have");
    }
    pairs.push_back(pair);
  }
  return content.empty() ? absl::OkStatus() : absl::DataLossError("a kept comparison is damaged: half a pair");
}

}  // namespace

Hash256 DigestOf(const MatchSource& source) {
  Digest digest;
  digest.Add(source.records);
  digest.Add(source.tables.size());
  for (const EncodingTable& table : source.tables) digest.Add(table);
  digest.AddAll(source.record_of_row.data(), source.record_of_row.size());
  digest.Add(source.columns.size());
  for (const FieldColumn& column : source.columns) {
    std::vector<std::uint32_t> rows(column.records());
    for (std::size_t record = 0; record < rows.size(); ++record) rows[record] = column.row(record);
    digest.AddAll(rows.data(), rows.size());
    digest.Add(column.encodings());
  }
  return digest.Finish();
}

ComparisonKey KeyOfComparison(const CompareSide& a, const Hash256& digest_a, const CompareSide* b,
                              const Hash256& digest_b, bool repeats, const MatchPlan& plan, std::uint64_t seed,
                              std::span<const ReviewDecision> decisions) {
  Digest digest;
  digest.Add(kAlgorithm);
  digest.Add(plan.encoding.Canonical());
  digest.Add(plan.exhaustive_pairs);
  digest.Add(plan.max_block);
  digest.Add(plan.memory_bytes);
  digest.Add(seed);
  digest.Add(repeats ? 1 : 0);
  digest.Add(b == nullptr ? 1 : 2);
  AddSide(a, digest_a, digest);
  if (b != nullptr) AddSide(*b, digest_b, digest);
  digest.Add(plan.review_min_pairs);
  for (const ReviewDecision& decision : decisions) {
    digest.Add(decision.pattern);
    digest.Add(static_cast<std::uint64_t>(decision.verdict));
    digest.Add(std::bit_cast<std::uint64_t>(decision.certainty));
  }
  return digest.Finish();
}

absl::Status SaveComparison(ComparisonStore& store, const ComparisonKey& key, const CompareResult& result) {
  const std::size_t parts = (result.pairs.size() + kPairsInPart - 1) / kPairsInPart;
  std::string content;
  for (std::size_t part = 0; part < parts; ++part) {
    content.clear();
    const std::size_t end = std::min(result.pairs.size(), (part + 1) * kPairsInPart);
    for (std::size_t i = part * kPairsInPart; i < end; ++i) AppendPair(result.pairs[i], content);
    SLUIS_RETURN_IF_ERROR(SavePart(store, key, static_cast<std::uint32_t>(part) + 1, content));
  }
  content = kFormat;
  AppendLittleEndian32(static_cast<std::uint32_t>(parts), content);
  content += EncodeReport(result.report);
  return SavePart(store, key, 0, content);
}

absl::StatusOr<std::optional<CompareResult>> FindComparison(ComparisonStore& store, const ComparisonKey& key,
                                                            const MatchSource& a, const MatchSource* b) {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> head, FindPart(store, key, 0));
  if (!head) return std::nullopt;
  if (!head->starts_with(kFormat) || head->size() < kFormat.size() + 4) {
    return absl::DataLossError("a kept comparison is of another format");
  }
  const std::string_view rest = std::string_view(*head).substr(kFormat.size());
  const std::uint32_t parts = ReadLittleEndian32(rest);
  CompareResult result;
  SLUIS_ASSIGN_OR_RETURN(result.report, DecodeReport(rest.substr(4)));
  for (std::uint32_t part = 1; part <= parts; ++part) {
    SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> content, FindPart(store, key, part));
    if (!content) return std::nullopt;
    SLUIS_RETURN_IF_ERROR(ReadPairs(*content, a, b, result.pairs));
  }
  if (result.pairs.size() != result.report.pairs_scored) {
    return absl::DataLossError("a kept comparison is damaged: it has another number of pairs than it counts");
  }
  return result;
}

}  // namespace sluis::linker
