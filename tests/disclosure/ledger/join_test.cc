#include "disclosure/ledger/join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/suppress/suppress.h"
#include "tests/disclosure/ledger/micro_releases.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Micro;
using testing::MicroAxis;
using testing::MicroTable;

MicroAxis From(int age) {
  MicroAxis axis{.variable = 0, .codes = {{}}, .parent = {-1}};
  for (int value = age; value < testing::kAges; ++value) axis.codes[0].push_back(value);
  return axis;
}

MicroAxis Sexes() { return {.variable = 1 + 1, .codes = {{0, 1}, {0}, {1}}, .parent = {-1, 0, 0}}; }

Micro Filled(std::int64_t each) {
  Micro micro{};
  micro.fill(each);
  return micro;
}

absl::StatusOr<JointSystem> JoinOne(const MicroTable& table, const std::vector<LedgerTable>& earlier) {
  std::vector<std::int32_t> cells(table.records.size());
  std::iota(cells.begin(), cells.end(), 0);
  const std::vector<LedgerTable> tables = {table.ledger};
  const std::vector<std::vector<std::int32_t>> cell_of = {cells};
  const std::vector<std::string> keys = {"count"};
  const RuleSet rules = testing::SmallCounts();
  return Join({table.system, keys, tables, cell_of, earlier, rules}, PlaneLimits{});
}

LedgerTable Released(MicroTable table, const std::vector<std::uint8_t>& pattern) {
  testing::Release(pattern, table);
  return table.ledger;
}

// 18+ and 19+ by sex: two persons are of the year between, one of each sex.
Micro TwoOfTheFirstYear() {
  Micro micro = Filled(2);
  for (std::size_t i = 0; i < testing::kBaseCells; ++i) {
    if (testing::ValueOf(i, 0) == 0) micro[i] = i < 2 ? 1 : 0;
  }
  return micro;
}

TEST(Join, IsTheRequestAloneIfNothingWasReleased) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  const auto joint = JoinOne(table, {});
  SLUIS_ASSERT_OK(joint.status());
  EXPECT_EQ(joint->system.num_cells, table.system.num_cells);
  EXPECT_EQ(joint->system.relations.total, table.system.relations.total);
  EXPECT_THAT(joint->releases, IsEmpty());
}

TEST(Join, ProtectsTheYearBetweenTwoLimitsOfAge) {
  const Micro micro = TwoOfTheFirstYear();
  const MicroTable first = testing::Tabulate(micro, {From(0), Sexes()}, "first", testing::SmallCounts());
  const MicroTable second = testing::Tabulate(micro, {From(1), Sexes()}, "second", testing::SmallCounts());
  const auto joint = JoinOne(second, {Released(first, {0, 0, 0})});
  SLUIS_ASSERT_OK(joint.status());
  EXPECT_THAT(joint->releases, ElementsAre("first"));
  const auto found = Suppress(joint->system, SuppressOptions{});
  SLUIS_ASSERT_OK(found.status());
  // All three differences are of fewer than three persons, and nothing in the first release can move any more.
  EXPECT_EQ(found->pattern[0] + found->pattern[1] + found->pattern[2], 3);
}

TEST(Join, RepeatsWhatWasPublished) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "first", testing::SmallCounts());
  const auto joint = JoinOne(table, {Released(table, {0, 0, 0})});
  SLUIS_ASSERT_OK(joint.status());
  const auto found = Suppress(joint->system, SuppressOptions{});
  SLUIS_ASSERT_OK(found.status());
  EXPECT_EQ(found->secondary_cells, 0);
}

TEST(Join, KeepsSuppressedWhatAnEarlierReleaseProtects) {
  Micro micro = Filled(0);
  for (std::size_t i = 0; i < testing::kBaseCells; ++i) micro[i] = testing::ValueOf(i, 2) == 0 ? 3 : 0;
  micro[1] = 2;  // the only ones of sex 1
  MicroTable first = testing::Tabulate(micro, {From(0), Sexes()}, "first", testing::SmallCounts());
  // Asked for again under rules that find nothing sensitive.
  RuleSet lax = testing::SmallCounts();
  lax.minimum_frequency->threshold = 2;
  const MicroTable second = testing::Tabulate(micro, {From(0), Sexes()}, "second", lax);
  ASSERT_FALSE(second.system.IsPrimary(2));
  const auto joint = JoinOne(second, {Released(first, {0, 1, 1})});
  SLUIS_ASSERT_OK(joint.status());
  const auto found = Suppress(joint->system, SuppressOptions{});
  SLUIS_ASSERT_OK(found.status());
  EXPECT_EQ(found->pattern[1], 1);
  EXPECT_EQ(found->pattern[2], 1);
}

TEST(Join, LeavesOutReleasesOfOtherPopulations) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  LedgerTable other = Released(testing::Tabulate(Filled(1), {From(1)}, "other", testing::SmallCounts()), {0});
  other.population = "residents a year later";
  const auto joint = JoinOne(table, {other});
  SLUIS_ASSERT_OK(joint.status());
  EXPECT_EQ(joint->system.num_cells, table.system.num_cells);
}

TEST(Join, FailsIfTheSameRecordsHadAnotherValue) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  const LedgerTable other = Released(testing::Tabulate(Filled(1), {From(0)}, "other", testing::SmallCounts()), {0});
  const auto joint = JoinOne(table, {other});
  EXPECT_THAT(joint.status(), StatusIs(absl::StatusCode::kFailedPrecondition, "release other"));
  EXPECT_EQ(common::ReasonOf(joint.status()), kContradictsRelease);
}

TEST(Join, FailsIfAPartHasMoreThanTheWholeHad) {
  const MicroTable table = testing::Tabulate(Filled(3), {From(1), Sexes()}, "", testing::SmallCounts());
  const LedgerTable other = Released(testing::Tabulate(Filled(1), {From(0)}, "other", testing::SmallCounts()), {0});
  EXPECT_EQ(common::ReasonOf(JoinOne(table, {other}).status()), kContradictsRelease);
}

TEST(Join, FailsIfTheVariableWasReleasedByAnotherMethod) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  LedgerTable other = Released(testing::Tabulate(Filled(2), {From(0)}, "other", testing::SmallCounts()), {0});
  other.measures[0].method = "rounding";
  EXPECT_EQ(common::ReasonOf(JoinOne(table, {other}).status()), kOtherMethodReleased);
}

TEST(Join, OnlyRepeatsAReleaseWhoseValuesAreDestroyed) {
  const MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  LedgerTable forgotten = Released(table, {0, 1, 1});
  forgotten.release = "forgotten";
  forgotten.values_kept = false;
  forgotten.measures[0].value[1] = forgotten.measures[0].value[2] = 0;
  const auto joint = JoinOne(table, {forgotten});
  EXPECT_THAT(joint.status(), StatusIs(absl::StatusCode::kFailedPrecondition, "release forgotten"));
  EXPECT_EQ(common::ReasonOf(joint.status()), kReleaseForgotten);
  const MicroTable total = testing::Tabulate(Filled(2), {From(0)}, "", testing::SmallCounts());
  SLUIS_EXPECT_OK(JoinOne(total, {forgotten}).status());
}

TEST(Join, FailsIfATableHasNotOneEntryACell) {
  MicroTable table = testing::Tabulate(Filled(2), {From(0), Sexes()}, "", testing::SmallCounts());
  table.ledger.measures[0].value.pop_back();
  EXPECT_THAT(JoinOne(table, {}).status(), StatusIs(absl::StatusCode::kInvalidArgument, "one entry a cell"));
}

}  // namespace
}  // namespace sluis::disclosure
