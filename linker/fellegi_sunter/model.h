#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/comparer.h"
#include "linker/fellegi_sunter/em.h"
#include "linker/fellegi_sunter/non_match_model.h"
#include "linker/score/scored_pair.h"

namespace sluis::linker {

// What a report says of a field.
struct FieldWeights {
  std::string name;
  std::vector<double> m;        // by level: disagree, the similarity levels, exact
  std::vector<double> u;        // likewise, whatever the other fields do
  std::vector<double> weights;  // ln(m / u)
  std::string depends_on;       // the field on which u depends, or empty
};

// How probable it is that a pair with a given pattern is one person. Thread-safe for reading.
class FellegiSunterModel {
 public:
  FellegiSunterModel(FellegiSunterPlan plan, NonMatchModel non_matches, MatchParameters parameters);

  // Natural logarithm of the posterior odds, without term frequencies, within [-50, 50]; a reviewed pattern has the
  // odds of its review.
  double LogOdds(PatternCode pattern) const;
  double Probability(PatternCode pattern) const;

  // Returns what the frequency of a value adds to the log odds: ln(u_exact / share), within max_term_adjustment. Two
  // people of one frequent name meet by chance more often than the average u says, two of a rare one less often. The
  // share is estimated from the `others` who have it among `total` values, as (others + s) / (total + s / u_exact), s =
  // 0.5: the mean under a gamma distribution of shares with mean u_exact, so that a value that nobody else has is held
  // to be rare only as far as the number of records supports. Counts for fields that Adjusts.
  double TermAdjustment(std::size_t field, std::uint32_t others, std::uint64_t total) const;
  // Whether the field's term frequency counts for this pattern: it agrees exactly, and does not depend on a field that
  // agrees exactly too (who has the suburb of a postcode says nothing by its frequency), and there is no review.
  bool Adjusts(PatternCode pattern, std::size_t field) const;

  // Gives a pattern log odds of its own; see review.h.
  void SetReviewed(PatternCode pattern, double log_odds) { reviewed_[pattern] = log_odds; }

  const FellegiSunterPlan& plan() const { return plan_; }
  const MatchParameters& parameters() const { return parameters_; }
  const NonMatchModel& non_matches() const { return non_matches_; }
  [[nodiscard]] std::vector<FieldWeights> Weights() const;

 private:
  double LogM(PatternCode pattern) const;  // without joint changes

  FellegiSunterPlan plan_;
  NonMatchModel non_matches_;
  MatchParameters parameters_;
  std::vector<std::vector<double>> log_m_;
  double prior_log_odds_;
  std::map<PatternCode, double> reviewed_;
};

// By field. An entry without `others` makes no adjustment.
using TermTable = std::vector<TermCounts>;

// Returns CountTerms for all fields. Errors as CheckComparable.
[[nodiscard]] absl::StatusOr<TermTable> CountAllTerms(FieldColumns a, FieldColumns b);

}  // namespace sluis::linker
