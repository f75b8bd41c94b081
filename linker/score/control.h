#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "linker/score/score_sample.h"
#include "linker/score/top_lists.h"

// Negative controls (Lipsitch, Tchetgen and Cohen 2010; as decoys are in the search of spectra, Elias and Gygi 2007):
// where each source has a person once, no two records of one source are a match, so how alike the records of one source
// are says how alike non-matches between sources can be. The spacings of strangers' scores cannot say it of relatives.

namespace sluis::linker {

// The lists of some rows of a source among its other rows, by the same scores.
struct ControlLists {
  TopLists lists;
  std::size_t others = 0;  // rows that each was compared with
};

struct Controls {
  ControlLists a;
  ControlLists b;
};

// Counts over control rows of one side.
struct ControlSample {
  double rows = 0;
  double others = 0;
  std::vector<double> anchors;  // rows by bin of their last place
  std::vector<double> excess;   // rows by bins from their last place up to their best score
  std::vector<double> listed;   // candidates by bin, of all places

  void Add(const ControlSample& sample, double weight);
};

// The same in groups of rows, for resampling.
class GroupedControl {
 public:
  GroupedControl(const ControlLists& control, const ScoreGrid& grid);

  ControlSample Total() const;
  ControlSample Resample(std::mt19937_64* random) const;

 private:
  ControlSample Empty() const;
  std::size_t bins_;
  double others_;
  std::vector<ControlSample> groups_;
};

// One side of the null: what is known of its strangers.
struct ControlSide {
  const ControlSample& control;
  const SideSample& sample;
  const NullTail& tail;
};

// What controls say of the rows of one side: their sample, and how many relatives a row has, expected at or above each
// bin, in the other source and in its own.
struct RelativesOfSide {
  const ControlSample* control;
  std::vector<double> expected;
  std::vector<double> expected_in_own;
};

// Returns by bin the expected number of non-matches at or above the bin beyond those that the tails of strangers
// foretell, per pair of records: in both sources' controls together, which takes the two for samples of one population.
// Not increasing.
[[nodiscard]] std::vector<double> RelativesPerPair(const ControlSide& a, const ControlSide& b, const ScoreGrid& grid);

// Adds relatives, `expected` at or above each bin, Poisson, to the curves of strangers.
void AddRelatives(const std::vector<double>& expected, NullMeans* means);

// Returns `cdf`, that of strangers by bins above the anchor, with relatives added, over these anchors.
[[nodiscard]] std::vector<double> ExcessWithRelatives(const std::vector<double>& expected,
                                                      const std::vector<double>& anchors, std::vector<double> cdf);

// A null by bins above the anchor, and its standard error relative to it.
struct CheckedNull {
  std::vector<double> cdf;
  std::vector<double> error;
};

// Returns the null of a side's rows by bins above the anchor: that of strangers, `cdf`, with relatives, lowered where
// control rows have more that is alike than the same model foretells of them. It is not raised: strangers of the other
// source are seen there themselves. Where the model errs for control rows it is taken to err as much here, give or take
// half of that.
[[nodiscard]] CheckedNull CheckedByControl(const RelativesOfSide& side, const std::vector<double>& anchors,
                                           const std::vector<double>& cdf);

}  // namespace sluis::linker
