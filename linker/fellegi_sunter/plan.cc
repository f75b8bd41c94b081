#include "linker/fellegi_sunter/plan.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace {

absl::Status ValidateRule(const FieldRule& rule) {
  if (rule.similarity_cuts.size() > kMaxSimilarityLevels) {
    return absl::InvalidArgumentError(absl::StrCat("similarity_cuts: at most ", kMaxSimilarityLevels));
  }
  double last = 0;
  for (const double cut : rule.similarity_cuts) {
    if (!(cut > last && cut < 1)) {
      return absl::InvalidArgumentError("similarity_cuts: must ascend and lie between 0 and 1");
    }
    last = cut;
  }
  if (!(rule.prior_disagree > 0 && rule.prior_exact > 0 && rule.prior_disagree + rule.prior_exact < 1)) {
    return absl::InvalidArgumentError("prior_disagree and prior_exact: must be positive and together below 1");
  }
  if (!(rule.prior_strength >= 1 && std::isfinite(rule.prior_strength))) {
    return absl::InvalidArgumentError("prior_strength: must be at least 1");
  }
  if (!(rule.max_disagree >= rule.prior_disagree && rule.max_disagree < 1)) {
    return absl::InvalidArgumentError("max_disagree: must be at least prior_disagree and below 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FellegiSunterPlan::Validate() const {
  if (fields.empty() || fields.size() > kMaxComparedFields) {
    return absl::InvalidArgumentError(
        absl::StrCat("fields: ", fields.size(), " given, must be 1 to ", kMaxComparedFields));
  }
  for (std::size_t f = 0; f < fields.size(); ++f) {
    SLUIS_RETURN_IF_ERROR(common::Annotate(ValidateRule(fields[f]), "field " + std::to_string(f)));
  }
  if (expected_matches && !(*expected_matches > 0 && std::isfinite(*expected_matches))) {
    return absl::InvalidArgumentError("expected_matches: must be positive");
  }
  if (!(expected_matches_strength >= 0 && std::isfinite(expected_matches_strength))) {
    return absl::InvalidArgumentError("expected_matches_strength: must not be negative");
  }
  if (!(min_separation >= 0 && min_separation <= 1)) {
    return absl::InvalidArgumentError("min_separation: must be 0 to 1");
  }
  if (!(max_term_adjustment >= 0 && std::isfinite(max_term_adjustment))) {
    return absl::InvalidArgumentError("max_term_adjustment: must not be negative");
  }
  if (max_iterations == 0) {
    return absl::InvalidArgumentError("max_iterations: must be at least 1");
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
