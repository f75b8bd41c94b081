#include <benchmark/benchmark.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "disclosure/table/hierarchy.h"
#include "disclosure/table/rollup.h"
#include "disclosure/table/tabulate.h"

// Tabulation of persons by four dimensions from columns in memory. The floor, timed in the same run, is one thread that
// reads every column once and adds it up: no table is made faster than its input is read.
//
// With SLUIS_BENCH_DUMP set to a folder, the columns are written there as raw little-endian arrays (codes as int32, the
// amount as double) and one line of results is printed, for tests/bench/compare_data_table.sh.

namespace sluis::disclosure {
namespace {

constexpr std::uint64_t kSeed = 20240701;
constexpr std::int32_t kOrigins = 12, kSexes = 2, kAges = 13, kRegions = 342;  // 106,704 leaf cells
constexpr std::uint64_t kEmployers = 500'000;

std::int64_t Persons() {
  const char* text = std::getenv("SLUIS_BENCH_PERSONS");
  return text != nullptr ? std::atoll(text) : 10'000'000;
}

// SplitMix64: the same data on every machine.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

struct Country {
  std::vector<std::uint8_t> origin, sex, age;
  std::vector<std::uint16_t> region;
  std::vector<std::int64_t> amount;
  std::vector<std::uint64_t> employer;

  explicit Country(std::int64_t persons) {
    const auto n = static_cast<std::size_t>(persons);
    origin.resize(n), sex.resize(n), age.resize(n), region.resize(n), amount.resize(n), employer.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t r = Mix(kSeed + i), s = Mix(r);
      origin[i] = static_cast<std::uint8_t>(r % 4 != 0 ? 0 : (r >> 8) % kOrigins);  // three in four of one origin
      sex[i] = static_cast<std::uint8_t>((r >> 16) % kSexes);
      age[i] = static_cast<std::uint8_t>((r >> 24) % kAges);
      const std::uint64_t a = (r >> 32) % kRegions, b = (r >> 48) % kRegions;
      region[i] = static_cast<std::uint16_t>(a < b ? a : b);  // towns of unequal size
      amount[i] = static_cast<std::int64_t>(s % 6'000);
      const std::uint64_t e = (s >> 16) % kEmployers, f = (s >> 40) % kEmployers;
      employer[i] = 1 + e * f / kEmployers;
    }
  }

