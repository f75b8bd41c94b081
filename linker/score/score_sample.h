#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "linker/score/null_tail.h"
#include "linker/score/top_lists.h"

// The counts that score_fit.cc works from: lists of scores, sorted into bins.

namespace sluis::linker {

inline constexpr std::size_t kAnchorBins = 8;  // anchors so near to each other count as one: less than the tail's slope
inline constexpr std::size_t kSampleGroups = 100;  // of rows, for resampling

// Equal bins of scores from the lowest anchor to the highest best score.
struct ScoreGrid {
  std::size_t bins;
  double low;
  double width;

  std::size_t Bin(std::int32_t score) const;
  double Middle(std::size_t bin) const { return low + (static_cast<double>(bin) + 0.5) * width; }
  // The lowest score that falls into the bin.
  std::int32_t Lowest(std::size_t bin) const;
};

// Returns the grid of the lists' scores, or nothing if fewer than 30 rows of a side have the candidates that the null
// is fitted to, or all their scores are equal.
[[nodiscard]] std::optional<ScoreGrid> MakeGrid(const TopLists& a, const TopLists* b, std::size_t first_null);

// Means over rows, by bin.
struct NullMeans {
  std::vector<double> cdf;
  std::vector<double> intensity;
  std::vector<double> two_or_more;
};

// Counts over rows of one side. An anchor is the score of a row's last place, k, where the expected number of
// non-matches above is k - 1 (an unbiased estimate, since the true number there has a gamma distribution of shape k);
// the k - 1 above it are independent draws from the tail.
struct SideSample {
  std::size_t k = 0;
  double rows = 0;
  double rows_without = 0;            // without any candidate
  std::vector<double> anchors;        // rows by bin of their anchor
  std::vector<double> best;           // rows by bin of their best score
  std::vector<double> second;         // rows by bin of their second best score
  std::vector<double> rivals;         // the same, of rows with an evident match: the best of all others
  std::vector<double> rivals_excess;  // anchored rows with one by the bins from their anchor up to their rival
  std::vector<double> excess;         // anchored rows by the bins from their anchor up to their best score
  std::vector<double> low_anchors;    // as anchors, of rows whose best score is what the best non-match would be
  std::vector<double> links;          // links counted for this side, by bin
  std::vector<double> spacing_sums;   // of X_j - X_{j+1} at j, of rows without an evident match
  std::vector<double> spacing_rows;
  std::vector<double> known_sums;  // of rows with evident matches, at the rank j among the scores below those
  std::vector<double> known_rows;
  double known = 0;      // rows with an evident match
  double mean_rows = 0;  // rows without, of all their spacings: number, sum of the mean normalised one, of its square
  double mean_sum = 0;
  double mean_square = 0;

  void Resize(std::size_t bins, std::size_t places);
  void Add(const SideSample& sample, double weight);

  // The null tail from the spacings at first_null and below. `matched_share`: of rows whose non-matches begin at the
  // second place, those with an evident match included. `strangers_only`: if the spacings of the first places are far
  // too wide for the others, a household has them; its members are then counted elsewhere and those places left out.
  NullTail FitTail(std::size_t first_null, double matched_share, bool strangers_only) const;
  double Anchored() const;
  // The probability that the best non-match of a row is within so many bins of the row's anchor, by bins.
  std::vector<double> ExcessCdf(const NullTail& tail, const ScoreGrid& grid) const;
  // The means over `of`, anchors by bin, of the probability that the best non-match is at most at the
  // upper end of each bin, and at its lower
  // end of lambda and of the probability of two or more non-matches.
  void NullCurves(const NullTail& tail, const ScoreGrid& grid, const std::vector<double>& of, NullMeans* means) const;
  std::vector<double> LinksFromTop() const;
  // Corrects `cdf`, of the best non-match by bin, by the rivals of evident matches, which are best non-matches too: by
  // `rivals` on scores, by `rivals_excess` on excess. The number expected of them above a bin is the foretold one times
  // a factor that is one on average before they are seen, of a gamma distribution (Clayton and Kaldor 1987) of shape
  // kRivalsShape, and more by what so many control rows, that `cdf` rests on, have there. Without controls a hundred
  // evident matches are needed.
  void CorrectByRivals(const std::vector<double>& seen, double control_rows, std::vector<double>* cdf) const;
};

// Draws a Poisson variable of mean 1: the weight of a group in a resampling.
[[nodiscard]] double PoissonWeight(std::mt19937_64* random);

// Of the factor by which rivals may be more or fewer than foretold: a shape of 3 lets it be from 0.27 to 2.1 (90 %).
inline constexpr int kRivalsShape = 3;

// The counts of one side in groups of rows, for resampling.
class GroupedSample {
 public:
  // Which pairs count as links of this side.
  enum class Links {
    kNone,        // they are counted on the other side
    kMutualBest,  // first in both lists, or as `mutual` says
    kWithin,      // in a list of the source before first_null, each once
    kListed,      // in a list of this side before first_null
    kListedHere,  // of these, those that are not in a list of the other side before first_null
  };

  // `other`: the lists of the other source, unless kNone or kWithin. `mutual`: as FitScores. Scores of at least
  // `evident`, before first_null, are taken for matches: the ranks of the scores below them count from there.
  // `strangers_only` as for FitTail.
  GroupedSample(const TopLists& lists, Links links, const TopLists* other, const std::vector<bool>* mutual,
                const ScoreGrid& grid, std::size_t first_null, std::int32_t evident, bool strangers_only,
                unsigned threads);

  SideSample Total() const;
  SideSample Resample(std::mt19937_64* random) const;

 private:
  SideSample Empty() const;
  std::size_t bins_;
  std::size_t k_;
  std::vector<SideSample> groups_;
};

}  // namespace sluis::linker
