#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/score/control.h"
#include "linker/score/null_tail.h"
#include "linker/score/top_lists.h"

namespace sluis::linker {

// Above all scores: links nothing.
inline constexpr std::int32_t kLinkNothing = std::numeric_limits<std::int32_t>::max();
// A source of fewer rows is too small to estimate anything from it.
inline constexpr std::size_t kLeastRows = 30;

// An estimate with the limits of its 90 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Log-odds by score: linear between knots, beyond them by the first and last slope, within [-kMost, kMost]. Monotone.
struct LogOddsTable {
  static constexpr double kMost = 12;
  std::vector<double> scores;  // ascending
  std::vector<double> log_odds;

  double At(double score) const;
};

struct FitOptions {
  // The first place of a list that is taken to hold no match: 2 between sources that hold a person once; within a
  // source, or between sources that repeat people, more than the most records of one person.
  std::size_t first_null = 2;
  // The share of all matching pairs that were compared at all: a factor of the recall. In (0, 1].
  double blocking_recall = 1;
  // Resamplings for the intervals, in groups of rows, from `seed`; at least 20.
  int resamplings = 100;
  std::uint64_t seed = 1;
  unsigned threads = 1;  // the result does not depend on it
  // Of ScoreFit.threshold if there are too few rows.
  std::int32_t fallback_threshold = kLinkNothing;
};

// What the scores say about how good links are. No truth is used.
struct ScoreFit {
  // Maximises the estimated F1; log_odds is the better criterion where pairs compete. kLinkNothing if no matches are
  // credible.
  std::int32_t threshold = kLinkNothing;
  double matches = 0;      // estimated number of matching pairs among those compared
  double match_share = 0;  // of the rows of the smaller source; if first_null is not 2 matches per row
  double links = 0;        // pairs at or above the threshold
  Estimate precision;      // of the links: mutually best pairs, or all pairs if first_null is not 2
  Estimate recall;         // of all matching pairs, those that were not compared included
  // False: do not use the fit (why_not says why), link by nothing else than exact keys. The estimates are then 0.
  bool credible = false;
  std::string why_not;
  // Not credible because nothing is above what non-matches give: no matches, or too few to be told from chance.
  bool no_matches = false;
  // The odds of a pair at random of this score: matches over non-matches, whatever else the two rows have. Between
  // sources that hold a person once (first_null 2), where candidates exclude each other, the odds of a pair are these
  // over `no_match_odds` plus the odds of all pairs that it excludes: the weight of both records having no match at
  // all. Else it is 1.
  LogOddsTable log_odds;
  double no_match_odds = 1;
  NullTail null_a;
  NullTail null_b;
  // The score from which on the estimated precision is at least 0.95, kLinkNothing if there is none.
  std::int32_t confident_score = kLinkNothing;
};

// Fits the null model to lists of scores (README.md has the method). `b` null: `a` holds the lists within one source.
// `controls`, between sources without duplicates: lists of the same length of rows within their own source.
// Deterministic. Errors: INVALID_ARGUMENT if the lists are shorter than first_null + 2, the lists differ in k, or an
// option is out of its range. Cost: O(rows * k) plus about 2 ms a resampling.
// `mutual`, if the lists are of some rows of both sources, the same share of each: by row of `a`, whether its first is
// a link of it, which the lists of the rows drawn from `b` cannot tell. Numbers are then about the rows drawn.
[[nodiscard]] absl::StatusOr<ScoreFit> FitScores(const TopLists& a, const TopLists* b, const FitOptions& options,
                                                 const Controls* controls = nullptr,
                                                 const std::vector<bool>* mutual = nullptr);

}  // namespace sluis::linker
