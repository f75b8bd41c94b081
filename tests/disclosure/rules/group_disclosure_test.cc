#include "disclosure/rules/group_disclosure.h"

#include <algorithm>
#include <random>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/suppress/suppress.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/disclosure/rules/one_relation.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kInvalid;
using testing::MakeSmallTable;
using testing::OneRelation;
using testing::SmallTable;
using testing::ValueOf;

GroupDisclosureRule Rule(int32_t percent, int64_t from_total = 1) {
  return {.percent = percent, .from_total = from_total};
}

std::vector<GroupFinding> Find(const Relations& relations, const std::vector<int64_t>& units,
                               const GroupDisclosureRule& rule) {
  return ValueOf(FindGroupDisclosure(relations, units, {}, {}, rule));
}

TEST(FindGroupDisclosure, FindsACategoryThatHoldsTheShare) {
  const Relations relations = OneRelation(3);
  EXPECT_THAT(Find(relations, {100, 89, 8, 3}, Rule(90)), IsEmpty());
  // 10 are outside and 11 would have to be.
  EXPECT_THAT(Find(relations, {100, 90, 8, 2}, Rule(90)),
              ElementsAre(GroupFinding{.relation = 0, .category = 1, .level = 1}));
  EXPECT_THAT(Find(relations, {100, 0, 100, 0}, Rule(90)),
              ElementsAre(GroupFinding{.relation = 0, .category = 2, .level = 11}));
  EXPECT_THAT(Find(relations, {19, 18, 1, 0}, Rule(90)),  // 94.7 %; 2 of 19 outside are 10.5 %
              ElementsAre(GroupFinding{.relation = 0, .category = 1, .level = 1}));
}

TEST(FindGroupDisclosure, AllOfThemAt100Percent) {
  const Relations relations = OneRelation(2);
  EXPECT_THAT(Find(relations, {100, 99, 1}, Rule(100)), IsEmpty());
  EXPECT_THAT(Find(relations, {100, 100, 0}, Rule(100)),
              ElementsAre(GroupFinding{.relation = 0, .category = 1, .level = 1}));
}

TEST(FindGroupDisclosure, PassesOverSmallAndEmptyTotalsAndSingleParts) {
  EXPECT_THAT(Find(OneRelation(2), {9, 9, 0}, Rule(90, 10)), IsEmpty());
  EXPECT_THAT(Find(OneRelation(2), {10, 10, 0}, Rule(90, 10)), ::testing::SizeIs(1));
  EXPECT_THAT(Find(OneRelation(2), {0, 0, 0}, Rule(90)), IsEmpty());
  EXPECT_THAT(Find(OneRelation(1), {50, 50}, Rule(90)), IsEmpty());
}

TEST(FindGroupDisclosure, IsNoNewsWhereNothingElseIsPossible) {
  const Relations relations = OneRelation(3);
  const std::vector<int64_t> units = {50, 50, 0, 0};
  const auto found = [&](const std::vector<uint8_t>& exempt, const std::vector<uint8_t>& structural) {
    return FindGroupDisclosure(relations, units, exempt, structural, Rule(90))->size();
  };
  EXPECT_EQ(found({}, {}), 1u);
  EXPECT_EQ(found({}, {0, 0, 1, 0}), 1u);
  EXPECT_EQ(found({}, {0, 0, 1, 1}), 0u);
  EXPECT_EQ(found({1, 0, 0, 0}, {}), 0u);
}

TEST(FindGroupDisclosure, HouseholdsNeedNotAddUp) {
  // 20 households, 19 of which have somebody inside, 4 somebody outside.
  EXPECT_THAT(Find(OneRelation(2), {20, 19, 4}, Rule(90)),
              ElementsAre(GroupFinding{.relation = 0, .category = 1, .level = 2}));
}

