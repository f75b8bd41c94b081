#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure::testing {

// A table with random primary inner cells whose levels the table may or may not be able to protect.
inline SmallTable RandomProblem(const std::vector<int32_t>& sizes, std::mt19937_64& random, uint64_t values) {
  SmallTable table = MakeSmallTable(sizes, {"value"}, [&](size_t) { return static_cast<int64_t>(random() % values); });
  for (const int32_t cell : table.inner) {
    if (table.system.suppressible[static_cast<size_t>(cell)] != 0 && random() % 4 == 0) {
      MakePrimary(table.system, 0, cell, 1 + static_cast<int64_t>(random() % 2));
    }
  }
  SetUpperBounds(table.system);
  return table;
}

}  // namespace sluis::disclosure::testing
