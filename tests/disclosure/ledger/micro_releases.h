#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "disclosure/ledger/ledger_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

// Tables over records that are written out, so that every set of records can be counted: the oracle of the ledger.

namespace sluis::disclosure::testing {

inline constexpr int kAges = 8, kPlaces = 5, kSexes = 2;
inline constexpr std::size_t kBaseCells = kAges * kPlaces * kSexes;

// Number of records by age, place and sex.
using Micro = std::array<std::int64_t, kBaseCells>;
// A set of base cells.
using BaseSet = std::vector<bool>;

struct MicroAxis {
  int variable = 0;                     // 0 age, 1 place, 2 sex
  std::vector<std::vector<int>> codes;  // values of each code
  std::vector<int> parent;              // -1: none
};

struct MicroTable {
  std::vector<MicroAxis> axes;
  LedgerTable ledger;            // one measure, the count, unless more were added
  std::vector<BaseSet> records;  // per cell
  CellSystem system;
};

inline int ValueOf(std::size_t base, int variable) {
  const int i = static_cast<int>(base);
  return variable == 0 ? i / (kPlaces * kSexes) : variable == 1 ? i / kSexes % kPlaces : i % kSexes;
}

inline ValueSet ToValueSet(int variable, const std::vector<int>& values) {
  const std::array<std::size_t, 3> all = {kAges, kPlaces, kSexes};
  ValueSet set;
  set.everything = values.size() == all[static_cast<std::size_t>(variable)];
  for (const int value : values) {
    if (variable == 0) {
      set.ranges.push_back({10 * value, 10 * value + 10});
    } else {
      set.codes.push_back(std::to_string(value));
    }
  }
  return set;
}

inline std::int64_t CountIn(const Micro& micro, const BaseSet& set) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < set.size(); ++i) count += set[i] ? micro[i] : 0;
  return count;
}

inline RuleSet SmallCounts() {
  return {.minimum_frequency = MinimumFrequencyRule{.threshold = 3, .count_range = 1, .amount_range_percent = 10}};
}

// Tabulates `axes` over `micro` and applies `rules`.
inline MicroTable Tabulate(const Micro& micro, std::vector<MicroAxis> axes, const std::string& release,
                           const RuleSet& rules) {
  static const std::array<const char*, 3> kNames = {"age", "place", "sex"};
  MicroTable table;
  table.ledger.release = release;
  table.ledger.population = "residents";
  std::size_t cells = 1;
  for (const MicroAxis& axis : axes) {
    LedgerAxis& to = table.ledger.axes.emplace_back();
    to.variable = kNames[static_cast<std::size_t>(axis.variable)];
    for (const std::vector<int>& values : axis.codes) to.codes.push_back(ToValueSet(axis.variable, values));
    cells *= axis.codes.size();
  }
  const auto code_of = [&axes](std::size_t cell, std::size_t d) {
    for (std::size_t k = axes.size(); --k > d;) cell /= axes[k].codes.size();
    return cell % axes[d].codes.size();
  };
  LedgerMeasure& count = table.ledger.measures.emplace_back();
  count.key = "count";
  for (std::size_t cell = 0; cell < cells; ++cell) {
    BaseSet& records = table.records.emplace_back(kBaseCells, true);
    for (std::size_t i = 0; i < kBaseCells; ++i) {
      for (std::size_t d = 0; d < axes.size(); ++d) {
        const std::vector<int>& values = axes[d].codes[code_of(cell, d)];
        if (std::find(values.begin(), values.end(), ValueOf(i, axes[d].variable)) == values.end()) records[i] = false;
      }
    }
    count.value.push_back(CountIn(micro, records));
  }
  count.contributors = count.value;
  CellSystem& system = table.system;
  system = MakeCellSystem(static_cast<std::int32_t>(cells), std::vector<std::string>{"count"});
  system.measures[0].value = count.value;
  system.cost = count.value;
  std::size_t stride = 1;
  for (std::size_t d = axes.size(); d-- > 0; stride *= axes[d].codes.size()) {
    for (std::size_t cell = 0; cell < cells; ++cell) {
      std::vector<std::int32_t> parts;
      for (std::size_t code = 0; code < axes[d].codes.size(); ++code) {
        if (axes[d].parent[code] != static_cast<int>(code_of(cell, d))) continue;
        parts.push_back(static_cast<std::int32_t>(cell + (code - code_of(cell, d)) * stride));
      }
      if (!parts.empty()) system.relations.Add(static_cast<std::int32_t>(cell), parts);
    }
  }
  const auto status = EvaluateRules({.contributors = count.value, .total = count.value}, MeasureKind::kCount, rules);
  (void)ApplyStatus(*status, 0, system);
  MarkEmptyCells(system);
  SetUpperBounds(system);
  table.axes = std::move(axes);
  return table;
}

// Writes down what of `table` was published under `pattern` (its first cells).
inline void Release(const std::vector<std::uint8_t>& pattern, MicroTable& table) {
  const std::size_t cells = table.records.size();
  LedgerMeasure& count = table.ledger.measures[0];
  count.published.resize(cells);
  count.lower_level = table.system.measures[0].lower_level;
  count.upper_level = table.system.measures[0].upper_level;
  for (std::size_t i = 0; i < cells; ++i) count.published[i] = pattern[i] == 0 ? 1 : 0;
}

}  // namespace sluis::disclosure::testing
