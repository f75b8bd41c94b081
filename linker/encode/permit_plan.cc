#include "linker/encode/permit_plan.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "common/status/status.h"

namespace sluis::linker {
namespace {

FeatureKind KindOf(common::SimilarityKind kind) {
  switch (kind) {
    case common::SimilarityKind::kName:
      return FeatureKind::kName;
    case common::SimilarityKind::kText:
      return FeatureKind::kText;
    case common::SimilarityKind::kCategory:
      return FeatureKind::kCategory;
    case common::SimilarityKind::kDate:
      return FeatureKind::kDate;
    case common::SimilarityKind::kDigits:
      return FeatureKind::kDigits;
    case common::SimilarityKind::kNumber:
      return FeatureKind::kNumber;
  }
  return FeatureKind::kText;
}

// What is too large stays too large: Validate names its limit.
int ToInt(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, std::numeric_limits<int>::max()));
}

}  // namespace

absl::StatusOr<EncodingPlan> PlanOf(const common::Permit& permit) {
  if (!permit.similarity.has_value()) {
    return common::WithReason(
        absl::FailedPreconditionError("permit " + permit.id + " has no similarity: its records are not encoded"),
        "NO_SIMILARITY");
  }
  const common::PermitSimilarity& similarity = *permit.similarity;
  std::vector<FieldDescription> fields;
  for (const common::SimilarityFeature& feature : similarity.features) {
    fields.push_back({feature.name, KindOf(feature.kind)});
  }
  EncodingPlan plan = DefaultPlan(fields);
  plan.label = permit.id;
  if (similarity.field_level) UseFieldLevel(plan);
  for (std::size_t i = 0; i < similarity.features.size(); ++i) {
    if (similarity.features[i].weight.has_value()) plan.features[i].weight = *similarity.features[i].weight;
    if (similarity.features[i].stable.has_value()) plan.features[i].stable = *similarity.features[i].stable;
  }
  if (similarity.bits.has_value()) plan.bits = *similarity.bits;
  if (similarity.insertions.has_value()) plan.insertions = *similarity.insertions;
  if (similarity.min_hash) {
    plan.hashing = Hashing::kTabulationMinHash;
    plan.hardening.folds = 0;
  }
  if (similarity.folds.has_value()) plan.hardening.folds = ToInt(*similarity.folds);
  if (similarity.flip.has_value()) plan.hardening.flip = *similarity.flip;
  plan.hardening.salt_feature = similarity.salt_feature;
  plan.hardening.diffusion = ToInt(similarity.diffusion);
  plan.hardening.balanced = similarity.balanced;
  plan.stable_bits = similarity.stable_bits.has_value() ? *similarity.stable_bits : DefaultStableBits(plan);
  if (similarity.stable_insertions.has_value()) plan.stable_insertions = *similarity.stable_insertions;
  if (const absl::Status status = plan.Validate(); !status.ok()) {
    return common::WithReason(common::Annotate(status, "permit field similarity"), "PERMIT_INVALID");
  }
  return plan;
}

}  // namespace sluis::linker