  TabulateInput Input(bool holdings) const {
    TabulateInput input{.persons = static_cast<std::int64_t>(origin.size())};
    input.by = {{std::span<const std::uint8_t>(origin), kOrigins},
                {std::span<const std::uint8_t>(sex), kSexes},
                {std::span<const std::uint8_t>(age), kAges},
                {std::span<const std::uint16_t>(region), kRegions}};
    input.amounts = {{.amount = amount}};
    if (holdings) input.amounts[0].holding = employer;
    return input;
  }
};

const Country& TheCountry() {
  static const Country country(Persons());
  return country;
}

double ReadOnce(const Country& country) {
  const auto start = std::chrono::steady_clock::now();
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < country.origin.size(); ++i) {
    sum += country.origin[i] + country.sex[i] + country.age[i] + country.region[i] + country.amount[i];
  }
  benchmark::DoNotOptimize(sum);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Run(benchmark::State& state, const TabulateOptions& options, bool holdings) {
  const Country& country = TheCountry();
  double floor_s = 0, own_s = 0;
  for (auto _ : state) {
    state.PauseTiming();
    floor_s += ReadOnce(country);
    state.ResumeTiming();
    const auto start = std::chrono::steady_clock::now();
    const auto table = Tabulate(country.Input(holdings), options);
    own_s += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!table.ok()) return state.SkipWithError("tabulation failed");
    benchmark::DoNotOptimize(table->count.data());
  }
  state.counters["persons/s"] = benchmark::Counter(
      static_cast<double>(country.origin.size() * static_cast<std::size_t>(state.iterations())) / own_s);
  state.counters["x_reading_once"] = own_s / floor_s;
}

void CountAndSum(benchmark::State& state) {
  Run(state, {.threads = static_cast<int>(state.range(0)), .top = 0}, false);
}
void CountSumAndTopTwoHoldings(benchmark::State& state) {
  Run(state, {.threads = static_cast<int>(state.range(0)), .top = 2}, true);
}

// All 234,234 cells with totals: regions in 12 provinces, ages in 3 groups.
std::string Tree(std::int32_t leaves, std::int32_t groups) {
  std::string csv = "code,parent,label\nT,,Total\n";
  for (std::int32_t g = 0; g < groups; ++g) csv += "g" + std::to_string(g) + ",T,\n";
  for (std::int32_t leaf = 0; leaf < leaves; ++leaf) {
    csv += std::to_string(leaf) + (groups == 0 ? ",T,\n" : ",g" + std::to_string(leaf * groups / leaves) + ",\n");
  }
  return csv;
}

void RollUpWithTopTwoHoldings(benchmark::State& state) {
  const auto leaf = Tabulate(TheCountry().Input(true), {.threads = 2, .top = 2});
  const Hierarchy origin = *Hierarchy::Parse(Tree(kOrigins, 3), "origin");
  const Hierarchy sex = *Hierarchy::Parse(Tree(kSexes, 0), "sex");
  const Hierarchy age = *Hierarchy::Parse(Tree(kAges, 3), "age");
  const Hierarchy region = *Hierarchy::Parse(Tree(kRegions, 12), "region");
  const std::vector<const Hierarchy*> trees = {&origin, &sex, &age, &region};
  for (auto _ : state) {
    const auto cube = RollUp(*leaf, trees, static_cast<int>(state.range(0)));
    if (!cube.ok()) return state.SkipWithError("roll-up failed");
    state.counters["cells"] = static_cast<double>(cube->count.size());
  }
}

BENCHMARK(CountAndSum)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(CountSumAndTopTwoHoldings)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(RollUpWithTopTwoHoldings)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

template <typename T, typename Column>
void Dump(const std::string& path, const Column& column) {
  const std::vector<T> wide(column.begin(), column.end());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(wide.data()), static_cast<std::streamsize>(wide.size() * sizeof(T)));
}

// One line for the comparison: check sums of the table, and the best of five in milliseconds, by the clock and in
// processor time of all threads (which a busy machine disturbs less).
void PrintForComparison(const std::string& folder) {
  const Country& country = TheCountry();
  Dump<std::int32_t>(folder + "/origin.i32", country.origin);
  Dump<std::int32_t>(folder + "/sex.i32", country.sex);
  Dump<std::int32_t>(folder + "/age.i32", country.age);
  Dump<std::int32_t>(folder + "/region.i32", country.region);
  Dump<double>(folder + "/amount.f64", country.amount);
  double best = 1e9, best_cpu = 1e9;
  std::int64_t used = 0, sum = 0;
  for (int run = 0; run < 5; ++run) {
    const std::clock_t cpu = std::clock();
    const auto start = std::chrono::steady_clock::now();
    const auto table = Tabulate(country.Input(false), {.threads = 2, .top = 0});
    const double ms = 1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, ms);
    best_cpu = std::min(best_cpu, 1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
    used = sum = 0;
    for (std::size_t c = 0; c < table->count.size(); ++c) {
      used += table->count[c] > 0;
      sum += table->amounts[0].sum[c];
    }
  }
  std::printf("sluis persons %lld cells %lld sum %lld best_ms %.1f best_cpu_ms %.1f\n",
              static_cast<long long>(country.origin.size()), static_cast<long long>(used), static_cast<long long>(sum),
              best, best_cpu);
}

}  // namespace
}  // namespace sluis::disclosure

int main(int argc, char** argv) {
  utsname machine{};
  uname(&machine);
  std::fprintf(
      stderr, "persons %lld, leaf cells %d, employers %llu, seed %llu; %s, %u threads, compiler %s\n",
      static_cast<long long>(sluis::disclosure::Persons()),
      sluis::disclosure::kOrigins * sluis::disclosure::kSexes * sluis::disclosure::kAges * sluis::disclosure::kRegions,
      static_cast<unsigned long long>(sluis::disclosure::kEmployers),
      static_cast<unsigned long long>(sluis::disclosure::kSeed), machine.machine, std::thread::hardware_concurrency(),
      __VERSION__);
  if (const char* folder = std::getenv("SLUIS_BENCH_DUMP")) {
    sluis::disclosure::PrintForComparison(folder);
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