TEST(FindGroupDisclosure, RefusesBadInput) {
  const std::vector<int64_t> units = {1, 1, 0};
  EXPECT_THAT(FindGroupDisclosure(OneRelation(2), units, {}, {}, Rule(50)), StatusIs(kInvalid, "percent"));
  EXPECT_THAT(FindGroupDisclosure(OneRelation(3), units, {}, {}, Rule(90)), StatusIs(kInvalid, "one entry per cell"));
  EXPECT_THAT(FindGroupDisclosure(OneRelation(2), units, std::vector<uint8_t>{1}, {}, Rule(90)),
              StatusIs(kInvalid, "one entry per cell"));
}

CellSystem SystemOf(const std::vector<std::vector<int64_t>>& inner, const GroupDisclosureRule& rule) {
  size_t next = 0;
  const auto columns = inner[0].size();
  SmallTable table =
      MakeSmallTable({static_cast<int32_t>(inner.size()), static_cast<int32_t>(columns)}, {"persons"}, [&](size_t) {
        const int64_t value = inner[next / columns][next % columns];
        ++next;
        return value;
      });
  CellSystem& system = table.system;
  for (int64_t& cost : system.cost) ++cost;
  const std::vector<GroupFinding> findings = Find(system.relations, system.measures[0].value, rule);
  SLUIS_EXPECT_OK(ProtectGroups(findings, 0, {}, system));
  SetUpperBounds(system);
  SLUIS_EXPECT_OK(Validate(system));
  return system;
}

TEST(ProtectGroups, MakesTheOtherOfTwoPrimary) {
  const CellSystem system = SystemOf({{30, 30}, {29, 1}}, Rule(90));
  EXPECT_EQ(system.num_cells, 9);  // no further cell: row 2 has two parts
  EXPECT_EQ(system.measures[0].reason[8], PrimaryReason::kGroup);
  EXPECT_EQ(system.measures[0].lower_level[8], 0);
  EXPECT_EQ(system.measures[0].upper_level[8], 3);  // 4 of 30
}

TEST(ProtectGroups, AddsTheNumberOutsideAndOpensZeros) {
  const CellSystem system = SystemOf({{20, 30, 10}, {20, 0, 0}, {5, 5, 5}}, Rule(90));
  ASSERT_EQ(system.num_cells, 17);
  const Measure& persons = system.measures[0];
  EXPECT_EQ(persons.value[16], 0);
  EXPECT_EQ(persons.reason[16], PrimaryReason::kGroup);
  EXPECT_EQ(persons.upper_level[16], 3);
  EXPECT_EQ(system.relations.total.back(), 8);  // row 2
  EXPECT_EQ(system.suppressible[10], 1);        // its zeros
  EXPECT_EQ(system.suppressible[11], 1);
}

TEST(ProtectGroups, LeavesZerosPublishedWhereOthersCanMove) {
  const CellSystem system = SystemOf({{30, 30, 10}, {28, 2, 0}, {5, 5, 5}}, Rule(90));
  ASSERT_EQ(system.num_cells, 17);
  EXPECT_EQ(system.suppressible[11], 0);
}

TEST(ProtectGroups, OpensTheZerosBelowAndAcross) {
  // Total 0 = 1 + 2; 2 = 3 + 4, all of 2 zero: for 2 to move, 3 or 4 must.
  CellSystem system = MakeCellSystem(5, std::vector<std::string>{"persons"});
  system.relations.Add(0, std::vector<int32_t>{1, 2});
  system.relations.Add(2, std::vector<int32_t>{3, 4});
  system.measures[0].value = {40, 40, 0, 0, 0};
  MarkEmptyCells(system);
  const std::vector<GroupFinding> findings = Find(system.relations, system.measures[0].value, Rule(90));
  ASSERT_EQ(findings.size(), 1u);
  CellSystem with_structural = system;
  SLUIS_ASSERT_OK(ProtectGroups(findings, 0, {}, system));
  EXPECT_THAT(system.suppressible, ElementsAre(1, 1, 1, 1, 1));
  SLUIS_ASSERT_OK(ProtectGroups(findings, 0, std::vector<uint8_t>{0, 0, 0, 1, 0}, with_structural));
  EXPECT_THAT(with_structural.suppressible, ElementsAre(1, 1, 1, 0, 1));
}

