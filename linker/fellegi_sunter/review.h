#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/model.h"

namespace sluis::linker {

// An agreement pattern as a reviewer sees it: which fields agree and how well, never a record or a value.
struct ReviewPattern {
  PatternCode pattern = 0;
  std::vector<AgreementLevel> levels;  // by field
  std::uint64_t pairs = 0;             // candidate pairs that show it, at least min_pairs
  double log_odds = 0;                 // by the model, term frequencies aside
};

// What a reviewer gets. What the patterns of fewer pairs have in common is told as one number of pairs, and that only
// if it is at least min_pairs.
struct ReviewTable {
  std::uint64_t min_pairs = 0;
  std::vector<ReviewPattern> patterns;        // by log odds, descending; equal ones by pattern code
  std::optional<std::uint64_t> pairs_hidden;  // pairs of doubtful patterns that are not shown
};

struct ReviewOptions {
  std::uint64_t min_pairs = 10;  // k: a pattern that fewer pairs share is not shown
  double max_log_odds = 7;       // patterns with odds within [-this, this] are doubtful: only they are shown
};

// Returns the doubtful patterns among `candidates`. Errors: INVALID_ARGUMENT if min_pairs < kMinPairsPerReview or
// max_log_odds is not positive. Two tables of almost the same records differ by single pairs: who hands tables out
// hands out one per link set, or rounds.
[[nodiscard]] absl::StatusOr<ReviewTable> MakeReviewTable(const FellegiSunterModel& model,
                                                          const PatternCounts& candidates,
                                                          const ReviewOptions& options);

enum class ReviewVerdict { kMatch, kNoMatch };

struct ReviewDecision {
  PatternCode pattern = 0;
  ReviewVerdict verdict = ReviewVerdict::kNoMatch;
  double certainty = 0.95;  // that a pair of this pattern is what the verdict says, in [0.5, 0.999]
};

// Applies `decisions` to `model`: all pairs of a decided pattern, whatever their values, get the log odds of the
// certainty. Other patterns keep theirs, and m, u and the share are not estimated anew. Errors, with `model` unchanged:
// INVALID_ARGUMENT, naming the decision's index, if its pattern is not in `table` (so that no decision can concern
// fewer pairs than were to be shared), is decided twice, or the certainty is out of range.
[[nodiscard]] absl::Status ApplyReview(const ReviewTable& table, std::span<const ReviewDecision> decisions,
                                       FellegiSunterModel& model);

}  // namespace sluis::linker
