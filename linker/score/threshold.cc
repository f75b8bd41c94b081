#include "linker/score/threshold.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "linker/score/score_fit.h"

namespace sluis::linker {
namespace {

constexpr double kNotByChance = 1e-4;  // of as many links as there are if all were false
constexpr double kConfidentPrecision = 0.95;
constexpr double kSecondsOfLinks = 0.05;  // so many strangers above the threshold are borne
constexpr double kLeastTellable = 0.5;    // of the links at the best threshold, where strangers are as few

// `allowed`: by bin.
std::optional<std::size_t> BestBin(const Curves& curves, const std::vector<bool>& allowed) {
  std::optional<std::size_t> best;
  double best_f1 = 0;
  for (std::size_t g = curves.links.size(); g-- > 0;) {
    if (!allowed[g]) {
      continue;
    }
    const double sum = curves.links[g] + std::max(curves.matches, TrueLinks(curves, g));
    const double f1 = sum > 0 ? 2 * TrueLinks(curves, g) / sum : 0;
    if (f1 > best_f1) {
      best_f1 = f1;
      best = g;
    }
  }
  return best;
}

// Forbids the bins at or above which more rows than the tail explains have a second score: strangers who are as alike
// as matches, which a person can have only one of.
void ForbidSeconds(const SideSample& sample, const Side& side, const std::vector<double>& links,
                   std::vector<bool>* allowed) {
  double seconds = 0;
  for (std::size_t g = links.size(); g-- > 0;) {
    seconds += sample.second[g];
    const double above = 1 - side.unmatched[g];
    const double expected = sample.rows * (above * (1 - side.tail_cdf[g]) + side.unmatched[g] * side.two_or_more[g]);
    const double borne = kSecondsOfLinks * std::min(side.matched * sample.rows, links[g]);
    if (PoissonAtLeast(seconds, 2 * expected + borne + 1) < kNotByChance) {
      (*allowed)[g] = false;
    }
  }
}

}  // namespace

BestBins FindBestBins(const Curves& curves, const SideSample& a, const SideSample* b) {
  std::vector<bool> allowed(curves.links.size(), true);
  BestBins best;
  best.any = BestBin(curves, allowed);
  if (curves.one_each) {
    ForbidSeconds(a, curves.a, curves.links, &allowed);
    ForbidSeconds(*b, *curves.b, curves.links, &allowed);
  }
  best.tellable = BestBin(curves, allowed);
  return best;
}

bool FindsNoMatches(const Curves& curves, const BestBins& best, const SideSample& sample_a,
                    const SideSample* sample_b) {
  if (!best.any) {
    return true;
  }
  const std::size_t bin = best.tellable ? *best.tellable : *best.any;
  const double rows = sample_b == nullptr ? sample_a.rows : std::min(sample_a.rows, sample_b->rows);
  // A tail fitted to few rows may be too light.
  return PoissonAtLeast(curves.links[bin], (1.25 + 5 / std::sqrt(rows)) * curves.false_links[bin]) > kNotByChance;
}

std::string WhyNot(const Curves& curves, const BestBins& best, const SideSample& sample_a, const SideSample* sample_b) {
  if (!best.any) {
    return "no score is above what non-matches reach";
  }
  const std::size_t* const bin = best.tellable ? &*best.tellable : &*best.any;
  const double links = curves.links[*bin];
  if (FindsNoMatches(curves, best, sample_a, sample_b)) {
    return "there are no more high scores than non-matches would give by chance";
  }
  if (Precision(curves, *bin) < kLeastPrecision) {
    return "matches and non-matches overlap too much: at the best threshold less than half of the links are right";
  }
  if (curves.one_each) {
    if (!best.tellable || links < kLeastTellable * curves.links[*best.any]) {
      return "many records have several candidates as good as a match: the fields do not tell people apart";
    }
    const double from_a = sample_a.rows * curves.a.matched;
    const double from_b = sample_b->rows * curves.b->matched;
    const double deviation =
        std::hypot(sample_a.rows * curves.a.matched_error, sample_b->rows * curves.b->matched_error);
    if (std::abs(from_a - from_b) > 3 * deviation + 10 && std::max(from_a, from_b) > 2 * std::min(from_a, from_b)) {
      return absl::StrCat("the two sources disagree about the number of matches: about ", std::lround(from_a),
                          " seen from a, ", std::lround(from_b), " from b");
    }
  }
  return "";
}

std::int32_t ConfidentScore(const Curves& curves, const ScoreGrid& grid) {
  std::int32_t score = kLinkNothing;
  for (std::size_t g = grid.bins; g-- > 0;) {
    if (curves.links[g] > 0 && Precision(curves, g) >= kConfidentPrecision) {
      score = grid.Lowest(g);
    } else if (score != kLinkNothing) {
      break;
    }
  }
  return score;
}

}  // namespace sluis::linker
