#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// The distribution of largest entropy with given moments.

namespace sluis::disclosure {

struct EntropyProblem {
  std::vector<double> value{};      // the support, ascending; |value| up to some 20
  double variance = 0;              // with mean 0
  std::optional<double> at_zero{};  // a fixed probability of the value 0, which is then in the support
  bool monotone = false;            // probabilities do not rise away from 0, on either side
};

// Returns the probabilities of the support's values, or nothing where no distribution with all of them above 0 was
// found.
//
// The dual is min over l of log(sum over v of exp(theta_v)) - l * target, where theta is the projection of
// l1 v + l2 v^2 (+ l0 at 0) to the monotone vectors (plain averages over pooled values): convex, with the moments as
// gradient, so that a damped Newton method finds it from l = 0. Moments hold to about 1e-13.
[[nodiscard]] std::optional<std::vector<double>> MaximiseEntropy(const EntropyProblem& problem);

// Replaces `theta` by its nearest vector (least squares) that does not rise away from the value 0, on either side;
// returns for each entry the number of its block, entries of one block being equal and numbered by the block's first
// entry. `value`: ascending, as long as `theta`.
[[nodiscard]] std::vector<size_t> PoolTowardsZero(std::span<const double> value, std::span<double> theta);

}  // namespace sluis::disclosure
