#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sluis::linker {

inline constexpr std::size_t kMaxComparedFields = 21;   // three bits each in a pattern code
inline constexpr std::size_t kMaxSimilarityLevels = 5;  // between disagreement and exact agreement
inline constexpr std::uint64_t kMinPairsPerReview = 5;  // a pattern that fewer pairs share is never shown

// How one field is compared, and what is believed of it before the data are seen.
struct FieldRule {
  std::string name;
  // Where the similarity levels begin, ascending, each in (0, 1): the Dice coefficient corrected for chance, (d - d0) /
  // (1 - d0), d0 being the median of two different values (cut_points.h). Not estimated, so that levels mean the same
  // in all runs.
  std::vector<double> similarity_cuts = {0.3, 0.55, 0.8};
  // The prior of m, a Dirichlet distribution with this mean; the similarity levels share the rest evenly.
  double prior_disagree = 0.1;
  double prior_exact = 0.7;
  double prior_strength = 10;  // weighs as much as so many matches
  double max_disagree = 0.7;  // no estimate of m(disagree) goes above: a field on which most matches differ is no field
  bool stable = false;        // a person keeps it when moving house, as a name or a date of birth
};

struct FellegiSunterPlan {
  std::vector<FieldRule> fields;

  // The prior of the number of matches: a count and how many matches it weighs. Without one only the bounds speak.
  std::optional<double> expected_matches;
  double expected_matches_strength = 0;
  std::uint64_t min_expected_matches =
      3;                        // a fit that finds fewer is not credible: m then follows from the prior alone
  double min_separation = 0.5;  // likewise; see FitCredibility

  double max_term_adjustment =
      4.6;  // natural log; 4.6: a value's frequency changes the odds by a factor of 100 at most
  std::size_t max_iterations = 500;  // of EM, per start

  // Returns OK if the plan can be used. Errors: INVALID_ARGUMENT, naming the field's index or the setting: no fields or
  // more than kMaxComparedFields; cuts not ascending within (0, 1) or more than kMaxSimilarityLevels; prior_disagree or
  // prior_exact not positive, or together not below 1; a strength below 1; max_disagree below prior_disagree or not
  // below 1; min_separation outside [0, 1]; a negative adjustment, expected number or weight; no iterations.
  [[nodiscard]] absl::Status Validate() const;
};

}  // namespace sluis::linker
