#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "disclosure/system/system.h"
#include "disclosure/system/table_shape.h"

// Tables so small that an attacker's knowledge can be enumerated: the oracle of the linear programs.

namespace sluis::disclosure::testing {

struct SmallTable {
  TableShape shape;
  std::vector<int32_t> inner;  // cells of leaf codes only, ascending
  CellSystem system;
};

// A table with a total and `sizes[d]` leaf codes in each dimension. `fill` gives the value of each inner cell, per
// measure.
inline SmallTable MakeSmallTable(const std::vector<int32_t>& sizes, const std::vector<std::string>& measures,
                                 const std::function<int64_t(size_t measure)>& fill) {
  std::vector<DimensionTree> trees;
  for (const int32_t size : sizes) {
    DimensionTree& tree = trees.emplace_back();
    tree.parent.assign(static_cast<size_t>(size) + 1, 0);
    tree.parent[0] = -1;
  }
  SmallTable table{.shape = TableShape::Create(trees).value(), .inner = {}, .system = {}};
  table.system = MakeCellSystem(table.shape.num_cells(), measures);
  table.system.relations = table.shape.BuildRelations();
  for (int32_t cell = 0; cell < table.shape.num_cells(); ++cell) {
    const std::vector<int32_t> codes = table.shape.Codes(cell);
    if (std::count(codes.begin(), codes.end(), 0) == 0) table.inner.push_back(cell);
  }
  for (size_t m = 0; m < measures.size(); ++m) {
    std::vector<int64_t>& value = table.system.measures[m].value;
    for (const int32_t cell : table.inner) {
      const int64_t amount = fill(m);
      const std::vector<int32_t> codes = table.shape.Codes(cell);
      // Adds to every cell that is obtained by replacing some codes with the total.
      for (size_t mask = 0; mask < size_t{1} << sizes.size(); ++mask) {
        std::vector<int32_t> margin = codes;
        for (size_t d = 0; d < sizes.size(); ++d) {
          if ((mask >> d & 1) != 0) margin[d] = 0;
        }
        value[static_cast<size_t>(table.shape.CellId(margin))] += amount;
      }
    }
  }
  table.system.cost = table.system.measures[0].value;
  MarkEmptyCells(table.system);
  SetUpperBounds(table.system);
  return table;
}

// Makes `cell` primary in `measure`, with levels of `width`, as far as the value allows downwards.
inline void MakePrimary(CellSystem& system, size_t measure, int32_t cell, int64_t width) {
  Measure& target = system.measures[measure];
  const size_t i = static_cast<size_t>(cell);
  target.reason[i] = PrimaryReason::kDeclared;
  target.upper_level[i] = width;
  target.lower_level[i] = std::min(width, target.value[i]);
}

struct WholeInterval {
  int64_t low = std::numeric_limits<int64_t>::max();
  int64_t high = std::numeric_limits<int64_t>::min();
};

// Returns, per cell, the least and largest whole number over all tables of whole numbers that agree with the published
// cells of `measure` and keep 0 .. upper bound. Enumerates: only for a handful of small inner cells. `known`: what the
// attacker knows of each cell besides; empty: nothing.
inline std::vector<WholeInterval> EnumerateIntervals(const SmallTable& table, size_t measure,
                                                     const std::vector<uint8_t>& pattern,
                                                     const std::vector<WholeInterval>& known = {}) {
  const Measure& truth = table.system.measures[measure];
  const size_t n = static_cast<size_t>(table.system.num_cells);
  std::vector<WholeInterval> intervals(n);
  std::vector<int64_t> value(n, 0);
  // Which cells an inner cell adds to.
  std::vector<std::vector<size_t>> adds_to;
  for (const int32_t cell : table.inner) {
    const std::vector<int32_t> codes = table.shape.Codes(cell);
    std::vector<size_t>& list = adds_to.emplace_back();
    for (size_t other = 0; other < n; ++other) {
      const std::vector<int32_t> margin = table.shape.Codes(static_cast<int32_t>(other));
      bool contains = true;
      for (size_t d = 0; d < codes.size(); ++d) contains = contains && (margin[d] == 0 || margin[d] == codes[d]);
      if (contains) list.push_back(other);
    }
  }
  const std::function<void(size_t)> place = [&](size_t k) {
    if (k == table.inner.size()) {
      for (size_t i = 0; i < n; ++i) {
        if (pattern[i] == 0 && value[i] != truth.value[i]) return;
        if (!known.empty() && (value[i] < known[i].low || value[i] > known[i].high)) return;
      }
      for (size_t i = 0; i < n; ++i) {
        intervals[i].low = std::min(intervals[i].low, value[i]);
        intervals[i].high = std::max(intervals[i].high, value[i]);
      }
      return;
    }
    const size_t cell = static_cast<size_t>(table.inner[k]);
    const bool shown = pattern[cell] == 0;
    int64_t from = shown ? truth.value[cell] : 0;
    int64_t to = shown ? truth.value[cell] : truth.upper_bound[cell];
    if (!known.empty()) {
      from = std::max(from, known[cell].low);
      to = std::min(to, known[cell].high);
    }
    for (int64_t v = from; v <= to; ++v) {
      bool fits = true;
      for (const size_t i : adds_to[k]) {
        value[i] += v;
        fits = fits && value[i] <= (pattern[i] == 0 ? truth.value[i] : truth.upper_bound[i]);
      }
      if (fits) place(k + 1);
      for (const size_t i : adds_to[k]) value[i] -= v;
    }
  };
  place(0);
  return intervals;
}

}  // namespace sluis::disclosure::testing
