#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

struct CoveringOptions {
  int64_t max_nodes = 5'000;         // of each component's search tree
  int64_t max_iterations = 200'000;  // simplex iterations of each component
  int32_t threads = 1;
  std::function<bool()> stop;  // called from any thread; may be empty
};

struct CoveringAnswer {
  std::vector<uint8_t> pattern;  // per cell, primary ones included; satisfies all cuts. Empty: none was found
  int64_t cost = 0;              // of its secondary cells
  // Each component was searched to its end: nothing that satisfies the cuts and the fixed cells is cheaper, or, if
  // `pattern` is empty, nothing does. The solver's word.
  bool complete = false;
  int64_t iterations = 0;  // of the simplex method
  int64_t components = 0;
  int64_t solved = 0;  // components that were not known from earlier calls
};

// Solves covering programs in whole numbers that differ little from one call to the next: the cheapest cells such that
// every cut holds. A program falls into components of cells that no cut joins, and one that was solved before is not
// solved again. Not thread-safe; deterministic for any number of threads, as long as `stop` is.
class Covering {
 public:
  // `model` must outlive this object.
  explicit Covering(const ProtectionModel& model) : model_(model) {}

  // `lower`, `upper`: per cell, 0 or 1, equal for those that are fixed; read for free cells.
  // Errors: INTERNAL if the solver fails.
  [[nodiscard]] absl::StatusOr<CoveringAnswer> Solve(std::span<const CapacityCut> cuts, std::span<const uint8_t> lower,
                                                     std::span<const uint8_t> upper, const CoveringOptions& options);

 private:
  struct Solution {
    std::vector<uint8_t> x;  // per cell of the component; empty: none was found
    bool complete = false;
  };

  const ProtectionModel& model_;
  std::map<std::vector<int64_t>, Solution> known_;  // by all that a component consists of, as a string of numbers
};

}  // namespace sluis::disclosure
