#pragma once

#include <cmath>
#include <cstdint>

#include "linker/cluster/assignment.h"

namespace sluis::linker {

// Whether `log_odds` is a number within +-kMaxLogOdds; false for NaN.
inline bool IsUsable(double log_odds) { return std::abs(log_odds) <= kMaxLogOdds; }

// `log_odds` in units of 1 / kLogOddsUnits, rounded to the nearest.
inline std::int64_t ToUnits(double log_odds) { return std::llround(log_odds * kLogOddsUnits); }

inline double FromUnits(std::int64_t units) { return static_cast<double>(units) / kLogOddsUnits; }

}  // namespace sluis::linker
