#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/comparer.h"
#include "linker/fellegi_sunter/model.h"

namespace sluis::linker {

// What the model is estimated from: counts, never pairs.
struct FitInput {
  PatternCounts candidates;       // patterns of the candidate pairs, each pair once
  std::uint64_t total_pairs = 0;  // all pairs, candidates or not: records of a times those of b, or n (n - 1) / 2
  // How many of them can be matches: the records of the smaller source if each has at most one counterpart.
  std::uint64_t max_matches = 0;
  NonMatchSample non_matches;
};

// Whether an estimate deserves belief, and the figures from which this follows.
struct FitCredibility {
  bool credible = false;
  std::string why_not;          // for people; empty if credible
  double expected_matches = 0;  // sum of the posterior probabilities of the candidates
  double match_variance = 0;    // sum of p (1 - p)
  double separation = 0;        // mean posterior probability over the expected matches: 1 if no pair is doubtful
  double agreement = 0;         // mean over the fields of 1 - m(disagree)
  double claimed = 0;           // candidates with p > 0.5
  // Pairs with p > 0.5 among `total_pairs` random pairs of two persons, from the sample; -1 where it may hold matches.
  double control = -1;
};

struct FellegiSunterFit {
  FellegiSunterModel model;
  FitCredibility credibility;
  double objective = 0;  // of the chosen start
  std::size_t starts = 0;
  std::size_t iterations = 0;  // of the chosen start
  bool converged = false;
};

// Estimates m, u and the match share, without truth. u from the sample; m and the share by EM from several starts on
// the pattern counts, u fixed. A sample that may hold matches is freed of the pairs that agree in so much that they
// may be: min(0.75, 1 - 1.5 / n) of what agreement in all n fields would weigh, or in all n stable ones (three at
// least), m being that of the priors. If these pairs are more than a twentieth of max_matches, it is a file full of
// duplicates: then the sample is weighted instead with the probability of no match, the whole repeated twice, and no
// dependence of fields is learnt. Of the starts' results the one with the largest objective among the credible ones is
// chosen, and if none is credible the one with the largest.
//
// Not credible: fewer expected matches than plan.min_expected_matches; more than 1.5 times max_matches (up to there the
// number is cut to it); separation below plan.min_separation; matches that agree on less than half of the fields on
// average; or a control that is at least 5 pairs of the sample and above half of what is claimed, which means that the
// fields depend on each other in a way that the model does not know.
//
// Errors: as FellegiSunterPlan::Validate; INVALID_ARGUMENT if total_pairs is less than the candidates or max_matches is
// 0 or more than total_pairs; FAILED_PRECONDITION without candidates or sample, or if fewer than two fields
// are present in any candidate. Deterministic. Memory and time are O(patterns), time also O(fields * starts *
// iterations).
[[nodiscard]] absl::StatusOr<FellegiSunterFit> FitFellegiSunter(const FellegiSunterPlan& plan, const FitInput& input);

// Returns the log odds of each pair, in the order of `pairs`, term frequencies included. `comparer`: with the cuts that
// the fit's patterns were made with; `terms`: CountAllTerms of the same sources, or empty for no adjustment. Errors:
// FAILED_PRECONDITION if the fit is not credible; INVALID_ARGUMENT as FieldComparer::Compare, and if `terms` has
// another number of fields or fewer records. Thread-safe.
[[nodiscard]] absl::StatusOr<std::vector<ScoredPair>> ScorePairs(const FellegiSunterFit& fit,
                                                                 const FieldComparer& comparer, const TermTable& terms,
                                                                 std::span<const CandidatePair> pairs);

}  // namespace sluis::linker
