#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/fellegi_sunter/non_match_model.h"
#include "linker/fellegi_sunter/pattern.h"

// Expectation-maximisation on pattern counts. Formulas: README.md.

namespace sluis::linker {

// Fields whose values a person changes together, as who moves has another street, town and postcode.
struct JointChange {
  PatternCode fields = 0;  // the bits of their levels in a pattern
  double share = 0;        // of the matches whose values of all of them were replaced

  friend bool operator==(const JointChange&, const JointChange&) = default;
};

// The parameters that EM estimates.
struct MatchParameters {
  double match_share = 0;                 // of all pairs, candidates or not
  std::vector<std::vector<double>> m;     // by field and level less 1, of values not replaced jointly; each sums to 1
  std::vector<JointChange> changes = {};  // no field is in two

  friend bool operator==(const MatchParameters&, const MatchParameters&) = default;
};

// What EM works on.
struct EmData {
  const FellegiSunterPlan* plan = nullptr;
  std::vector<PatternCount> counts;  // of the candidate pairs
  std::vector<double> log_u;         // of each pattern
  // By joint change and pattern, log u of the pattern's levels in the fields of the change.
  std::vector<std::vector<double>> log_u_of_change;
  std::vector<std::vector<double>> u;  // marginal, by field and level less 1: for the monotonicity of m / u
  double other_pairs = 0;              // pairs that are no candidates: held to be no matches
  double min_share = 0;                // bounds of the match share
  double max_share = 1;
};

// Returns the log-likelihood of `data` less the part that depends on u alone:
// sum n log(share * m / u + 1 - share) + other_pairs log(1 - share).
[[nodiscard]] double LogLikelihood(const EmData& data, const MatchParameters& parameters);

// Returns the log-likelihood plus the logarithm of the priors: sum (prior counts) log m + those of the shares.
[[nodiscard]] double Objective(const EmData& data, const MatchParameters& parameters);

// Returns the logarithm of ((1 - share) m + share u) / m, the factor by which a joint change alters the m of its
// fields.
[[nodiscard]] double LogOfChange(double share, double log_m, double log_u);

// Returns the parameters after one step. The share and each m are the constrained maximum of the expected complete
// objective, so that the objective never falls, but for a step on which max_disagree cuts.
[[nodiscard]] MatchParameters EmStep(const EmData& data, const MatchParameters& parameters);

// Returns the distribution m that maximises sum counts * log m such that m / u does not fall from one level to the next
// (the better the agreement, the more it speaks for a match): the isotonic regression of counts / u with weights u
// (pool adjacent violators; Barlow et al. 1972). If then m[0] > max_first, it is cut to that and the rest scaled up.
// `counts` and `u`: positive, one length.
[[nodiscard]] std::vector<double> MonotoneDistribution(std::span<const double> counts, std::span<const double> u,
                                                       double max_first);

// Returns the prior counts of a field's levels: its Dirichlet parameters less 1, summing to prior_strength.
[[nodiscard]] std::vector<double> PriorCounts(const FieldRule& rule);

struct EmRun {
  MatchParameters parameters;
  double objective = 0;
  std::size_t iterations = 0;
  bool converged = false;  // the objective changed by less than 1e-10 of itself
};

// Iterates EmStep from `start` at most `max_iterations` times.
[[nodiscard]] EmRun RunEm(const EmData& data, MatchParameters start, std::size_t max_iterations);

// Returns where to start: match shares from the largest allowed down to that of one match, a factor of 10 apart (at
// most six), each with m as in the prior and with m of noisy data (a third of the values disagree). EM climbs from a
// start with too many matches into a mixture of common agreements, and from one with too few it finds the pairs that
// agree on nearly all.
[[nodiscard]] std::vector<MatchParameters> Starts(const EmData& data);

}  // namespace sluis::linker
