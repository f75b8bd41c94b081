#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "disclosure/bound/capacity_cut.h"
#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

// Looks for aggregates whose capacity cut is violated by adding relations one at a time: some microseconds where a
// linear program takes milliseconds, and it minimises the capped capacities themselves, which no linear program can.
// Not thread-safe (it keeps scratch space); the model may be shared.
class CutDescent {
 public:
  // `model` must outlive this object.
  explicit CutDescent(const ProtectionModel& model);

  // Returns the aggregate with the smallest sum of min(owed, capacity) * weight that a descent from `start` passes,
  // where "owed" and "capacity" are those of CutMaker. A move adds a relation so often that one of the dearest cells
  // drops out; dearer moves are taken as well, a few in a row. `weight`: per cell, the fractional pattern and some more
  // for cells that are cheap to suppress.
  // Precondition: the attacker's cell has a coefficient below 0 (up) or above 0 (down) in `start`.
  [[nodiscard]] Aggregate Run(const Attacker& attacker, const Aggregate& start, std::span<const double> weight);

  // The aggregate of one relation, taken with the sign that Run asks for. Precondition: the cell stands in it.
  [[nodiscard]] static Aggregate Seed(const Attacker& attacker, const ProtectionModel::Entry& relation);

 private:
  struct Move {
    int32_t relation = -1;
    int64_t times = 0;
    double change = 0;
  };
  [[nodiscard]] double CostOf(int32_t cell, int64_t times) const;
  void Apply(int32_t relation, int64_t times);
  void SortCells();
  [[nodiscard]] Move BestMove(int32_t step);
  [[nodiscard]] double ChangeBy(int32_t relation, int64_t times) const;

  const ProtectionModel& model_;
  // Scratch, as between calls: 0, 0, 0, -1.
  std::vector<int64_t> times_, relation_times_;  // per cell, per relation
  std::vector<double> cost_;                     // per cell
  std::vector<int32_t> changed_at_;              // per relation: the last step that changed it
  std::vector<int32_t> cells_, relations_;       // that are not as between calls
  // Of the run at hand.
  Attacker attacker_;
  double owed_ = 0;
  std::span<const double> weight_;
  std::vector<std::pair<double, int32_t>> dearest_;
};

}  // namespace sluis::disclosure
