#include <immintrin.h>

#include "linker/kernel/weighted_instructions.h"

// Compiled for AVX2 and POPCNT.

namespace sluis::linker::kernel {
namespace {

constexpr std::size_t kLanes = 32;

[[gnu::always_inline]] inline __m256i Table(const std::uint8_t* table) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
}

void Store(__m256i* words, __m256i odd, bool first, std::int32_t* sums) {
  // `words` added whole 16-bit words: the even byte and 256 times the odd one. Modulo 2^16 the odd bytes' sums come
  // off.
  const __m256i even = _mm256_sub_epi16(*words, _mm256_slli_epi16(odd, 8));
  alignas(32) std::uint16_t evens[kLanes / 2];
  alignas(32) std::uint16_t odds[kLanes / 2];
  _mm256_store_si256(reinterpret_cast<__m256i*>(evens), even);
  _mm256_store_si256(reinterpret_cast<__m256i*>(odds), odd);
  for (std::size_t i = 0; i < kLanes / 2; ++i) {
    sums[2 * i] = (first ? 0 : sums[2 * i]) + evens[i];
    sums[2 * i + 1] = (first ? 0 : sums[2 * i + 1]) + odds[i];
  }
}

void ScanAvx2(const WeightedScan& scan) {
  const __m256i low_half = _mm256_set1_epi8(15);
  for (std::size_t group = 0; group < scan.groups; ++group) {
    const std::uint8_t* rows = scan.candidates + group * scan.bytes * kLanes;
    for (std::size_t begin = 0; begin < scan.bytes; begin += kWeightedChunkBytes) {
      const std::size_t end = begin + kWeightedChunkBytes < scan.bytes ? begin + kWeightedChunkBytes : scan.bytes;
      __m256i words[kWeightedQueries] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
      __m256i odd[kWeightedQueries] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
      for (std::size_t p = begin; p < end; ++p) {
        const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows + p * kLanes));
        const __m256i low = _mm256_and_si256(bytes, low_half);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_half);
#pragma GCC unroll 2
        for (std::size_t q = 0; q < kWeightedQueries; ++q) {
          const std::uint8_t* tables = scan.tables[q] + p * 32;
          const __m256i both =
              _mm256_add_epi8(_mm256_shuffle_epi8(Table(tables), low), _mm256_shuffle_epi8(Table(tables + 16), high));
          words[q] = _mm256_add_epi16(words[q], both);
          odd[q] = _mm256_add_epi16(odd[q], _mm256_srli_epi16(both, 8));
        }
      }
      for (std::size_t q = 0; q < kWeightedQueries; ++q) {
        Store(&words[q], odd[q], begin == 0, scan.sums[q] + group * kLanes);
      }
    }
  }
}

void SumPairsAvx2(const WeightPlanes& weights, const std::uint64_t* a, const std::uint64_t* b, const RowPair* pairs,
                  std::size_t count, std::int32_t* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t* row_a = a + pairs[i].a * weights.words;
    const std::uint64_t* row_b = b + pairs[i].b * weights.words;
    std::uint64_t both[64];
    for (std::size_t w = 0; w < weights.words; ++w) {
      both[w] = row_a[w] & row_b[w];
    }
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < weights.count; ++j) {
      const std::uint64_t* plane = weights.planes + j * weights.words;
      std::int32_t bits = 0;
      for (std::size_t w = 0; w < weights.words; ++w) {
        bits += static_cast<std::int32_t>(_mm_popcnt_u64(both[w] & plane[w]));
      }
      sum += bits * weights.plane_weights[j];
    }
    sums[i] = sum;
  }
}

}  // namespace

const WeightedSet kAvx2WeightedSet = {kLanes, &ScanAvx2, &SumPairsAvx2};

}  // namespace sluis::linker::kernel
