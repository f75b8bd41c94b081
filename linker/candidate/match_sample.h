#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linker/candidate/block_pass.h"
#include "linker/candidate/nearest_lists.h"

// Probable matches, found by exhaustive comparison of a sample of rows, against which recall is estimated.

namespace sluis::linker::candidate {

// A sampled row, its nearest row in the other source, and how probable it is that they match.
struct ProbableMatch {
  std::uint32_t a;
  std::uint32_t b;
  double probability;
};

struct MatchSample {
  std::uint32_t rows = 0;
  std::vector<ProbableMatch> matches;
};

// Returns up to 1,024 rows of the smaller source (fewer if they would need more than 2^31 comparisons, but not below
// 64), evenly spaced, each with its nearest row at or above the plan's bound. Empty if a stop was requested.
//
// The similarity of the nearest stranger is not seen, since the nearest row may be the match; but the k-th nearest row
// is a stranger (k = 2 between sources, 8 within one, which may hold several records of a person). If strangers'
// similarities are independent and G is the distribution function of their largest, then that of the k-th largest is
// H = G * sum over j < k of (-ln G)^j / j!. A Gumbel distribution G is fitted so that H is what is seen. With B the
// distribution function of the nearest, the share of rows without a match is at most min B/G (each B taken two standard
// errors higher), and of the rows in an interval of similarities, that share times the increase of G are strangers;
// isotonic regression makes the shares of matches rise with similarity.
//
// All of this errs towards fewer matches: where rows differ in how near their strangers are, and where rows have a
// match (whose k-th nearest is the (k-1)-th nearest stranger), strangers are taken for nearer than they are. Sources:
// David & Nagaraja, Order Statistics (2003), for H; Gumbel, Statistics of Extremes (1958), for G; Efron, Large-Scale
// Inference (2010), for the share; Barlow et al., Statistical Inference under Order Restrictions (1972).
[[nodiscard]] MatchSample SampleMatches(const Search& search);

// Returns for each pair of nearest[i] and kth[i] (similarities of the nearest and k-th nearest row; 0: there is none)
// the probability that the nearest is a match. It never falls as nearest[i] rises. All 0 if fewer than 30 k-th nearest
// are known.
[[nodiscard]] std::vector<double> MatchProbabilities(std::span<const std::uint32_t> nearest,
                                                     std::span<const std::uint32_t> kth, std::uint32_t k);

}  // namespace sluis::linker::candidate
