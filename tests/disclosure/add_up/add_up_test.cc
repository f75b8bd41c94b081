#include "disclosure/add_up/add_up.h"

#include <algorithm>
#include <random>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

TEST(OrderFromLeaves, AddsUpATableOfAnyShape) {
  std::mt19937 random(1);
  const auto fill = [&](size_t) { return std::uniform_int_distribution<int64_t>(0, 9)(random); };
  for (const std::vector<int32_t>& sizes :
       std::vector<std::vector<int32_t>>{{1}, {4}, {3, 5}, {2, 3, 4}, {2, 1, 2, 3}}) {
    const testing::SmallTable table = testing::MakeSmallTable(sizes, {"count"}, fill);
    const auto order = OrderFromLeaves(table.system.relations, table.system.num_cells);
    SLUIS_ASSERT_OK(order);
    EXPECT_EQ(order->leaves, table.inner);
    const std::vector<int64_t>& truth = table.system.measures[0].value;
    std::vector<int64_t> values(truth.size(), -1);
    for (const int32_t leaf : order->leaves) values[static_cast<size_t>(leaf)] = truth[static_cast<size_t>(leaf)];
    AddUp<int64_t>(table.system.relations, *order, values);
    EXPECT_EQ(values, truth);
    EXPECT_EQ(FirstBrokenRelation(table.system.relations, values), -1);
    ++values.back();
    EXPECT_GE(FirstBrokenRelation(table.system.relations, values), 0);
    // The reach of a leaf: every cell whose codes are the leaf's or the total.
    const auto reach = ReachOfLeaves(table.system.relations, *order, table.system.num_cells);
    SLUIS_ASSERT_OK(reach);
    for (size_t k = 0; k < order->leaves.size(); ++k) {
      std::vector<int32_t> cells(reach->cells(k).begin(), reach->cells(k).end());
      EXPECT_EQ(cells.front(), order->leaves[k]);
      std::sort(cells.begin(), cells.end());
      std::vector<int32_t> expected;
      const std::vector<int32_t> codes = table.shape.Codes(order->leaves[k]);
      for (int32_t cell = 0; cell < table.system.num_cells; ++cell) {
        const std::vector<int32_t> other = table.shape.Codes(cell);
        bool contains = true;
        for (size_t d = 0; d < codes.size(); ++d) contains = contains && (other[d] == 0 || other[d] == codes[d]);
        if (contains) expected.push_back(cell);
      }
      EXPECT_EQ(cells, expected);
    }
    EXPECT_THAT(ReachOfLeaves(table.system.relations, *order, table.system.num_cells, 1),
                StatusIs(absl::StatusCode::kResourceExhausted, "more than 1 pairs"));
  }
}

TEST(OrderFromLeaves, RefusesCirclesAndBadIndices) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{1, 2});
  relations.Add(1, std::vector<int32_t>{0, 3});
  EXPECT_THAT(OrderFromLeaves(relations, 4), StatusIs(absl::StatusCode::kInvalidArgument, "defined by itself"));
  EXPECT_THAT(OrderFromLeaves(relations, 3), StatusIs(absl::StatusCode::kInvalidArgument, "relation 1"));
}

TEST(ReachOfLeaves, RefusesALeafThatCountsTwice) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{2, 3});
  relations.Add(1, std::vector<int32_t>{0, 2});
  const auto order = OrderFromLeaves(relations, 4);
  SLUIS_ASSERT_OK(order);
  EXPECT_THAT(ReachOfLeaves(relations, *order, 4), StatusIs(absl::StatusCode::kInvalidArgument, "twice"));
}

TEST(AddUp, AddsKeysModuloTheirWidth) {
  Relations relations;
  relations.Add(0, std::vector<int32_t>{1, 2});
  const auto order = OrderFromLeaves(relations, 3);
  SLUIS_ASSERT_OK(order);
  std::vector<uint64_t> keys = {0, ~uint64_t{0}, 5};
  AddUp<uint64_t>(relations, *order, keys);
  EXPECT_EQ(keys[0], 4u);
}

}  // namespace
}  // namespace sluis::disclosure
