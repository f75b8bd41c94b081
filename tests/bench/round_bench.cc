// Prints what the methods other than suppression cost on one table of about 41,000 cells in three hierarchical
// dimensions, and how far their values are from the true ones: round_bench [seed]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "disclosure/add_up/add_up.h"
#include "disclosure/cell_key/perturb.h"
#include "disclosure/round/controlled.h"
#include "disclosure/round/random_rounding.h"
#include "disclosure/round/small_counts.h"
#include "disclosure/system/table_shape.h"

namespace sluis::disclosure {
namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// A total, `groups` codes below it and `leaves` below each of those.
DimensionTree TwoLevels(int32_t groups, int32_t leaves) {
  DimensionTree tree{.parent = {-1}};
  for (int32_t g = 0; g < groups; ++g) {
    tree.parent.push_back(0);
    const int32_t group = static_cast<int32_t>(tree.parent.size()) - 1;
    for (int32_t l = 0; l < leaves; ++l) tree.parent.push_back(group);
  }
  return tree;
}

void Print(const char* method, double seconds, const std::vector<int64_t>& truth, const std::vector<int64_t>& value) {
  double sum = 0;
  int64_t most = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    sum += static_cast<double>(std::abs(value[i] - truth[i]));
    most = std::max(most, std::abs(value[i] - truth[i]));
  }
  std::printf("%-34s %8.3f s   distance: mean %.3f, largest %lld\n", method, seconds,
              sum / static_cast<double>(truth.size()), static_cast<long long>(most));
}

int Run(uint64_t seed) {
  const TableShape shape = TableShape::Create({TwoLevels(6, 7), TwoLevels(5, 6), TwoLevels(4, 6)}).value();
  const Relations relations = shape.BuildRelations();
  const AddUpOrder order = OrderFromLeaves(relations, shape.num_cells()).value();
  std::mt19937_64 random(seed);
  std::vector<int64_t> counts(static_cast<size_t>(shape.num_cells()), 0);
  std::vector<uint64_t> keys(counts.size(), 0);
  for (const int32_t leaf : order.leaves) {
    counts[static_cast<size_t>(leaf)] = static_cast<int64_t>(std::exponential_distribution<double>(1 / 8.0)(random));
    keys[static_cast<size_t>(leaf)] = random();
  }
  AddUp<int64_t>(relations, order, counts);
  AddUp<uint64_t>(relations, order, keys);
  std::printf("%d cells, %lld relations, seed %llu; CPU seconds\n", shape.num_cells(),
              static_cast<long long>(relations.size()), static_cast<unsigned long long>(seed));

  const std::string text(32, 's');
  const common::SecretBytes secret = common::SecretBytes::CopyOf(common::AsBytes(text));
  double start = CpuSeconds();
  const PerturbationTable table =
      DesignTable({.max_change = 5, .variance_milli = 2000, .gap = 2, .monotone = true}).value();
  std::printf("%-34s %8.3f s\n", "design of a perturbation table", CpuSeconds() - start);
  start = CpuSeconds();
  const auto perturbed = PerturbCounts(counts, keys, table, CellDraws(secret, "count")).value();
  Print("cell keys, D 5, V 2, js 2", CpuSeconds() - start, counts, perturbed);
  start = CpuSeconds();
  const std::vector<RoundingRange> ranges = {{.from = 0, .base = 3}};
  const auto at_random = RoundRandomly(counts, keys, ranges, CellDraws(secret, "count")).value();
  Print("random rounding, base 3", CpuSeconds() - start, counts, at_random);
  for (const int64_t base : {3, 5}) {
    start = CpuSeconds();
    const SmallCountRounding small = RoundSmallCounts(relations, counts, {}, {.base = base}).value();
    Print(("small counts, base " + std::to_string(base)).c_str(), CpuSeconds() - start, counts, small.value);
    start = CpuSeconds();
    const ControlledRounding rounding = RoundControlled(relations, counts, DefaultRounding(base)).value();
    Print(("controlled rounding, base " + std::to_string(base)).c_str(), CpuSeconds() - start, counts, rounding.value);
    std::printf("%-34s %lld cells beyond their nearest multiples, by %lld\n", "",
                static_cast<long long>(rounding.facts.moved_cells), static_cast<long long>(rounding.facts.max_steps));
  }
  return 0;
}

}  // namespace
}  // namespace sluis::disclosure

int main(int argc, char** argv) { return sluis::disclosure::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1); }
