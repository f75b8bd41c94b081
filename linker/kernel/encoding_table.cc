#include "linker/kernel/encoding_table.h"

#include <sys/mman.h>

#include <bit>
#include <limits>
#include <new>

#include "absl/strings/str_cat.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::align_val_t AlignmentFor(std::size_t bytes) { return std::align_val_t{bytes >= 2 * kHugePage ? kHugePage : 64}; }

}  // namespace

void* AllocateCacheLines(std::size_t bytes) {
  const std::align_val_t alignment = AlignmentFor(bytes);
  void* const memory = ::operator new(bytes, alignment);
  if (alignment == std::align_val_t{kHugePage}) {
    madvise(memory, bytes, MADV_HUGEPAGE);  // only advice: small pages do as well, slower
  }
  return memory;
}

void FreeCacheLines(void* memory, std::size_t bytes) { ::operator delete(memory, AlignmentFor(bytes)); }

absl::StatusOr<EncodingTable> EncodingTable::Create(std::uint32_t bits) {
  if (bits < kMinEncodingBits || bits > kMaxEncodingBits || bits % 64 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("encoding width: must be a multiple of 64 from ", kMinEncodingBits,
                                                   " to ", kMaxEncodingBits, " bits, not ", bits));
  }
  return EncodingTable(bits / 64);
}

void EncodingTable::Reserve(std::size_t rows) {
  encodings_.reserve(rows * words_);
  popcounts_.reserve(rows);
}

absl::Status EncodingTable::Append(std::span<const std::uint64_t> encoding) {
  if (encoding.size() != words_) {
    return absl::InvalidArgumentError(absl::StrCat("encoding at row ", rows(), ": has ", encoding.size(),
                                                   " words of 64 bits, the table's have ", words_));
  }
  if (rows() >= std::numeric_limits<std::uint32_t>::max() - 1) {
    return absl::ResourceExhaustedError("the encoding table is full: split the register into partitions");
  }
  std::uint32_t popcount = 0;
  for (const std::uint64_t word : encoding) {
    popcount += static_cast<std::uint32_t>(std::popcount(word));
  }
  encodings_.insert(encodings_.end(), encoding.begin(), encoding.end());
  popcounts_.push_back(popcount);
  return absl::OkStatus();
}

}  // namespace sluis::linker
