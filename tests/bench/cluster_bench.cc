// From scored pairs to entities: CPU seconds and memory of linker/cluster, on one core.
//
//   cluster_bench [SCENARIO...]    default: all but grow, which takes 2 GB
//
//   link      1,000,000 + 1,000,000 records, 1,200,000 pairs: 900,000 true ones and 300,000 false ones
//   registers five registers of 400,000 records of 500,000 persons, all compared with all, missing and false pairs
//   tangle    one component: 50,000 + 50,000 records, 500,000 random pairs with random log odds
//   ties      the same with equal log odds, and 50,000 + 5,000 records
//   hub       one component: 100,000 records that all resemble the first, and their neighbours
//   grow      10,000,000 existing records, 1,000,000 new ones, 1,200,000 pairs
//
// Data (fixed seed) are made outside the times. The reference, timed in the same run where there are two sources, is
// greedy matching: pairs by descending log odds, each taken if both records are free. Its sum of log odds is shown
// beside that of the optimum. Memory is the growth of the peak resident size over what the data take.

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linker/cluster/assignment.h"
#include "linker/cluster/cluster.h"
#include "linker/cluster/evaluate.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Require;

constexpr std::uint64_t kSeed = 20251122;
constexpr std::uint32_t kMillion = 1'000'000;

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// A line of /proc/self/status in MB.
double StatusMegabytes(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) {
      return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
    }
  }
  return 0;
}

struct Cost {
  double seconds;
  double megabytes;
};

template <typename Function>
Cost Measure(Function function) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again from what is resident now
  const double before = StatusMegabytes("VmRSS:");
  const double start = CpuSeconds();
  function();
  return {CpuSeconds() - start, StatusMegabytes("VmHWM:") - before};
}

double Sum(const std::vector<ScoredPair>& pairs) {
  double sum = 0;
  for (const ScoredPair& pair : pairs) {
    sum += pair.log_odds;
  }
  return sum;
}

std::vector<ScoredPair> Greedy(std::uint32_t rows_a, std::uint32_t rows_b, std::vector<ScoredPair> pairs) {
  std::sort(pairs.begin(), pairs.end(),
            [](const ScoredPair& x, const ScoredPair& y) { return x.log_odds > y.log_odds; });
  std::vector<bool> taken_a(rows_a, false);
  std::vector<bool> taken_b(rows_b, false);
  std::vector<ScoredPair> taken;
  for (const ScoredPair& pair : pairs) {
    if (pair.log_odds > 0 && !taken_a[pair.a] && !taken_b[pair.b]) {
      taken_a[pair.a] = taken_b[pair.b] = true;
      taken.push_back(pair);
    }
  }
  return taken;
}

void PrintCost(const char* what, const Cost& cost) {
  std::printf("  %-34s %7.2f s %7.0f MB", what, cost.seconds, cost.megabytes);
}

void PrintClustering(const char* what, const Cost& cost, const Clustering& clustering) {
  PrintCost(what, cost);
  std::uint32_t largest = 0;
  for (const Entity& entity : clustering.entities) {
    largest = std::max(largest, entity.records);
  }
  std::printf("  %zu entities, largest %u; %lu components, largest %lu\n", clustering.entities.size(), largest,
              clustering.stats.components, clustering.stats.largest_component);
}

void CompareAssignment(std::uint32_t rows_a, std::uint32_t rows_b, const std::vector<ScoredPair>& pairs) {
  std::vector<ScoredPair> greedy;
  const Cost reference = Measure([&] { greedy = Greedy(rows_a, rows_b, pairs); });
  PrintCost("greedy (reference)", reference);
  std::printf("  %zu pairs, sum %.0f\n", greedy.size(), Sum(greedy));
  Assignment assignment;
  const Cost cost = Measure([&] { assignment = Require(AssignPairs(rows_a, rows_b, pairs)); });
  PrintCost("AssignPairs", cost);
  std::printf("  %zu pairs, sum %.0f; %.1f times the reference; %.1f steps a pair; largest component %lu\n",
              assignment.pairs.size(), Sum(assignment.pairs), cost.seconds / reference.seconds,
              static_cast<double>(assignment.stats.edges_scanned) / static_cast<double>(pairs.size()),
              assignment.stats.largest_component);
}

