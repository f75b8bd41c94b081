#include "disclosure/suppress/tied_cells.h"

#include <random>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/system/table_shape.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::MakePrimary;

// Two dimensions in which half of the codes have an only child.
CellSystem TableWithOnlyChildren(std::mt19937_64& random) {
  const DimensionTree tree{.parent = {-1, 0, 0, 0, 1, 2, 2, 3, 4}};
  const TableShape shape = TableShape::Create({tree, tree}).value();
  CellSystem system = MakeCellSystem(shape.num_cells(), std::vector<std::string>{"value"});
  system.relations = shape.BuildRelations();
  const std::vector<int32_t> leaves = {5, 6, 7, 8};
  std::vector<int64_t>& value = system.measures[0].value;
  for (const int32_t a : leaves) {
    for (const int32_t b : leaves) {
      const auto amount = static_cast<int64_t>(random() % 40);
      for (int32_t i = a; i >= 0; i = tree.parent[static_cast<size_t>(i)]) {
        for (int32_t j = b; j >= 0; j = tree.parent[static_cast<size_t>(j)]) {
          value[static_cast<size_t>(shape.CellId(std::vector<int32_t>{i, j}))] += amount;
        }
      }
    }
  }
  system.cost = value;
  MarkEmptyCells(system);
  for (const int32_t a : leaves) {
    for (const int32_t b : leaves) {
      const int32_t cell = shape.CellId(std::vector<int32_t>{a, b});
      if (value[static_cast<size_t>(cell)] > 0 && random() % 4 == 0) MakePrimary(system, 0, cell, 2);
    }
  }
  SetUpperBounds(system);
  return system;
}

TEST(TiedCells, MergedSystemIsValidAndSmaller) {
  std::mt19937_64 random(81);
  const CellSystem system = TableWithOnlyChildren(random);
  const MergedSystem merged = MergeTiedCells(system);
  SLUIS_EXPECT_OK(Validate(merged.system));
  EXPECT_EQ(merged.system.num_cells, 36);  // 9 codes of which 3 are the only child of another
  for (int64_t r = 0; r < merged.system.relations.size(); ++r) EXPECT_GT(merged.system.relations.parts(r).size(), 1u);
  EXPECT_EQ(merged.system.relations.size(), 24);  // two families of codes in each of two dimensions, 6 codes across
  int64_t cost = 0;
  int64_t merged_cost = 0;
  for (const int64_t c : system.cost) cost += c;
  for (const int64_t c : merged.system.cost) merged_cost += c;
  EXPECT_EQ(cost, merged_cost);
}

TEST(TiedCells, ArePublishedOrSuppressedTogetherAndStaySafe) {
  std::mt19937_64 random(82);
  int solved = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const CellSystem system = TableWithOnlyChildren(random);
    const auto result = Suppress(system, {});
    if (!result.ok()) continue;
    ++solved;
    for (int64_t r = 0; r < system.relations.size(); ++r) {
      if (system.relations.parts(r).size() != 1) continue;
      EXPECT_EQ(result->pattern[static_cast<size_t>(system.relations.total[static_cast<size_t>(r)])],
                result->pattern[static_cast<size_t>(system.relations.parts(r).front())]);
    }
    SLUIS_EXPECT_OK(CheckCertificate(system, result->pattern, result->certificate));
    const auto report = VerifyLevels(system, result->pattern, {});
    SLUIS_ASSERT_OK(report);
    EXPECT_TRUE(report->shortfalls.empty());
    const auto exact = FindExact(Publish(system, 0, result->pattern, true), {});
    SLUIS_ASSERT_OK(exact);
    EXPECT_EQ(static_cast<int64_t>(exact->exact_cells.size()), result->recomputable);
  }
  EXPECT_GT(solved, 25);
}

TEST(TiedCells, StayApartWhereOneWouldStandTwiceInARelation) {
  // 0 = 1 + 2 and 0 = 1: then 2 is nothing, and 0 and 1 would be one cell on both sides.
  CellSystem system = MakeCellSystem(3, std::vector<std::string>{"value"});
  system.relations.Add(0, std::vector<int32_t>{1, 2});
  system.relations.Add(0, std::vector<int32_t>{1});
  system.measures[0].value = {7, 7, 0};
  MarkEmptyCells(system);
  MakePrimary(system, 0, 1, 2);
  SetUpperBounds(system);
  SLUIS_ASSERT_OK(Validate(system));
  EXPECT_EQ(MergeTiedCells(system).system.num_cells, 3);
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->pattern, (Pattern{1, 1, 0}));
}

TEST(TiedCells, OfWhichOneMustBePublishedCannotBeProtected) {
  CellSystem system = MakeCellSystem(4, std::vector<std::string>{"value"});
  system.relations.Add(0, std::vector<int32_t>{1, 2});
  system.relations.Add(1, std::vector<int32_t>{3});
  system.measures[0].value = {9, 4, 5, 4};
  MarkEmptyCells(system);
  MakePrimary(system, 0, 3, 2);
  SetUpperBounds(system);
  SLUIS_EXPECT_OK(Suppress(system, {}));
  system.suppressible[1] = 0;
  EXPECT_THAT(Suppress(system, {}), StatusIs(absl::StatusCode::kFailedPrecondition, "1 primary cells"));
}

}  // namespace
}  // namespace sluis::disclosure
