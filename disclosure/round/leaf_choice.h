#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "disclosure/add_up/add_up.h"

namespace sluis::disclosure {

// Leaves that each go to one of two values, `step` apart, and what that does to every cell above them: the core of all
// methods that round leaves and add up again.
class LeafChoice {
 public:
  enum class Cost {
    kDistance,  // |error| + 3 * step for each whole step of it: distance, and first of all no error of a step or more
    kSquared,   // error^2
  };

  // `leaf`: positions in `reach` of the leaves that choose. `error`: of each cell, result minus true value with every
  // leaf at its lower value. `counts`: cells whose error counts (one entry a cell). All must outlive the object.
  LeafChoice(const LeafReach& reach, std::span<const size_t> leaf, int64_t step, std::vector<int64_t> error,
             std::span<const uint8_t> counts, Cost cost);

  // Goes through the leaves once and puts each where the sum of squared errors of what was decided so far is smaller
  // (`own_error`: of each leaf at its lower value, <= 0). Precondition: nothing has been chosen yet.
  void Balance(std::span<const int64_t> own_error);
  // Puts each leaf to its upper value where `upper` has a 1. Precondition: nothing has been chosen yet.
  void StartFrom(std::span<const uint8_t> upper);
  // Changes single leaves, then pairs of opposite leaves in one group, as long as that lowers the cost; `groups`: lists
  // of indices into `leaf`. At most `max_evaluations` changes are looked at. Returns how many were.
  int64_t Improve(const std::vector<std::vector<int32_t>>& groups, int64_t max_evaluations);

  // Continues from a local optimum of kDistance where errors of a step or more remain: takes the best change of a leaf
  // of such a cell, alone or with an opposite one of its groups, and where none lowers the cost, makes the errors of a
  // step or more dearer (breakout local search). Ends with the choice of fewest such steps met on the way, and of those
  // with the least distance. Deterministic. At most `max_evaluations` changes are looked at.
  void Repair(const std::vector<std::vector<int32_t>>& groups, int64_t max_evaluations);

  [[nodiscard]] const std::vector<uint8_t>& upper() const { return upper_; }
  [[nodiscard]] const std::vector<int64_t>& error() const { return error_; }

 private:
  void Refresh(size_t cell);
  [[nodiscard]] int64_t Gain(size_t item) const;
  [[nodiscard]] bool Exceeds(size_t cell) const;
  [[nodiscard]] int64_t PairGain(size_t a, size_t b) const;
  void Flip(size_t item);

  const LeafReach& reach_;
  std::span<const size_t> leaf_;
  int64_t step_;
  std::vector<int64_t> error_;
  std::span<const uint8_t> counts_;
  Cost cost_;
  std::vector<int64_t> weight_;  // of each cell: what a whole step of its error costs beyond the distance
  std::vector<uint8_t> upper_;
  std::vector<int64_t> rise_, fall_;  // of each cell: change of cost by a step up or down
  // The cells of each leaf that choose, ascending.
  std::vector<int64_t> begin_;
  std::vector<int32_t> cell_;
};

// Returns, for each relation with two leaves or more that choose, their indices. `item_of`: of each cell the index
// among the leaves that choose, or -1.
[[nodiscard]] std::vector<std::vector<int32_t>> GroupsOfItems(const Relations& relations,
                                                              std::span<const int32_t> item_of);

}  // namespace sluis::disclosure
