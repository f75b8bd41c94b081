#include "common/tlog/merkle.h"

#include <bit>

#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

// The largest power of two below `count`. Precondition: count > 1.
std::uint64_t SplitPoint(std::uint64_t count) { return std::bit_floor(count - 1); }

// MTH(D[begin:end]). RFC 6962 only ever asks for ranges that begin at a multiple of their largest power of two.
absl::StatusOr<Hash256> RangeRoot(std::uint64_t begin, std::uint64_t end, const SubtreeReader& read) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const int height = std::countr_zero(count);
    return read(height, begin >> height);
  }
  const std::uint64_t middle = begin + SplitPoint(count);
  SLUIS_ASSIGN_OR_RETURN(const Hash256 left, RangeRoot(begin, middle, read));
  SLUIS_ASSIGN_OR_RETURN(const Hash256 right, RangeRoot(middle, end, read));
  return NodeHash(left, right);
}

}  // namespace

Hash256 LeafHash(std::string_view entry) {
  Sha256Hasher hasher;
  hasher.Update(std::string_view("\0", 1));
  hasher.Update(entry);
  return hasher.Finish();
}

Hash256 NodeHash(const Hash256& left, const Hash256& right) {
  Sha256Hasher hasher;
  hasher.Update("\1");
  hasher.Update(AsChars(left));
  hasher.Update(AsChars(right));
  return hasher.Finish();
}

Hash256 RootOver(std::span<const Hash256> hashes) {
  if (hashes.empty()) {
    return Sha256({});
  }
  if (hashes.size() == 1) {
    return hashes[0];
  }
  const std::size_t middle = SplitPoint(hashes.size());
  return NodeHash(RootOver(hashes.first(middle)), RootOver(hashes.subspan(middle)));
}

absl::StatusOr<Hash256> RootOfSize(std::uint64_t size, const SubtreeReader& read) {
  return size == 0 ? Sha256({}) : RangeRoot(0, size, read);
}

absl::StatusOr<std::vector<Hash256>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                                    const SubtreeReader& read) {
  if (index >= size) {
    return absl::InvalidArgumentError("entry index " + std::to_string(index) + " is not below the log's size " +
                                      std::to_string(size));
  }
  std::vector<Hash256> from_root;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    const bool in_left = index < middle;
    SLUIS_ASSIGN_OR_RETURN(const Hash256 sibling,
                           in_left ? RangeRoot(middle, end, read) : RangeRoot(begin, middle, read));
    from_root.push_back(sibling);
    (in_left ? end : begin) = middle;
  }
  return std::vector<Hash256>(from_root.rbegin(), from_root.rend());
}

absl::StatusOr<std::vector<Hash256>> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                                      const SubtreeReader& read) {
  if (old_size == 0 || old_size > new_size) {
    return absl::InvalidArgumentError("a consistency proof needs 0 < old size <= new size; asked for " +
                                      std::to_string(old_size) + " and " + std::to_string(new_size));
  }
  if (old_size == new_size) {
    return std::vector<Hash256>();
  }
  std::vector<Hash256> from_root;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  while (end != old_size) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    const bool in_left = old_size <= middle;
    SLUIS_ASSIGN_OR_RETURN(const Hash256 sibling,
                           in_left ? RangeRoot(middle, end, read) : RangeRoot(begin, middle, read));
    from_root.push_back(sibling);
    (in_left ? end : begin) = middle;
  }
  // The whole old tree is known to the verifier as the old root; any smaller last part is not.
  if (begin != 0) {
    SLUIS_ASSIGN_OR_RETURN(const Hash256 last, RangeRoot(begin, end, read));
    from_root.push_back(last);
  }
  return std::vector<Hash256>(from_root.rbegin(), from_root.rend());
}

}  // namespace sluis::common
