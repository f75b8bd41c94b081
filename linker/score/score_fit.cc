#include "linker/score/score_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <random>
#include <span>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/score/score_sample.h"

namespace sluis::linker {
namespace {

constexpr double kModelError = 0.15;   // relative error of lambda that a decision must survive
constexpr double kLeastCdf = 0.25;     // of G: below it few rows say anything of R
constexpr double kCertain = 1.645;     // standard deviations: 95 % one-sided
constexpr double kNotByChance = 1e-4;  // of as many links as there are if all were false
constexpr double kConfidentPrecision = 0.95;
constexpr double kLeastPrecision = 0.5;
constexpr double kSecondsOfLinks = 0.05;  // so many strangers above the threshold are borne
constexpr double kLeastTellable = 0.5;    // of the links at the best threshold, where strangers are as few
constexpr int kPasses = 3;
constexpr double kLeastNull = 1e-12;  // non-matches in a bin

// The null model of one side, by score bin.
struct Side {
  NullTail tail;
  std::vector<double> tail_cdf;       // G as the tail has it: the best non-match of a row is in this bin or below
  std::vector<double> null_cdf;       // G, the rivals of evident matches included
  std::vector<double> unmatched_cdf;  // the same over rows that have no match
  std::vector<double> intensity;      // mean number of a row's non-matches in this bin or above
  std::vector<double> two_or_more;    // probability that two non-matches of a row are in this bin or above
  std::vector<double> unmatched;      // share of rows without a match above this bin
  double matched = 0;                 // share of rows
  double matched_at_median = 0;       // the same, seen from where half of the rows have their best non-match below
  double matched_error = 0;           // its standard deviation
};

// Everything by score bin, counted from the top.
struct Curves {
  Side a;
  std::optional<Side> b;
  std::vector<double> links;        // at or above the bin
  std::vector<double> false_links;  // expected
  std::vector<double> null_links;   // expected if no row had a match
  double matches = 0;
  double matches_at_median = 0;  // Side::matched_at_median, of both; within a source as `matches`
};

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

// All that is fitted to; within one source only `a`.
struct Counts {
  SideSample a;
  std::optional<SideSample> b;
  std::optional<ControlSample> control_a;
  std::optional<ControlSample> control_b;

