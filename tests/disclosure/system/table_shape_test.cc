#include "disclosure/system/table_shape.h"

#include <limits>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
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

// Municipalities 3..6 under two groupings: 0 = 1 + 2, 1 = 3 + 4, 2 = 5 + 6, and 7 = 4 + 5 that fits in neither.
const DimensionSums kGroupings = {
    .num_codes = 8,
    .sums = {{.total = 0, .parts = {1, 2}}, {.total = 1, .parts = {3, 4}}, {.total = 2, .parts = {5, 6}}, {7, {4, 5}}}};

TEST(TableShape, TakesGroupingsThatAreNoTreeTogether) {
  const auto shape = TableShape::CreateFromSums({kGroupings, {.num_codes = 2, .sums = {{.total = 0, .parts = {1}}}}});
  SLUIS_ASSERT_OK(shape);
  ASSERT_EQ(shape->num_cells(), 16);
  const Relations relations = shape->BuildRelations();
  ASSERT_EQ(relations.size(), 4 * 2 + 8);
  EXPECT_EQ(relations.total[7], 15);  // the last sum at the last code of the other dimension
  EXPECT_THAT(relations.parts(7), ::testing::ElementsAre(9, 11));
}

TEST(TableShape, GivesATreeAndItsSumsTheSameRelations) {
  const auto tree = TableShape::Create({kRegions, kSexes});
  const auto sums = TableShape::CreateFromSums(
      {{.num_codes = 4, .sums = {{0, {1, 2}}, {2, {3}}}}, {.num_codes = 3, .sums = {{0, {1, 2}}}}});
  SLUIS_ASSERT_OK(tree);
  SLUIS_ASSERT_OK(sums);
  EXPECT_EQ(tree->BuildRelations().total, sums->BuildRelations().total);
  EXPECT_EQ(tree->BuildRelations().part, sums->BuildRelations().part);
}

TEST(TableShape, FindsTheRelationsOfASubsetByTheirDefinition) {
  const DimensionSums wide = {.num_codes = 40,
                              .sums = {{.total = 0, .parts = {1, 2}}}};  // thin: searched, not looked up
  for (const DimensionSums& other : {DimensionSums{.num_codes = 3, .sums = {{0, {1, 2}}}}, wide}) {
    const auto shape = TableShape::CreateFromSums({kGroupings, other, other});
    SLUIS_ASSERT_OK(shape);
    const Relations all = shape->BuildRelations();
    for (int32_t step = 1; step < 5; ++step) {
      std::vector<int32_t> cells;
      std::vector<int32_t> position(static_cast<size_t>(shape->num_cells()), -1);
      for (int32_t id = 0; id < shape->num_cells(); ++id) {
        const std::vector<int32_t> codes = shape->Codes(id);
        if ((codes[0] + codes[1] + codes[2]) % step != 0 || codes[1] > 2 || codes[2] > 2) continue;
        position[static_cast<size_t>(id)] = static_cast<int32_t>(cells.size());
        cells.push_back(id);
      }
      Relations expected;
      int32_t gap = -1;
      for (int64_t r = 0; r < all.size(); ++r) {
        const int32_t total = position[static_cast<size_t>(all.total[static_cast<size_t>(r)])];
        std::vector<int32_t> parts;
        int32_t missing = -1;
        for (const int32_t part : all.parts(r)) {
          const int32_t at = position[static_cast<size_t>(part)];
          at >= 0 ? parts.push_back(at) : void(missing = part);
        }
        if (total < 0) continue;
        if (missing < 0) expected.Add(total, parts);
        if (missing >= 0 && !parts.empty() && gap < 0) gap = missing;
      }
      const PartialRelations found = shape->BuildRelationsAmong(cells);
      EXPECT_EQ(found.relations.total, expected.total) << step;
      EXPECT_EQ(found.relations.part, expected.part);
      EXPECT_EQ(found.relations.part_begin, expected.part_begin);
      EXPECT_EQ(found.gap, gap);
      EXPECT_EQ(found.gap < 0, step == 1);
    }
  }
}

TEST(TableShape, CreateFromSumsFailsOnBadSums) {
  const auto create = [](std::vector<CodeSum> sums) {
    return TableShape::CreateFromSums({{.num_codes = 3, .sums = std::move(sums)}});
  };
  const auto refused = [](const char* text) { return StatusIs(absl::StatusCode::kInvalidArgument, text); };
  EXPECT_THAT(create({{0, {}}}), refused("sum 0: has no part"));
  EXPECT_THAT(create({{0, {3}}}), refused("out of range"));
  EXPECT_THAT(create({{-1, {1}}}), refused("out of range"));
  EXPECT_THAT(create({{0, {1}}, {0, {2, 2}}}), refused("sum 1"));
  EXPECT_THAT(create({{0, {0}}}), refused("twice"));
  EXPECT_THAT(create({{0, {1}}, {1, {2}}, {2, {0}}}), refused("is a part of itself"));
  EXPECT_THAT(create({{1, {2}}, {2, {1}}}), refused("code 1: is a part of itself"));
  EXPECT_THAT(TableShape::CreateFromSums({{.num_codes = 0, .sums = {}}}), refused("has no codes"));
  SLUIS_EXPECT_OK(create({{0, {1, 2}}, {0, {1}}, {1, {2}}}));
}

}  // namespace
}  // namespace sluis::disclosure
