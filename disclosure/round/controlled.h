#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/round/check_rounding.h"
#include "disclosure/system/system.h"

// Controlled rounding: every value becomes a multiple of a base, and the table still adds up.

namespace sluis::disclosure {

struct ControlledRoundingOptions {
  int64_t base = 0;  // 2 .. 2^40
  // How many multiples beyond the nearest two a value may go where no table stays within them: 0, then 1, .. max_steps
  // are tried in turn.
  int32_t max_steps = 2;
  // Programs are only tried on tables of at most this many cells, and a search tree on even smaller ones; larger tables
  // are rounded by their leaves.
  int64_t max_program_cells = 0;
  int64_t max_search_cells = 0;
  int32_t max_iterations = 0;   // of the simplex method, for each linear program, and again for what follows from it
  int64_t max_nodes = 0;        // of the search tree
  int64_t max_evaluations = 0;  // changes that the rounding by leaves looks at
};

// Limits that take a few seconds at most.
[[nodiscard]] ControlledRoundingOptions DefaultRounding(int64_t base);

enum class RoundingMethod {
  kLinearProgram,    // a vertex of whole numbers
  kSearch,           // branch and cut
  kLeavesOfProgram,  // the leaves as the linear program has them, rounded, then exchanged and added up
  kLeaves,           // the same from the leaves alone
};

struct ControlledRounding {
  std::vector<int64_t> value;  // one entry a cell
  RoundingMethod method = RoundingMethod::kLeaves;
  int32_t steps = 0;  // that no value exceeds
  // No additive rounding with these steps has a smaller total distance: by the linear program, in floating point, so
  // the solver's word. 0: no program was solved.
  int64_t distance_bound = 0;
  bool optimal = false;  // the total distance is the smallest with these steps
  RoundingFacts facts;
};

// Returns `values` rounded to multiples of `options.base` such that all relations hold, with a small total distance.
//
// Zero-restricted if possible: each value goes to one of the two nearest multiples, and multiples stay. Two dimensions
// of which at most one has a hierarchy are a network, and a linear program gives whole numbers; otherwise
// leaves are rounded (to what the program says, on small tables), everything else is added up, and leaves are exchanged
// until no value is beyond its nearest multiples, or the limit is reached; small tables are improved by branch and cut.
// What is found is always additive; `facts` tell which other guarantees hold, and were checked by addition alone.
// Zeros stay in every case. Values are rounded whether sensitive or not.
//
// Deterministic: the limits count steps. `relations`, `values`: of one measure. Empty cells stay empty.
// Errors: INVALID_ARGUMENT if an option is out of range, a value is outside 0 .. 2^50, the table does not add up, or a
// cell is defined by itself; FAILED_PRECONDITION if nothing additive was found: only where cells are the total of
// several relations over different leaves (linked tables); RESOURCE_EXHAUSTED as ReachOfLeaves.
// Source: Salazar-Gonzalez, Controlled rounding and cell perturbation (Math. Programming 105, 2006); Cox, A
// constructive procedure for unbiased controlled rounding (JASA 82, 1987).
[[nodiscard]] absl::StatusOr<ControlledRounding> RoundControlled(const Relations& relations,
                                                                 std::span<const int64_t> values,
                                                                 const ControlledRoundingOptions& options);

}  // namespace sluis::disclosure
