#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluis::linker {

inline constexpr std::uint32_t kMinEncodingBits = 64;
inline constexpr std::uint32_t kMaxEncodingBits = 4096;

// Memory aligned to 64 bytes: one cache line, one AVX-512 register. From 4 MiB on it is asked for in huge pages, since
// rows are read in any order and most such reads would miss the TLB otherwise.
[[nodiscard]] void* AllocateCacheLines(std::size_t bytes);
void FreeCacheLines(void* memory, std::size_t bytes);

template <typename T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(AllocateCacheLines(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) { FreeCacheLines(memory, count * sizeof(T)); }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

// The encodings of one register, all of one width, row after row without gaps, with the number of set bits of each. The
// first row stands on a 64-byte boundary; so does every row whose width is a multiple of 512 bits.
//
// Bit i of an encoding is bit i % 64 of its word i / 64; comparison does not depend on this order, only on both tables
// having the same. The table does not know missing encodings: leave such a record out. An all-zero row may be stored;
// what the comparisons make of it, they say.
//
// Rows are numbered from 0 in the order of appending, up to 2^32 - 2 of them. Reading is thread-safe, appending is not.
class EncodingTable {
 public:
  // Returns an empty table for encodings of `bits` bits. Error: INVALID_ARGUMENT if `bits` is not a multiple of 64 in
  // [64, 4096].
  [[nodiscard]] static absl::StatusOr<EncodingTable> Create(std::uint32_t bits);

  // Makes room for `rows` rows in all, so that appending up to there does not move memory. Never shrinks.
  void Reserve(std::size_t rows);

  // Appends one row. Errors: INVALID_ARGUMENT if `encoding` is not words() long; RESOURCE_EXHAUSTED if the table is
  // full.
  [[nodiscard]] absl::Status Append(std::span<const std::uint64_t> encoding);

  std::uint32_t bits() const { return words_ * 64; }
  std::uint32_t words() const { return words_; }
  std::size_t rows() const { return popcounts_.size(); }
  std::span<const std::uint64_t> row(std::size_t index) const { return {data() + index * words_, words_}; }
  std::uint32_t popcount(std::size_t index) const { return popcounts_[index]; }
  const std::uint64_t* data() const { return encodings_.data(); }

 private:
  explicit EncodingTable(std::uint32_t words) : words_(words) {}

  std::uint32_t words_;
  AlignedVector<std::uint64_t> encodings_;
  std::vector<std::uint32_t> popcounts_;
};

}  // namespace sluis::linker
