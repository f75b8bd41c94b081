#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/cut_master.h"
#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

struct IntegerMasterOptions {
  int64_t max_nodes = 2'000;         // of each component's search tree
  int64_t max_iterations = 200'000;  // simplex iterations of each component
  double relative_gap = 0;           // a solution this near to its bound is good enough
  // Only cells whose suppression raises the relaxation's bound by less than this are thought of, others are published;
  // a negative number: all cells are.
  int64_t max_reduced = -1;
  int32_t threads = 1;
  std::function<bool()> stop;  // called from any thread; may be empty
};

struct IntegerMasterAnswer {
  std::vector<uint8_t> pattern;  // per cell, primary ones included; satisfies all cuts. Empty: none was found
  int64_t cost = 0;              // of its secondary cells
  // The cheapest among all patterns that satisfy the cuts and the cells fixed in the master; if `pattern` is empty,
  // there is none.
  bool optimal = false;
  int64_t iterations = 0;  // of the simplex method
  int64_t components = 0;
  int64_t largest_component = 0;  // cells
};

// Returns the cheapest whole pattern that satisfies the cuts of `master`, or a good one if the limits do not allow
// more. The program falls into components of cells that no cut joins: each is solved by itself. Deterministic for any
// number of threads, as long as `stop` is. Errors: INTERNAL if the solver fails.
[[nodiscard]] absl::StatusOr<IntegerMasterAnswer> SolveIntegerMaster(const ProtectionModel& model,
                                                                     const CutMaster& master,
                                                                     const IntegerMasterOptions& options);

}  // namespace sluis::disclosure
