#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// What a search charges for letting a cell deviate; below 0: it must not.
using CellPrice = absl::FunctionRef<double(int32_t cell)>;

// The cells among which a deviation is looked for. Any deviation of these cells alone that keeps all relations is one
// of the whole system.
struct Neighbourhood {
  std::vector<int32_t> cells;  // ascending; empty if the centre cannot move among the cells that were reached
  bool complete = true;        // false: cells were left out because there were too many
};

struct CrossingSize {
  int64_t first_fan = 0;  // cells that are taken from each relation of the centre
  int64_t fan = 0;        // from each other relation
  int64_t max_cells = 0;  // about so many in all
};

// Finds the cells near one cell. From what it returns, cells that cannot move are taken out: those that stand alone in
// a relation. Not thread-safe: it keeps one entry per cell and per relation as scratch space.
class NeighbourhoodFinder {
 public:
  // `system` and `incidence` must outlive this object.
  NeighbourhoodFinder(const CellSystem& system, const Incidence& incidence);

  // Returns the `max_cells` cells nearest to `centre`, itself included. Cells that share a relation are neighbours, and
  // the distance of a cell is the least sum of prices on the way to it, its own included.
  [[nodiscard]] Neighbourhood FindBall(int32_t centre, int64_t max_cells, CellPrice price);

  // Returns a small neighbourhood in which few cells stand alone in a relation: the cheapest cells of each relation of
  // `centre`, then for each relation that has only one cell so far the cheapest others, and so on; and of each relation
  // looked at all cells whose `entry` is 0. A cell counts with its own price and, for each of its relations that has no
  // cell yet, that of the cheapest other cell there. In a table this gathers blocks of rows, columns and so on that
  // cross.
  [[nodiscard]] std::vector<int32_t> FindCrossing(int32_t centre, const CrossingSize& size, CellPrice price,
                                                  CellPrice entry);

 private:
  // The cheapest price in a relation, whose it is, and the cheapest of the others.
  struct Cheapest {
    int32_t cell = -1;
    double price = 0;
    double next = 0;
  };

  [[nodiscard]] std::span<const int32_t> RelationsOf(int32_t cell) const;
  template <typename Visit>
  void ForEachCell(int32_t relation, Visit visit) const;
  void Reach(int32_t cell, double distance);
  void Take(int32_t cell);
  [[nodiscard]] const Cheapest& CheapestOf(int32_t relation, CellPrice price);
  // What it takes to let `cell` move: see FindCrossing.
  [[nodiscard]] double CrossingPrice(int32_t cell, CellPrice price);
  // Takes cells out that stand alone, sorts the others, and clears the scratch space.
  [[nodiscard]] std::vector<int32_t> Finish(int32_t centre);
  void Peel();

  const CellSystem& system_;
  const Incidence& incidence_;
  std::vector<double> distance_;         // per cell; infinite where not reached
  std::vector<uint8_t> taken_;           // per cell: 1 in the result, so far
  std::vector<int32_t> relation_cells_;  // per relation: how many taken cells stand in it; -1 not walked yet
  std::vector<int32_t> cheapest_at_;     // per relation: its place in cheapest_, or -1
  std::vector<Cheapest> cheapest_;
  std::vector<int32_t> cells_, reached_, walked_, looked_at_, alone_;
  std::vector<std::pair<double, int32_t>> heap_;
};

}  // namespace sluis::disclosure
