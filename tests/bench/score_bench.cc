// Scores of pairs under a bit model, 1,024 bits, by each kernel that this machine has, on one core: all pairs with the
// ten best of every row on both sides, and a list of candidate pairs.
//
//   score_bench [ROWS [REPETITIONS]]    default 8,000 and 3
//
// Data (fixed seed): bits set independently with probability 0.35. Rates are pairs per second of CPU time, the best of
// the repetitions; the list has 32 candidates a row, sorted by row.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "linker/score/top_lists.h"

namespace sluis::linker {
namespace {

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

EncodingTable MakeTable(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  EncodingTable table = *EncodingTable::Create(1024);
  std::vector<std::uint64_t> row(16);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::uint64_t& word : row) {
      word = 0;
      for (int bit = 0; bit < 64; bit += 4) {
        const std::uint64_t value = random();
        for (int i = 0; i < 4; ++i) {
          word |= std::uint64_t{(value >> (16 * i) & 0xffff) < 22938} << (bit + i);
        }
      }
    }
    if (!table.Append(row).ok()) {
      std::abort();
    }
  }
  return table;
}

template <typename Work>
double BestRate(int repetitions, double pairs, const Work& work) {
  double best = 0;
  for (int i = 0; i < repetitions; ++i) {
    const double begin = CpuSeconds();
    if (!work()) {
      std::fprintf(stderr, "scoring failed\n");
      std::exit(1);
    }
    best = std::max(best, pairs / (CpuSeconds() - begin));
  }
  return best;
}

void Run(std::size_t rows, int repetitions) {
  const EncodingTable a = MakeTable(rows, 1);
  const EncodingTable b = MakeTable(rows, 2);
  const BitModel model = *BitModel::Prior(BitFrequencies(a), BitFrequencies(b));
  const PairScorer scorer = *PairScorer::Make(model);
  std::vector<CandidatePair> pairs;
  std::mt19937_64 random(3);
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (int i = 0; i < 32; ++i) {
      pairs.push_back({row, static_cast<std::uint32_t>(random() % rows)});
    }
  }
  std::printf("%zu x %zu rows, seed 1, gcc %s\n", rows, rows, __VERSION__);
  for (const Kernel kernel : {Kernel::kPortable, Kernel::kAvx2, Kernel::kAvx512}) {
    if (!KernelSupported(kernel)) {
      continue;
    }
    const std::string name(KernelName(kernel));
    const double all = static_cast<double>(rows) * static_cast<double>(rows);
    const double exhaustive =
        BestRate(repetitions, all, [&] { return ScoreExhaustively(a, &b, {.kernel = kernel})->Top(scorer, 10).ok(); });
    const double listed = BestRate(repetitions, static_cast<double>(pairs.size()),
                                   [&] { return WeightedOverlaps(pairs, a, b, scorer.weights(), kernel).ok(); });
    std::printf("%-9s all pairs, ten best of each row: %7.1f M/s   candidate list: %6.1f M/s\n", name.c_str(),
                exhaustive / 1e6, listed / 1e6);
  }
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) {
  sluis::linker::Run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 8000, argc > 2 ? std::atoi(argv[2]) : 3);
  return 0;
}
