#include "linker/candidate/match_sample.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "linker/kernel/isotonic.h"
#include "linker/kernel/parallel.h"

namespace sluis::linker::candidate {
namespace {

using kernel::InThreads;

constexpr std::uint64_t kMostRows = 1024;
constexpr std::uint64_t kLeastRows = 64;
constexpr std::uint64_t kMostPairs = std::uint64_t{1} << 31;
constexpr std::size_t kRowsAtOnce = 4096;
constexpr std::uint32_t kStrangerBetween = 2;
constexpr std::uint32_t kStrangerWithin = 8;

// The value of -ln G, G being the distribution function of the largest, at which that of the k-th largest is `kth`.
double RateFromKth(double kth, std::uint32_t k) {
  double low = 0;  // the k-th largest's is 1 there and falls
  double high = 100;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    double term = 1;
    double sum = 0;
    for (std::uint32_t j = 0; j < k; ++j) {
      sum += term;
      term *= middle / (j + 1);
    }
    (std::exp(-middle) * sum > kth ? low : high) = middle;
  }
  return low;
}

// A Gumbel distribution of the largest: -ln G(x) = exp(intercept + slope * x).
struct Gumbel {
  double intercept;
  double slope;

  double operator()(double x) const { return std::exp(-std::exp(intercept + slope * x)); }
};

// Fits it to the upper nine tenths of the k-th largest by least squares; nothing if too few are known or all are equal.
std::optional<Gumbel> FitLargest(std::span<const std::uint32_t> kth, std::uint32_t k) {
  constexpr double kLowest = 0.1;
  constexpr double kLeastPoints = 30;
  std::vector<std::uint32_t> sorted(kth.begin(), kth.end());
  std::sort(sorted.begin(), sorted.end());
  double points = 0;
  double sum_x = 0;
  double sum_y = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double position = (static_cast<double>(i) + 0.5) / static_cast<double>(sorted.size());
    if (sorted[i] > 0 && position > kLowest) {
      const double x = static_cast<double>(sorted[i]) / kDiceOne;
      const double y = std::log(RateFromKth(position, k));
      ++points;
      sum_x += x;
      sum_y += y;
      sum_xx += x * x;
      sum_xy += x * y;
    }
  }
  const double spread = points * sum_xx - sum_x * sum_x;
  if (points < kLeastPoints || spread <= 1e-9 * points * points) {
    return std::nullopt;
  }
  const double slope = (points * sum_xy - sum_x * sum_y) / spread;
  if (!(slope < 0)) {
    return std::nullopt;
  }
  return Gumbel{(sum_y - slope * sum_x) / points, slope};
}

}  // namespace

std::vector<double> MatchProbabilities(std::span<const std::uint32_t> nearest, std::span<const std::uint32_t> kth,
                                       std::uint32_t k) {
  // Below this, the few rows at the lower end say little about the share of rows without a match.
  constexpr double kLeastG = 0.2;
  constexpr std::size_t kLeastInInterval = 16;
  const std::size_t size = nearest.size();
  const auto rows = static_cast<double>(size);
  std::vector<double> probabilities(size);
  const std::optional<Gumbel> fit = FitLargest(kth, k);
  if (!fit) {
    return probabilities;
  }
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return nearest[i] < nearest[j]; });

  std::vector<double> largest(size);  // G at the similarity of order[i]
  double without_match = 1;
  for (std::size_t i = 0; i < size; ++i) {
    largest[i] = (*fit)(static_cast<double>(nearest[order[i]]) / kDiceOne);
    if (largest[i] > kLeastG) {
      const double below = static_cast<double>(i + 1) / rows;
      const double error = std::sqrt(below * (1 - below) / rows);
      without_match = std::min(without_match, (below + 2 * error) / largest[i]);
    }
  }
  // Strangers above what is found in an interval make up for those below it: pools of neighbouring intervals whose
  // shares would fall otherwise (isotonic regression), since rows differ in how near their strangers are.
  const std::size_t interval = std::max(kLeastInInterval, size / 64);
  std::vector<double> shares;
  std::vector<double> weights;
  double largest_before = 0;
  for (std::size_t begin = 0; begin < size; begin += interval) {
    const std::size_t end = std::min(begin + interval, size);
    const double strangers = rows * without_match * (largest[end - 1] - largest_before);
    largest_before = largest[end - 1];
    weights.push_back(static_cast<double>(end - begin));
    shares.push_back(1 - strangers / weights.back());
  }
  MakeNonDecreasing(shares, weights);
  for (std::size_t i = 0; i < size; ++i) {
    probabilities[order[i]] = nearest[order[i]] > 0 ? std::clamp(shares[i / interval], 0.0, 1.0) : 0;
  }
  return probabilities;
}

MatchSample SampleMatches(const Search& search) {
  const bool sample_a = search.within || search.a.rows() <= search.b.rows();
  const EncodingTable& sampled = sample_a ? search.a : search.b;
  const EncodingTable& others = sample_a ? search.b : search.a;
  const std::uint64_t affordable = std::max(kLeastRows, kMostPairs / others.rows());
  const std::uint64_t count = std::min<std::uint64_t>({sampled.rows(), kMostRows, affordable});
  std::vector<std::uint32_t> rows;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t row = sampled.rows() * i / count;
    if (sampled.popcount(row) > 0) {
      rows.push_back(static_cast<std::uint32_t>(row));
    }
  }
  const std::uint32_t k = search.within ? kStrangerWithin : kStrangerBetween;
  NearestLists nearest(rows.size(), k);
  std::vector<std::uint32_t> place(sampled.rows());  // of a sampled row in `rows`
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    place[rows[i]] = i;
  }

  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  InThreads(search.threads, [&](unsigned) {
    BlockComparer comparer(sampled, others, search.instructions);
    NearestLists own(rows.size(), k);
    std::vector<std::uint32_t> some;
    for (;;) {
      const std::size_t begin = next.fetch_add(kRowsAtOnce);
      if (begin >= others.rows() || search.stop.stop_requested()) {
        break;
      }
      some.resize(std::min(kRowsAtOnce, others.rows() - begin));
      std::iota(some.begin(), some.end(), static_cast<std::uint32_t>(begin));
      comparer.Compare(rows, some, search.plan.dice_bound, [&](std::span<const SimilarPair> pairs) {
        for (const SimilarPair& pair : pairs) {
          if (!search.within || pair.a != pair.b) {
            own.Offer(place[pair.a], Neighbour(pair.b, pair.dice_units));
          }
        }
      });
    }
    own.Finish(0, own.rows());
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < own.rows(); ++i) {
      for (const Neighbour neighbour : own.of(i)) {
        nearest.Offer(i, neighbour);
      }
    }
  });
  if (search.stop.stop_requested()) {
    return {};
  }
  nearest.Finish(0, nearest.rows());
  std::vector<std::uint32_t> best(rows.size());
  std::vector<std::uint32_t> kth(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<const Neighbour> list = nearest.of(i);
    best[i] = list.empty() ? 0 : list.front().dice_units();
    kth[i] = list.size() < k ? 0 : list.back().dice_units();
  }
  const std::vector<double> probabilities = MatchProbabilities(best, kth, k);
  MatchSample sample{static_cast<std::uint32_t>(rows.size()), {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (probabilities[i] > 0) {
      const std::uint32_t other = nearest.of(i).front().row();
      sample.matches.push_back({sample_a ? rows[i] : other, sample_a ? other : rows[i], probabilities[i]});
    }
  }
  return sample;
}

}  // namespace sluis::linker::candidate
