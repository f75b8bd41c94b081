#include "linker/score/score_sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "linker/kernel/isotonic.h"
#include "linker/kernel/parallel.h"
#include "linker/score/score_fit.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kBins = 1024;
constexpr double kLeastUnmatched = 100;   // rows whose spacings give the tail to a few per cent
constexpr std::size_t kHousehold = 3;     // places behind the first where relatives may be
constexpr double kRelativesGamma = -0.1;  // a tail as heavy as this is not one of strangers
constexpr double kLowCdf = 0.7;           // a best score that most best non-matches would exceed or come near

// Places that hold a candidate.
std::size_t Filled(const TopLists& lists, std::size_t row) {
  const auto others = lists.others(row);
  return static_cast<std::size_t>(std::find(others.begin(), others.end(), kNoRow) - others.begin());
}

// The probability that no non-match is where `lambda` are expected, given that there are `at_anchor` above the anchor,
// each of them there or not independently.
double NoneAbove(double at_anchor, double lambda) {
  return lambda >= at_anchor ? 0 : std::pow(1 - lambda / at_anchor, at_anchor);
}

// Places before first_null that hold a score of at least `evident`.
std::size_t Evident(const TopLists& lists, std::size_t row, std::size_t first_null, std::int32_t evident) {
  std::size_t matches = 0;
  while (matches + 1 < first_null && lists.scores(row)[matches] >= evident) {
    ++matches;
  }
  return matches;
}

// The first place whose spacings tell how rows differ: behind relatives, if lists are long enough. Within a source
// first_null is behind them already.
std::size_t DeepPlace(std::size_t first_null, std::size_t k) {
  return first_null == 2 && first_null + kHousehold + 2 < k ? first_null + kHousehold : first_null;
}

}  // namespace

std::size_t ScoreGrid::Bin(std::int32_t score) const {
  const double place = std::floor((score - low) / width);
  return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)));
}

std::int32_t ScoreGrid::Lowest(std::size_t bin) const {
  return static_cast<std::int32_t>(std::ceil(low + static_cast<double>(bin) * width));
}

std::optional<ScoreGrid> MakeGrid(const TopLists& a, const TopLists* b, std::size_t first_null) {
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  for (const TopLists* lists : {&a, b}) {
    if (lists == nullptr) {
      continue;
    }
    std::size_t anchored = 0;
    bool spread = false;
    for (std::size_t row = 0; row < lists->rows(); ++row) {
      const std::size_t filled = Filled(*lists, row);
      if (filled > first_null) {
        ++anchored;
        low = std::min<double>(low, lists->scores(row)[filled - 1]);
        spread = spread || lists->scores(row)[first_null - 1] != lists->scores(row)[filled - 1];
      }
      if (filled > 0) {
        high = std::max<double>(high, lists->scores(row)[0]);
      }
    }
    if (anchored < kLeastRows || !spread) {
      return std::nullopt;
    }
  }
  return ScoreGrid{kBins, low, std::max((high - low + 1) / kBins, 1e-6)};
}

void SideSample::Resize(std::size_t bins, std::size_t places) {
  k = places;
  for (auto* part : {&anchors, &best, &second, &rivals, &rivals_excess, &excess, &low_anchors, &links}) {
    part->assign(bins, 0);
  }
  for (auto* part : {&spacing_sums, &spacing_rows, &known_sums, &known_rows}) {
    part->assign(places + 1, 0);
  }
}

void SideSample::Add(const SideSample& sample, double weight) {
  const auto add = [weight](const std::vector<double>& from, std::vector<double>* to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      (*to)[i] += weight * from[i];
    }
  };
  rows += weight * sample.rows;
  rows_without += weight * sample.rows_without;
  add(sample.anchors, &anchors);
  add(sample.best, &best);
  add(sample.second, &second);
  add(sample.rivals, &rivals);
  add(sample.rivals_excess, &rivals_excess);
  add(sample.excess, &excess);
  mean_rows += weight * sample.mean_rows;
  mean_sum += weight * sample.mean_sum;
  mean_square += weight * sample.mean_square;
  add(sample.low_anchors, &low_anchors);
  add(sample.links, &links);
  add(sample.spacing_sums, &spacing_sums);
  add(sample.spacing_rows, &spacing_rows);
  add(sample.known_sums, &known_sums);
  add(sample.known_rows, &known_rows);
  known += weight * sample.known;
}

