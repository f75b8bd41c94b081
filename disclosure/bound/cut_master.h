#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/lp/lp.h"

namespace sluis::disclosure {

// Returns a number that no pattern which satisfies `cuts` can cost less than, secondary cells only: the value of the
// cuts for these multipliers, rounded up as costs are whole,
//   sum of multiplier * need + sum over free cells of the least of (cost - sum of multiplier * coefficient) * x
// over x from lower to upper. Exact for any multipliers >= 0, wherever they come from.
// `multiplier`: per cut, in cost for the whole need. `lower`, `upper`: per cell, 0 or 1; read for free cells.
// `reduced`, if not null: per cell, receives what is left of its cost, rounded towards 0: positive, the bound rises by
// as much if the cell is suppressed; negative, if it is published; 0 for cells that are fixed or not free.
[[nodiscard]] int64_t BoundOf(const ProtectionModel& model, std::span<const CapacityCut> cuts,
                              std::span<const double> multiplier, std::span<const uint8_t> lower,
                              std::span<const uint8_t> upper, std::vector<int64_t>* reduced);

// The covering program: minimise the cost of secondary cells subject to the capacity cuts found so far, fractions
// allowed. Not thread-safe.
class CutMaster {
 public:
  // `stop`: as lp::SolverOptions; Solve then fails. May be empty.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CutMaster>> Create(const ProtectionModel& model,
                                                                         std::function<bool()> stop = {});

  // `against_whole`: the cuts were made against a whole pattern. Where the relaxation does not need them, the integer
  // program does: Purge sets them aside.
  [[nodiscard]] absl::Status Add(std::vector<CapacityCut> cuts, bool against_whole = false);
  // Solves from the last basis. Errors: INTERNAL if the solver fails; FAILED_PRECONDITION if the cuts contradict the
  // fixed cells: no pattern cheaper than the one that fixed them.
  [[nodiscard]] absl::Status Solve();
  // After Solve: x per cell (1 for primary ones), and the proven bound under the cells fixed so far.
  [[nodiscard]] std::span<const double> x() const { return x_; }
  [[nodiscard]] int64_t bound() const { return bound_; }
  // Fixes cells that a pattern cheaper than `best_cost` suppresses, or publishes, for certain; returns how many.
  int64_t FixAgainst(int64_t best_cost);
  // Fixes one free cell.
  void Fix(int32_t cell, bool suppressed);
  // Undoes Fix.
  void Release(int32_t cell);
  // Takes cuts that have been slack in the last `rounds` solves out of the program.
  void Purge(int32_t rounds);

  [[nodiscard]] std::span<const CapacityCut> cuts() const { return cuts_; }
  // Cuts against whole patterns that were purged: no longer in the program, and violated by none of its patterns but
  // whole ones.
  [[nodiscard]] std::span<const CapacityCut> set_aside() const { return set_aside_; }
  [[nodiscard]] std::span<const uint8_t> lower() const { return lower_; }
  [[nodiscard]] std::span<const uint8_t> upper() const { return upper_; }
  [[nodiscard]] int64_t iterations() const { return iterations_; }
  // Per cell, what is left of its cost; see BoundOf.
  [[nodiscard]] std::span<const int64_t> reduced() const { return reduced_; }

 private:
  explicit CutMaster(const ProtectionModel& model);
  [[nodiscard]] bool ContradictsFixed() const;

  const ProtectionModel& model_;
  std::unique_ptr<lp::Solver> solver_;
  std::vector<int32_t> cells_;      // per column
  std::vector<int32_t> column_of_;  // per cell, -1 if it is not free
  std::vector<CapacityCut> cuts_;   // per row
  std::vector<uint8_t> lasting_;    // per row: made against a whole pattern
  std::vector<int32_t> slack_for_;  // per row: solves since it was last tight
  std::vector<double> multiplier_;  // per row
  std::vector<CapacityCut> set_aside_;
  std::vector<double> x_;
  std::vector<uint8_t> lower_, upper_;  // per cell
  std::vector<int64_t> reduced_;
  int64_t bound_ = 0;
  int64_t iterations_ = 0;
};

}  // namespace sluis::disclosure
