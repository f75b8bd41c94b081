#include "disclosure/round/small_counts.h"

#include <optional>
#include <random>
#include <set>

#include "common/status/matchers.h"
#include "disclosure/add_up/add_up.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::SmallTable;

SmallTable RandomTable(const std::vector<int32_t>& sizes, int64_t most, std::mt19937& random) {
  return testing::MakeSmallTable(sizes, {"count"}, [&](size_t) {
    return random() % 4 == 0 ? 0 : std::uniform_int_distribution<int64_t>(0, most)(random);
  });
}

// The cells that an inner cell is added into, from its codes.
std::vector<std::vector<size_t>> CellsAbove(const SmallTable& table) {
  std::vector<std::vector<size_t>> above;
  for (const int32_t leaf : table.inner) {
    const std::vector<int32_t> codes = table.shape.Codes(leaf);
    std::vector<size_t>& list = above.emplace_back();
    for (int32_t cell = 0; cell < table.system.num_cells; ++cell) {
      const std::vector<int32_t> other = table.shape.Codes(cell);
      bool contains = true;
      for (size_t d = 0; d < codes.size(); ++d) contains = contains && (other[d] == 0 || other[d] == codes[d]);
      if (contains) list.push_back(static_cast<size_t>(cell));
    }
  }
  return above;
}

// A second implementation of the rules in the header: no reach, no gains kept, every sum anew.
std::vector<int64_t> Naive(const SmallTable& table, const std::vector<uint8_t>& published, int64_t base) {
  const std::vector<int64_t>& truth = table.system.measures[0].value;
  const std::vector<std::vector<size_t>> above = CellsAbove(table);
  const auto order = OrderFromLeaves(table.system.relations, table.system.num_cells).value();
  const auto small = [&](int64_t v) { return v > 0 && v < base; };
  std::set<size_t> rounded;
  std::vector<int64_t> value = truth;
  const auto cost = [&](const std::vector<int64_t>& v) {
    int64_t sum = 0;
    for (size_t c = 0; c < truth.size(); ++c) sum += published[c] != 0 ? (v[c] - truth[c]) * (v[c] - truth[c]) : 0;
    return sum;
  };
  while (true) {
    const size_t before = rounded.size();
    for (size_t k = 0; k < table.inner.size(); ++k) {
      if (!small(truth[static_cast<size_t>(table.inner[k])])) continue;
      for (const size_t c : above[k]) {
        if (published[c] != 0 && small(value[c])) rounded.insert(k);
      }
    }
    if (rounded.size() == before) return value;
    value = truth;
    // In order, what makes the squares of what was decided so far smaller; 0 where both are the same.
    std::vector<int64_t> decided(truth.size(), 0);
    for (const size_t k : rounded) {
      const size_t leaf = static_cast<size_t>(table.inner[k]);
      int64_t down = 0, up = 0;
      for (const size_t c : above[k]) {
        if (published[c] == 0) continue;
        const int64_t low = decided[c] - truth[leaf], high = low + base;
        down += low * low;
        up += high * high;
      }
      value[leaf] = up < down ? base : 0;
      for (const size_t c : above[k]) decided[c] += value[leaf] - truth[leaf];
    }
    AddUp<int64_t>(table.system.relations, order, value);
    const auto changed = [&](std::vector<size_t> leaves) {
      std::vector<int64_t> next = value;
      for (const size_t k : leaves) {
        const size_t leaf = static_cast<size_t>(table.inner[k]);
        next[leaf] = base - next[leaf];
      }
      AddUp<int64_t>(table.system.relations, order, next);
      return next;
    };
    for (bool improved = true; improved;) {
      improved = false;
      for (const size_t k : rounded) {
        const std::vector<int64_t> next = changed({k});
        if (cost(next) >= cost(value)) continue;
        value = next;
        improved = true;
      }
      for (int64_t r = 0; r < table.system.relations.size(); ++r) {
        std::vector<size_t> group;
        for (const int32_t part : table.system.relations.parts(r)) {
          for (const size_t k : rounded) {
            if (table.inner[k] == part) group.push_back(k);
          }
        }
        for (size_t a = 0; a < group.size(); ++a) {
          for (size_t b = a + 1; b < group.size(); ++b) {
            const auto at = [&](size_t n) { return value[static_cast<size_t>(table.inner[group[n]])]; };
            if (at(a) == at(b)) continue;
            const std::vector<int64_t> next = changed({group[a], group[b]});
            if (cost(next) >= cost(value)) continue;
            value = next;
            improved = true;
          }
        }
      }
    }
  }
}