  const SideSample* pointer_b() const { return b ? &*b : nullptr; }
};

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

Curves FitWithin(const SideSample& sample, const ScoreGrid& grid, std::size_t first_null) {
  Curves curves{FitSideTwice(sample, grid, first_null, nullptr), std::nullopt, sample.LinksFromTop(), {}, {}, 0, 0};
  double most_certain = 0;
  for (std::size_t g = 0; g < grid.bins; ++g) {
    const double expected = sample.rows * curves.a.intensity[g] / 2;
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

Curves Fit(const Counts& counts, const ScoreGrid& grid, std::size_t first_null) {
  return counts.b ? FitBetween(counts, grid, first_null) : FitWithin(counts.a, grid, first_null);
}

double TrueLinks(const Curves& curves, std::size_t g) { return std::max(0.0, curves.links[g] - curves.false_links[g]); }

double Precision(const Curves& curves, std::size_t g) {
  return curves.links[g] > 0 ? TrueLinks(curves, g) / curves.links[g] : 0;
}

double Recall(const Curves& curves, std::size_t g) {
  const double matches = std::max(curves.matches, TrueLinks(curves, g));
  return matches > 0 ? TrueLinks(curves, g) / matches : 0;
}

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

// True links by score from the top, less a standard deviation of the false ones: where matches are rare, chance alone
// makes runs of bins with a few links more than expected.
std::vector<double> CautiousTrueLinks(const Curves& curves) {
  std::vector<double> links(curves.links.size());
  double most = 0;
  for (std::size_t g = links.size(); g-- > 0;) {
    most = std::max(most, curves.links[g] - curves.false_links[g] - std::sqrt(curves.false_links[g]));
    links[g] = most;
  }
  return links;
}

// Matches over non-matches by bin, made monotone: a link that is right is as often mutually best as one that would be
// wrong, so what both are divided by cancels.
LogOddsTable MakeTable(const Curves& curves, const ScoreGrid& grid) {
  const std::vector<double> true_links = CautiousTrueLinks(curves);
  const auto in_bin = [&](const std::vector<double>& from_top, std::size_t g) {
    return from_top[g] - (g + 1 == grid.bins ? 0 : from_top[g + 1]);
  };
  std::vector<double> odds(grid.bins);
  std::vector<double> weight(grid.bins);
  for (std::size_t g = 0; g < grid.bins; ++g) {
    weight[g] = std::max(in_bin(curves.null_links, g), kLeastNull);
    odds[g] = in_bin(true_links, g) / weight[g];
  }
  MakeNonDecreasing(odds, weight);
  LogOddsTable table;
  const double least = std::exp(-LogOddsTable::kMost);
  for (std::size_t begin = 0; begin < grid.bins;) {
    std::size_t end = begin;
    double sum = 0;
    double total = 0;
    for (; end < grid.bins && odds[end] == odds[begin]; ++end) {
      const double links = in_bin(curves.links, end) + kLeastNull;
      sum += links * grid.Middle(end);
      total += links;
    }
    if (odds[begin] > least) {
      table.scores.push_back(sum / total);
      table.log_odds.push_back(std::min(std::log(odds[begin]), LogOddsTable::kMost));
    }
    begin = end;
  }
  if (table.scores.empty()) {
    table.scores.push_back(grid.Middle(grid.bins - 1));
    table.log_odds.push_back(-LogOddsTable::kMost);
  }
  // Outside the knots the odds change as the null does.
  const double slope = curves.a.tail.Slope();
  table.scores.insert(table.scores.begin(), table.scores.front() - 1);
  table.log_odds.insert(table.log_odds.begin(), table.log_odds.front() - slope);
  table.scores.push_back(table.scores.back() + 1);
  table.log_odds.push_back(table.log_odds.back() + slope);
  return table;
}

Estimate Interval(double value, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  const auto at = [&](double share) {
    return resampled[static_cast<std::size_t>(std::lround(share * static_cast<double>(resampled.size() - 1)))];
  };
  return {value, std::min(value, at(0.05)), std::max(value, at(0.95))};
}

// The counts of both sides in groups, with what is evidently a match set aside.
struct Samples {
  GroupedSample a;
  std::optional<GroupedSample> b;
  std::optional<GroupedControl> control_a;
  std::optional<GroupedControl> control_b;

  Samples(const TopLists& lists_a, const TopLists* lists_b, const Controls* controls, const ScoreGrid& grid,
          std::size_t first_null, std::int32_t evident, unsigned threads)
      : a(lists_a, lists_b == nullptr ? GroupedSample::Links::kWithin : GroupedSample::Links::kMutualBest, lists_b,
          grid, first_null, evident, controls != nullptr, threads) {
    if (lists_b != nullptr) {
      b.emplace(*lists_b, GroupedSample::Links::kNone, nullptr, grid, first_null, evident, controls != nullptr,
                threads);
    }
    if (controls != nullptr) {
      control_a.emplace(controls->a, grid);
      control_b.emplace(controls->b, grid);
    }
  }

  Counts Total() const {
    return Of([](const auto& sample) { return sample.Total(); });
  }
  Counts Resample(std::mt19937_64* random) const {
    return Of([random](const auto& sample) { return sample.Resample(random); });
  }

 private:
  template <typename F>
  Counts Of(const F& counts_of) const {
    Counts counts;
    counts.a = counts_of(a);
    if (b) counts.b = counts_of(*b);
    if (control_a) counts.control_a = counts_of(*control_a);
    if (control_b) counts.control_b = counts_of(*control_b);
    return counts;
  }
};

// Resamples groups of rows of each side by Poisson weights, which keeps the dependence of rows within a group only.
// Resampling cannot show what happened to be absent, so how many links are false and how many matches missed is drawn
// for each: the interval is about the links at hand, not about the mean of such links.
void SetIntervals(const Samples& samples, const ScoreGrid& grid, std::size_t threshold_bin, const Curves& curves,
                  const FitOptions& options, ScoreFit* fit) {
  std::mt19937_64 random(options.seed);
  std::vector<double> precisions;
  std::vector<double> recalls;
  std::vector<double> least_recalls;
  const double links = curves.links[threshold_bin];
  for (int r = 0; r < options.resamplings; ++r) {
    const Curves other = Fit(samples.Resample(&random), grid, options.first_null);
    const double scale = other.links[threshold_bin] > 0 ? links / other.links[threshold_bin] : 1;
    const double error = DrawGamma(kRivalsShape, &random) / kRivalsShape;
    const double mean = std::min(other.false_links[threshold_bin] * scale, links) * error;
    const double false_links = std::min(links, DrawPoisson(mean, &random));
    const double right = links - false_links;
    const auto recall = [&](double matches) {
      const double missed = DrawPoisson(std::max(0.0, matches - TrueLinks(other, threshold_bin)) * scale, &random);
      return right > 0 ? right / (right + missed) : 0;
    };
    precisions.push_back(1 - false_links / links);
    recalls.push_back(recall(other.matches));
    least_recalls.push_back(recall(std::max(other.matches, other.matches_at_median)));
  }
  fit->precision = Interval(Precision(curves, threshold_bin), std::move(precisions));
  fit->recall = Interval(Recall(curves, threshold_bin), std::move(recalls));
  fit->recall.low = Interval(fit->recall.value, std::move(least_recalls)).low;
  for (double* part : {&fit->recall.value, &fit->recall.low, &fit->recall.high}) {
    *part *= options.blocking_recall;
  }
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

// The best threshold of all, and the best of those above which records have one candidate each.
struct BestBins {
  std::optional<std::size_t> any;
  std::optional<std::size_t> tellable;
};

BestBins FindBestBins(const Curves& curves, const SideSample& a, const SideSample* b) {
  std::vector<bool> allowed(curves.links.size(), true);
  BestBins best;
  best.any = BestBin(curves, allowed);
  if (b != nullptr) {
    ForbidSeconds(a, curves.a, curves.links, &allowed);
    ForbidSeconds(*b, *curves.b, curves.links, &allowed);
  }
  best.tellable = BestBin(curves, allowed);
  return best;
}

std::string WhyNot(const Curves& curves, const BestBins& best, const SideSample& sample_a, const SideSample* sample_b) {
  if (!best.any) {
    return "no score is above what non-matches reach";
  }
  const std::size_t* const bin = best.tellable ? &*best.tellable : &*best.any;
  const double links = curves.links[*bin];
  const double rows = sample_b == nullptr ? sample_a.rows : std::min(sample_a.rows, sample_b->rows);
  // A tail fitted to few rows may be too light.
  if (PoissonAtLeast(links, (1.25 + 5 / std::sqrt(rows)) * curves.false_links[*bin]) > kNotByChance) {
    return "there are no more high scores than non-matches would give by chance";
  }
  if (Precision(curves, *bin) < kLeastPrecision) {
    return "matches and non-matches overlap too much: at the best threshold less than half of the links are right";
  }
  if (sample_b != nullptr) {
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

// The lowest score from which on precision is high, or kLinkNothing. Of a few links at the very top it may not be known
// to be; from where it first is, it must stay so.
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

absl::Status CheckOptions(const TopLists& a, const TopLists* b, const FitOptions& options) {
  if (b != nullptr && b->k() != a.k()) {
    return absl::InvalidArgumentError("score fit: the lists of both sources must have the same length");
  }
  if (options.first_null < 2 || a.k() < options.first_null + 2) {
    return absl::InvalidArgumentError(absl::StrCat("score fit: first_null is ", options.first_null, ", lists have ",
                                                   a.k(), " places; it must be at least 2 and lists 2 longer"));
  }
  if (!(options.blocking_recall > 0 && options.blocking_recall <= 1) || options.resamplings < 20 ||
      options.threads == 0) {
    return absl::InvalidArgumentError(
        "score fit: blocking_recall must be in (0, 1], resamplings at least 20, threads at least 1");
  }
  return absl::OkStatus();
}

LogOddsTable RefuseAll() { return {{0}, {-LogOddsTable::kMost}}; }

}  // namespace

double LogOddsTable::At(double score) const {
  const std::size_t n = scores.size();
  if (n < 2) {
    return n == 0 ? 0 : log_odds[0];
  }
  const auto above = static_cast<std::size_t>(std::upper_bound(scores.begin(), scores.end(), score) - scores.begin());
  const std::size_t right = std::clamp<std::size_t>(above, 1, n - 1);
  const double slope = (log_odds[right] - log_odds[right - 1]) / (scores[right] - scores[right - 1]);
  return std::clamp(log_odds[right - 1] + slope * (score - scores[right - 1]), -kMost, kMost);
}

absl::StatusOr<ScoreFit> FitScores(const TopLists& a, const TopLists* b, const FitOptions& options,
                                   const Controls* controls) {
  SLUIS_RETURN_IF_ERROR(CheckOptions(a, b, options));
  ScoreFit fit;
  fit.log_odds = RefuseAll();
  const std::size_t least_rows = b == nullptr ? a.rows() : std::min(a.rows(), b->rows());
  if (least_rows < kLeastRows) {
    fit.threshold = options.fallback_threshold;
    fit.why_not = absl::StrCat("a source has ", least_rows, " rows; at least ", kLeastRows,
                               " are needed to tell matches from chance");
    return fit;
  }
  const std::optional<ScoreGrid> grid = MakeGrid(a, b, options.first_null);
  if (!grid) {
    fit.why_not = absl::StrCat("fewer than ", kLeastRows,
                               " rows have candidates with different scores: there is nothing to learn the null from");
    return fit;
  }
  // Evident matches are found with the null, and the null with the ranks that they leave: a few rounds settle both.
  std::optional<Samples> samples;
  Counts counts;
  Curves curves;
  std::int32_t evident = kLinkNothing;
  for (int pass = 0; pass < kPasses; ++pass) {
    samples.emplace(a, b, controls, *grid, options.first_null, evident, options.threads);
    counts = samples->Total();
    curves = Fit(counts, *grid, options.first_null);
    const std::optional<std::size_t> best = FindBestBins(curves, counts.a, counts.pointer_b()).tellable;
    evident = best && Precision(curves, *best) >= kLeastPrecision ? grid->Lowest(*best) : kLinkNothing;
    // With controls nothing depends on finding all of them, and false ones would thin out the null.
    if (controls != nullptr && best) {
      evident = std::max(evident, ConfidentScore(curves, *grid));
    }
  }
  fit.null_a = curves.a.tail;
  fit.null_b = curves.b ? curves.b->tail : curves.a.tail;
  const BestBins best = FindBestBins(curves, counts.a, counts.pointer_b());
  const std::optional<std::size_t> bin = best.tellable;
  fit.why_not = WhyNot(curves, best, counts.a, counts.pointer_b());
  if (!fit.why_not.empty()) {
    return fit;
  }
  fit.credible = true;
  fit.threshold = grid->Lowest(*bin);
  fit.links = curves.links[*bin];
  fit.matches = std::max(curves.matches, TrueLinks(curves, *bin));
  fit.match_share = fit.matches / static_cast<double>(least_rows);
  fit.log_odds = MakeTable(curves, *grid);
  if (curves.b) {
    const double without_a = std::max(1 - fit.matches / counts.a.rows, 1 / counts.a.rows);
    const double without_b = std::max(1 - fit.matches / counts.b->rows, 1 / counts.b->rows);
    fit.no_match_odds = without_a * without_b;
  }
  // Below the threshold there may still be few false links for all the true ones above; they are not to be learnt from.
  fit.confident_score = std::max(fit.threshold, ConfidentScore(curves, *grid));
  SetIntervals(*samples, *grid, *bin, curves, options, &fit);
  return fit;
}

}  // namespace sluis::linker
