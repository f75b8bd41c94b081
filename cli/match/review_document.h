#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/fuzzy/match_records.h"

// Clerical review without identities: doubtful agreement patterns as a document, and what people decided about them.
// One format both ways (MatchReview in proto/sluis/linker/v1/plan.proto): what --review-out wrote is filled in and
// given back with --review-in.

namespace sluis::cli {

// What reviewers decided.
struct Review {
  std::string reviewer;
  std::string reviewed_at;                            // yyyy-mm-dd, more may follow
  std::vector<linker::ReviewedComparison> decisions;  // without those that are undecided
};

// Returns the digest that binds a review to a plan, its mode and its fields, as hexadecimal text. Not to the data: a
// decision about a pattern that too few pairs share now is refused by linker::MatchRecords.
[[nodiscard]] std::string ReviewedPlanDigest(const linker::MatchPlan& plan, linker::MatchMode mode);

// Returns the document about the comparisons of `result`, whose sources are called `sources`; `decided`: decisions that
// were taken already. It names fields and files; it holds patterns that at least plan.review_min_pairs pairs share,
// with their number and probability, and nothing about a single pair.
[[nodiscard]] std::string ReviewDocument(std::span<const std::string> sources, const linker::MatchPlan& plan,
                                         linker::MatchMode mode, const linker::MatchReport& result,
                                         std::span<const linker::ReviewedComparison> decided);

// Reads a document. Errors: INVALID_ARGUMENT, naming the pattern by position, if it is of another plan or mode, has an
// unknown key, names not each field of the plan once, a level that there is not, or a pattern twice; if a decision is
// about fewer pairs than the plan's review_min_pairs; if there are decisions, but no reviewer or date.
[[nodiscard]] absl::StatusOr<Review> ReadReview(std::string_view document, const linker::MatchPlan& plan,
                                                linker::MatchMode mode);

// For report.json: who, when, and each decision.
[[nodiscard]] nlohmann::ordered_json ReviewJson(const Review& review, const linker::MatchPlan& plan);

}  // namespace sluis::cli
