#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "disclosure/suppress/deviation.h"
#include "disclosure/suppress/deviation_lp.h"
#include "disclosure/suppress/exact_deviation.h"
#include "disclosure/suppress/neighbourhood.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// How far a search goes: small neighbourhoods of cells that cross, then balls of `ball` cells, growing fourfold until a
// deviation is found, everything in reach is inside, or `largest_ball` would be passed.
struct SearchEffort {
  bool crossing = true;
  int64_t ball = 2'000;
  int64_t largest_ball = std::numeric_limits<int64_t>::max();
  // A deviation that was found among crossing cells and costs something: look for a cheaper one in a ball of as many
  // cells, and in larger ones while that pays. 0: do not.
  int64_t second_look = 0;
  // Only for what costs more than this are very large balls looked at.
  double dear = 0;
};

enum class SearchOutcome {
  kFound,
  kNone,     // the full system has none, at these prices
  kGivenUp,  // not found within the effort
  kInexact,  // found, but in floating point only
  kFailed,   // the linear program failed
};

struct SearchResult {
  SearchOutcome outcome = SearchOutcome::kGivenUp;
  Deviation deviation;  // kFound: serves the target, keeps relations and bounds exactly
  double price = 0;     // kFound: the sum of `entry` over its cells
  int64_t lps = 0;
  int64_t iterations = 0;
};

// Looks for cheap deviations by linear programs over neighbourhoods. One object per thread. What it finds depends on
// the arguments alone, never on what was asked before.
class DeviationSearch {
 public:
  // `system` and `incidence` must outlive this object.
  DeviationSearch(const CellSystem& system, const Incidence& incidence);

  // Looks for a cheap deviation that reaches `target`. `price`: what the linear program charges (kForbidden: the cell
  // must not move). `entry`: what the first move of a cell costs, 0 if it may move anyhow; results of several
  // neighbourhoods are compared by it.
  [[nodiscard]] SearchResult Find(const Target& target, CellPrice price, CellPrice entry, const SearchEffort& effort);

 private:
  // Solves over `cells` and keeps in `best` what is cheaper than what it holds.
  lp::Outcome Try(const Target& target, std::vector<int32_t> cells, CellPrice price, CellPrice entry,
                  SearchResult& best);

  // See SearchEffort::second_look. `distance`: the price of a cell in the metric of balls.
  void LookAgain(const Target& target, CellPrice price, CellPrice entry, CellPrice distance, const SearchEffort& effort,
                 SearchResult& best);

  const CellSystem& system_;
  const Incidence& incidence_;
  NeighbourhoodFinder neighbourhood_;
  ExactDeviationFinder exact_;
  std::vector<int32_t> row_scratch_;
};

}  // namespace sluis::disclosure
