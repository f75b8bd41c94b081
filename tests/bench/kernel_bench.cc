// Dice >= 0.8 over all pairs of two tables of 1,024-bit encodings, by each kernel that this machine has, on one core.
//
//   kernel_bench [ROWS [REPETITIONS [KERNEL]]]    default 50,000, 5 and all of avx512, avx2, portable
//
// Data (fixed seed): bits set independently, by rows of fill 0.35 +- 0.045 ("clk35", like record-level encodings) or
// 0.5
// ("random50"); one row in ten of b is a row of a with 5 % of its bits flipped. Rates are pairs of rows per second of
// CPU time, the best of the repetitions. The floor, timed in the same run, counts the bits of an L1-resident buffer
// with the kernel's own instruction and adds them up, without any comparison; its unit is 16 words, an encoding's
// length.

#include <benchmark/benchmark.h>
#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "linker/kernel/all_pairs.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Processor;
using bench::Require;

constexpr std::uint32_t kBits = 1024;
constexpr std::uint32_t kWords = kBits / 64;
constexpr Ratio kThreshold{4, 5};
constexpr std::uint64_t kSeed = 20251122;

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void AppendTo(EncodingTable* table, const std::vector<std::uint64_t>& row) {
  if (!table->Append(row).ok()) {
    std::abort();
  }
}

struct Tables {
  EncodingTable a;
  EncodingTable b;
};

Tables MakeTables(std::size_t rows, double fill, double fill_deviation) {
  std::mt19937_64 random(kSeed);
  std::normal_distribution<double> row_fill(fill, fill_deviation);
  Tables tables{Require(EncodingTable::Create(kBits)), Require(EncodingTable::Create(kBits))};
  const auto draw = [&](double share) {
    std::vector<std::uint64_t> row(kWords);
    const auto limit = static_cast<std::uint32_t>(std::clamp(share, 0.01, 0.99) * 65536);
    for (std::uint32_t bit = 0; bit < kBits; bit += 4) {
      const std::uint64_t value = random();
      for (std::uint32_t i = 0; i < 4; ++i) {
        row[(bit + i) / 64] |= static_cast<std::uint64_t>(((value >> (16 * i)) & 0xffff) < limit) << ((bit + i) % 64);
      }
    }
    return row;
  };
  for (std::size_t r = 0; r < rows; ++r) {
    AppendTo(&tables.a, draw(row_fill(random)));
    if (r % 10 != 0) {
      AppendTo(&tables.b, draw(row_fill(random)));
      continue;
    }
    std::vector<std::uint64_t> copy(tables.a.row(r).begin(), tables.a.row(r).end());
    const std::vector<std::uint64_t> noise = draw(0.05);
    for (std::uint32_t w = 0; w < kWords; ++w) {
      copy[w] ^= noise[w];
    }
    AppendTo(&tables.b, copy);
  }
  return tables;
}

// Floors. Each returns the number of words counted.
constexpr std::size_t kFloorWords = 1024;  // 8 KiB
constexpr int kFloorRounds = 20000;
alignas(64) std::uint64_t floor_words[kFloorWords];

[[gnu::target("avx512f,avx512vpopcntdq")]] void CountFloorAvx512() {
  __m512i sums[4] = {};
  for (int round = 0; round < kFloorRounds; ++round) {
    for (std::size_t w = 0; w < kFloorWords; w += 32) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        sums[i] = _mm512_add_epi64(sums[i], _mm512_popcnt_epi64(_mm512_load_si512(floor_words + w + 8 * i)));
      }
    }
    benchmark::DoNotOptimize(sums);
  }
}

[[gnu::target("avx2")]] void CountFloorAvx2() {
  const __m256i table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  __m256i sums[2] = {};
  for (int round = 0; round < kFloorRounds; ++round) {
    for (std::size_t w = 0; w < kFloorWords; w += 8) {
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        const __m256i x = _mm256_load_si256(reinterpret_cast<const __m256i*>(floor_words + w + 4 * i));
        const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, low_half));
        const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low_half));
        sums[i] = _mm256_add_epi8(sums[i], _mm256_add_epi8(low, high));
      }
    }
    benchmark::DoNotOptimize(sums);
  }
}

