#include "disclosure/system/system.h"

#include <functional>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;

const std::vector<std::string> kNames = {"count", "wages"};

// Cells 0 = 1 + 2; cell 1 is primary in wages.
CellSystem Small() {
  CellSystem system = MakeCellSystem(3, kNames);
  const std::vector<int32_t> parts = {1, 2};
  system.relations.Add(0, parts);
  system.measures[0].value = {5, 2, 3};
  system.measures[1].value = {100, 0, 100};
  system.measures[0].reason[1] = PrimaryReason::kFrequency;
  system.measures[0].lower_level[1] = 2;
  system.measures[0].upper_level[1] = 4;
  MarkEmptyCells(system);
  SetUpperBounds(system);
  return system;
}

TEST(Validate, AcceptsAnAdditiveSystem) { SLUIS_EXPECT_OK(Validate(Small())); }

TEST(Validate, AcceptsASystemWithoutCells) { SLUIS_EXPECT_OK(Validate(MakeCellSystem(0, kNames))); }

TEST(Validate, NamesTheRelationThatDoesNotAddUp) {
  CellSystem system = Small();
  system.measures[1].value[2] = 99;
  EXPECT_THAT(Validate(system), StatusIs(absl::StatusCode::kInvalidArgument,
                                         "relation 0: the parts do not add up to the total in measure 1"));
}

TEST(Validate, RefusesEachBrokenField) {
  const std::vector<std::pair<std::string, std::function<void(CellSystem&)>>> cases = {
      {"suppressible and cost", [](CellSystem& s) { s.cost.pop_back(); }},
      {"at least one measure", [](CellSystem& s) { s.measures.clear(); }},
      {"measure 1: every vector", [](CellSystem& s) { s.measures[1].reason.pop_back(); }},
      {"part_begin", [](CellSystem& s) { s.relations.part_begin.back() = 1; }},
      {"relation 0: a cell is out of range", [](CellSystem& s) { s.relations.part[1] = 3; }},
      {"relation 0: a cell is out of range", [](CellSystem& s) { s.relations.part[1] = -1; }},
      {"stands in it twice", [](CellSystem& s) { s.relations.part[1] = 1; }},
      {"stands in it twice", [](CellSystem& s) { s.relations.part[1] = 0; }},
      {"relation 1: has no parts", [](CellSystem& s) { s.relations.Add(0, {}); }},
      {"cell 2: the cost", [](CellSystem& s) { s.cost[2] = -1; }},
      {"cell 2: the cost", [](CellSystem& s) { s.cost[2] = kMaxAmount + 1; }},
      {"cell 1: the value is outside", [](CellSystem& s) { s.measures[0].value[1] = -2; }},
      {"cell 0: the value is above", [](CellSystem& s) { s.measures[0].upper_bound[0] = 4; }},
      {"the upper bound is above", [](CellSystem& s) { s.measures[0].upper_bound[0] = kMaxAmount + 1; }},
      {"a protection level is outside", [](CellSystem& s) { s.measures[0].upper_level[1] = -1; }},
      {"the lower protection level", [](CellSystem& s) { s.measures[0].lower_level[1] = 3; }},
      {"at a cell that is not primary", [](CellSystem& s) { s.measures[0].upper_level[2] = 1; }},
      {"cell 1: a primary cell that is not suppressible", [](CellSystem& s) { s.suppressible[1] = 0; }},
      {"without protection levels",
       [](CellSystem& s) { s.measures[0].lower_level[1] = s.measures[0].upper_level[1] = 0; }},
  };
  for (const auto& [fragment, breakage] : cases) {
    CellSystem system = Small();
    breakage(system);
    EXPECT_THAT(Validate(system), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  }
}

TEST(MarkEmptyCells, KeepsACellThatIsEmptyInOneMeasureOnly) {
  CellSystem system = MakeCellSystem(3, kNames);
  system.measures[0].value = {0, 2, 0};
  system.measures[1].reason[2] = PrimaryReason::kFrequency;
  MarkEmptyCells(system);
  EXPECT_EQ(system.suppressible, (std::vector<uint8_t>{0, 1, 1}));
}

TEST(SetUpperBounds, ReachAboveTheGrandTotalWhereItIsPrimaryItself) {
  CellSystem system = Small();
  EXPECT_EQ(system.measures[0].upper_bound, std::vector<int64_t>(3, 6));  // 2 + 4 is more than the total 5
  EXPECT_EQ(system.measures[1].upper_bound, std::vector<int64_t>(3, 100));
}

TEST(AppendSystem, ShiftsCellsAndRelations) {
  CellSystem system = Small();
  SLUIS_ASSERT_OK(AppendSystem(system, Small()));
  EXPECT_EQ(system.num_cells, 6);
  EXPECT_EQ(system.relations.total, (std::vector<int32_t>{0, 3}));
  EXPECT_EQ(system.relations.part, (std::vector<int32_t>{1, 2, 4, 5}));
  EXPECT_EQ(system.measures[0].upper_level, (std::vector<int64_t>{0, 4, 0, 0, 4, 0}));
  SLUIS_EXPECT_OK(Validate(system));
  const std::vector<int32_t> same = {3};
  system.relations.Add(0, same);
  SLUIS_EXPECT_OK(Validate(system));
}

TEST(AppendSystem, RefusesOtherMeasures) {
  CellSystem system = Small();
  const std::vector<std::string> other = {"count"};
  EXPECT_THAT(AppendSystem(system, MakeCellSystem(1, other)),
              StatusIs(absl::StatusCode::kInvalidArgument, "measures differ"));
  EXPECT_EQ(system.num_cells, 3);
}

TEST(BuildIncidence, HasASignPerRelationOfEachCell) {
  CellSystem system = Small();
  const std::vector<int32_t> same = {2};
  system.relations.Add(1, same);
  const Incidence incidence = BuildIncidence(system.relations, 3);
  EXPECT_EQ(incidence.begin, (std::vector<int64_t>{0, 1, 3, 5}));
  EXPECT_EQ(incidence.relation, (std::vector<int32_t>{0, 0, 1, 0, 1}));
  EXPECT_EQ(incidence.sign, (std::vector<int8_t>{-1, 1, -1, 1, 1}));
}

}  // namespace
}  // namespace sluis::disclosure
