#pragma once

#include <span>
#include <vector>

#include "linker/fellegi_sunter/pattern.h"

namespace sluis::linker {

// A kind of pairs of two persons that agree far more than strangers do, such as those of one household: within it the
// fields are independent.
struct Kinship {
  double share = 0;                    // of all pairs of two persons
  std::vector<std::vector<double>> u;  // by field and level less 1; each sums to 1
  // Logarithms of the above. By field and level code, 8 each, with 0 for missing: one addition a field.
  double log_share = 0;
  std::vector<double> log_u;
};

// Returns the natural logarithm of the probability of `pattern` for a pair of strangers or kin, given that for
// strangers.
[[nodiscard]] double LogWithKin(std::span<const Kinship> kinships, PatternCode pattern, double log_strangers);

// Returns the kinds of pairs, at most three, in which the sample departs from what `log_strangers` says of its
// patterns: one after the other, each begun with the pairs in excess of the kinds before it, by EM with the strangers
// fixed. A kind that raises the log-likelihood by less than 20 ends the search. `u`: of strangers, by field and level
// less 1; a kind is smoothed with two pairs of it. The sample must be free of matches, which would be the first kind.
// Cost: O(patterns * fields) for each of some 100 steps.
[[nodiscard]] std::vector<Kinship> FindKinships(std::span<const WeightedPattern> sample,
                                                std::span<const double> log_strangers,
                                                const std::vector<std::vector<double>>& u);

}  // namespace sluis::linker
