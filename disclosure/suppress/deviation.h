#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "disclosure/suppress/certificate.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// Cells that somebody knows not to be below a value above 0, ascending by cell.
using LeastValues = std::vector<std::pair<int32_t, int64_t>>;

// One protection level: what the certificate will claim.
struct Target {
  int32_t measure = 0;
  int32_t cell = 0;
  Direction direction = Direction::kLower;
  int64_t level = 0;                   // >= 1
  int64_t witness = -1;                // which deviation reaches it; -1 while none does
  const LeastValues* least = nullptr;  // what the attacker knows of other cells; null: nothing
};

// Returns true if `deviation` moves the cell of `target` in its measure at least as far as asked.
[[nodiscard]] bool Serves(const Deviation& deviation, const Target& target);

// A fraction of amounts, not in lowest terms. denominator >= 1.
struct Ratio {
  int64_t numerator = 0;
  int64_t denominator = 1;

  friend bool operator<(const Ratio& a, const Ratio& b);
};

// Returns how often `shape` (backwards: its opposite) can be added to the true values of `measure` within the bounds.
// The relations are the same for all measures: a multiple of a deviation of one is a deviation of any other.
[[nodiscard]] Ratio MostTimes(const Measure& measure, const Deviation& shape, bool backwards);

// Returns `shape` times `ratio` (backwards: times -ratio) as a deviation of `measure`, or nothing if its numbers grow
// beyond 64 bits. Does not look at bounds.
[[nodiscard]] std::optional<Deviation> Times(const Deviation& shape, int32_t measure, bool backwards, Ratio ratio);

// Returns the least multiple of `shape` that serves `target` within the bounds, or nothing.
[[nodiscard]] std::optional<Deviation> MultipleFor(const CellSystem& system, const Deviation& shape,
                                                   const Target& target);

}  // namespace sluis::disclosure
