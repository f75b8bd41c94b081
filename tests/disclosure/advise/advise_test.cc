#include "disclosure/advise/advise.h"

#include <algorithm>
#include <random>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

// A total over two groups; the first group has two codes below it, the second none: uneven depth.
const DimensionTree kRegion = {.parent = {-1, 0, 1, 1, 0}};
const DimensionTree kSex = {.parent = {-1, 0, 0}};

struct Table {
  TableShape shape;
  std::vector<uint8_t> primary;
  std::vector<int64_t> value;
};

// The figures of a cut, cell by cell from the codes, without groups.
TableFigures Naive(const Table& table, const std::vector<DimensionTree>& dimensions, const std::vector<int32_t>& cut) {
  const auto depth = [&](size_t d, int32_t code) {
    int32_t n = 0;
    while ((code = dimensions[d].parent[static_cast<size_t>(code)]) >= 0) ++n;
    return n;
  };
  TableFigures figures{.depth = cut};
  for (int32_t cell = 0; cell < table.shape.num_cells(); ++cell) {
    const std::vector<int32_t> codes = table.shape.Codes(cell);
    bool there = true, detailed = true;
    for (size_t d = 0; d < codes.size(); ++d) {
      there = there && depth(d, codes[d]) <= cut[d];
      const std::vector<int32_t>& parent = dimensions[d].parent;
      for (size_t child = 0; child < parent.size(); ++child) {
        if (parent[child] == codes[d] && depth(d, static_cast<int32_t>(child)) <= cut[d]) detailed = false;
      }
    }
    if (!there) continue;
    const size_t i = static_cast<size_t>(cell);
    ++figures.cells;
    figures.filled_cells += table.primary[i] != 0 || table.value[i] != 0 ? 1 : 0;
    figures.primary_cells += table.primary[i];
    if (!detailed) continue;
    figures.detailed_primary_cells += table.primary[i];
    figures.detailed_value += table.value[i];
    figures.detailed_primary_value += table.primary[i] != 0 ? table.value[i] : 0;
  }
  return figures;
}

TEST(AdviseRedesign, CountsWhatEachCutKeeps) {
  std::mt19937 random(1);
  const std::vector<std::vector<DimensionTree>> shapes = {
      {kRegion}, {kRegion, kSex}, {kSex, kRegion, {.parent = {-1, 0, 1, 2, 2, 0}}}};
  for (const std::vector<DimensionTree>& dimensions : shapes) {
    for (int i = 0; i < 10; ++i) {
      Table table{.shape = TableShape::Create(dimensions).value(), .primary = {}, .value = {}};
      for (int32_t cell = 0; cell < table.shape.num_cells(); ++cell) {
        table.primary.push_back(random() % 3 == 0 ? 1 : 0);
        table.value.push_back(std::uniform_int_distribution<int64_t>(0, 4)(random));
      }
      const auto advice = AdviseRedesign(dimensions, table.primary, table.value);
      SLUIS_ASSERT_OK(advice);
      EXPECT_EQ(advice->as_it_is, Naive(table, dimensions, advice->as_it_is.depth));
      EXPECT_EQ(advice->as_it_is.cells, table.shape.num_cells());
      size_t cuts = 0;
      for (const int32_t depth : advice->as_it_is.depth) cuts += static_cast<size_t>(depth);
      EXPECT_EQ(advice->single.size(), cuts);
      for (const Coarsening& step : advice->single) EXPECT_EQ(step.after, Naive(table, dimensions, step.after.depth));
      TableFigures now = advice->as_it_is;
      for (const Coarsening& step : advice->path) {
        EXPECT_EQ(step.after, Naive(table, dimensions, step.after.depth));
        std::vector<int32_t> depth = now.depth;
        --depth[static_cast<size_t>(step.dimension)];
        EXPECT_EQ(step.after.depth, depth);
        EXPECT_GT(now.primary_cells, 0);
        now = step.after;
      }
      EXPECT_TRUE(now.primary_cells == 0 || now.cells == 1);
    }
  }
}

// Regions are small where sexes are not: to give up the regions below the first group saves all, for little.
TEST(AdviseRedesign, PutsFirstWhatSavesMostForLeast) {
  const std::vector<DimensionTree> dimensions = {kRegion, kSex};
  // region (total, group, its two codes, the other) x sex (total and two)
  const std::vector<int64_t> value = {30, 20, 10, 12, 8, 4, 2, 1, 1, 10, 7, 3, 18, 12, 6};
  const std::vector<uint8_t> primary = {0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0};
  const auto advice = AdviseRedesign(dimensions, primary, value);
  SLUIS_ASSERT_OK(advice);
  EXPECT_EQ(advice->as_it_is.primary_cells, 4);
  EXPECT_EQ(advice->as_it_is.detailed_primary_cells, 3);
  EXPECT_EQ(advice->as_it_is.detailed_value, 30);
  EXPECT_EQ(advice->as_it_is.detailed_primary_value, 5);
  const Coarsening& best = advice->single.front();
  EXPECT_EQ(best.dimension, 0);
  EXPECT_EQ(best.after.depth, (std::vector<int32_t>{1, 1}));
  EXPECT_EQ(best.after.primary_cells, 0);
  EXPECT_EQ(best.after.cells, 9);
  ASSERT_EQ(advice->path.size(), 1u);
  EXPECT_EQ(advice->path.front().after, best.after);
  for (const Coarsening& step : advice->single) {
    EXPECT_TRUE(step.after.depth != (std::vector<int32_t>{2, 0}) || step.after.primary_cells == 1);
  }
}

TEST(AdviseRedesign, SaysNothingWhereNothingIsPrimary) {
  const std::vector<DimensionTree> dimensions = {kSex};
  const auto advice = AdviseRedesign(dimensions, std::vector<uint8_t>{0, 0, 0}, std::vector<int64_t>{2, 1, 1});
  SLUIS_ASSERT_OK(advice);
  EXPECT_TRUE(advice->path.empty());
  EXPECT_EQ(advice->single.size(), 1u);
}

TEST(AdviseRedesign, RefusesBadInput) {
  const std::vector<DimensionTree> dimensions = {kSex};
  EXPECT_THAT(AdviseRedesign(dimensions, std::vector<uint8_t>{0}, std::vector<int64_t>{2, 1, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "one status and one value"));
  EXPECT_THAT(AdviseRedesign(dimensions, std::vector<uint8_t>{0, 0, 0}, std::vector<int64_t>{2, 3, -1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "cell 2"));
  EXPECT_THAT(AdviseRedesign({}, {}, {}), StatusIs(absl::StatusCode::kInvalidArgument, "dimension"));
}

}  // namespace
}  // namespace sluis::disclosure
