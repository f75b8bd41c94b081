#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/candidate/candidates.h"
#include "linker/cluster/cluster.h"
#include "linker/fellegi_sunter/model.h"
#include "linker/fellegi_sunter/review.h"
#include "linker/fuzzy/match_plan.h"
#include "linker/fuzzy/match_source.h"
#include "linker/score/score_fit.h"

// The whole way from encodings to entities.

namespace sluis::linker {

class ComparisonStore;

// Decisions about agreement patterns of the pairs between two sources, or within one, by name.
struct ReviewedComparison {
  std::string source_a;
  std::string source_b;  // the same: within one
  std::vector<ReviewDecision> decisions;
};

struct MatchOptions {
  MatchMode mode = MatchMode::kLink;
  std::uint64_t seed = 1;  // of samples and resamplings
  unsigned threads = 1;    // the result does not depend on it
  Kernel kernel = Kernel::kAuto;
  std::stop_token stop = {};
  // Called as a step begins, with how many steps of all are done; may be empty.
  std::function<void(const std::string& step, std::size_t done, std::size_t steps)> progress = {};
  // A clock in seconds, for the report; empty: no times.
  std::function<double()> seconds = {};
  // Where finished comparisons are kept and looked for (comparison_store.h); null: nowhere. The result is the same.
  ComparisonStore* store = nullptr;
  // Field level: what reviewers decided.
  std::vector<ReviewedComparison> reviews = {};
};

// What an exact pass found.
struct ExactPassReport {
  std::string field;
  std::uint64_t records = 0;  // that have a value
  std::uint64_t groups = 0;   // values that several records share
  std::uint64_t pairs = 0;    // that connect them, n - 1 for n records
  // Of these pairs refused, because they contradict the mode or an earlier pass, or their value is too frequent.
  std::uint64_t conflicts = 0;
  std::uint64_t frequent_values = 0;   // values that more records of a source have than a person can (kMostOfASource)
  std::uint64_t largest_frequent = 0;  // records that have the most frequent of them
  // Linked pairs of records (as for `pairs` of MatchReport) whose values differ: the field contradicts other evidence.
  std::uint64_t contradicted_links = 0;
};

// What the probabilistic matching of two sources, or within one, found.
struct ComparisonReport {
  std::uint32_t source_a = 0;
  std::uint32_t source_b = 0;  // the same: within one
  std::uint64_t rows_a = 0;    // compared: with any feature, and not linked by an exact pass between these sources
  std::uint64_t rows_b = 0;
  bool exhaustive = true;
  CandidateStats candidates;   // if not exhaustive
  double blocking_recall = 1;  // share of the matching pairs that were compared, as estimated
  std::uint64_t pairs_compared = 0;
  std::uint64_t pairs_scored = 0;           // handed on to clustering
  std::uint64_t links = 0;                  // pairs of their records in one entity that no exact pass links
  bool skipped = false;                     // a source had no rows
  ScoreFit fit;                             // not credible: no pair was handed on
  double bit_error = 0;                     // record level: of the bit model that was learnt
  double stable_weight = 1;                 // record level: of the stable section (WeighStable)
  std::vector<FieldWeights> field_weights;  // field level; of `fit` then only precision, recall, matches and links
  // Field level, if credible: doubtful patterns that at least plan.review_min_pairs pairs share, as they were before
  // decisions; and how many patterns and pairs decisions concerned.
  ReviewTable review;
  std::uint64_t reviewed_patterns = 0;
  std::uint64_t reviewed_pairs = 0;
  double seconds = 0;
  bool reused = false;  // taken from the store
};

// What is estimated about all links together, exact passes included (taken for right). Without truth.
struct LinkEstimate {
  // Nothing that was compared is unknown, and something is known: each comparison was credible, found no matches or had
  // nothing to compare, and one at least was credible, or an exact link stands.
  bool available = false;
  Estimate precision;
  Estimate recall;
};

struct StepTime {
  std::string step;
  double seconds = 0;
};

struct MatchReport {
  std::vector<ExactPassReport> passes;
  std::vector<ComparisonReport> comparisons;
  LinkEstimate estimate;
  std::uint64_t pairs = 0;  // of records in one entity: between sources, and under kDedupe and kLinkAndDedupe within
  std::vector<StepTime> steps;
  std::vector<std::string> warnings;
};

struct MatchResult {
  Clustering clustering;  // by source and record
  MatchReport report;
};

// Links `sources`, all encoded by `plan` with the same token seeds.
//
// 1. Exact passes in the plan's order; pairs that contradict each other, or a source that has a person once, are
//    refused and reported (ClusterRecords has the rules). So are values that are too frequent (FindExactPairs).
// 2. For each two sources (kLink, kLinkAndDedupe) and within each (kDedupe, kLinkAndDedupe): records that an exact pass
//    linked between just these two are left out under kLink, the others are compared, all with all where that is
//    affordable; scores are learnt and calibrated without truth (linker/score). A fit that is not credible links
//    nothing and is reported; but record-level sources of fewer than kLeastRows rows, which have none, are linked by a
//    cautious fixed threshold.
// 3. ClusterRecords over all pairs, the exact ones fixed.
//
// With a store, comparisons that an earlier call finished are taken from it, and new ones are kept in it as soon as
// they are done. What is found there damaged is done again, and what cannot be kept is not; both are warnings.
//
// At field level decisions of reviewers are taken for the patterns that they are about; m, u and the estimated number
// of matches stay those without them. A fit whose share of matches is beyond plan.match_share is not credible.
//
// Every record of every source is in exactly one entity. Deterministic: the same sources, plan and seed give the same
// result whatever the number of threads. Errors: INVALID_ARGUMENT if there are no sources or over 63, sources were
// encoded by another plan (tables of another number or width), tokens or rows do not fit the records, or kLink has a
// single source; a source that `repeats` or a review names is not there, a review comes at
// record level or is about sources that are not compared, or a decision as ApplyReview; the plan's memory does not
// suffice for candidates. FAILED_PRECONDITION if a review is about a fit that is not credible. CANCELLED.
[[nodiscard]] absl::StatusOr<MatchResult> MatchRecords(std::span<const MatchSource> sources, const MatchPlan& plan,
                                                       const MatchOptions& options);

}  // namespace sluis::linker