NullTail SideSample::FitTail(std::size_t first_null, double matched_share, bool strangers_only) const {
  std::vector<double> lambdas, spacings, weights;
  const auto add = [&](double rank, double sum, double count) {
    if (rank > 0 && count > 0) {
      lambdas.push_back(rank);
      spacings.push_back(rank * sum / count);
      weights.push_back(count);
    }
  };
  // Rows without a match are what the null is for, and may be dirtier than others. If there are hardly any, the rest
  // must do. Matches that are not evident shift ranks too, by their share in the mean.
  const double hidden = std::max(0.0, rows * matched_share - known) / std::max(rows - known, 1.0);
  const bool with_known = rows - known < kLeastUnmatched;
  for (std::size_t j = 1; j < k; ++j) {
    if (j >= first_null) {
      add(static_cast<double>(j) - hidden, spacing_sums[j], spacing_rows[j]);
    }
    if (with_known) {
      add(static_cast<double>(j), known_sums[j], known_rows[j]);
    }
  }
  NullTail tail = FitNullTail(lambdas, spacings, weights);
  double at = 2;
  if (strangers_only && tail.gamma < kRelativesGamma) {
    double rank = 0, spacing = 0, weight = 0;
    for (std::size_t i = 0; i < lambdas.size(); ++i) {
      if (lambdas[i] > static_cast<double>(first_null + kHousehold) - 1) {
        rank += weights[i] * lambdas[i];
        spacing += weights[i] * spacings[i];
        weight += weights[i];
      }
    }
    if (weight > 0) {
      at = rank / weight;
      const double mean = spacing / weight;
      tail = FitNullTail(std::span(&at, 1), std::span(&mean, 1), std::span(&weight, 1));
    }
  }
  // Rows whose own mean spacings differ by more than r exponential ones would: an exponential tail whose rate has a
  // gamma distribution of shape 1/h, h the square of its coefficient of variation, is a Pareto tail of shape h.
  if (mean_rows >= kLeastUnmatched && mean_sum > 0) {
    const auto r = static_cast<double>(k - DeepPlace(first_null, k));
    const double mean = mean_sum / mean_rows;
    const double square = mean_square / mean_rows / (mean * mean);
    const double differ = std::max(0.0, (square - 1 - 1 / r) / (1 + 1 / r));
    tail.SetGamma(std::max(NullTail::kLeastGamma, tail.gamma - differ), at);
  }
  return tail;
}

double SideSample::Anchored() const { return std::accumulate(anchors.begin(), anchors.end(), 0.0); }

std::vector<double> SideSample::ExcessCdf(const NullTail& tail, const ScoreGrid& grid) const {
  std::vector<double> cdf(grid.bins);
  for (std::size_t d = 0; d < grid.bins; ++d) {
    const double at_anchor = static_cast<double>(k) - 1;
    cdf[d] = NoneAbove(at_anchor, tail.Intensity(at_anchor, (static_cast<double>(d) + 0.5) * grid.width));
  }
  return cdf;
}