// Row r of a and of b are one person for r < matches. `false_pairs` lie between random rows and score lower.
std::vector<ScoredPair> LinkPairs(std::uint32_t rows_a, std::uint32_t first_b, std::uint32_t rows_b,
                                  std::uint32_t matches, std::uint32_t false_pairs, std::mt19937_64* random) {
  std::normal_distribution<float> match(9, 3);
  std::normal_distribution<float> other(1, 3);
  std::vector<ScoredPair> pairs;
  for (std::uint32_t row = 0; row < matches; ++row) {
    pairs.push_back({row, first_b + row, match(*random)});
  }
  for (std::uint32_t i = 0; i < false_pairs; ++i) {
    pairs.push_back({static_cast<std::uint32_t>((*random)() % rows_a),
                     first_b + static_cast<std::uint32_t>((*random)() % rows_b), other(*random)});
  }
  std::shuffle(pairs.begin(), pairs.end(), *random);
  return pairs;
}

void Link() {
  std::mt19937_64 random(kSeed);
  const std::vector<ScoredPair> pairs = LinkPairs(kMillion, 0, kMillion, 900'000, 300'000, &random);
  CompareAssignment(kMillion, kMillion, pairs);
  const std::vector<ClusterSource> sources = {{kMillion, true}, {kMillion, true}};
  const std::vector<SourcePairs> lists = {{0, 1, pairs}};
  for (const ClusterMethod method : {ClusterMethod::kAssignment, ClusterMethod::kAverageLinkage}) {
    Clustering clustering;
    const Cost cost = Measure(
        [&] { clustering = Require(ClusterRecords({.sources = sources, .pairs = lists}, {.method = method})); });
    PrintClustering(
        method == ClusterMethod::kAssignment ? "ClusterRecords, assignment" : "ClusterRecords, average linkage", cost,
        clustering);
  }
}

void Registers() {
  constexpr std::uint32_t kPersons = 500'000;
  constexpr std::uint32_t kRecords = 400'000;
  std::mt19937_64 random(kSeed);
  std::vector<std::vector<std::uint32_t>> person(5);
  std::vector<std::uint32_t> order(kPersons);
  for (std::uint32_t i = 0; i < kPersons; ++i) {
    order[i] = i;
  }
  std::vector<std::uint32_t> truth;
  for (std::vector<std::uint32_t>& source : person) {
    std::shuffle(order.begin(), order.end(), random);
    source.assign(order.begin(), order.begin() + kRecords);
    truth.insert(truth.end(), source.begin(), source.end());
  }
  std::normal_distribution<float> match(7, 3);
  std::normal_distribution<float> other(0, 2);
  std::vector<std::vector<ScoredPair>> pairs;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> of;
  std::size_t total = 0;
  for (std::uint32_t s = 0; s < 5; ++s) {
    std::vector<std::uint32_t> row_of(kPersons, kRecords);
    for (std::uint32_t row = 0; row < kRecords; ++row) {
      row_of[person[s][row]] = row;
    }
    for (std::uint32_t t = s + 1; t < 5; ++t) {
      std::vector<ScoredPair> list;
      for (std::uint32_t row = 0; row < kRecords; ++row) {
        const std::uint32_t partner = row_of[person[t][row]];
        if (partner != kRecords && random() % 10 != 0) {
          list.push_back({partner, row, match(random)});
        }
        if (random() % 4 == 0) {
          list.push_back({static_cast<std::uint32_t>(random() % kRecords), row, other(random)});
        }
      }
      total += list.size();
      pairs.push_back(std::move(list));
      of.emplace_back(s, t);
    }
  }
  std::vector<SourcePairs> lists;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    lists.push_back({of[i].first, of[i].second, pairs[i]});
  }
  const std::vector<ClusterSource> sources(5, {kRecords, true});
  Clustering clustering;
  const Cost cost = Measure([&] { clustering = Require(ClusterRecords({.sources = sources, .pairs = lists})); });
  std::printf("  %zu pairs\n", total);
  PrintClustering("ClusterRecords, average linkage", cost, clustering);
  std::vector<std::uint32_t> found;
  for (const std::vector<std::uint32_t>& source : clustering.entity_of) {
    found.insert(found.end(), source.begin(), source.end());
  }
  PartitionQuality quality;
  const Cost evaluation = Measure([&] { quality = Require(EvaluatePartition(found, truth)); });
  PrintCost("EvaluatePartition", evaluation);
  std::printf("  pairwise F1 %.4f, B-cubed F1 %.4f\n", quality.pairwise.quality.f1, quality.b_cubed.f1);
}

