#include "disclosure/suppress/exact_deviation.h"

#include <random>
#include <vector>

#include "disclosure/suppress/rational_system.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using testing::MakeSmallTable;

constexpr int64_t kMany = 1'000'000;

RationalRow Row(std::vector<std::pair<int32_t, Fraction>> terms, Fraction right_side) {
  return {.terms = std::move(terms), .right_side = right_side};
}

TEST(SolveRational, SolvesByHand) {
  // 2x + 3y = 1, x - y = 1/2  ->  x = 1/2, y = 0.
  const auto solution =
      SolveRational({Row({{0, {2, 1}}, {1, {3, 1}}}, {1, 1}), Row({{0, {1, 1}}, {1, {-1, 1}}}, {1, 2})}, 2, kMany);
  ASSERT_TRUE(solution.has_value());
  EXPECT_EQ((*solution)[0], (Fraction{1, 2}));
  EXPECT_EQ((*solution)[1], (Fraction{0, 1}));
}

TEST(SolveRational, RefusesContradictionsFreeUnknownsAndTooMuchWork) {
  const RationalRow x_is_1 = Row({{0, {1, 1}}}, {1, 1});
  EXPECT_FALSE(SolveRational({x_is_1, Row({{0, {2, 1}}}, {3, 1})}, 1, kMany).has_value());
  EXPECT_FALSE(SolveRational({x_is_1}, 2, kMany).has_value());
  EXPECT_TRUE(SolveRational({x_is_1, Row({{0, {2, 1}}}, {2, 1})}, 1, kMany).has_value());
  EXPECT_FALSE(SolveRational({x_is_1, Row({{0, {2, 1}}}, {2, 1})}, 1, 1).has_value());
  const int64_t large = int64_t{1} << 40;
  EXPECT_FALSE(
      SolveRational({Row({{0, {large, 1}}, {1, {1, 1}}}, {1, 1}), Row({{0, {1, 1}}, {1, {large - 1, 1}}}, {1, 1})}, 2,
                    kMany)
          .has_value());
}

TEST(SolveRational, FindsTheSolutionThatRandomSystemsWereMadeFrom) {
  std::mt19937_64 random(31);
  int solved = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const int32_t n = 1 + static_cast<int32_t>(random() % 6);
    std::vector<int64_t> halves;
    for (int32_t j = 0; j < n; ++j) halves.push_back(static_cast<int64_t>(random() % 21) - 10);
    std::vector<RationalRow> rows;
    for (int32_t r = 0; r < n + 2; ++r) {
      RationalRow row;
      int64_t sum = 0;
      for (int32_t j = 0; j < n; ++j) {
        const int64_t c = static_cast<int64_t>(random() % 3) - 1;
        if (c == 0) continue;
        row.terms.emplace_back(j, Fraction{c, 1});
        sum += c * halves[static_cast<size_t>(j)];
      }
      row.right_side = sum % 2 == 0 ? Fraction{sum / 2, 1} : Fraction{sum, 2};
      rows.push_back(row);
    }
    const auto solution = SolveRational(rows, n, kMany);
    if (!solution) continue;  // rows that depend on each other
    ++solved;
    for (int32_t j = 0; j < n; ++j) {
      const Fraction value = (*solution)[static_cast<size_t>(j)];
      EXPECT_EQ(value.numerator * 2, halves[static_cast<size_t>(j)] * value.denominator);
    }
  }
  EXPECT_GT(solved, 120);
}

// Relations x + y = p, x + z = q, y + z = r with everything but p fixed: a cycle of odd length, where halves arise.
CellSystem OddCycle() {
  const std::vector<std::string> names = {"value"};
  CellSystem system = MakeCellSystem(6, names);
  const std::vector<std::vector<int32_t>> pairs = {{0, 1}, {0, 2}, {1, 2}};
  for (int32_t k = 0; k < 3; ++k) system.relations.Add(3 + k, pairs[static_cast<size_t>(k)]);
  system.measures[0].value = {50, 50, 50, 100, 100, 100};
  return system;
}

std::vector<ApproximateEntry> OddVertex(int64_t p, double noise) {
  const double half = static_cast<double>(p) / 2 + noise;
  return {{.cell = 0, .approximate = half, .at_bound = false, .exact = 0},
          {.cell = 1, .approximate = half, .at_bound = false, .exact = 0},
          {.cell = 2, .approximate = -half, .at_bound = false, .exact = 0},
          {.cell = 3, .approximate = static_cast<double>(p), .at_bound = true, .exact = p}};
}

TEST(ExactDeviationFinder, RoundsToTheSmallestCommonDenominator) {
  const CellSystem system = OddCycle();
  const Incidence incidence = BuildIncidence(system.relations, system.num_cells);
  ExactDeviationFinder finder(system, incidence);
  const auto deviation = finder.Find(0, OddVertex(7, 1e-9));
  ASSERT_TRUE(deviation.has_value());
  EXPECT_EQ(deviation->denominator, 2);
  EXPECT_EQ(deviation->cell, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(deviation->numerator, (std::vector<int64_t>{7, 7, -7, 14}));
}

TEST(ExactDeviationFinder, EliminatesWhereTheSolverIsTooFarOff) {
  const CellSystem system = OddCycle();
  const Incidence incidence = BuildIncidence(system.relations, system.num_cells);
  ExactDeviationFinder finder(system, incidence);
  const auto deviation = finder.Find(0, OddVertex(7, 0.2));
  ASSERT_TRUE(deviation.has_value());
  EXPECT_EQ(deviation->denominator, 2);
  EXPECT_EQ(deviation->numerator, (std::vector<int64_t>{7, 7, -7, 14}));
}

TEST(ExactDeviationFinder, RefusesWhatBreaksABoundOrARelation) {
  CellSystem system = OddCycle();
  const Incidence incidence = BuildIncidence(system.relations, system.num_cells);
  ExactDeviationFinder finder(system, incidence);
  EXPECT_FALSE(finder.Find(0, OddVertex(101, 0)).has_value());  // cell 2 would go to -1/2
  EXPECT_TRUE(finder.Find(0, OddVertex(100, 0)).has_value());
  system.measures[0].upper_bound.assign(6, 99 + 50);
  EXPECT_FALSE(finder.Find(0, OddVertex(50, 0)).has_value());  // cell 3 would go to 150
  std::vector<ApproximateEntry> torn = OddVertex(7, 0);
  torn.erase(torn.begin());
  EXPECT_FALSE(finder.Find(0, torn).has_value());
}

}  // namespace
}  // namespace sluis::disclosure
