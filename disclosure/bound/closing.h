#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/covering.h"
#include "disclosure/bound/cut_descent.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/bound/whole_attack.h"

namespace sluis::disclosure {

struct ClosingRound {
  // The program was solved to its end: no pattern that protects and keeps the fixed cells costs less than `bound`, or,
  // if `none`, there is no such pattern. The solver's word.
  bool complete = false;
  bool none = false;
  int64_t bound = 0;
  // A pattern, primary cells included, under which nobody falls short (in floating point), and its cost. Empty: the
  // program was not solved, or its solution could not be completed within the fixed cells.
  std::vector<uint8_t> pattern;
  int64_t cost = 0;
  int64_t fall_short = 0;  // attackers under the program's own solution; 0 and complete: `pattern` is the optimum
  int64_t cuts = 0;        // new ones
  int64_t linear_programs = 0;
  int64_t integer_programs = 0;  // components and completions
  int64_t simplex_iterations = 0;
  int64_t integer_iterations = 0;
};

// Closes the gap: integer programs over all cuts found so far, and cuts against all attackers who fall short under
// their solutions, in turn. Each solution is completed to a pattern that protects by further, small programs, whose
// cuts stay as well: they say what the last few attackers cost, which one cut at a time would take hundreds of rounds
// for. Not thread-safe; deterministic for any number of threads, as long as `stop` is.
class Closing {
 public:
  // `model` must outlive this object.
  explicit Closing(const ProtectionModel& model);

  // Adds cuts to those that are kept; those known are left out.
  void Add(std::span<const CapacityCut> cuts);

  // One round. `lower`, `upper`: as in Covering::Solve. Errors: INTERNAL if the solver fails; those of
  // lp::Solver::Load.
  [[nodiscard]] absl::StatusOr<ClosingRound> Round(std::span<const uint8_t> lower, std::span<const uint8_t> upper,
                                                   const CoveringOptions& options);

 private:
  // Cuts that `pattern` violates, dearest to satisfy first, a few for each of `attackers`; new ones only.
  [[nodiscard]] absl::StatusOr<std::vector<CapacityCut>> CutsAgainst(std::span<const uint8_t> pattern,
                                                                     std::span<const int32_t> attackers,
                                                                     std::span<const uint8_t> upper,
                                                                     ClosingRound& round);
  // What descents minimise: see CutDescent.
  [[nodiscard]] std::vector<double> DescentWeight(std::span<const uint8_t> pattern,
                                                  std::span<const uint8_t> upper) const;
  // Keeps the cut; false if it is known.
  bool Keep(const CapacityCut& cut);

  const ProtectionModel& model_;
  std::vector<CapacityCut> cuts_;
  std::set<std::vector<int64_t>> known_;  // cuts as strings of numbers
  Covering covering_;
  WholeAttack attack_;
  CutMaker maker_;
  CutDescent descent_;
};

}  // namespace sluis::disclosure
