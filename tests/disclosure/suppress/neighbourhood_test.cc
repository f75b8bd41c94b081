#include "disclosure/suppress/neighbourhood.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using testing::MakeSmallTable;
using testing::SmallTable;

// What is left of `cells` after taking out, again and again, every cell that stands alone in a relation.
std::set<int32_t> PeelSlowly(const CellSystem& system, std::set<int32_t> cells) {
  for (bool changed = true; changed;) {
    changed = false;
    for (int64_t r = 0; r < system.relations.size(); ++r) {
      std::vector<int32_t> inside;
      const auto visit = [&](int32_t cell) {
        if (cells.contains(cell)) inside.push_back(cell);
      };
      visit(system.relations.total[static_cast<size_t>(r)]);
      for (const int32_t cell : system.relations.parts(r)) visit(cell);
      if (inside.size() != 1) continue;
      cells.erase(inside.front());
      changed = true;
    }
  }
  return cells;
}

// Distances by relaxing every relation until nothing changes.
std::vector<double> DistancesSlowly(const CellSystem& system, int32_t centre, const std::vector<double>& price) {
  std::vector<double> distance(price.size(), 1e300);
  distance[static_cast<size_t>(centre)] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (int64_t r = 0; r < system.relations.size(); ++r) {
      std::vector<int32_t> cells(system.relations.parts(r).begin(), system.relations.parts(r).end());
      cells.push_back(system.relations.total[static_cast<size_t>(r)]);
      for (const int32_t from : cells) {
        for (const int32_t to : cells) {
          const auto t = static_cast<size_t>(to);
          if (price[t] < 0 || distance[static_cast<size_t>(from)] + price[t] >= distance[t]) continue;
          distance[t] = distance[static_cast<size_t>(from)] + price[t];
          changed = true;
        }
      }
    }
  }
  return distance;
}

TEST(NeighbourhoodFinder, BallHoldsTheNearestCellsThatCanMove) {
  std::mt19937_64 random(71);
  int cut = 0;
  int alone = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const SmallTable table = MakeSmallTable({3, 4, 2}, {"value"}, [](size_t) { return 5; });
    const Incidence incidence = BuildIncidence(table.system.relations, table.system.num_cells);
    std::vector<double> price(static_cast<size_t>(table.system.num_cells));
    for (double& p : price) p = random() % 5 == 0 ? -1 : 1 + static_cast<double>(random() % 1'000'000) / 7;
    const auto centre = static_cast<int32_t>(random() % price.size());
    NeighbourhoodFinder finder(table.system, incidence);
    const auto size = static_cast<int64_t>(4 + random() % 60);
    const Neighbourhood ball =
        finder.FindBall(centre, size, [&](int32_t cell) { return price[static_cast<size_t>(cell)]; });
    const std::vector<double> distance = DistancesSlowly(table.system, centre, price);
    std::vector<std::pair<double, int32_t>> nearest;
    for (size_t i = 0; i < distance.size(); ++i) {
      if (distance[i] < 1e299) nearest.emplace_back(distance[i], static_cast<int32_t>(i));
    }
    std::sort(nearest.begin(), nearest.end());
    EXPECT_EQ(ball.complete, static_cast<int64_t>(nearest.size()) <= size);
    cut += !ball.complete;
    std::set<int32_t> expected;
    for (size_t k = 0; k < nearest.size() && static_cast<int64_t>(k) < size; ++k) expected.insert(nearest[k].second);
    expected = PeelSlowly(table.system, expected);
    if (!expected.contains(centre)) expected.clear();
    alone += expected.empty();
    EXPECT_EQ(ball.cells, std::vector<int32_t>(expected.begin(), expected.end()));
  }
  EXPECT_GT(cut, 10);
  EXPECT_GT(alone, 3);
}

TEST(NeighbourhoodFinder, CrossingCellsHoldABlockAroundTheCentre) {
  // A table of equal cells: rows, columns and layers through the centre and through each other.
  const SmallTable table = MakeSmallTable({9, 9, 9}, {"value"}, [](size_t) { return 5; });
  const Incidence incidence = BuildIncidence(table.system.relations, table.system.num_cells);
  NeighbourhoodFinder finder(table.system, incidence);
  const auto price = [](int32_t cell) { return 100.0 + cell % 7; };
  for (const int32_t centre : {table.inner[0], table.inner[364], table.inner[728]}) {
    const std::vector<int32_t> cells =
        finder.FindCrossing(centre, {.first_fan = 3, .fan = 2, .max_cells = 400}, price, price);
    EXPECT_TRUE(std::binary_search(cells.begin(), cells.end(), centre));
    EXPECT_GE(cells.size(), 8u);
    EXPECT_LT(cells.size(), 400u);
    const std::set<int32_t> all(cells.begin(), cells.end());
    EXPECT_EQ(PeelSlowly(table.system, all), all);
  }
}

TEST(NeighbourhoodFinder, CrossingCellsLeaveOutWhatMustNotMoveAndTakeWhatIsFree) {
  const SmallTable table = MakeSmallTable({6, 6}, {"value"}, [](size_t) { return 5; });
  const Incidence incidence = BuildIncidence(table.system.relations, table.system.num_cells);
  NeighbourhoodFinder finder(table.system, incidence);
  const int32_t centre = table.inner[7];
  const auto price = [&](int32_t cell) { return cell % 3 == 0 ? -1.0 : 10.0; };
  const auto entry = [&](int32_t cell) { return cell % 3 == 1 ? 0.0 : 10.0; };
  const std::vector<int32_t> cells =
      finder.FindCrossing(centre, {.first_fan = 1, .fan = 1, .max_cells = 100}, price, entry);
  for (const int32_t cell : cells) EXPECT_TRUE(cell % 3 != 0 || cell == centre);
  // The cells of the centre's row that are free are all there, though the fan is 1.
  const int32_t row = centre - centre % 7;
  for (int32_t cell = row; cell < row + 7; ++cell) {
    if (cell % 3 != 1) continue;
    EXPECT_TRUE(std::binary_search(cells.begin(), cells.end(), cell)) << cell;
  }
}

}  // namespace
}  // namespace sluis::disclosure