TEST(ProtectGroups, TakesTheLargerLevelOfTwoKindsOfUnits) {
  CellSystem system = MakeCellSystem(3, std::vector<std::string>{"persons"});
  system.relations = OneRelation(2);
  system.measures[0].value = {40, 39, 1};
  MarkEmptyCells(system);
  const std::vector<GroupFinding> findings = {{.relation = 0, .category = 1, .level = 2},
                                              {.relation = 0, .category = 1, .level = 4},
                                              {.relation = 0, .category = 1, .level = 3}};
  SLUIS_ASSERT_OK(ProtectGroups(findings, 0, {}, system));
  EXPECT_THAT(system.measures[0].upper_level, ElementsAre(0, 0, 4));
}

TEST(ProtectGroups, RefusesWhatDoesNotExist) {
  CellSystem system = MakeCellSystem(3, std::vector<std::string>{"persons"});
  system.relations = OneRelation(2);
  const auto protect = [&](const GroupFinding& finding, int32_t measure) {
    return ProtectGroups(std::vector<GroupFinding>{finding}, measure, {}, system);
  };
  EXPECT_THAT(protect({.relation = 0, .category = 1, .level = 1}, 1), StatusIs(kInvalid, "measure 1"));
  EXPECT_THAT(protect({.relation = 1, .category = 1, .level = 1}, 0), StatusIs(kInvalid, "relation 1"));
  EXPECT_THAT(protect({.relation = 0, .category = 0, .level = 1}, 0), StatusIs(kInvalid, "category"));
}

// After suppression nobody can be sure of the share: over random tables with empty cells, the number outside each
// category found can be what its level asks for, judged by another program than the engine's.
TEST(ProtectGroups, TheShareStaysUncertainUnderTheEnginesPattern) {
  std::mt19937_64 random(17);
  int found = 0;
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<std::vector<int64_t>> inner(2 + random() % 3, std::vector<int64_t>(2 + random() % 3));
    for (std::vector<int64_t>& row : inner) {
      for (int64_t& value : row) value = random() % 3 == 0 ? 0 : static_cast<int64_t>(random() % 20);
      if (random() % 2 == 0) std::fill(row.begin() + 1, row.end(), 0);
    }
    inner[0][0] += 40;
    inner[0][1] += 40;
    const CellSystem system = SystemOf(inner, Rule(90, 2));
    const auto result = Suppress(system, {});
    if (!result.ok()) {
      // Possible where a category is alone in its column: then no table at all agrees. Never wrongly safe.
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, ""));
      continue;
    }
    const auto verified = VerifyLevels(system, result->pattern, {});
    SLUIS_ASSERT_OK(verified);
    EXPECT_THAT(verified->shortfalls, IsEmpty());
    found += static_cast<int>(
        std::count(system.measures[0].reason.begin(), system.measures[0].reason.end(), PrimaryReason::kGroup));
  }
  EXPECT_GT(found, 40);
}

// The control: with empty cells published, as they are without the rule, suppressing the category alone tells all.
TEST(ProtectGroups, SuppressingTheCategoryAloneWouldTellAll) {
  CellSystem system = MakeCellSystem(4, std::vector<std::string>{"persons"});
  system.relations = OneRelation(3);
  system.measures[0].value = {20, 20, 0, 0};
  MarkEmptyCells(system);
  SetUpperBounds(system);
  const std::vector<uint8_t> category_and_total = {1, 1, 0, 0};
  const PublishedTable table = Publish(system, 0, category_and_total, true);
  // However many there are: the category and the total move together, and nobody is outside.
  const auto intervals = FindIntervals(table, {});
  SLUIS_ASSERT_OK(intervals);
  EXPECT_EQ(intervals->intervals[0].high, intervals->intervals[1].high);
  SLUIS_ASSERT_OK(ProtectGroups(Find(system.relations, system.measures[0].value, Rule(90)), 0, {}, system));
  SetUpperBounds(system);
  const auto verified = VerifyLevels(system, std::vector<uint8_t>{1, 1, 0, 0, 1}, {});
  SLUIS_ASSERT_OK(verified);
  EXPECT_EQ(verified->shortfalls.size(), 1u);
}

}  // namespace
}  // namespace sluis::disclosure
