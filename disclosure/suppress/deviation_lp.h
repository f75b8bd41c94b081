#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/lp/lp.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/deviation.h"
#include "disclosure/suppress/exact_deviation.h"
#include "disclosure/suppress/neighbourhood.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// A price at which a cell must not deviate.
inline constexpr double kForbidden = -1;

// The linear program of the engine: the cheapest deviation from the true table of one measure, over a fixed set of
// cells, by which one cell moves to its protection level. Columns: each cell's deviation split into its positive and
// its negative part, so that weight counts in both directions; deviations therefore stay sparse.
class CheapestDeviationLp {
 public:
  // `cells`: ascending, all suppressible. `scratch`: one entry per relation, all -1, and again so afterwards.
  // `system` must outlive the object. Errors: those of lp::Solver::Load.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CheapestDeviationLp>> Create(const CellSystem& system,
                                                                                   const Incidence& incidence,
                                                                                   int32_t measure,
                                                                                   std::vector<int32_t> cells,
                                                                                   std::vector<int32_t>& scratch);

  // Minimises the price of the deviating cells, where the target's cell deviates by exactly its level. `price`: what it
  // costs to let a cell deviate as far as the level or its value goes. Cells outside `cells` never deviate.
  // kOptimal: `vertex()` holds the deviation. kInfeasible: there is none.
  [[nodiscard]] lp::Outcome Solve(const Target& target, CellPrice price);

  [[nodiscard]] std::span<const ApproximateEntry> vertex() const { return vertex_; }
  [[nodiscard]] std::span<const int32_t> cells() const { return cells_; }
  [[nodiscard]] int64_t iterations() const { return solver_->Iterations(); }

 private:
  CheapestDeviationLp(const Measure& measure, std::vector<int32_t> cells);
  [[nodiscard]] size_t ColumnOf(int32_t cell, Direction direction) const;
  // Amounts in the linear program are in multiples of `unit`.
  void SetBounds(int64_t unit, CellPrice price, const LeastValues* least);
  void ReadVertex(int64_t unit);

  const Measure& measure_;
  std::vector<int32_t> cells_;  // columns j and j + cells_.size(): up and down of cells_[j]
  std::unique_ptr<lp::Solver> solver_;
  std::vector<double> lower_, upper_, objective_;
  std::vector<int64_t> reach_;  // per column: the upper bound, not scaled
  std::vector<ApproximateEntry> vertex_;
};

}  // namespace sluis::disclosure
