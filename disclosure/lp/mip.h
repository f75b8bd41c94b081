#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/lp/lp.h"

// Programs whose columns are 0 or 1, behind one small interface.

namespace sluis::disclosure::lp {

struct BinaryOptions {
  // Nodes of the search tree; beyond it the best solution found so far comes back. Counted in steps, never in seconds.
  int64_t max_nodes = 10'000;
  // Simplex iterations, likewise.
  int64_t max_iterations = 1'000'000;
  // Only solutions with an objective below this are of interest.
  double cutoff = kInfinity;
  // A solution this near to the bound, as a part of it, ends the search. 0: the optimum.
  double relative_gap = 0;
  // Fewer kinds of cuts, and fewer rounds of them at a node: half the time on programs of some 150 columns and 300 rows
  // (2.3 instead of 4.5 s).
  bool few_cuts = false;
  // Looked at now and then; when it returns true, the search ends as at max_nodes. May be empty.
  std::function<bool()> stop;
};

struct BinaryAnswer {
  std::optional<std::vector<uint8_t>> solution;  // one entry per column
  // The search came to its end: the solution is within relative_gap of the optimum, or, without one, nothing is below
  // the cutoff. In floating point: a caller who claims more than "found" must check what follows from it.
  bool complete = false;
  int64_t iterations = 0;  // of the simplex method
};

// Minimises `problem`, all of whose columns are 0 or 1 (column bounds of 0 and 0, or 1 and 1, fix a column), by branch
// and cut with Cbc (COIN-OR). Deterministic unless `stop` ends it. Thread-safe for different problems. Prints nothing.
[[nodiscard]] absl::StatusOr<BinaryAnswer> SolveBinary(const Problem& problem, const BinaryOptions& options);

}  // namespace sluis::disclosure::lp
