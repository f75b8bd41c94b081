#include "disclosure/round/leaf_choice.h"

#include <numeric>
#include <random>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

struct Setting {
  testing::SmallTable table;
  LeafReach reach;
  std::vector<size_t> leaf;
  std::vector<int64_t> own_error, error;
  std::vector<uint8_t> counts;
  std::vector<std::vector<int32_t>> groups;
};

Setting MakeSetting(const std::vector<int32_t>& sizes, int64_t step, std::mt19937& random) {
  Setting s{.table = testing::MakeSmallTable(
                sizes, {"count"}, [&](size_t) { return std::uniform_int_distribution<int64_t>(0, 9)(random); }),
            .reach = {},
            .leaf = {},
            .own_error = {},
            .error = {},
            .counts = {},
            .groups = {}};
  const auto order = OrderFromLeaves(s.table.system.relations, s.table.system.num_cells).value();
  s.reach = ReachOfLeaves(s.table.system.relations, order, s.table.system.num_cells).value();
  const size_t n = static_cast<size_t>(s.table.system.num_cells);
  s.error.assign(n, 0);
  s.counts.assign(n, 1);
  std::vector<int32_t> item_of(n, -1);
  for (size_t k = 0; k < order.leaves.size(); ++k) {
    const size_t cell = static_cast<size_t>(order.leaves[k]);
    const int64_t rest = s.table.system.measures[0].value[cell] % step;
    if (rest == 0) continue;
    item_of[cell] = static_cast<int32_t>(s.leaf.size());
    s.leaf.push_back(k);
    s.own_error.push_back(-rest);
    for (const int32_t c : s.reach.cells(k)) s.error[static_cast<size_t>(c)] -= rest;
  }
  s.groups = GroupsOfItems(s.table.system.relations, item_of);
  return s;
}

int64_t Cost(const std::vector<int64_t>& error, int64_t step, LeafChoice::Cost cost) {
  int64_t sum = 0;
  for (const int64_t e : error) {
    sum += cost == LeafChoice::Cost::kSquared ? e * e : std::abs(e) + 3 * step * (std::abs(e) / step);
  }
  return sum;
}

// The errors that follow from a choice, added up anew.
std::vector<int64_t> Errors(const Setting& s, const std::vector<uint8_t>& upper, int64_t step) {
  std::vector<int64_t> error = s.error;
  for (size_t i = 0; i < s.leaf.size(); ++i) {
    for (const int32_t c : s.reach.cells(s.leaf[i])) error[static_cast<size_t>(c)] += upper[i] != 0 ? step : 0;
  }
  return error;
}

TEST(LeafChoice, EndsWhereNoChangeLowersTheCost) {
  std::mt19937 random(1);
  for (const LeafChoice::Cost cost : {LeafChoice::Cost::kDistance, LeafChoice::Cost::kSquared}) {
    for (int i = 0; i < 20; ++i) {
      const int64_t step = std::uniform_int_distribution<int64_t>(2, 7)(random);
      const Setting s = MakeSetting({3, 4, 3}, step, random);
      LeafChoice choice(s.reach, s.leaf, step, s.error, s.counts, cost);
      choice.Balance(s.own_error);
      choice.Improve(s.groups, 1'000'000);
      EXPECT_EQ(choice.error(), Errors(s, choice.upper(), step));
      const int64_t reached = Cost(choice.error(), step, cost);
      std::vector<uint8_t> other = choice.upper();
      for (uint8_t& u : other) {
        u ^= 1;
        EXPECT_GE(Cost(Errors(s, other, step), step, cost), reached);
        u ^= 1;
      }
      for (const std::vector<int32_t>& group : s.groups) {
        for (const int32_t a : group) {
          for (const int32_t b : group) {
            const size_t first = static_cast<size_t>(a), second = static_cast<size_t>(b);
            if (other[first] == other[second]) continue;
            std::swap(other[first], other[second]);
            EXPECT_GE(Cost(Errors(s, other, step), step, cost), reached);
            std::swap(other[first], other[second]);
          }
        }
      }
    }
  }
}

TEST(LeafChoice, RepairNeverLeavesMoreStepsThanItFound) {
  std::mt19937 random(2);
  int64_t before = 0, after = 0;
  for (int i = 0; i < 40; ++i) {
    const int64_t step = std::uniform_int_distribution<int64_t>(3, 5)(random);
    const Setting s = MakeSetting({4, 5, 4}, step, random);
    LeafChoice choice(s.reach, s.leaf, step, s.error, s.counts, LeafChoice::Cost::kDistance);
    const auto steps = [&] {
      int64_t sum = 0;
      for (const int64_t e : choice.error()) sum += std::abs(e) / step;
      return sum;
    };
    const int64_t had = steps();  // every leaf at its lower value
    before += had;
    choice.Repair(s.groups, 100'000);
    EXPECT_LE(steps(), had);
    after += steps();
    EXPECT_EQ(choice.error(), Errors(s, choice.upper(), step));
  }
  EXPECT_LT(after, before / 50);
}

}  // namespace
}  // namespace sluis::disclosure
