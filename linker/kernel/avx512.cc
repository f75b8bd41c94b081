#include <immintrin.h>

#include "linker/kernel/instruction_set.h"

// Compiled for AVX-512 F, BW, VL and VPOPCNTDQ.

namespace sluis::linker::kernel {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kPrefetchPairs = 8;

[[gnu::always_inline]] inline __m512i XorBroadcast(__m512i c, const std::uint64_t* word) {
  return _mm512_xor_si512(c, _mm512_set1_epi64(static_cast<long long>(*word)));
}

// The distances of four queries to the eight candidates of a group. Blocked so that nothing spills within the words of
// a group: eight accumulators and two candidate words stay in registers, query words are broadcast by their load.
// kWords 0: the width is given at run time.
template <std::size_t kWords>
[[gnu::always_inline]] inline void GroupDistances(const std::uint64_t* queries, std::size_t run_time_words,
                                                  const std::uint64_t* group, __m512i* distances) {
  const std::size_t words = kWords == 0 ? run_time_words : kWords;
  // Hides from the compiler that the queries are the same for every group. Else gcc 12 broadcasts all their words
  // before the loop over groups, and spills them to the stack.
  __asm__("" : "+r"(queries));
  __m512i sums[kQueries];
  __m512i twos[kQueries];
  const __m512i first = _mm512_load_si512(group);
#pragma GCC unroll 4
  for (std::size_t q = 0; q < kQueries; ++q) {
    sums[q] = XorBroadcast(first, queries + q * words);
    twos[q] = _mm512_setzero_si512();
  }
  std::size_t w = 1;
#pragma GCC unroll 8
  for (; w + 2 <= words; w += 2) {
    const __m512i next_word = _mm512_load_si512(group + w * kLanes);
    const __m512i next_sum = _mm512_load_si512(group + (w + 1) * kLanes);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q) {
      const std::uint64_t* query = queries + q * words + w;
      const __m512i x = XorBroadcast(next_word, query);
      const __m512i sum = XorBroadcast(next_sum, query + 1);
      // (sums & x) | ((sums | x) & ~sum): the carry of the full adder whose sum is known.
      const __m512i carry = _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(sums[q], x, sum, 0xD4));
      twos[q] = kWords != 0 && w == 1 ? carry : _mm512_add_epi64(twos[q], carry);
      sums[q] = sum;
    }
  }
#pragma GCC unroll 4
  for (std::size_t q = 0; q < kQueries; ++q) {
    distances[q] = _mm512_add_epi64(_mm512_popcnt_epi64(sums[q]), _mm512_add_epi64(twos[q], twos[q]));
  }
  if (w < words) {
    const __m512i last = _mm512_load_si512(group + w * kLanes);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q) {
      const __m512i x = XorBroadcast(last, queries + q * words + w);
      distances[q] = _mm512_add_epi64(distances[q], _mm512_popcnt_epi64(x));
    }
  }
}

template <std::size_t kWords>
std::size_t ScanWidth(const Scan& scan, std::size_t* next_query, Hit* hits, std::size_t capacity) {
  const std::size_t words = kWords == 0 ? scan.words : kWords;
  std::size_t found = 0;
  std::size_t query = *next_query;
  for (; query < scan.query_count && capacity - found >= kQueries * kTileRows; query += kQueries) {
    const std::uint64_t* queries = scan.queries + query * words;
    const std::int64_t* limits = scan.query_limits + query;
    // The queries' limits hardly differ, since queries come by popcount: one test for all four, then one for each.
    long long largest = limits[0];
    for (std::size_t q = 1; q < kQueries; ++q) {
      largest = limits[q] > largest ? limits[q] : largest;
    }
    const __m512i largest_limit = _mm512_set1_epi64(largest);
    for (std::size_t c = 0; c < scan.candidate_count; c += kLanes) {
      __m512i distances[kQueries];
      GroupDistances<kWords>(queries, words, scan.candidates + c * words, distances);
      const __m512i candidate_limits = _mm512_loadu_si512(scan.candidate_limits + c);
      const __m512i least =
          _mm512_min_epi64(_mm512_min_epi64(distances[0], distances[1]), _mm512_min_epi64(distances[2], distances[3]));
      const __m512i most_allowed = _mm512_add_epi64(candidate_limits, largest_limit);
      if (__builtin_expect(_mm512_cmple_epi64_mask(least, most_allowed) == 0, 1)) {
        continue;
      }
      for (std::size_t q = 0; q < kQueries; ++q) {
        const __m512i allowed = _mm512_add_epi64(candidate_limits, _mm512_set1_epi64(limits[q]));
        unsigned mask = _mm512_cmple_epi64_mask(distances[q], allowed);
        if (mask == 0) {
          continue;
        }
        alignas(64) std::uint64_t lane_distances[kLanes];
        _mm512_store_si512(lane_distances, distances[q]);
        for (; mask != 0; mask &= mask - 1) {
          const unsigned lane = static_cast<unsigned>(__builtin_ctz(mask));
          hits[found++] = {static_cast<std::uint32_t>(query + q), static_cast<std::uint32_t>(c + lane),
                           static_cast<std::uint32_t>(lane_distances[lane])};
        }
      }
    }
  }
  *next_query = query;
  return found;
}

std::size_t ScanAvx512(const Scan& scan, std::size_t* next_query, Hit* hits, std::size_t capacity) {
  switch (scan.words) {
    case 4:
      return ScanWidth<4>(scan, next_query, hits, capacity);
    case 5:
      return ScanWidth<5>(scan, next_query, hits, capacity);
    case 6:
      return ScanWidth<6>(scan, next_query, hits, capacity);
    case 7:
      return ScanWidth<7>(scan, next_query, hits, capacity);
    case 8:
      return ScanWidth<8>(scan, next_query, hits, capacity);
    case 16:
      return ScanWidth<16>(scan, next_query, hits, capacity);
    default:
      return ScanWidth<0>(scan, next_query, hits, capacity);
  }
}

void CountCommonAvx512(const std::uint64_t* a, const std::uint64_t* b, std::size_t words, const RowPair* pairs,
                       std::size_t count, std::uint32_t* common) {
  const std::size_t whole = words / kLanes * kLanes;
  const __mmask8 tail = static_cast<__mmask8>((1u << (words - whole)) - 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetchPairs < count) {
      const RowPair& ahead = pairs[i + kPrefetchPairs];
      for (std::size_t w = 0; w < words; w += kLanes) {
        _mm_prefetch(reinterpret_cast<const char*>(a + ahead.a * words + w), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(b + ahead.b * words + w), _MM_HINT_T0);
      }
    }
    const std::uint64_t* row_a = a + pairs[i].a * words;
    const std::uint64_t* row_b = b + pairs[i].b * words;
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t w = 0; w < whole; w += kLanes) {
      const __m512i both = _mm512_and_si512(_mm512_loadu_si512(row_a + w), _mm512_loadu_si512(row_b + w));
      sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(both));
    }
    if (tail != 0) {
      const __m512i both = _mm512_and_si512(_mm512_maskz_loadu_epi64(tail, row_a + whole),
                                            _mm512_maskz_loadu_epi64(tail, row_b + whole));
      sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(both));
    }
    common[i] = static_cast<std::uint32_t>(_mm512_reduce_add_epi64(sum));
  }
}

}  // namespace

const InstructionSet kAvx512Set = {kLanes, &ScanAvx512, &CountCommonAvx512};

}  // namespace sluis::linker::kernel
