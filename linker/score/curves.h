#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "linker/score/control.h"
#include "linker/score/null_tail.h"
#include "linker/score/score_sample.h"

// What counts of scores say, by score: the null of both sides, and the links, right and false, from each score on.

namespace sluis::linker {

// Relative error of lambda that a decision must survive.
inline constexpr double kModelError = 0.15;

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
  // Whether a record has one match at most, so that links are mutually best pairs; else they are all pairs that are
  // listed where matches may be.
  bool one_each = false;
  Side a;
  std::optional<Side> b;
  std::vector<double> links;        // at or above the bin
  std::vector<double> false_links;  // expected
  std::vector<double> null_links;   // expected if no row had a match
  double matches = 0;
  double matches_at_median = 0;  // Side::matched_at_median, of both; where not one_each as `matches`
};

// All that is fitted to; within one source only `a`.
struct Counts {
  SideSample a;
  std::optional<SideSample> b;
  std::optional<ControlSample> control_a;
  std::optional<ControlSample> control_b;

  const SideSample* pointer_b() const { return b ? &*b : nullptr; }
};

// Fits the null and everything else to `counts`; `first_null` as FitOptions.
[[nodiscard]] Curves Fit(const Counts& counts, const ScoreGrid& grid, std::size_t first_null);

// Of the links at or above bin `g`: how many are expected to be right, their share of the links, and their share of
// all matches.
[[nodiscard]] double TrueLinks(const Curves& curves, std::size_t g);
[[nodiscard]] double Precision(const Curves& curves, std::size_t g);
[[nodiscard]] double Recall(const Curves& curves, std::size_t g);

}  // namespace sluis::linker
