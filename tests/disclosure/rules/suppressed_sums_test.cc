#include "disclosure/rules/suppressed_sums.h"

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

constexpr MinimumFrequencyRule kTen = {.threshold = 10, .count_range = 5, .amount_range_percent = 20};

std::vector<int64_t> Find(const std::vector<uint8_t>& pattern, const std::vector<int64_t>& contributors) {
  return ValueOf(FindShortSums(OneRelation(3), pattern, contributors, kTen));
}

TEST(FindShortSums, LooksAtTheSuppressedPartsOfAPublishedTotal) {
  const std::vector<int64_t> contributors = {40, 3, 6, 31};
  EXPECT_THAT(Find({0, 1, 1, 0}, contributors), ElementsAre(0));  // 9
  EXPECT_THAT(Find({0, 1, 0, 1}, contributors), IsEmpty());       // 34
  EXPECT_THAT(Find({0, 0, 0, 0}, contributors), IsEmpty());
  EXPECT_THAT(Find({1, 1, 1, 0}, contributors), IsEmpty());    // the total is not known
  EXPECT_THAT(Find({0, 1, 1, 0}, {41, 4, 6, 31}), IsEmpty());  // exactly 10
  EXPECT_THAT(Find({0, 1, 1, 0}, {31, 0, 0, 31}), IsEmpty());  // nobody
  EXPECT_THAT(Find({0, 1, 1, 0}, {40, 3, 6}), IsEmpty());      // cell 3 is in no table
}

TEST(FindShortSums, RefusesBadInput) {
  const std::vector<int64_t> contributors = {1, 1, 0, 0};
  EXPECT_THAT(FindShortSums(OneRelation(3), std::vector<uint8_t>(3), contributors, kTen),
              StatusIs(kInvalid, "pattern"));
  EXPECT_THAT(FindShortSums(OneRelation(3), std::vector<uint8_t>(4), contributors,
                            {.threshold = 1, .count_range = 1, .amount_range_percent = 20}),
              StatusIs(kInvalid, "suppressed_sum"));
}

TEST(ProtectSums, MakesTheSumPrimary) {
  CellSystem system = MakeCellSystem(4, std::vector<std::string>{"persons"});
  system.relations = OneRelation(3);
  system.measures[0].value = {40, 1, 2, 37};
  MarkEmptyCells(system);
  SLUIS_ASSERT_OK(
      ProtectSums(std::vector<int64_t>{0}, std::vector<uint8_t>{0, 1, 1, 0}, 0, MeasureKind::kCount, kTen, system));
  SetUpperBounds(system);
  SLUIS_EXPECT_OK(Validate(system));
  EXPECT_EQ(system.num_cells, 5);
  EXPECT_EQ(system.measures[0].value[4], 3);
  EXPECT_EQ(system.measures[0].lower_level[4], 3);
  EXPECT_EQ(system.measures[0].upper_level[4], 5);
  EXPECT_EQ(system.measures[0].reason[4], PrimaryReason::kFrequency);
}

TEST(ProtectSums, AnAmountIsProtectedByTheAmountsRange) {
  CellSystem system = MakeCellSystem(4, std::vector<std::string>{"persons", "wages"});
  system.relations = OneRelation(3);
  system.measures[0].value = {40, 1, 2, 37};
  system.measures[1].value = {4000, 101, 202, 3697};
  MarkEmptyCells(system);
  const std::vector<uint8_t> pattern = {0, 1, 1, 0};
  SLUIS_ASSERT_OK(ProtectSums(std::vector<int64_t>{0}, pattern, 1, MeasureKind::kAmount, kTen, system));
  EXPECT_EQ(system.measures[1].value[4], 303);
  EXPECT_EQ(system.measures[1].upper_level[4], 61);  // 20 %, outwards
  EXPECT_EQ(system.measures[0].reason[4], PrimaryReason::kNone);
}

TEST(ProtectSums, RefusesWhatDoesNotExist) {
  CellSystem system = MakeCellSystem(4, std::vector<std::string>{"persons"});
  system.relations = OneRelation(3);
  const std::vector<uint8_t> pattern = {0, 1, 1, 0};
  EXPECT_THAT(ProtectSums(std::vector<int64_t>{1}, pattern, 0, MeasureKind::kCount, kTen, system),
              StatusIs(kInvalid, "relation 1"));
  EXPECT_THAT(ProtectSums(std::vector<int64_t>{0}, pattern, 1, MeasureKind::kCount, kTen, system),
              StatusIs(kInvalid, "measure 1"));
  EXPECT_THAT(ProtectSums(std::vector<int64_t>{0}, std::vector<uint8_t>(4), 0, MeasureKind::kCount, kTen, system),
              StatusIs(kInvalid, "none of its parts"));
}

// Rounds of engine and rule end, and what they end with has neither short sums nor unprotected cells.
TEST(ProtectSums, RoundsEndWithAPatternWithoutShortSums) {
  std::mt19937_64 random(5);
  int rounds = 0;
  for (int trial = 0; trial < 40; ++trial) {
    SmallTable table = MakeSmallTable({4, 4}, {"persons"}, [&](size_t) {
      return static_cast<int64_t>(random() % 4 == 0 ? random() % 4 : 12 + random() % 40);
    });
    CellSystem& system = table.system;
    for (int32_t cell = 0; cell < 25; ++cell) {
      ++system.cost[static_cast<size_t>(cell)];
      const int64_t value = system.measures[0].value[static_cast<size_t>(cell)];
      if (value > 0 && value < 10) testing::MakePrimary(system, 0, cell, 1);
    }
    SetUpperBounds(system);
    const std::vector<int64_t> contributors = system.measures[0].value;
    for (int round = 0;; ++round) {
      ASSERT_LT(round, 20);
      const auto result = Suppress(system, {});
      SLUIS_ASSERT_OK(result);
      const auto found = FindShortSums(system.relations, result->pattern, contributors, kTen);
      SLUIS_ASSERT_OK(found);
      if (found->empty()) {
        const auto verified = VerifyLevels(system, result->pattern, {});
        SLUIS_ASSERT_OK(verified);
        EXPECT_THAT(verified->shortfalls, IsEmpty());
        break;
      }
      ++rounds;
      SLUIS_ASSERT_OK(ProtectSums(*found, result->pattern, 0, MeasureKind::kCount, kTen, system));
      SetUpperBounds(system);
    }
  }
  EXPECT_GT(rounds, 0);
}

}  // namespace
}  // namespace sluis::disclosure
