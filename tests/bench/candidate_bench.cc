// Candidates between two sources of synthetic encodings, with the recall of planted pairs.
//
//   candidate_bench [--rows-a=N] [--rows-b=N] [--threads=N] [--error=E] [--spread=S] [--keep=N] [--memory-mib=N]
//                   [--limit=SECONDS]
//
// Default: 1,000,000 x 1,000,000 rows of 1,024 bits, 2 threads, bit error 0.12; --rows-a=10000000 is the large case.
// The search is stopped after --limit seconds (default: never).
//
// Data (fixed seed): every fifth row of a has a copy in b, with a share of the bits flipped that is drawn anew for each
// pair, from E - S to E + S. A row is eight fields of 50 bits, drawn for each field from 64 to 4,096 values with
// frequencies like 1/rank and XORed into place, so that strangers agree in some fields by chance and blocks are of
// uneven size, as with persons.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "linker/candidate/candidates.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Processor;
using bench::Require;

constexpr std::uint32_t kBits = 1024;
constexpr std::uint32_t kWords = kBits / 64;
constexpr std::uint64_t kSeed = 20261122;
constexpr std::size_t kEvery = 5;

struct Settings {
  std::size_t rows_a = 1'000'000;
  std::size_t rows_b = 1'000'000;
  unsigned threads = 2;
  double error = 0.12;
  double spread = 0.08;
  std::uint32_t keep = 32;
  std::uint64_t memory_mib = 4096;
  double limit_seconds = 0;
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

rusage Usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double CpuSeconds() {
  const rusage usage = Usage();
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

double PeakMib() { return static_cast<double>(Usage().ru_maxrss) / 1024; }

std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// The encoding of person number `person`: the same for the same number.
void Draw(std::uint64_t person, std::uint64_t* row) {
  constexpr std::uint32_t kFields = 8;
  constexpr std::uint32_t kFieldBits = 50;
  std::fill_n(row, kWords, 0);
  for (std::uint32_t field = 0; field < kFields; ++field) {
    const std::uint64_t random = Mix(person * kFields + field + kSeed);
    // A value v of `values` with probability about proportional to 1 / v: the exponential of a uniform number.
    const double values = 64 << field % 7;
    const double uniform = static_cast<double>(random >> 11) * 0x1p-53;
    const auto value = static_cast<std::uint64_t>(std::exp(uniform * std::log(values)));
    std::uint64_t state = (std::uint64_t{field} << 32 | value) * 977;
    for (std::uint32_t i = 0; i < kFieldBits; ++i) {
      state = Mix(state);
      row[(state % kBits) / 64] ^= std::uint64_t{1} << (state % 64);
    }
  }
}

void Flip(double share, std::mt19937_64* random, std::uint64_t* row) {
  const auto flips = static_cast<std::uint32_t>(share * kBits + 0.5);
  for (std::uint32_t done = 0; done < flips; ++done) {
    const std::uint64_t bit = (*random)() % kBits;  // a bit drawn twice is flipped back: the share is at most this
    row[bit / 64] ^= std::uint64_t{1} << (bit % 64);
  }
}

int Run(const Settings& settings) {
  std::printf("processor: %s; compiler: %s; seed %llu\n", Processor().c_str(), __VERSION__,
              static_cast<unsigned long long>(kSeed));
  EncodingTable a = Require(EncodingTable::Create(kBits));
  EncodingTable b = Require(EncodingTable::Create(kBits));
  a.Reserve(settings.rows_a);
  b.Reserve(settings.rows_b);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> share(settings.error - settings.spread, settings.error + settings.spread);
  std::vector<std::uint64_t> row(kWords);
  for (std::size_t r = 0; r < settings.rows_a; ++r) {
    Draw(r, row.data());
    if (!a.Append(row).ok()) {
      return 1;
    }
  }
  // b: copies of the rows 0, 5, 10, ... of a at odd places, as many as there are; strangers elsewhere.
  std::vector<CandidatePair> planted;
  for (std::size_t r = 0; r < settings.rows_b; ++r) {
    const std::size_t person = (r / 2) * kEvery;
    if (r % 2 == 1 && person < settings.rows_a) {
      Draw(person, row.data());
      Flip(std::max(0.0, share(random)), &random, row.data());
      planted.push_back({static_cast<std::uint32_t>(person), static_cast<std::uint32_t>(r)});
    } else {
      Draw((std::uint64_t{1} << 40) + r, row.data());
    }
    if (!b.Append(row).ok()) {
      return 1;
    }
  }
  std::printf("%zu x %zu rows, %zu planted pairs, bit error %.2f +- %.2f; %.0f MiB so far\n", a.rows(), b.rows(),
              planted.size(), settings.error, settings.spread, PeakMib());

  std::fflush(stdout);

  CandidateOptions options;
  options.keep = settings.keep;
  options.memory_bytes = settings.memory_mib << 20;
  const double plan_begin = Seconds();
  const CandidatePlan plan = Require(PlanCandidates(a, b, options));
  const double begin = Seconds();
  std::printf(
      "plan: %.2f s; %u tables of %u bits, blocks to %u, keep %u, bound %.3f, %.3g pairs, recall %.3f at %.2f\n",
      begin - plan_begin, plan.tables, plan.key_bits, plan.max_block, plan.keep,
      static_cast<double>(plan.dice_bound) / kDiceOne, plan.expected_pairs, plan.recall, plan.bit_error);
  std::fflush(stdout);
  const double cpu_begin = CpuSeconds();
  double printed = begin;
  std::stop_source stop;
  CandidateRun run;
  run.threads = settings.threads;
  run.stop = stop.get_token();
  run.progress = [&](const CandidateProgress& progress) {
    if (Seconds() - printed > 10 || progress.passes_done == 1) {
      printed = Seconds();
      std::printf("  %u of %u passes, %.3g pairs, %.1f s wall, %.1f s CPU, peak %.0f MiB\n", progress.passes_done,
                  progress.passes, static_cast<double>(progress.pairs_compared), printed - begin,
                  CpuSeconds() - cpu_begin, PeakMib());
      std::fflush(stdout);
    }
    if (settings.limit_seconds > 0 && Seconds() - begin > settings.limit_seconds) {
      stop.request_stop();
    }
  };
  const Candidates candidates = Require(FindCandidates(a, b, {}, plan, run));
  const double found = Seconds();
  std::uint64_t pairs = 0;
  const absl::Status visited = candidates.VisitPairs([&](std::span<const CandidatePair> some) {
    pairs += some.size();
    return absl::OkStatus();
  });
  if (!visited.ok()) {
    return 1;
  }
  const double end = Seconds();
  std::size_t recalled = 0;
  for (const CandidatePair& pair : planted) {
    const auto of_a = candidates.of_a.of(pair.a);
    const auto of_b = candidates.of_b.of(pair.b);
    recalled += std::any_of(of_a.begin(), of_a.end(), [&](Neighbour n) { return n.row() == pair.b; }) ||
                std::any_of(of_b.begin(), of_b.end(), [&](Neighbour n) { return n.row() == pair.a; });
  }
  std::printf("search: %.2f s wall, %.2f s CPU, %u threads; visit: %.2f s; peak %.0f MiB\n", found - begin,
              CpuSeconds() - cpu_begin - (end - found), settings.threads, end - found, PeakMib());
  for (const PassStats& pass : candidates.stats.passes) {
    std::printf("%s: %.4g blocks, %.4g pairs, largest block %llu, split %llu (%.4g records), skipped %llu (%llu)\n",
                pass.name.c_str(), static_cast<double>(pass.blocks), static_cast<double>(pass.pairs),
                static_cast<unsigned long long>(pass.largest_block), static_cast<unsigned long long>(pass.split_blocks),
                static_cast<double>(pass.split_records), static_cast<unsigned long long>(pass.skipped_blocks),
                static_cast<unsigned long long>(pass.skipped_records));
  }
  std::printf("candidates: %llu; recall of planted pairs %.4f\n", static_cast<unsigned long long>(pairs),
              planted.empty() ? 0 : static_cast<double>(recalled) / static_cast<double>(planted.size()));
  if (candidates.stats.recall) {
    std::printf("estimated without truth: %.0f matches in %u rows, computed recall %.4f, found %.4f\n",
                candidates.stats.recall->matches, candidates.stats.recall->sampled_rows,
                candidates.stats.recall->computed, candidates.stats.recall->found);
  }
  for (const std::string& warning : candidates.stats.warnings) {
    std::printf("warning: %s\n", warning.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) {
  sluis::linker::Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const double value = equals == std::string_view::npos ? 0 : std::atof(argv[i] + equals + 1);
    if (name == "--rows-a") {
      settings.rows_a = static_cast<std::size_t>(value);
    } else if (name == "--rows-b") {
      settings.rows_b = static_cast<std::size_t>(value);
    } else if (name == "--threads") {
      settings.threads = static_cast<unsigned>(value);
    } else if (name == "--error") {
      settings.error = value;
    } else if (name == "--spread") {
      settings.spread = value;
    } else if (name == "--keep") {
      settings.keep = static_cast<std::uint32_t>(value);
    } else if (name == "--memory-mib") {
      settings.memory_mib = static_cast<std::uint64_t>(value);
    } else if (name == "--limit") {
      settings.limit_seconds = value;
    } else {
      std::fprintf(stderr, "unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  return sluis::linker::Run(settings);
}
