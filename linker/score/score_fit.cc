#include "linker/score/score_fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/kernel/isotonic.h"
#include "linker/score/curves.h"
#include "linker/score/score_sample.h"
#include "linker/score/threshold.h"

namespace sluis::linker {
namespace {

constexpr int kPasses = 3;
constexpr double kLeastNull = 1e-12;  // non-matches in a bin

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

  Samples(const TopLists& lists_a, const TopLists* lists_b, const Controls* controls, const std::vector<bool>* mutual,
          const ScoreGrid& grid, std::size_t first_null, std::int32_t evident, unsigned threads)
      : a(lists_a, LinksOfA(lists_b, first_null), lists_b, mutual, grid, first_null, evident, controls != nullptr,
          threads) {
    if (lists_b != nullptr) {
      b.emplace(*lists_b, first_null == 2 ? GroupedSample::Links::kNone : GroupedSample::Links::kListedHere, &lists_a,
                nullptr, grid, first_null, evident, controls != nullptr, threads);
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
  static GroupedSample::Links LinksOfA(const TopLists* lists_b, std::size_t first_null) {
    if (lists_b == nullptr) return GroupedSample::Links::kWithin;
    return first_null == 2 ? GroupedSample::Links::kMutualBest : GroupedSample::Links::kListed;
  }

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
                                   const Controls* controls, const std::vector<bool>* mutual) {
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
    samples.emplace(a, b, controls, mutual, *grid, options.first_null, evident, options.threads);
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
    fit.no_matches = FindsNoMatches(curves, best, counts.a, counts.pointer_b());
    return fit;
  }
  fit.credible = true;
  fit.threshold = grid->Lowest(*bin);
  fit.links = curves.links[*bin];
  fit.matches = std::max(curves.matches, TrueLinks(curves, *bin));
  fit.match_share = fit.matches / static_cast<double>(least_rows);
  fit.log_odds = MakeTable(curves, *grid);
  if (curves.one_each) {
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
