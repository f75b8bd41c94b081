#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/attack/attack.h"
#include "disclosure/lp/lp.h"

namespace sluis::disclosure {

// What is left to an attacker after subtracting the published cells from the relations and adding up what can be added
// up: for each suppressed cell whole-number bounds, and the components in which cells depend on each other.
struct AttackerModel {
  // One relation among suppressed cells: sum of sign * value = right_side.
  struct Row {
    std::vector<std::pair<int32_t, int8_t>> terms;  // suppressed cell, +1 or -1
    int64_t right_side = 0;
  };
  std::vector<Row> rows;
  std::vector<int64_t> low;                      // per cell, exact
  std::vector<int64_t> high;                     // per cell, exact; kNoUpperBound if none
  std::vector<std::vector<int32_t>> components;  // cells, ascending; ordered by first cell
  std::vector<std::vector<int32_t>> component_rows;
};

// Errors: INVALID_ARGUMENT as FindIntervals.
[[nodiscard]] absl::StatusOr<AttackerModel> BuildAttackerModel(const PublishedTable& table,
                                                               std::span<const KnownRange> known);

// The linear program of one component, solved for many cells in turn.
class ComponentAttack {
 public:
  // `model` must outlive the object.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ComponentAttack>> Create(const AttackerModel& model,
                                                                               size_t component, AttackEffort& effort);

  // Pushes the cell at `place` in the component as far as it goes, but not beyond `stop` (a value; use -1 and
  // kNoUpperBound for no stop), and returns how far that was: infinity if without bound. Updates seen_low and seen_high
  // of all cells of the component.
  [[nodiscard]] absl::StatusOr<double> Push(size_t place, bool up, int64_t stop, AttackEffort& effort);

  // Narrows the cell at `place` to low .. high (values; within its bounds) until Release. A range that leaves out every
  // possible table makes later pushes fail.
  void Confine(size_t place, double low, double high);
  // Gives all cells their own bounds again.
  void Release();
  // Forgets the tables seen so far: those to come are for somebody who knows more.
  void Forget();

  // Pushes many cells at once, each as far as it goes along with the others: for each place the sign of `direction`
  // says up, down or not at all, its size how much a unit of that cell counts. Updates seen_low and seen_high of all
  // cells. For cells that are confined: the others may go on without bound. `direction`: one entry per cell of the
  // component.
  [[nodiscard]] absl::Status PushTogether(std::span<const double> direction, AttackEffort& effort);

  // Per cell of the component: the least and the largest value in any table seen so far.
  [[nodiscard]] double seen_low(size_t place) const { return seen_low_[place]; }
  [[nodiscard]] double seen_high(size_t place) const { return seen_high_[place]; }
  // Differences below this are rounding errors of the solver.
  [[nodiscard]] double tolerance() const;

 private:
  ComponentAttack(const AttackerModel& model, size_t component);
  void RecordTable();
  [[nodiscard]] double ScaledHigh(size_t place) const;

  const AttackerModel& model_;
  const std::vector<int32_t>& cells_;
  std::unique_ptr<lp::Solver> solver_;
  double scale_ = 1;
  std::vector<double> no_objective_;
  std::vector<double> lower_, upper_;  // bounds of the columns at hand
  std::vector<double> seen_low_, seen_high_;
};

}  // namespace sluis::disclosure