void SideSample::NullCurves(const NullTail& tail, const ScoreGrid& grid, const std::vector<double>& of,
                            NullMeans* means) const {
  // lambda depends on the distance in bins only: one table for all anchors. An anchor stands in the middle of its bin.
  const auto bins = static_cast<std::ptrdiff_t>(grid.bins);
  const double at_anchor = static_cast<double>(k) - 1;
  std::vector<double> lambdas(2 * grid.bins + 1);  // at the lower end of the bin d above the anchor's
  std::vector<double> none(2 * grid.bins + 1);
  std::vector<double> two(2 * grid.bins + 1);
  for (std::ptrdiff_t d = -bins; d <= bins; ++d) {
    const auto place = static_cast<std::size_t>(d + bins);
    const double lambda = tail.Intensity(at_anchor, (static_cast<double>(d) - 0.5) * grid.width);
    lambdas[place] = lambda;
    none[place] = NoneAbove(at_anchor, lambda);
    // One of at_anchor draws: n p (1 - p)^(n - 1).
    const double one = lambda >= at_anchor ? 0 : none[place] * lambda / (1 - lambda / at_anchor);
    two[place] = std::max(0.0, 1 - none[place] - one);
  }
  means->cdf.assign(grid.bins, 0);
  means->intensity.assign(grid.bins, 0);
  means->two_or_more.assign(grid.bins, 0);
  double total = 0;
  for (std::size_t begin = 0; begin < grid.bins; begin += kAnchorBins) {
    double rows_here = 0, sum = 0;
    for (std::size_t h = begin; h < std::min(begin + kAnchorBins, grid.bins); ++h) {
      rows_here += of[h];
      sum += of[h] * static_cast<double>(h);
    }
    if (rows_here == 0) {
      continue;
    }
    total += rows_here;
    const std::size_t at = grid.bins - static_cast<std::size_t>(std::lround(sum / rows_here));
    for (std::size_t g = 0; g < grid.bins; ++g) {
      means->intensity[g] += rows_here * lambdas[at + g];
      means->cdf[g] += rows_here * none[at + g + 1];
      means->two_or_more[g] += rows_here * two[at + g];
    }
  }
  for (auto* part : {&means->cdf, &means->intensity, &means->two_or_more}) {
    for (double& value : *part) {
      value /= std::max(total, 1e-9);
    }
  }
}

std::vector<double> SideSample::LinksFromTop() const {
  std::vector<double> sums = links;
  for (std::size_t g = sums.size() - 1; g-- > 0;) {
    sums[g] += sums[g + 1];
  }
  return sums;
}

void SideSample::CorrectByRivals(const std::vector<double>& seen, double control_rows, std::vector<double>* cdf) const {
  if (known + control_rows < kLeastUnmatched) {
    return;
  }
  double above = 0;
  for (std::size_t g = cdf->size(); g-- > 0;) {
    const double foretold = 1 - (*cdf)[g];
    const double shape = kRivalsShape + control_rows * foretold;
    (*cdf)[g] = 1 - std::min(1.0, foretold * (above + shape) / (known * foretold + shape));
    above += seen[g];
  }
  MakeNonDecreasing(*cdf, std::vector<double>(cdf->size(), 1));
}

