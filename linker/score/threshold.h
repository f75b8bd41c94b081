#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "linker/score/curves.h"

// Which score is the threshold, and whether it can be believed.

namespace sluis::linker {

inline constexpr double kLeastPrecision = 0.5;

// The best threshold of all, and the best of those above which records have one candidate each.
struct BestBins {
  std::optional<std::size_t> any;
  std::optional<std::size_t> tellable;
};

[[nodiscard]] BestBins FindBestBins(const Curves& curves, const SideSample& a, const SideSample* b);

// Returns whether nothing is above what non-matches reach, or no more than they would give by chance.
[[nodiscard]] bool FindsNoMatches(const Curves& curves, const BestBins& best, const SideSample& sample_a,
                                  const SideSample* sample_b);

// Returns why nothing can be linked by the curves, for people to read, or an empty string.
[[nodiscard]] std::string WhyNot(const Curves& curves, const BestBins& best, const SideSample& sample_a,
                                 const SideSample* sample_b);

// The lowest score from which on precision is high, or kLinkNothing. Of a few links at the very top it may not be known
// to be; from where it first is, it must stay so.
[[nodiscard]] std::int32_t ConfidentScore(const Curves& curves, const ScoreGrid& grid);

}  // namespace sluis::linker
