#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "disclosure/suppress/certificate.h"
#include "disclosure/system/int128.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One cell's part of a vertex that a linear program found, in floating point.
struct ApproximateEntry {
  int32_t cell = 0;
  double approximate = 0;
  bool at_bound = false;  // the deviation is exactly `exact`; otherwise `approximate` is near it
  int64_t exact = 0;
};

// Turns vertices in floating point into deviations that hold exactly. Not thread-safe (it keeps scratch space).
class ExactDeviationFinder {
 public:
  // `system` and `incidence` must outlive this object.
  ExactDeviationFinder(const CellSystem& system, const Incidence& incidence);

  // Returns a deviation of `measure` near `vertex` that keeps every relation and every bound exactly, or nullopt if
  // none was found. First tries common denominators (1, 2, 3, ...) by rounding; then solves for the entries that are
  // not at a bound by rational elimination (a vertex is the only solution of the relations that hold with the others
  // fixed). `vertex`: ascending by cell; cells left out do not move. Does not look at the pattern or at protection
  // levels.
  [[nodiscard]] std::optional<Deviation> Find(int32_t measure, std::span<const ApproximateEntry> vertex);

 private:
  std::optional<Deviation> FindByRounding(int32_t measure, std::span<const ApproximateEntry> vertex);
  std::optional<Deviation> FindByElimination(int32_t measure, std::span<const ApproximateEntry> vertex,
                                             bool zeros_are_free);
  bool Holds(const Deviation& deviation);

  const CellSystem& system_;
  const Incidence& incidence_;
  std::vector<Int128> sum_;         // per relation, all 0 between calls
  std::vector<int32_t> local_row_;  // per relation, all -1 between calls
};

}  // namespace sluis::disclosure