std::vector<ScoredPair> RandomPairs(std::uint32_t rows_a, std::uint32_t rows_b, std::uint32_t count, bool ties) {
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<float> log_odds(0, 12);
  std::vector<ScoredPair> pairs;
  for (std::uint32_t i = 0; i < count; ++i) {
    pairs.push_back({static_cast<std::uint32_t>(random() % rows_a), static_cast<std::uint32_t>(random() % rows_b),
                     ties ? 5 : log_odds(random)});
  }
  return pairs;
}

void AverageLinkage(const char* what, std::uint32_t rows_a, std::uint32_t rows_b,
                    const std::vector<ScoredPair>& pairs) {
  const std::vector<ClusterSource> sources = {{rows_a, false}, {rows_b, false}};
  const std::vector<SourcePairs> lists = {{0, 0, {}}, {0, 1, pairs}, {1, 1, {}}};
  Clustering clustering;
  const Cost cost = Measure([&] { clustering = Require(ClusterRecords({.sources = sources, .pairs = lists})); });
  PrintClustering(what, cost, clustering);
}

void Tangle() {
  const std::vector<ScoredPair> pairs = RandomPairs(50'000, 50'000, 500'000, false);
  CompareAssignment(50'000, 50'000, pairs);
  AverageLinkage("average linkage, duplicates allowed", 50'000, 50'000, pairs);
}

void Ties() {
  for (const std::uint32_t rows_b : {50'000u, 5'000u}) {
    const std::vector<ScoredPair> pairs = RandomPairs(50'000, rows_b, 500'000, true);
    CompareAssignment(50'000, rows_b, pairs);
    AverageLinkage("average linkage, duplicates allowed", 50'000, rows_b, pairs);
  }
}

void Hub() {
  constexpr std::uint32_t kRecords = 100'000;
  std::mt19937_64 random(kSeed);
  std::vector<ScoredPair> pairs;
  for (std::uint32_t i = 1; i < kRecords; ++i) {
    pairs.push_back({0, i, 8});
    pairs.push_back({i, i % (kRecords - 1) + 1, static_cast<float>(random() % 8)});
  }
  const std::vector<ClusterSource> sources = {{kRecords, false}};
  const std::vector<SourcePairs> lists = {{0, 0, pairs}};
  Clustering clustering;
  const Cost cost = Measure([&] { clustering = Require(ClusterRecords({.sources = sources, .pairs = lists})); });
  PrintClustering("average linkage", cost, clustering);
}

void Grow() {
  constexpr std::uint32_t kOld = 10 * kMillion;
  std::mt19937_64 random(kSeed);
  const std::vector<ClusterSource> before = {{kOld, true}};
  const Clustering existing = Require(ClusterRecords({.sources = before, .pairs = {}}));
  const std::vector<ScoredPair> pairs = LinkPairs(kOld, 0, kMillion, 900'000, 300'000, &random);
  const std::vector<ClusterSource> sources = {{kOld, true}, {kMillion, true}};
  const std::vector<SourcePairs> lists = {{0, 1, pairs}};
  Clustering clustering;
  const Cost cost = Measure([&] { clustering = Require(ClusterInto(existing, {.sources = sources, .pairs = lists})); });
  PrintClustering("ClusterInto, assignment", cost, clustering);
}

int Main(int argc, char** argv) {
  const std::vector<std::pair<std::string, std::function<void()>>> scenarios = {
      {"link", Link}, {"registers", Registers}, {"tangle", Tangle}, {"ties", Ties}, {"hub", Hub}, {"grow", Grow}};
  std::printf("seed %lu, gcc %s\n", kSeed, __VERSION__);
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  for (const auto& [name, run] : scenarios) {
    if (wanted.empty() ? name != "grow" : std::find(wanted.begin(), wanted.end(), name) != wanted.end()) {
      std::printf("%s\n", name.c_str());
      std::fflush(stdout);
      run();
    }
  }
  return 0;
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) { return sluis::linker::Main(argc, argv); }
