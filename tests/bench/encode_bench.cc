// Encoding of records by the default plan and by others, one thread.
//
//   encode_bench [--benchmark_filter=...]
//
// 20,000 synthetic records (fixed seed) of nine fields: two names, two texts, date, postcode, phone, number, category,
// about 150 tokens. "cached": the encoder has seen all tokens; "cold": none. The rate is records per second of CPU
// time.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "linker/encode/record_encoder.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Require;

using Record = std::vector<std::string>;

std::string Word(std::mt19937_64& random, unsigned syllables) {
  constexpr const char* kSyllables[] = {"ba",  "den", "ker",  "van", "mo",  "lin",
                                        "sta", "ros", "huis", "el",  "wij", "tra"};
  std::string word;
  for (unsigned i = 0; i < syllables; ++i) word += kSyllables[random() % std::size(kSyllables)];
  return word;
}

std::vector<Record> Records() {
  std::mt19937_64 random(20251122);
  std::vector<Record> records;
  for (int i = 0; i < 20'000; ++i) {
    const auto below = [&](unsigned n) { return std::to_string(random() % n); };
    records.push_back(
        {Word(random, 2 + random() % 2), Word(random, 2 + random() % 3), Word(random, 3) + " straat", Word(random, 3),
         std::to_string(1930 + random() % 80) + "-0" + std::to_string(1 + random() % 9) + "-1" + below(10),
         std::to_string(1000 + random() % 9000) + "AB", "06" + std::to_string(10'000'000 + random() % 90'000'000),
         below(90'000), random() % 2 == 0 ? "m" : "f"});
  }
  return records;
}

EncodingPlan Plan() {
  const FieldDescription fields[] = {
      {"given_name", FeatureKind::kName}, {"surname", FeatureKind::kName},  {"street", FeatureKind::kText},
      {"place", FeatureKind::kText},      {"born", FeatureKind::kDate},     {"postcode", FeatureKind::kDigits},
      {"phone", FeatureKind::kDigits},    {"income", FeatureKind::kNumber}, {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

void Run(benchmark::State& state, const EncodingPlan& plan, bool cached) {
  const std::vector<Record> records = Records();
  const auto seeds = Require(TokenSeeds::FromKey(common::SecretBytes::CopyOf(common::Sha256("tokens"))));
  const auto noise = common::SecretBytes::CopyOf(common::Sha256("noise"));
  auto encoder = Require(RecordEncoder::Make(plan, seeds, {.noise_key = &noise}));
  Encoding out;
  const auto encode_all = [&] {
    for (const Record& record : records) {
      const std::vector<std::string_view> values(record.begin(), record.end());
      if (const absl::Status status = encoder.Encode(values, out); !status.ok()) std::abort();
      benchmark::DoNotOptimize(out.words.data());
    }
  };
  if (cached) encode_all();
  for (auto _ : state) {
    if (!cached) encoder = Require(RecordEncoder::Make(plan, seeds, {.noise_key = &noise}));
    encode_all();
  }
  state.counters["records"] =
      benchmark::Counter(static_cast<double>(records.size() * state.iterations()), benchmark::Counter::kIsRate);
}

void DefaultCached(benchmark::State& state) { Run(state, Plan(), true); }
void DefaultCold(benchmark::State& state) { Run(state, Plan(), false); }
void FieldLevelCached(benchmark::State& state) {
  EncodingPlan plan = Plan();
  plan.profile = EncodingProfile::kFieldLevel;
  plan.stable_bits = DefaultStableBits(plan);
  Run(state, plan, true);
}
void DiffusionCached(benchmark::State& state) {
  EncodingPlan plan = Plan();
  plan.hardening.diffusion = 3;
  plan.stable_bits = DefaultStableBits(plan);
  Run(state, plan, true);
}
void MinHashCached(benchmark::State& state) {
  EncodingPlan plan = Plan();
  plan.hashing = Hashing::kTabulationMinHash;
  plan.hardening.folds = 0;
  plan.stable_bits = DefaultStableBits(plan);
  Run(state, plan, true);
}

BENCHMARK(DefaultCached)->Unit(benchmark::kMillisecond);
BENCHMARK(DefaultCold)->Unit(benchmark::kMillisecond);
BENCHMARK(FieldLevelCached)->Unit(benchmark::kMillisecond);
BENCHMARK(DiffusionCached)->Unit(benchmark::kMillisecond);
BENCHMARK(MinHashCached)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace sluis::linker

BENCHMARK_MAIN();
