#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/system/system.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

// Every pattern of a tiny table, judged by the attack: the oracle of bounds and optima.

namespace sluis::disclosure::testing {

inline bool IsSafe(const CellSystem& system, const std::vector<uint8_t>& pattern) {
  const auto report = VerifyLevels(system, pattern, {});
  EXPECT_THAT(report, common::testing::IsOk());
  return report.ok() && report->shortfalls.empty();
}

inline int64_t CostOf(const CellSystem& system, const std::vector<uint8_t>& pattern) {
  int64_t cost = 0;
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (pattern[static_cast<size_t>(i)] != 0 && !system.IsPrimary(i)) cost += system.cost[static_cast<size_t>(i)];
  }
  return cost;
}

// Calls `visit` with each pattern that suppresses all primary cells and only suppressible ones.
inline void ForEachPattern(const CellSystem& system, const std::function<void(const std::vector<uint8_t>&)>& visit) {
  std::vector<size_t> free;
  std::vector<uint8_t> pattern(static_cast<size_t>(system.num_cells), 0);
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (system.IsPrimary(i)) {
      pattern[static_cast<size_t>(i)] = 1;
    } else if (system.suppressible[static_cast<size_t>(i)] != 0) {
      free.push_back(static_cast<size_t>(i));
    }
  }
  for (uint64_t mask = 0; mask < uint64_t{1} << free.size(); ++mask) {
    for (size_t k = 0; k < free.size(); ++k) pattern[free[k]] = mask >> k & 1;
    visit(pattern);
  }
}

// The least cost of a safe pattern, or nullopt if there is none.
inline std::optional<int64_t> Optimum(const CellSystem& system) {
  std::optional<int64_t> best;
  ForEachPattern(system, [&](const std::vector<uint8_t>& pattern) {
    const int64_t cost = CostOf(system, pattern);
    if ((!best || cost < *best) && IsSafe(system, pattern)) best = cost;
  });
  return best;
}

// A table of 2 x 3 inner cells (12 in all, totals included) with one or two primary cells, in one or two measures.
inline SmallTable TinyProblem(std::mt19937_64& random, bool two_measures) {
  const std::vector<std::string> measures =
      two_measures ? std::vector<std::string>{"value", "count"} : std::vector<std::string>{"value"};
  SmallTable table = MakeSmallTable({2, 3}, measures,
                                    [&](size_t m) { return 1 + static_cast<int64_t>(random() % (m == 0 ? 20 : 5)); });
  for (size_t m = 0; m < measures.size(); ++m) {
    const size_t primaries = 1 + random() % 2;
    for (size_t k = 0; k < primaries; ++k) {
      MakePrimary(table.system, m, table.inner[random() % table.inner.size()], 1 + static_cast<int64_t>(random() % 4));
    }
  }
  SetUpperBounds(table.system);
  return table;
}

// A table of 6 x 7 x 5 inner cells with some that are primary: too large to enumerate.
inline SmallTable ThreeWayProblem(std::mt19937_64& random, int primaries) {
  SmallTable table =
      MakeSmallTable({6, 7, 5}, {"value"}, [&](size_t) { return 1 + static_cast<int64_t>(random() % 500); });
  for (int k = 0; k < primaries; ++k) {
    MakePrimary(table.system, 0, table.inner[random() % table.inner.size()], 1 + static_cast<int64_t>(random() % 60));
  }
  SetUpperBounds(table.system);
  return table;
}

}  // namespace sluis::disclosure::testing