void CountFloorPortable() {
  std::uint64_t sum = 0;
  for (int round = 0; round < kFloorRounds / 8; ++round) {
    for (std::size_t w = 0; w < kFloorWords; ++w) {
      sum += static_cast<std::uint64_t>(__builtin_popcountll(floor_words[w]));
    }
    benchmark::DoNotOptimize(sum);
  }
}

// Encodings per second whose bits can be counted.
double Floor(Kernel kernel) {
  double best = 1e9;
  for (int repetition = 0; repetition < 15; ++repetition) {
    const double begin = CpuSeconds();
    kernel == Kernel::kAvx512 ? CountFloorAvx512() : kernel == Kernel::kAvx2 ? CountFloorAvx2() : CountFloorPortable();
    best = std::min(best, CpuSeconds() - begin);
  }
  const int rounds = kernel == Kernel::kPortable ? kFloorRounds / 8 : kFloorRounds;
  return static_cast<double>(rounds) * kFloorWords / kWords / best;
}

void Measure(const char* data, const Tables& tables, Kernel kernel, bool prune, int repetitions) {
  double best = 1e9;
  double floor = 0;
  AllPairsStats stats;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    floor = std::max(floor, Floor(kernel));
    const double begin = CpuSeconds();
    stats = Require(AllPairsAbove(tables.a, tables.b, kThreshold,
                                  [](std::span<const FoundPair>) { return absl::OkStatus(); },
                                  {.kernel = kernel, .prune = prune}));
    best = std::min(best, CpuSeconds() - begin);
  }
  const double rate = static_cast<double>(stats.pairs) / best;
  const double pairs = static_cast<double>(stats.pairs);
  std::printf(
      "%-9s %-9s %-7s %7.3f G pairs/s  floor %7.3f G/s  ratio %5.2f  found %llu  in windows %5.1f %%"
      "  words %5.2f  in full %.4f %%\n",
      data, std::string(KernelName(kernel)).c_str(), prune ? "pruned" : "brute", rate / 1e9, floor / 1e9, rate / floor,
      static_cast<unsigned long long>(stats.found), 100 * static_cast<double>(stats.pairs_in_windows) / pairs,
      static_cast<double>(stats.words_in_windows) / static_cast<double>(stats.pairs_in_windows),
      100 * static_cast<double>(stats.pairs_in_full) / pairs);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50'000;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::string_view only = argc > 3 ? argv[3] : "";
  std::printf("processor %s; gcc %s; seed %llu; %zu x %zu encodings of %u bits; Dice >= %u/%u; one core; best of %d\n",
              Processor().c_str(), __VERSION__, static_cast<unsigned long long>(kSeed), rows, rows, kBits,
              kThreshold.numerator, kThreshold.denominator, repetitions);
  std::mt19937_64 random(kSeed);
  std::generate(std::begin(floor_words), std::end(floor_words), std::ref(random));
  for (const bool clk : {true, false}) {
    const Tables tables = clk ? MakeTables(rows, 0.35, 0.045) : MakeTables(rows, 0.5, 0);
    // The portable kernel takes a smaller part of the data, so that the run stays short.
    const std::size_t few = std::min<std::size_t>(rows, 4000);
    Tables part{Require(EncodingTable::Create(kBits)), Require(EncodingTable::Create(kBits))};
    for (std::size_t r = 0; r < few; ++r) {
      AppendTo(&part.a, {tables.a.row(r).begin(), tables.a.row(r).end()});
      AppendTo(&part.b, {tables.b.row(r).begin(), tables.b.row(r).end()});
    }
    for (const Kernel kernel : {Kernel::kAvx512, Kernel::kAvx2, Kernel::kPortable}) {
      if (!only.empty() && only != KernelName(kernel)) {
        continue;
      }
      if (!KernelSupported(kernel)) {
        std::printf("%s: not on this processor\n", std::string(KernelName(kernel)).c_str());
        continue;
      }
      for (const bool prune : {false, true}) {
        Measure(clk ? "clk35" : "random50", kernel == Kernel::kPortable ? part : tables, kernel, prune, repetitions);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) { return sluis::linker::Main(argc, argv); }
