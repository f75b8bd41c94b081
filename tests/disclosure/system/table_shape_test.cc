#include "disclosure/system/table_shape.h"

#include <limits>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

// Total with two children, the second of which has one child of its own.
const DimensionTree kRegions = {.parent = {-1, 0, 0, 2}};
const DimensionTree kSexes = {.parent = {-1, 0, 0}};

TEST(TableShape, NumbersCellsWithTheLastDimensionFastest) {
  const auto shape = TableShape::Create({kRegions, kSexes});
  SLUIS_ASSERT_OK(shape);
  EXPECT_EQ(shape->num_cells(), 12);
  EXPECT_EQ(shape->num_dimensions(), 2);
  EXPECT_EQ(shape->num_codes(0), 4);
  const std::vector<int32_t> codes = {2, 1};
  EXPECT_EQ(shape->CellId(codes), 7);
  for (int32_t cell = 0; cell < shape->num_cells(); ++cell) EXPECT_EQ(shape->CellId(shape->Codes(cell)), cell);
}

TEST(TableShape, RelatesEveryParentToItsChildrenAtEveryOtherCode) {
  const auto shape = TableShape::Create({kRegions, kSexes});
  SLUIS_ASSERT_OK(shape);
  const Relations relations = shape->BuildRelations();
  // Regions: 2 codes with children x 3 sexes; sexes: 1 code with children x 4 regions.
  ASSERT_EQ(relations.size(), 10);
  for (int64_t r = 0; r < relations.size(); ++r) {
    const std::vector<int32_t> total = shape->Codes(relations.total[static_cast<size_t>(r)]);
    const size_t moving = r < 6 ? 0 : 1;
    const DimensionTree& tree = moving == 0 ? kRegions : kSexes;
    size_t children = 0;
    for (const int32_t parent : tree.parent) children += parent == total[moving] ? 1 : 0;
    EXPECT_EQ(relations.parts(r).size(), children);
    for (const int32_t part : relations.parts(r)) {
      const std::vector<int32_t> codes = shape->Codes(part);
      EXPECT_EQ(codes[1 - moving], total[1 - moving]);
      EXPECT_EQ(tree.parent[static_cast<size_t>(codes[moving])], total[moving]);
    }
  }
  // The single child of region 2 is the same number.
  EXPECT_EQ(relations.total[3], 6);
  EXPECT_EQ(relations.parts(3).size(), 1u);
  EXPECT_EQ(relations.parts(3)[0], 9);
}

TEST(TableShape, ACodeWithoutParentOrChildrenHasNoRelation) {
  const auto shape = TableShape::Create({{.parent = {-1, -1}}});
  SLUIS_ASSERT_OK(shape);
  EXPECT_EQ(shape->num_cells(), 2);
  EXPECT_EQ(shape->BuildRelations().size(), 0);
}

TEST(TableShape, CreateFailsOnBadTrees) {
  EXPECT_THAT(TableShape::Create({}), StatusIs(absl::StatusCode::kInvalidArgument, "at least one dimension"));
  EXPECT_THAT(TableShape::Create({kRegions, {}}), StatusIs(absl::StatusCode::kInvalidArgument, "dimension 1: has no"));
  EXPECT_THAT(TableShape::Create({{.parent = {-1, 1}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "dimension 0, code 1: the parent"));
  EXPECT_THAT(TableShape::Create({{.parent = {-2}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "dimension 0, code 0: the parent"));
}

TEST(TableShape, CreateFailsAboveTheCellLimit) {
  DimensionTree wide;
  wide.parent.assign(50'000, -1);
  EXPECT_THAT(TableShape::Create({wide, wide}), StatusIs(absl::StatusCode::kInvalidArgument, "more than 2^31 - 1"));
}

}  // namespace
}  // namespace sluis::disclosure
