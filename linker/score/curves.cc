#include "linker/score/curves.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linker/kernel/isotonic.h"

namespace sluis::linker {
namespace {

constexpr double kLeastCdf = 0.25;  // of G: below it few rows say anything of R
constexpr double kCertain = 1.645;  // standard deviations: 95 % one-sided

// The share of matched rows. What the best score of a row without a match exceeds its anchor by has the same
// distribution G in all rows, however common or dirty a record is. With B that of all rows, B = R G, where 1 - R is the
// share of rows with a match above: at each excess an estimate (Storey 2002 does so with p-values). Where most matches
// are seen with 95 % certainty is taken. Further down there may be more, among what non-matches reach: what the median
// of G says, noisier but without a choice, is kept for the interval.
void FitMatched(const SideSample& sample, const ScoreGrid& grid, const RelativesOfSide* relatives, Side* side) {
  CheckedNull null{sample.ExcessCdf(side->tail, grid), {}};
  if (relatives != nullptr) {
    null = CheckedByControl(*relatives, sample.anchors, null.cdf);
  }
  sample.CorrectByRivals(sample.rivals_excess, relatives == nullptr ? 0 : relatives->control->rows, &null.cdf);
  const double rows = sample.Anchored();
  double at_or_below = 0;
  double most_certain = -1;
  bool at_median = false;
  for (std::size_t d = 0; d < grid.bins; ++d) {
    at_or_below += sample.excess[d];
    const double cdf = null.cdf[d];
    if (cdf < kLeastCdf) {
      continue;
    }
    const double ratio = std::min(at_or_below / (rows * cdf), 1.0);
    // Of the ratio * rows without a match a binomial number is here; none seen is no proof that there are none.
    const double seen = cdf * rows;
    const double sampling = std::sqrt(std::max(ratio, 1 / seen) * (1 - cdf) / seen);
    const double modelling = ratio * (null.error.empty() ? kModelError * -std::log(cdf) : null.error[d]);
    const double deviation = std::sqrt(sampling * sampling + modelling * modelling + 0.0625 / (rows * rows));
    if (cdf >= 0.5 && !at_median) {
      at_median = true;
      side->matched_at_median = (1 - ratio) * rows / sample.rows;
    }
    if (1 - ratio - kCertain * deviation > most_certain) {
      most_certain = 1 - ratio - kCertain * deviation;
      side->matched = (1 - ratio) * rows / sample.rows;
      side->matched_error = std::sqrt(deviation * deviation + (1 - ratio) * ratio / rows);
    }
  }
}

// The share of rows without a match above each bin: of the rows with so high a best score, those are taken off whose
// best non-match reaches there.
void FitUnmatched(const SideSample& sample, Side* side) {
  const std::size_t bins = side->null_cdf.size();
  side->unmatched.resize(bins);
  double above = 0;
  for (std::size_t g = bins; g-- > 0;) {
    const double null_above = (1 - side->matched) * (1 - side->unmatched_cdf[g]);
    side->unmatched[g] = 1 - std::clamp(above / sample.rows - null_above, 0.0, side->matched);
    above += sample.best[g];
  }
  MakeNonDecreasing(side->unmatched, std::vector<double>(bins, 1));
}

// `relatives`: null if there are no controls.
Side FitSide(const SideSample& sample, const ScoreGrid& grid, std::size_t first_null, double matched_share,
             const RelativesOfSide* relatives) {
  Side side;
  side.tail = sample.FitTail(first_null, matched_share, relatives != nullptr);
  NullMeans all;
  NullMeans without;
  sample.NullCurves(side.tail, grid, sample.anchors, &all);
  sample.NullCurves(side.tail, grid, sample.low_anchors, &without);
  if (relatives != nullptr) {
    AddRelatives(relatives->expected, &all);
    AddRelatives(relatives->expected, &without);
  }
  side.tail_cdf = all.cdf;
  side.null_cdf = std::move(all.cdf);
  const double control_rows = relatives == nullptr ? 0 : relatives->control->rows;
  sample.CorrectByRivals(sample.rivals, control_rows, &side.null_cdf);
  sample.CorrectByRivals(sample.rivals, control_rows, &without.cdf);
  side.intensity = std::move(all.intensity);
  side.two_or_more = std::move(all.two_or_more);
  side.unmatched_cdf = std::move(without.cdf);
  FitMatched(sample, grid, relatives, &side);
  FitUnmatched(sample, &side);
  return side;
}

// Spacings below a match are one rank nearer to the top among non-matches, so the share of matched rows is needed for
// the tail and the tail for the share.
Side FitSideTwice(const SideSample& sample, const ScoreGrid& grid, std::size_t first_null,
                  const RelativesOfSide* relatives) {
  const Side first = FitSide(sample, grid, first_null, sample.known / sample.rows, relatives);
  return first_null == 2 ? FitSide(sample, grid, first_null, first.matched, relatives) : first;
}

// Two estimates of one number, weighted by certainty.
double Reconcile(const SideSample& sample_a, const Side& a, const SideSample& sample_b, const Side& b,
                 double Side::*matched) {
  const double deviation_a = std::max(sample_a.rows * a.matched_error, 0.5);
  const double deviation_b = std::max(sample_b.rows * b.matched_error, 0.5);
  const double weight_a = 1 / (deviation_a * deviation_a);
  const double weight_b = 1 / (deviation_b * deviation_b);
  const double matches =
      (weight_a * sample_a.rows * a.*matched + weight_b * sample_b.rows * b.*matched) / (weight_a + weight_b);
  return std::clamp(matches, 0.0, std::min(sample_a.rows, sample_b.rows));
}

// What a distribution has in bin g, the last: or above.
double Density(const std::vector<double>& cdf, std::size_t g) {
  return (g + 1 == cdf.size() ? 1 : cdf[g]) - (g == 0 ? 0 : cdf[g - 1]);
}

// The share of rows whose best non-match is in bin g and that have no match above it.
double BestNonMatches(const Side& side, std::size_t g) {
  const double without = 1 - side.matched;
  return without * Density(side.unmatched_cdf, g) + (side.unmatched[g] - without) * Density(side.null_cdf, g);
}

// What controls say of both sides.
std::pair<RelativesOfSide, RelativesOfSide> Relatives(const Counts& counts, const ScoreGrid& grid,
                                                      std::size_t first_null) {
  const auto tail = [&](const SideSample& sample) {
    return sample.FitTail(first_null, sample.known / sample.rows, true);
  };
  const std::vector<double> per_pair = RelativesPerPair({*counts.control_a, counts.a, tail(counts.a)},
                                                        {*counts.control_b, *counts.b, tail(*counts.b)}, grid);
  const auto times = [&](double rows) {
    std::vector<double> expected = per_pair;
    for (double& relatives : expected) relatives *= rows;
    return expected;
  };
  const double others_a = counts.control_a->others;
  const double others_b = counts.control_b->others;
  return {{&*counts.control_a, times(others_b + 1), times(others_a)},
          {&*counts.control_b, times(others_a + 1), times(others_b)}};
}

Curves FitBetween(const Counts& counts, const ScoreGrid& grid, std::size_t first_null) {
  const SideSample& sample_a = counts.a;
  const SideSample& sample_b = *counts.b;
  std::optional<std::pair<RelativesOfSide, RelativesOfSide>> relatives;
  if (counts.control_a && counts.control_b) {
    relatives = Relatives(counts, grid, first_null);
  }
  Curves curves;
  curves.one_each = true;
  curves.a = FitSideTwice(sample_a, grid, first_null, relatives ? &relatives->first : nullptr);
  curves.b = FitSideTwice(sample_b, grid, first_null, relatives ? &relatives->second : nullptr);
  const Side& a = curves.a;
  const Side& b = *curves.b;
  curves.matches = Reconcile(sample_a, a, sample_b, b, &Side::matched);
  curves.matches_at_median = Reconcile(sample_a, a, sample_b, b, &Side::matched_at_median);
  curves.links = sample_a.LinksFromTop();
  curves.false_links.resize(grid.bins);
  curves.null_links.resize(grid.bins);
  double false_links = 0;
  double null_links = 0;
  for (std::size_t g = grid.bins; g-- > 0;) {
    // A non-match is mutually best if it is the best non-match of both rows and neither has a match above it.
    const double from_a = sample_a.rows * BestNonMatches(a, g) * b.null_cdf[g] * b.unmatched[g];
    const double from_b = sample_b.rows * BestNonMatches(b, g) * a.null_cdf[g] * a.unmatched[g];
    false_links += (from_a + from_b) / 2;
    curves.false_links[g] = false_links;
    null_links += (sample_a.rows * Density(a.null_cdf, g) * b.null_cdf[g] +
                   sample_b.rows * Density(b.null_cdf, g) * a.null_cdf[g]) /
                  2;
    curves.null_links[g] = null_links;
  }
  return curves;
}

// Where records may have several matches: within one source, and between sources that repeat people.
Curves FitPairs(const SideSample& sample_a, const SideSample* sample_b, const ScoreGrid& grid, std::size_t first_null) {
  Curves curves;
  curves.a = FitSideTwice(sample_a, grid, first_null, nullptr);
  curves.links = sample_a.LinksFromTop();
  if (sample_b != nullptr) {
    curves.b = FitSideTwice(*sample_b, grid, first_null, nullptr);
    const std::vector<double> links_b = sample_b->LinksFromTop();
    for (std::size_t g = 0; g < grid.bins; ++g) curves.links[g] += links_b[g];
  }
  double most_certain = 0;
  for (std::size_t g = 0; g < grid.bins; ++g) {
    // Within a source a pair is in the lists of two of its rows; between sources both sides tell of the same pairs.
    const double from_b = curves.b ? sample_b->rows * curves.b->intensity[g] : 0;
    const double expected = (sample_a.rows * curves.a.intensity[g] + from_b) / 2;
    curves.false_links.push_back(std::min(expected, curves.links[g] + expected / 2));
    curves.null_links.push_back(expected);
    const double found = curves.links[g] - expected;
    const double deviation = std::sqrt(expected + kModelError * kModelError * expected * expected + 0.0625);
    if (found - 2 * deviation > most_certain) {
      most_certain = found - 2 * deviation;
      curves.matches = found;
    }
  }
  curves.matches_at_median = curves.matches;
  return curves;
}

}  // namespace

Curves Fit(const Counts& counts, const ScoreGrid& grid, std::size_t first_null) {
  return counts.b && first_null == 2 ? FitBetween(counts, grid, first_null)
                                     : FitPairs(counts.a, counts.pointer_b(), grid, first_null);
}

double TrueLinks(const Curves& curves, std::size_t g) { return std::max(0.0, curves.links[g] - curves.false_links[g]); }

double Precision(const Curves& curves, std::size_t g) {
  return curves.links[g] > 0 ? TrueLinks(curves, g) / curves.links[g] : 0;
}

double Recall(const Curves& curves, std::size_t g) {
  const double matches = std::max(curves.matches, TrueLinks(curves, g));
  return matches > 0 ? TrueLinks(curves, g) / matches : 0;
}

}  // namespace sluis::linker