TEST(RoundSmallCounts, AgreesWithANaiveImplementation) {
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    const std::vector<std::vector<int32_t>> shapes = {{6}, {4, 5}, {3, 3, 4}};
    const SmallTable table = RandomTable(shapes[static_cast<size_t>(i) % 3], 7, random);
    std::vector<uint8_t> published(static_cast<size_t>(table.system.num_cells), 1);
    if (i % 2 == 1) {
      for (const int32_t leaf : table.inner) published[static_cast<size_t>(leaf)] = 0;
    }
    const int64_t base = std::uniform_int_distribution<int64_t>(2, 6)(random);
    const auto rounding =
        RoundSmallCounts(table.system.relations, table.system.measures[0].value, published, {.base = base});
    SLUIS_ASSERT_OK(rounding);
    EXPECT_EQ(rounding->value, Naive(table, published, base));
  }
}

TEST(RoundSmallCounts, LeavesNoSmallCountAndChangesNothingElse) {
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    const SmallTable table = RandomTable({5, 4, 3}, 9, random);
    const std::vector<int64_t>& truth = table.system.measures[0].value;
    std::vector<uint8_t> published(truth.size(), 1);
    for (uint8_t& p : published) p = i % 2 == 0 || random() % 3 == 0 ? 1 : 0;
    const int64_t base = std::uniform_int_distribution<int64_t>(2, 8)(random);
    const auto rounding = RoundSmallCounts(table.system.relations, truth, published, {.base = base});
    SLUIS_ASSERT_OK(rounding);
    EXPECT_EQ(FirstBrokenRelation(table.system.relations, rounding->value), -1);
    for (size_t c = 0; c < truth.size(); ++c) {
      if (published[c] != 0) {
        EXPECT_FALSE(rounding->value[c] > 0 && rounding->value[c] < base);
      }
    }
    for (const int32_t leaf : table.inner) {
      const int64_t was = truth[static_cast<size_t>(leaf)], is = rounding->value[static_cast<size_t>(leaf)];
      EXPECT_TRUE(is == was || (was > 0 && was < base && (is == 0 || is == base)));
    }
  }
}

// Against every choice of 0 or base for the rounded leaves: near the least sum of squares.
TEST(RoundSmallCounts, IsNearTheBestChoice) {
  std::mt19937 random(3);
  double ours = 0, best = 0;
  for (int i = 0; i < 100; ++i) {
    const SmallTable table = RandomTable({3, 4}, 4, random);
    const std::vector<int64_t>& truth = table.system.measures[0].value;
    const auto order = OrderFromLeaves(table.system.relations, table.system.num_cells).value();
    const auto rounding = RoundSmallCounts(table.system.relations, truth, {}, {.base = 5});
    SLUIS_ASSERT_OK(rounding);
    ours += static_cast<double>(rounding->squared_distance);
    std::vector<size_t> leaves;  // every leaf is below the base: all of them are rounded
    for (const int32_t leaf : table.inner) {
      if (truth[static_cast<size_t>(leaf)] > 0) leaves.push_back(static_cast<size_t>(leaf));
    }
    EXPECT_EQ(rounding->rounded_leaves, static_cast<int64_t>(leaves.size()));
    double least = 1e18;
    for (uint64_t mask = 0; mask < uint64_t{1} << leaves.size(); ++mask) {
      std::vector<int64_t> value(truth.size(), 0);
      for (size_t k = 0; k < leaves.size(); ++k) value[leaves[k]] = (mask >> k & 1) != 0 ? 5 : 0;
      AddUp<int64_t>(table.system.relations, order, value);
      double sum = 0;
      for (size_t c = 0; c < truth.size(); ++c) {
        sum += static_cast<double>((value[c] - truth[c]) * (value[c] - truth[c]));
      }
      least = std::min(least, sum);
    }
    EXPECT_GE(static_cast<double>(rounding->squared_distance), least);
    best += least;
  }
  EXPECT_LE(ours, 1.1 * best);
  std::printf("sum of squares: %.0f, the least %.0f\n", ours, best);
}

TEST(RoundSmallCounts, RefusesWhatItCannotRound) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{1, 2});
  const auto refused = [&](std::vector<int64_t> counts, int64_t base, const char* why) {
    EXPECT_THAT(RoundSmallCounts(relations, counts, {}, {.base = base}),
                StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused({3, 1, 2}, 1, "base of 2 .. 1000");
  refused({3, 1, 1}, 5, "relation 0 does not add up");
  refused({3, 4, -1}, 5, "cell 2");
  EXPECT_THAT(RoundSmallCounts(relations, std::vector<int64_t>{3, 1, 2}, std::vector<uint8_t>{1}, {.base = 3}),
              StatusIs(absl::StatusCode::kInvalidArgument, "published"));
}

}  // namespace
}  // namespace sluis::disclosure
