#include "linker/score/control.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linker/kernel/isotonic.h"

namespace sluis::linker {
namespace {

// Candidates at or above each bin beyond what strangers give, of all control rows. Lists end at the anchor, so below it
// the excess of those above stays.
std::vector<double> Relatives(const ControlSide& side, const ScoreGrid& grid) {
  NullMeans strangers;
  side.sample.NullCurves(side.tail, grid, side.control.anchors, &strangers);
  std::vector<double> relatives(grid.bins);
  double listed = 0;
  double most = 0;
  for (std::size_t g = grid.bins; g-- > 0;) {
    listed += side.control.listed[g];
    most = std::max(most, listed - side.control.rows * strangers.intensity[g]);
    relatives[g] = most;
  }
  return relatives;
}

}  // namespace

void ControlSample::Add(const ControlSample& sample, double weight) {
  rows += weight * sample.rows;
  for (std::size_t g = 0; g < anchors.size(); ++g) {
    anchors[g] += weight * sample.anchors[g];
    excess[g] += weight * sample.excess[g];
    listed[g] += weight * sample.listed[g];
  }
}

GroupedControl::GroupedControl(const ControlLists& control, const ScoreGrid& grid)
    : bins_(grid.bins), others_(static_cast<double>(control.others)) {
  groups_.assign(std::min(kSampleGroups, control.lists.rows()), Empty());
  for (std::size_t row = 0; row < control.lists.rows(); ++row) {
    ControlSample& group = groups_[row % groups_.size()];
    const auto scores = control.lists.scores(row);
    if (scores.back() == kNoScore) {
      continue;  // without an anchor the number of strangers is not known
    }
    group.rows += 1;
    group.anchors[grid.Bin(scores.back())] += 1;
    group.excess[grid.Bin(scores.front()) - grid.Bin(scores.back())] += 1;
    for (const std::int32_t score : scores) {
      group.listed[grid.Bin(score)] += 1;
    }
  }
}

ControlSample GroupedControl::Empty() const {
  return {0, others_, std::vector<double>(bins_), std::vector<double>(bins_), std::vector<double>(bins_)};
}

ControlSample GroupedControl::Total() const {
  ControlSample sample = Empty();
  for (const ControlSample& group : groups_) {
    sample.Add(group, 1);
  }
  return sample;
}

ControlSample GroupedControl::Resample(std::mt19937_64* random) const {
  ControlSample sample = Empty();
  for (const ControlSample& group : groups_) {
    sample.Add(group, PoissonWeight(random));
  }
  return sample;
}

std::vector<double> RelativesPerPair(const ControlSide& a, const ControlSide& b, const ScoreGrid& grid) {
  std::vector<double> per_pair = Relatives(a, grid);
  const std::vector<double> of_b = Relatives(b, grid);
  const double pairs = a.control.rows * a.control.others + b.control.rows * b.control.others;
  for (std::size_t g = 0; g < grid.bins; ++g) {
    per_pair[g] = pairs > 0 ? (per_pair[g] + of_b[g]) / pairs : 0;
  }
  return per_pair;
}

void AddRelatives(const std::vector<double>& expected, NullMeans* means) {
  for (std::size_t g = 0; g < expected.size(); ++g) {
    const double none = std::exp(-expected[g]);
    const double strangers = g == 0 ? 0 : means->cdf[g - 1];  // none at or above the bin
    const double one_stranger = std::max(0.0, 1 - strangers - means->two_or_more[g]);
    means->intensity[g] += expected[g];
    means->two_or_more[g] = std::clamp(1 - none * (strangers + one_stranger + strangers * expected[g]), 0.0, 1.0);
  }
  for (std::size_t g = 0; g + 1 < expected.size(); ++g) {
    means->cdf[g] *= std::exp(-expected[g + 1]);
  }
}

std::vector<double> ExcessWithRelatives(const std::vector<double>& expected, const std::vector<double>& anchors,
                                        std::vector<double> cdf) {
  double rows = 0;
  std::vector<double> none(cdf.size());
  std::vector<double> none_above(expected.size() + 1, 1);
  std::transform(expected.begin(), expected.end(), none_above.begin(), [](double mean) { return std::exp(-mean); });
  for (std::size_t begin = 0; begin < anchors.size(); begin += kAnchorBins) {
    const std::size_t end = std::min(begin + kAnchorBins, anchors.size());
    double here = 0;
    for (std::size_t h = begin; h < end; ++h) here += anchors[h];
    if (here == 0) {
      continue;
    }
    rows += here;
    for (std::size_t d = 0; d < cdf.size(); ++d) {
      none[d] += here * none_above[std::min((begin + end) / 2 + d + 1, expected.size())];
    }
  }
  for (std::size_t d = 0; d < cdf.size(); ++d) {
    cdf[d] *= rows > 0 ? none[d] / rows : 1;
  }
  return cdf;
}

CheckedNull CheckedByControl(const RelativesOfSide& side, const std::vector<double>& anchors,
                             const std::vector<double>& cdf) {
  CheckedNull null{ExcessWithRelatives(side.expected, anchors, cdf), std::vector<double>(cdf.size())};
  const std::vector<double> foretold = ExcessWithRelatives(side.expected_in_own, side.control->anchors, cdf);
  double at_or_below = 0;
  for (std::size_t d = 0; d < cdf.size(); ++d) {
    at_or_below += side.control->excess[d];
    const double rows = std::max(side.control->rows, 1.0);
    const double seen = std::max(at_or_below, 0.5) / rows;
    const double ratio = foretold[d] > 1 / rows ? seen / foretold[d] : 1;
    null.cdf[d] *= std::min(ratio, 1.0);
    null.error[d] = std::hypot(std::sqrt(std::max(1 - seen, 0.0) / (seen * rows)), (ratio - 1) / 2);
  }
  MakeNonDecreasing(null.cdf, std::vector<double>(cdf.size(), 1));
  return null;
}

}  // namespace sluis::linker
