#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/attacker_lp.h"
#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/cut_descent.h"
#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

struct ViolatedCut {
  CapacityCut cut;
  int32_t attacker = 0;  // index into ProtectionModel::attackers()
  double violation = 0;  // of the cut divided by its need, 0 .. 1
  double efficacy = 0;   // the same divided by the length of the coefficients: how far x is away from the cut
};

struct SeparationRequest {
  std::span<const double> x;       // per cell, 0 .. 1; primary cells are taken to be 1
  std::span<const double> weight;  // per cell, >= x: what descents minimise, see CutDescent
  // How far to look for attackers against whom descents find nothing: not at all; with capacities capped at the need
  // (finds most of what there is); or until each is either shown to reach his level or has a violated cut.
  enum class Programs { kNone, kCapped, kExact } programs = Programs::kNone;
  double min_violation = 1e-3;
  // Simplex iterations after which a lane (an eighth of the attackers) begins no further linear program.
  int64_t max_lane_iterations = std::numeric_limits<int64_t>::max();
  int32_t threads = 1;
  // When it returns true, attackers not yet looked at are left unknown. Called from any thread; may be empty.
  std::function<bool()> stop = {};
};

struct Separation {
  std::vector<ViolatedCut> cuts;  // by attacker, at most one each
  int64_t reached = 0;            // attackers known to reach their level under x
  int64_t programs = 0;           // linear programs solved
  int64_t iterations = 0;         // simplex iterations in them
  int64_t unknown = 0;            // neither reached nor cut off
};

// Finds attackers whose protection level is not reached under a fractional pattern, and capacity cuts that the pattern
// violates. Remembers what it found: the next call starts from there. Deterministic for any number of threads:
// attackers are divided among lanes beforehand. Not thread-safe.
class Separator {
 public:
  // `model` must outlive this object.
  explicit Separator(const ProtectionModel& model);

  // Errors: those of lp::Solver::Load.
  [[nodiscard]] absl::StatusOr<Separation> Separate(const SeparationRequest& request);

 private:
  // A deviation (cell, amount) under some earlier x, times a factor: it moves all cells of an attacker's table at once.
  using Moves = std::vector<std::pair<int32_t, double>>;
  struct Memory {
    std::vector<Aggregate> aggregates;   // that cut off an earlier x, the latest first
    std::shared_ptr<const Moves> moves;  // that reached the level once, multiplied by:
    double factor = 1;
  };
  struct Lane {
    explicit Lane(const ProtectionModel& model) : cuts(model), descent(model) {}
    CutMaker cuts;
    CutDescent descent;
    int32_t number = 0;
    std::vector<int32_t> attackers;
    std::vector<std::unique_ptr<AttackerLp>> lp;  // per measure, for the x at hand
    std::vector<uint8_t> reached;                 // per attacker, under the x at hand
    Separation found;
  };
  [[nodiscard]] absl::Status RunLane(const SeparationRequest& request, std::span<const uint8_t> present, Lane& lane);
  // Keeps the better one of `best` and what `aggregate` gives.
  void Consider(const SeparationRequest& request, std::span<const uint8_t> present, int32_t attacker,
                const Aggregate& aggregate, Lane& lane, std::optional<ViolatedCut>& best) const;
  // Marks the attackers of `lane` whose level `moves`, forwards or backwards, reaches under x as far as it fits.
  void Share(int32_t measure, const std::shared_ptr<const Moves>& moves, std::span<const double> x, Lane& lane);
  // How often `moves` (times `sign`) fits under x.
  [[nodiscard]] double Fits(int32_t measure, const Moves& moves, double sign, std::span<const double> x) const;
  [[nodiscard]] bool StillReached(const Attacker& attacker, const Memory& memory, std::span<const double> x) const;

  const ProtectionModel& model_;
  std::vector<Memory> memory_;    // per attacker
  std::vector<int32_t> lane_of_;  // per attacker
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace sluis::disclosure
