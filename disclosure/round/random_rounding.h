#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/cell_key/keys.h"

// Fixed random rounding: unbiased, each cell by itself, the same set of records always in the same way. Rounded tables
// do not add up, except by chance.

namespace sluis::disclosure {

// Counts from `from` to the next range are rounded to multiples of `base`.
struct RoundingRange {
  int64_t from = 0;
  int64_t base = 0;  // 2 .. 1,000,000
};

// Returns each count rounded to one of the two nearest multiples of its range's base, to the upper one with probability
// (distance from the lower one) / base: unbiased to within 2^-64 of the base. Multiples, 0 among them, stay.
//
// The chance is the draw of the cell's key: it depends on the secret, the variable and the set of records only.
// `ranges`: ascending, the first from 0. One range {0, 3} is random rounding to base 3 (RR3 of Stats NZ); its
// graduated form is {0, 3}, {19, 2}, {20, 5}, {100, 10}, {1000, 100}.
// Errors: INVALID_ARGUMENT if the lengths differ, ranges or bases are out of order or range, or a count is negative or
// above 2^50 (the message names the index).
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> RoundRandomly(std::span<const int64_t> counts,
                                                                 std::span<const uint64_t> cell_keys,
                                                                 std::span<const RoundingRange> ranges,
                                                                 const DrawSource& draws);

}  // namespace sluis::disclosure
