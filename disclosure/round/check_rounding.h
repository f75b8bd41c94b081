#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "disclosure/system/int128.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// What holds of a rounded table, found by addition and comparison alone.
struct RoundingFacts {
  bool multiples = false;        // every value is a multiple of the base, none is negative
  bool additive = false;         // every relation holds
  bool zero_restricted = false;  // max_steps is 0
  bool zeros_stay = false;       // what was 0 is 0
  // How many multiples a value is beyond the nearest two (beyond itself, if it was a multiple), at most.
  int64_t max_steps = 0;
  int64_t moved_cells = 0;    // with at least one such step
  int64_t max_distance = 0;   // of a value
  Int128 total_distance = 0;  // of all values
};

// Returns the facts about `rounded`, a rounding of `values` to multiples of `base` under `relations`. Exact.
// Errors: INVALID_ARGUMENT if the lengths differ, the base is below 2, a true value is negative, or a value is above
// 2^50 either way.
[[nodiscard]] absl::StatusOr<RoundingFacts> CheckRounding(const Relations& relations, std::span<const int64_t> values,
                                                          int64_t base, std::span<const int64_t> rounded);

}  // namespace sluis::disclosure
