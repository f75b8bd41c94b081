#include <bit>

#include "linker/kernel/instruction_set.h"

namespace sluis::linker::kernel {
namespace {

std::uint32_t Popcount(std::uint64_t word) { return static_cast<std::uint32_t>(std::popcount(word)); }

std::uint32_t PackedDistance(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  std::uint64_t sums = a[0] ^ b[0];
  std::uint32_t twos = 0;
  std::size_t w = 1;
  for (; w + 2 <= words; w += 2) {
    const std::uint64_t x = a[w] ^ b[w];
    const std::uint64_t sum = a[w + 1] ^ b[w + 1];
    twos += Popcount((sums & x) | ((sums | x) & ~sum));
    sums = sum;
  }
  return Popcount(sums) + 2 * twos + (w < words ? Popcount(a[w] ^ b[w]) : 0);
}

std::size_t ScanPortable(const Scan& scan, std::size_t* next_query, Hit* hits, std::size_t capacity) {
  std::size_t found = 0;
  std::size_t query = *next_query;
  for (; query < scan.query_count && capacity - found >= kQueries * kTileRows; query += kQueries) {
    for (std::size_t q = query; q < query + kQueries; ++q) {
      for (std::size_t c = 0; c < scan.candidate_count; ++c) {
        const std::uint32_t distance =
            PackedDistance(scan.queries + q * scan.words, scan.candidates + c * scan.words, scan.words);
        if (distance <= scan.query_limits[q] + scan.candidate_limits[c]) {
          hits[found++] = {static_cast<std::uint32_t>(q), static_cast<std::uint32_t>(c), distance};
        }
      }
    }
  }
  *next_query = query;
  return found;
}

void CountCommonPortable(const std::uint64_t* a, const std::uint64_t* b, std::size_t words, const RowPair* pairs,
                         std::size_t count, std::uint32_t* common) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t* row_a = a + pairs[i].a * words;
    const std::uint64_t* row_b = b + pairs[i].b * words;
    std::uint32_t sum = 0;
    for (std::size_t w = 0; w < words; ++w) {
      sum += Popcount(row_a[w] & row_b[w]);
    }
    common[i] = sum;
  }
}

}  // namespace

const InstructionSet kPortableSet = {1, &ScanPortable, &CountCommonPortable};

}  // namespace sluis::linker::kernel
