#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/round/leaf_choice.h"

namespace sluis::disclosure {

// Rounding by the leaves: each to one of its two multiples of the base, everything else added up, with few values
// beyond their nearest multiples and a small total distance.
class LeafRounding {
 public:
  // Errors: as OrderFromLeaves and ReachOfLeaves. `relations` and `values` must outlive the object.
  [[nodiscard]] static absl::StatusOr<LeafRounding> Create(const Relations& relations, std::span<const int64_t> values,
                                                           int64_t base);

  // Starts with every leaf where the squared errors of what was decided before it are smaller.
  [[nodiscard]] std::vector<int64_t> FromNothing(int64_t max_evaluations) const;
  // Starts with the cells of `up` (one entry a cell) at their upper multiples, the others at their lower ones.
  [[nodiscard]] std::vector<int64_t> From(std::span<const uint8_t> up, int64_t max_evaluations) const;

 private:
  LeafRounding(const Relations& relations, std::span<const int64_t> values, int64_t base)
      : relations_(&relations), values_(values), base_(base) {}
  [[nodiscard]] LeafChoice NewChoice() const;
  [[nodiscard]] std::vector<int64_t> Finish(LeafChoice choice, int64_t max_evaluations) const;

  const Relations* relations_;
  std::span<const int64_t> values_;
  int64_t base_;
  AddUpOrder order_;
  LeafReach reach_;
  std::vector<size_t> choosing_;    // leaves that are no multiples
  std::vector<int64_t> own_error_;  // of each at its lower multiple
  std::vector<uint8_t> counts_;     // every cell
  std::vector<std::vector<int32_t>> groups_;
};

}  // namespace sluis::disclosure
