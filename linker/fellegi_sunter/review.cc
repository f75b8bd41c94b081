#include "linker/fellegi_sunter/review.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"

namespace sluis::linker {

absl::StatusOr<ReviewTable> MakeReviewTable(const FellegiSunterModel& model, const PatternCounts& candidates,
                                            const ReviewOptions& options) {
  if (options.min_pairs < kMinPairsPerReview) {
    return absl::InvalidArgumentError(absl::StrCat("min_pairs: must be at least ", kMinPairsPerReview));
  }
  if (!(options.max_log_odds > 0)) {
    return absl::InvalidArgumentError("max_log_odds: must be positive");
  }
  ReviewTable table;
  table.min_pairs = options.min_pairs;
  std::uint64_t hidden = 0;
  for (const PatternCount& entry : candidates.Sorted()) {
    const double log_odds = model.LogOdds(entry.pattern);
    if (std::abs(log_odds) > options.max_log_odds) {
      continue;
    }
    if (entry.pairs < options.min_pairs) {
      hidden += entry.pairs;
      continue;
    }
    ReviewPattern& shown = table.patterns.emplace_back(ReviewPattern{entry.pattern, {}, entry.pairs, log_odds});
    for (std::size_t f = 0; f < model.plan().fields.size(); ++f) {
      shown.levels.push_back(LevelOf(entry.pattern, f));
    }
  }
  if (hidden >= options.min_pairs) {
    table.pairs_hidden = hidden;
  }
  std::stable_sort(table.patterns.begin(), table.patterns.end(),
                   [](const ReviewPattern& x, const ReviewPattern& y) { return x.log_odds > y.log_odds; });
  return table;
}

absl::Status ApplyReview(const ReviewTable& table, std::span<const ReviewDecision> decisions,
                         FellegiSunterModel& model) {
  std::set<PatternCode> shown;
  for (const ReviewPattern& pattern : table.patterns) {
    shown.insert(pattern.pattern);
  }
  std::set<PatternCode> decided;
  for (std::size_t d = 0; d < decisions.size(); ++d) {
    if (!shown.contains(decisions[d].pattern)) {
      return absl::InvalidArgumentError(absl::StrCat("decision ", d, ": its pattern is not in the review table"));
    }
    if (!decided.insert(decisions[d].pattern).second) {
      return absl::InvalidArgumentError(absl::StrCat("decision ", d, ": its pattern is decided twice"));
    }
    if (!(decisions[d].certainty >= 0.5 && decisions[d].certainty <= 0.999)) {
      return absl::InvalidArgumentError(absl::StrCat("decision ", d, ": certainty must be 0.5 to 0.999"));
    }
  }
  for (const ReviewDecision& decision : decisions) {
    const double log_odds = std::log(decision.certainty / (1 - decision.certainty));
    model.SetReviewed(decision.pattern, decision.verdict == ReviewVerdict::kMatch ? log_odds : -log_odds);
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
