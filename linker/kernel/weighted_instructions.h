#pragma once

#include <cstddef>
#include <cstdint>

#include "linker/kernel/instruction_set.h"

// The inner loops of weighted sums, one translation unit per instruction set; see instruction_set.h for why those
// include nothing else.

namespace sluis::linker::kernel {

// Queries of one weighted scan.
inline constexpr std::size_t kWeightedQueries = 2;
// Bytes of a row whose sums fit 16 bits: 256 * 255 < 2^16.
inline constexpr std::size_t kWeightedChunkBytes = 256;

// Sums over the bits that a query and a candidate have in common, by table: the half-byte h of a candidate at place p
// adds tables[query][p][h]. The tables of the two half-bytes of a byte never add up to more than 255.
struct WeightedScan {
  const std::uint8_t* tables[kWeightedQueries];  // each 2 * bytes tables of 16 entries; low half-byte first
  const std::uint8_t* candidates;  // groups of `lanes` rows, byte by byte: byte p of lane l at p * lanes + l
  std::size_t groups;
  std::size_t bytes;                     // of a row, a multiple of 8, at most 512
  std::int32_t* sums[kWeightedQueries];  // one per candidate
};

// The weights of bits as planes: bit i weighs the sum of plane_weights[j] over the planes in which bit i is set.
struct WeightPlanes {
  const std::uint64_t* planes;  // plane after plane
  const std::int32_t* plane_weights;
  std::size_t count;
  std::size_t words;  // of a plane and of a row
};

struct WeightedSet {
  std::size_t lanes;
  void (*scan)(const WeightedScan& scan);
  // Writes the weight of the bits common to rows pairs[i].a and pairs[i].b to sums[i].
  void (*sum_pairs)(const WeightPlanes& weights, const std::uint64_t* a, const std::uint64_t* b, const RowPair* pairs,
                    std::size_t count, std::int32_t* sums);
};

extern const WeightedSet kPortableWeightedSet;
#if defined(__x86_64__)
extern const WeightedSet kAvx2WeightedSet;
extern const WeightedSet kAvx512WeightedSet;
#endif

}  // namespace sluis::linker::kernel
