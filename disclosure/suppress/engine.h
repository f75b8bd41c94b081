#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/suppress/deviation_lp.h"
#include "disclosure/suppress/exact_deviation.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// The state of one run of Suppress: the pattern so far, and for each protection level the deviation that reaches it.
class SuppressionEngine {
 public:
  SuppressionEngine(const CellSystem& system, const SuppressOptions& options);

  // The three steps, in this order.
  [[nodiscard]] absl::Status Construct();
  [[nodiscard]] absl::Status Cleanup();
  [[nodiscard]] absl::Status Conceal();

  [[nodiscard]] SuppressionResult TakeResult();

 private:
  // One protection level: what the certificate will claim. witness: index into witnesses_, -1 while not reached.
  struct Target {
    int32_t measure = 0;
    int32_t cell = 0;
    Direction direction = Direction::kLower;
    int64_t level = 0;
    int64_t witness = -1;
  };
  // Levels reached by a deviation that avoids one cell, to be adopted if all of them can.
  struct Replacement {
    int64_t target = 0;
    int64_t deviation = 0;
  };
  // The suppressed cells hang together in components: what one component's cells do, others do not feel.
  struct Component {
    std::vector<int32_t> cells;
    std::vector<std::unique_ptr<CheapestDeviationLp>> lp;  // per measure, made when first needed
  };

  void CollectTargets();
  [[nodiscard]] absl::Status Checkpoint(SuppressPhase phase, int64_t done, int64_t total) const;
  [[nodiscard]] bool Serves(const Deviation& deviation, const Target& target) const;
  [[nodiscard]] int64_t FirstTarget(int32_t measure, int32_t cell) const;
  // Keeps `deviation`, suppresses its cells, and gives it to every open level that it reaches.
  void Absorb(Deviation deviation);
  // Gives open levels of all measures to multiples of witness `kept`, forwards and backwards, as far as bounds allow.
  void Stretch(int64_t kept);
  // What the linear programs that look for further cells charge for `cell`.
  [[nodiscard]] double Weight(int32_t cell) const;
  [[nodiscard]] int64_t Keep(Deviation deviation);
  void Assign(int64_t target, int64_t witness);
  [[nodiscard]] std::vector<int64_t> UsersOf(int32_t cell);

  void BuildComponents();
  [[nodiscard]] absl::StatusOr<CheapestDeviationLp*> ComponentLp(int32_t cell, int32_t measure);
  // Publishes `cell` again if every level that uses it can be reached without.
  [[nodiscard]] absl::Status TryRemove(int32_t cell);
  [[nodiscard]] absl::StatusOr<CheapestDeviationLp*> FullLp(int32_t measure);
  // Per cell: 1 if the value in `measure` is seen to move by a whole unit under the pattern, or is not suppressed.
  [[nodiscard]] absl::StatusOr<std::vector<uint8_t>> FindConcealed(int32_t measure);
  // Suppresses the cheapest cells that let `cell` move by one unit; false if there are none.
  [[nodiscard]] absl::StatusOr<bool> GiveCompany(int32_t measure, int32_t cell);

  const CellSystem& system_;
  const SuppressOptions& options_;
  const Incidence incidence_;
  ExactDeviationFinder exact_;
  std::vector<int32_t> row_scratch_;
  std::vector<std::unique_ptr<CheapestDeviationLp>> full_lp_;  // per measure
  std::vector<Target> targets_;
  std::vector<Deviation> witnesses_;
  std::vector<int64_t> witness_uses_;        // how many levels each serves; emptied at 0
  std::vector<std::vector<int64_t>> users_;  // per cell: levels whose witness moves it, or once moved it
  std::vector<double> weight_;               // per cell, for the linear programs
  std::vector<Component> components_;
  std::vector<int32_t> component_of_;
  SuppressionResult result_;
};

}  // namespace sluis::disclosure
