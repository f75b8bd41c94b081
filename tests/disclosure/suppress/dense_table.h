#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"
#include "disclosure/system/table_shape.h"

// A table as offices make it, and as heuristics find it hardest: four dimensions, most cells small and therefore
// primary, and a sum of wages that is protected together with the count.

namespace sluis::disclosure::testing {

struct DenseTableSize {
  bool regions = true;  // a total, 4 parts of the country, 12 provinces; false: a total and the 4 parts
  int persons = 13'000;
  uint64_t seed = 1;
};

// Persons in work by origin (15 codes in five levels) x sex (3) x age (8) x region (17, or 5), with their number and
// their wages in cents, 1,500 to 6,000 EUR each. Three quarters are of the first origin, the others of 0.2 to 4 % each;
// ages and regions are uneven. Rules: fewer than 10 persons (levels 5, and 10 % of wages), (1, 50 %) dominance, p% with
// p = 10. Cost of a cell: its persons plus 1.
inline CellSystem MakeDenseTable(const DenseTableSize& size) {
  std::vector<DimensionTree> trees = {{.parent = {-1, 0, 0, 2, 2, 4, 4, 4, 4, 4, 4, 10, 10, 10, 0}},
                                      {.parent = {-1, 0, 0}},
                                      {.parent = {-1, 0, 0, 0, 0, 0, 0, 0}},
                                      {.parent = {-1, 0, 0, 0, 0}}};
  if (size.regions) trees[3].parent = {-1, 0, 1, 1, 1, 0, 5, 5, 5, 0, 9, 9, 9, 0, 13, 13, 13};
  const std::vector<std::vector<int>> share = {
      {750, 40, 40, 38, 38, 8, 36, 12, 32, 4, 2},
      {52, 48},
      {12, 160, 260, 260, 240, 66, 2},
      size.regions ? std::vector<int>{1, 1, 1, 2, 9, 4, 24, 32, 1, 17, 7, 1} : std::vector<int>{10, 27, 40, 24}};
  const TableShape shape = TableShape::Create(trees).value();
  CellSystem system = MakeCellSystem(shape.num_cells(), std::vector<std::string>{"persons", "wages"});
  system.relations = shape.BuildRelations();
  const auto cells = static_cast<size_t>(shape.num_cells());
  CellContributions count{
      .contributors = std::vector<int64_t>(cells), .total = std::vector<int64_t>(cells), .top_per_cell = 0, .top = {}};
  CellContributions wages = count;
  wages.top_per_cell = 2;
  wages.top.assign(2 * cells, 0);

  std::mt19937_64 random(size.seed);
  std::vector<std::vector<int32_t>> leaves(trees.size());
  for (size_t d = 0; d < trees.size(); ++d) {
    const std::vector<int32_t>& parent = trees[d].parent;
    for (int32_t code = 0; code < static_cast<int32_t>(parent.size()); ++code) {
      if (std::find(parent.begin(), parent.end(), code) == parent.end()) leaves[d].push_back(code);
    }
  }
  for (int person = 0; person < size.persons; ++person) {
    std::vector<int32_t> leaf;
    for (size_t d = 0; d < trees.size(); ++d) {
      int total = 0;
      for (const int part : share[d]) total += part;
      int drawn = static_cast<int>(random() % static_cast<uint64_t>(total));
      size_t k = 0;
      while (drawn >= share[d][k]) drawn -= share[d][k++];
      leaf.push_back(leaves[d][k]);
    }
    const auto wage = static_cast<int64_t>(150'000 + random() % 450'001);
    std::vector<int32_t> codes(trees.size());
    const std::function<void(size_t)> add = [&](size_t d) {
      if (d < trees.size()) {
        for (int32_t code = leaf[d]; code >= 0; code = trees[d].parent[static_cast<size_t>(code)]) {
          codes[d] = code;
          add(d + 1);
        }
        return;
      }
      const auto cell = static_cast<size_t>(shape.CellId(codes));
      ++count.contributors[cell];
      wages.total[cell] += wage;
      int64_t* const top = &wages.top[2 * cell];
      top[1] = std::max(top[1], std::min(top[0], wage));
      top[0] = std::max(top[0], wage);
    };
    add(0);
  }
  count.total = wages.contributors = count.contributors;
  const RuleSet rules{
      .minimum_frequency = MinimumFrequencyRule{.threshold = 10, .count_range = 5, .amount_range_percent = 10},
      .dominance = {{.n = 1, .k_percent = 50}},
      .p_percent = PPercentRule{.p = 10}};
  system.measures[0].value = count.total;
  system.measures[1].value = wages.total;
  (void)ApplyStatus(EvaluateRules(count, MeasureKind::kCount, rules).value(), 0, system);
  (void)ApplyStatus(EvaluateRules(wages, MeasureKind::kAmount, rules).value(), 1, system);
  MarkEmptyCells(system);
  SetUpperBounds(system);
  for (size_t i = 0; i < cells; ++i) system.cost[i] = count.total[i] + 1;
  return system;
}

}  // namespace sluis::disclosure::testing
