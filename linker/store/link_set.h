#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "linker/match/report.h"

// A link set: which records of a project's registers are about the same person, under random ids that mean nothing
// elsewhere. Immutable; its id is the hash of its content.

namespace sluis::linker {

using LinkSetId = common::Hash256;
using LinkageId = std::array<std::uint8_t, 16>;

// Length of the random id, in hex, under which the links of a link set are stored: its hash is known only at the end.
inline constexpr std::size_t kBuildIdLength = 32;
inline constexpr std::string_view kDeletedBuild = "--------------------------------";
static_assert(kDeletedBuild.size() == kBuildIdLength);

// One register of a link set.
struct LinkedRegister {
  std::string name;
  std::string delivery_id;  // the delivery that was linked
  common::Hash256 delivery_sha256{};
  std::uint64_t records = 0;
  std::uint32_t chunks = 0;        // the delivery's
  common::Hash256 links_sha256{};  // "sluis-links-v1\n", then the SHA-256 of each chunk of links, in order

  friend bool operator==(const LinkedRegister&, const LinkedRegister&) = default;
};

// Its SHA-256, after the line "sluis-link-set-v1\n", or "sluis-link-set-v2\n" if a report is about similarity too, is
// the link set's id. It covers every link through links_sha256, and the random linkage ids among them keep anyone from
// confirming a guess of the content by the id.
struct LinkSetHeader {
  std::string permit_id;
  common::Hash256 permit_sha256{};
  std::int64_t made_seconds = 0;  // since 1970; later than of every link set before it, if need be than the clock
  std::vector<LinkedRegister> registers;  // those of the permit that have a delivery, the backbone first
  std::vector<LinkageReport> reports;     // exact; one for each satellite among `registers`, in their order

  const LinkedRegister* FindRegister(std::string_view name) const;
  friend bool operator==(const LinkSetHeader&, const LinkSetHeader&) = default;
};
// Without similarity in a report the same bytes as before there was any, so that earlier ids stand.
[[nodiscard]] std::string EncodeLinkSetHeader(const LinkSetHeader& header);
// Errors: DATA_LOSS.
[[nodiscard]] absl::StatusOr<LinkSetHeader> DecodeLinkSetHeader(std::string_view bytes);
[[nodiscard]] LinkSetId LinkSetIdOf(const LinkSetHeader& header);

// What the store has at a link set's id.
struct StoredLinkSet {
  LinkSetId id{};
  std::string build;     // of kBuildIdLength: where its links are; kDeletedBuild once they are deleted
  LinkSetHeader header;  // without reports once it is deleted

  bool deleted() const;
};
[[nodiscard]] std::string EncodeStoredLinkSet(const StoredLinkSet& link_set);
// Errors: DATA_LOSS, also if a link set that is not deleted does not have the hash `id`.
[[nodiscard]] absl::StatusOr<StoredLinkSet> DecodeStoredLinkSet(const LinkSetId& id, std::string_view bytes);

// The links of one chunk of a delivery, in its record order.
struct LinkChunk {
  std::vector<LinkageId> ids;
  std::vector<bool> found;  // on the backbone; true for every backbone record

  friend bool operator==(const LinkChunk&, const LinkChunk&) = default;
};
// 16 bytes for each id, then a byte for each flag: 1 found, 0 not.
[[nodiscard]] std::string EncodeLinkChunk(const LinkChunk& chunk);
// Errors: DATA_LOSS.
[[nodiscard]] absl::StatusOr<LinkChunk> DecodeLinkChunk(std::string_view bytes);

// The random linkage ids of one link set: the ChaCha20 key stream of a seed that is used once and then forgotten. The
// person numbered n of the backbone has id (0, n); an unlinked source entity of the s-th register that of (s, its first
// record). Not thread-safe.
class LinkageIds {
 public:
  // `seed`: 32 random bytes.
  explicit LinkageIds(common::SecretBytes seed);
  ~LinkageIds();
  LinkageIds(const LinkageIds&) = delete;
  LinkageIds& operator=(const LinkageIds&) = delete;

  LinkageId Get(std::uint32_t register_number, std::uint32_t record);

 private:
  common::SecretBytes seed_;
  std::array<std::uint8_t, 64> block_{};  // four ids of block_register_, from record 4 * block_number_
  std::uint64_t block_register_ = ~std::uint64_t{0};
  std::uint32_t block_number_ = 0;
};

}  // namespace sluis::linker
