#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/lp/lp.h"

namespace sluis::disclosure {

// The linear programs of all attackers of one measure against one fractional pattern: how far can he take his cell, if
// cell j may move by x_j times its reach? Only cells with x_j > 0 are in it; the multipliers of the relations give the
// aggregate of a capacity cut. Not thread-safe.
class AttackerLp {
 public:
  // `x`: per cell, the fractional pattern; copied. Errors: those of lp::Solver::Load.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AttackerLp>> Create(const ProtectionModel& model, int32_t measure,
                                                                          std::span<const double> x);

  struct Answer {
    lp::Outcome outcome = lp::Outcome::kFailed;
    bool reached = false;         // the attacker's level
    std::vector<Aggregate> cuts;  // if not reached: roundings of the multipliers, the most exact one first
  };
  // `capped`: no cell moves by more than `cap`, which is at least the attacker's need. Reached then still means
  // reached; the aggregates are sharper, as capacity beyond the need counts for nothing in a cut. Successive calls with
  // the same cap are quick.
  [[nodiscard]] Answer Solve(const Attacker& attacker, std::optional<int64_t> cap);

  [[nodiscard]] int64_t iterations() const { return iterations_; }
  [[nodiscard]] int64_t solves() const { return solves_; }
  // The deviations of the last solve that reached its level: (cell, amount), amounts in the measure's unit.
  [[nodiscard]] std::vector<std::pair<int32_t, double>> Deviations() const;

 private:
  AttackerLp(const ProtectionModel& model, int32_t measure) : model_(model), measure_(measure) {}
  void SetBounds(int64_t unit, bool capped);

  const ProtectionModel& model_;
  const int32_t measure_;
  std::unique_ptr<lp::Solver> solver_;
  std::vector<int32_t> cells_;      // per column
  std::vector<double> x_;           // per column
  std::vector<int32_t> relations_;  // per row
  std::vector<double> lower_, upper_, objective_;
  int64_t unit_ = 0;
  bool capped_ = false;
  int64_t iterations_ = 0;
  int64_t solves_ = 0;
};

}  // namespace sluis::disclosure
