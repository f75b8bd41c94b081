#include <immintrin.h>

#include "linker/kernel/instruction_set.h"

// Compiled for AVX2 and POPCNT.

namespace sluis::linker::kernel {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kPrefetchPairs = 8;

// The number of set bits in each byte, by a table of the 16 half-bytes (Mula, Kurz and Lemire, 2018).
[[gnu::always_inline]] inline __m256i BytePopcounts(__m256i x) {
  const __m256i table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(x, low_half)),
                         _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low_half)));
}

[[gnu::always_inline]] inline __m256i Load(const std::uint64_t* words) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(words));
}

[[gnu::always_inline]] inline __m256i Broadcast(std::uint64_t word) {
  return _mm256_set1_epi64x(static_cast<long long>(word));
}

// The distances of a query to the four candidates of a group. A byte of `twos` grows by at most 8 in each of at most 31
// steps, so it does not overflow.
[[gnu::always_inline]] inline __m256i GroupDistances(const std::uint64_t* query, std::size_t words,
                                                     const std::uint64_t* group) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sums = _mm256_xor_si256(Load(group), Broadcast(query[0]));
  __m256i twos = zero;
  std::size_t w = 1;
  for (; w + 2 <= words; w += 2) {
    const __m256i x = _mm256_xor_si256(Load(group + w * kLanes), Broadcast(query[w]));
    const __m256i sum = _mm256_xor_si256(Load(group + (w + 1) * kLanes), Broadcast(query[w + 1]));
    const __m256i carry =
        _mm256_or_si256(_mm256_and_si256(sums, x), _mm256_andnot_si256(sum, _mm256_or_si256(sums, x)));
    twos = _mm256_add_epi8(twos, BytePopcounts(carry));
    sums = sum;
  }
  __m256i ones = BytePopcounts(sums);
  if (w < words) {
    ones = _mm256_add_epi8(ones, BytePopcounts(_mm256_xor_si256(Load(group + w * kLanes), Broadcast(query[w]))));
  }
  const __m256i twos_sum = _mm256_sad_epu8(twos, zero);
  return _mm256_add_epi64(_mm256_sad_epu8(ones, zero), _mm256_add_epi64(twos_sum, twos_sum));
}

std::size_t ScanAvx2(const Scan& scan, std::size_t* next_query, Hit* hits, std::size_t capacity) {
  const std::size_t words = scan.words;
  std::size_t found = 0;
  std::size_t query = *next_query;
  for (; query < scan.query_count && capacity - found >= kQueries * kTileRows; query += kQueries) {
    for (std::size_t q = query; q < query + kQueries; ++q) {
      const __m256i query_limit = _mm256_set1_epi64x(scan.query_limits[q]);
      for (std::size_t c = 0; c < scan.candidate_count; c += kLanes) {
        const __m256i distances = GroupDistances(scan.queries + q * words, words, scan.candidates + c * words);
        const __m256i limits = _mm256_add_epi64(
            query_limit, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(scan.candidate_limits + c)));
        const int beyond = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(distances, limits)));
        if (__builtin_expect(beyond == 15, 1)) {
          continue;
        }
        alignas(32) std::uint64_t lane_distances[kLanes];
        _mm256_store_si256(reinterpret_cast<__m256i*>(lane_distances), distances);
        for (unsigned mask = ~static_cast<unsigned>(beyond) & 15; mask != 0; mask &= mask - 1) {
          const unsigned lane = static_cast<unsigned>(__builtin_ctz(mask));
          hits[found++] = {static_cast<std::uint32_t>(q), static_cast<std::uint32_t>(c + lane),
                           static_cast<std::uint32_t>(lane_distances[lane])};
        }
      }
    }
  }
  *next_query = query;
  return found;
}

void CountCommonAvx2(const std::uint64_t* a, const std::uint64_t* b, std::size_t words, const RowPair* pairs,
                     std::size_t count, std::uint32_t* common) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetchPairs < count) {
      const RowPair& ahead = pairs[i + kPrefetchPairs];
      for (std::size_t w = 0; w < words; w += 8) {
        _mm_prefetch(reinterpret_cast<const char*>(a + ahead.a * words + w), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(b + ahead.b * words + w), _MM_HINT_T0);
      }
    }
    // One popcnt a word: for a single pair no slower than the table, and without its reduction.
    const std::uint64_t* row_a = a + pairs[i].a * words;
    const std::uint64_t* row_b = b + pairs[i].b * words;
    long long sum = 0;
    for (std::size_t w = 0; w < words; ++w) {
      sum += _mm_popcnt_u64(row_a[w] & row_b[w]);
    }
    common[i] = static_cast<std::uint32_t>(sum);
  }
}

}  // namespace

const InstructionSet kAvx2Set = {kLanes, &ScanAvx2, &CountCommonAvx2};

}  // namespace sluis::linker::kernel
