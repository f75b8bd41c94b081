#include <immintrin.h>

#include "linker/kernel/weighted_instructions.h"

// Compiled for AVX-512 F, BW, VL and VPOPCNTDQ.

namespace sluis::linker::kernel {
namespace {

constexpr std::size_t kLanes = 64;
constexpr std::size_t kWordLanes = 8;

[[gnu::always_inline]] inline __m512i Table(const std::uint8_t* table) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
}

[[gnu::always_inline]] inline void Store(__m512i words, __m512i odd, bool first, std::int32_t* sums) {
  // `words` added whole 16-bit words: the even byte and 256 times the odd one. Modulo 2^16 the odd bytes' sums come
  // off.
  const __m512i even = _mm512_sub_epi16(words, _mm512_slli_epi16(odd, 8));
  alignas(64) std::uint16_t evens[kLanes / 2];
  alignas(64) std::uint16_t odds[kLanes / 2];
  _mm512_store_si512(evens, even);
  _mm512_store_si512(odds, odd);
  for (std::size_t i = 0; i < kLanes / 2; ++i) {
    sums[2 * i] = (first ? 0 : sums[2 * i]) + evens[i];
    sums[2 * i + 1] = (first ? 0 : sums[2 * i + 1]) + odds[i];
  }
}

void ScanAvx512(const WeightedScan& scan) {
  const __m512i low_half = _mm512_set1_epi8(15);
  for (std::size_t group = 0; group < scan.groups; ++group) {
    const std::uint8_t* rows = scan.candidates + group * scan.bytes * kLanes;
    for (std::size_t begin = 0; begin < scan.bytes; begin += kWeightedChunkBytes) {
      const std::size_t end = begin + kWeightedChunkBytes < scan.bytes ? begin + kWeightedChunkBytes : scan.bytes;
      __m512i words[kWeightedQueries] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
      __m512i odd[kWeightedQueries] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
      for (std::size_t p = begin; p < end; ++p) {
        const __m512i bytes = _mm512_load_si512(rows + p * kLanes);
        const __m512i low = _mm512_and_si512(bytes, low_half);
        const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low_half);
#pragma GCC unroll 2
        for (std::size_t q = 0; q < kWeightedQueries; ++q) {
          const std::uint8_t* tables = scan.tables[q] + p * 32;
          const __m512i both =
              _mm512_add_epi8(_mm512_shuffle_epi8(Table(tables), low), _mm512_shuffle_epi8(Table(tables + 16), high));
          words[q] = _mm512_add_epi16(words[q], both);
          odd[q] = _mm512_add_epi16(odd[q], _mm512_srli_epi16(both, 8));
        }
      }
      for (std::size_t q = 0; q < kWeightedQueries; ++q) {
        Store(words[q], odd[q], begin == 0, scan.sums[q] + group * kLanes);
      }
    }
  }
}

void SumPairsAvx512(const WeightPlanes& weights, const std::uint64_t* a, const std::uint64_t* b, const RowPair* pairs,
                    std::size_t count, std::int32_t* sums) {
  constexpr std::size_t kPrefetchPairs = 8;
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetchPairs < count) {
      const RowPair& ahead = pairs[i + kPrefetchPairs];
      for (std::size_t w = 0; w < weights.words; w += kWordLanes) {
        _mm_prefetch(reinterpret_cast<const char*>(a + ahead.a * weights.words + w), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(b + ahead.b * weights.words + w), _MM_HINT_T0);
      }
    }
    const std::uint64_t* row_a = a + pairs[i].a * weights.words;
    const std::uint64_t* row_b = b + pairs[i].b * weights.words;
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t w = 0; w < weights.words; w += kWordLanes) {
      const std::size_t left = weights.words - w;
      const __mmask8 mask = static_cast<__mmask8>(left >= kWordLanes ? 0xff : (1u << left) - 1);
      const __m512i both =
          _mm512_and_si512(_mm512_maskz_loadu_epi64(mask, row_a + w), _mm512_maskz_loadu_epi64(mask, row_b + w));
      for (std::size_t j = 0; j < weights.count; ++j) {
        const __m512i plane = _mm512_maskz_loadu_epi64(mask, weights.planes + j * weights.words + w);
        const __m512i bits = _mm512_popcnt_epi64(_mm512_and_si512(both, plane));
        // A count is at most 64 and a weight less than 2^9: the low 32 bits hold the product.
        sum = _mm512_add_epi64(sum, _mm512_mul_epi32(bits, _mm512_set1_epi64(weights.plane_weights[j])));
      }
    }
    sums[i] = static_cast<std::int32_t>(_mm512_reduce_add_epi64(sum));
  }
}

}  // namespace

const WeightedSet kAvx512WeightedSet = {kLanes, &ScanAvx512, &SumPairsAvx512};

}  // namespace sluis::linker::kernel