GroupedSample::GroupedSample(const TopLists& lists, Links links, const TopLists* other, const std::vector<bool>* mutual,
                             const ScoreGrid& grid, std::size_t first_null, std::int32_t evident, bool strangers_only,
                             unsigned threads)
    : bins_(grid.bins), k_(lists.k()), groups_(std::min(kSampleGroups, lists.rows())) {
  for (SideSample& group : groups_) {
    group.Resize(bins_, k_);
  }
  // A thread has groups for itself, so that sums do not depend on how many threads there are.
  const auto for_rows = [&](const auto& use) {
    kernel::InThreads(threads, [&](unsigned t) {
      const kernel::Range part = kernel::PartOf(groups_.size(), t, threads);
      for (std::size_t first = 0; first < lists.rows(); first += groups_.size()) {
        for (std::size_t g = part.begin; g < std::min(part.end, lists.rows() - first); ++g) {
          use(first + g, groups_[g]);
        }
      }
    });
  };
  for_rows([&](std::size_t row, SideSample& group) {
    const std::size_t filled = Filled(lists, row);
    const auto scores = lists.scores(row);
    const auto others = lists.others(row);
    group.rows += 1;
    if (filled == 0) {
      group.rows_without += 1;
      return;
    }
    group.best[grid.Bin(scores[0])] += 1;
    const std::size_t matches = Evident(lists, row, first_null, evident);
    group.known += matches > 0 ? 1 : 0;
    std::vector<double>& sums = matches > 0 ? group.known_sums : group.spacing_sums;
    std::vector<double>& counts = matches > 0 ? group.known_rows : group.spacing_rows;
    if (filled > 1) {
      group.second[grid.Bin(scores[1])] += 1;
      group.rivals[grid.Bin(scores[1])] += matches == 1 && first_null == 2 ? 1 : 0;
    }
    double normalised = 0;
    const std::size_t deep = DeepPlace(first_null, k_);
    for (std::size_t j = first_null; j < filled; ++j) {
      normalised += j < deep ? 0 : static_cast<double>(j) * (static_cast<double>(scores[j - 1]) - scores[j]);
      sums[j - matches] += static_cast<double>(scores[j - 1]) - scores[j];
      counts[j - matches] += 1;
    }
    if (matches == 0 && filled == k_) {
      const double mean = normalised / static_cast<double>(k_ - deep);
      group.mean_rows += 1;
      group.mean_sum += mean;
      group.mean_square += mean * mean;
    }
    if (links == Links::kMutualBest && (mutual != nullptr ? (*mutual)[row] : other->others(others[0])[0] == row)) {
      group.links[grid.Bin(scores[0])] += 1;
    }
    const bool listed = links == Links::kWithin || links == Links::kListed || links == Links::kListedHere;
    for (std::size_t j = 0; listed && j + 1 < first_null && j < filled; ++j) {
      const auto theirs = (links == Links::kWithin ? lists : *other).others(others[j]).first(first_null - 1);
      if (links == Links::kListed || (links == Links::kWithin && row < others[j]) ||
          std::find(theirs.begin(), theirs.end(), row) == theirs.end()) {
        group.links[grid.Bin(scores[j])] += 1;
      }
    }
  });
  const SideSample total = Total();
  const NullTail tail = total.FitTail(first_null, total.known / std::max(total.rows, 1.0), strangers_only);
  const std::vector<double> excess_cdf = total.ExcessCdf(tail, grid);
  // A list that is shorter or holds matches is carried down to where k - 1 non-matches would be expected above.
  std::vector<double> down(k_ + 1);  // by the number of non-matches in the list
  for (std::size_t non_matches = 2; non_matches <= k_; ++non_matches) {
    down[non_matches] = tail.Distance(static_cast<double>(k_) - 1, static_cast<double>(non_matches) - 1);
  }
  for_rows([&](std::size_t row, SideSample& group) {
    const std::size_t filled = Filled(lists, row);
    if (filled > first_null) {
      const std::size_t non_matches = filled - Evident(lists, row, first_null, evident);
      const double anchor = std::max(lists.scores(row)[filled - 1] - down[non_matches], grid.low);
      const std::size_t bin = grid.Bin(static_cast<std::int32_t>(std::lround(anchor)));
      const std::size_t best = grid.Bin(lists.scores(row)[0]);
      const std::size_t excess = best > bin ? best - bin : 0;
      group.anchors[bin] += 1;
      group.excess[excess] += 1;
      if (first_null == 2 && Evident(lists, row, first_null, evident) == 1) {
        const std::size_t rival = grid.Bin(lists.scores(row)[1]);
        group.rivals_excess[rival > bin ? rival - bin : 0] += 1;
      }
      group.low_anchors[bin] += excess_cdf[excess] <= kLowCdf ? 1 : 0;
    }
  });
}

SideSample GroupedSample::Empty() const {
  SideSample sample;
  sample.Resize(bins_, k_);
  return sample;
}

SideSample GroupedSample::Total() const {
  SideSample sample = Empty();
  for (const SideSample& group : groups_) {
    sample.Add(group, 1);
  }
  return sample;
}

SideSample GroupedSample::Resample(std::mt19937_64* random) const {
  SideSample sample = Empty();
  for (const SideSample& group : groups_) {
    sample.Add(group, PoissonWeight(random));
  }
  return sample;
}

double PoissonWeight(std::mt19937_64* random) {
  // Drawn by inversion: the standard library's distributions differ between libraries.
  static constexpr std::array<double, 6> kAtMost = {0.36787944, 0.73575888, 0.91969860, 0.98101184, 0.99634015, 1.0};
  const double uniform = static_cast<double>((*random)() >> 11) * 0x1p-53;
  return static_cast<double>(std::upper_bound(kAtMost.begin(), kAtMost.end() - 1, uniform) - kAtMost.begin());
}

}  // namespace sluis::linker
