#include "cli/match/plan_document.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/match/plan.h"
#include "common/document/yaml.h"
#include "common/status/status.h"
#include "proto/sluis/common/v1/encoding.pb.h"
#include "proto/sluis/linker/v1/plan.pb.h"

namespace sluis::cli {
namespace {

namespace v1 = ::sluis::linker::v1;
using common::v1::Encoding;
using common::v1::Feature;
using linker::FeatureKind;

// The two enumerations have the same order; the document's begins with UNSPECIFIED.
FeatureKind FromDocument(Feature::Kind kind) { return static_cast<FeatureKind>(static_cast<int>(kind) - 1); }
static_assert(static_cast<int>(Feature::NAME) == static_cast<int>(FeatureKind::kName) + 1);
static_assert(static_cast<int>(Feature::TEXT) == static_cast<int>(FeatureKind::kText) + 1);
static_assert(static_cast<int>(Feature::CATEGORY) == static_cast<int>(FeatureKind::kCategory) + 1);
static_assert(static_cast<int>(Feature::DATE) == static_cast<int>(FeatureKind::kDate) + 1);
static_assert(static_cast<int>(Feature::DIGITS) == static_cast<int>(FeatureKind::kDigits) + 1);
static_assert(static_cast<int>(Feature::NUMBER) == static_cast<int>(FeatureKind::kNumber) + 1);

absl::Status ApplyFeatures(const v1::MatchPlan& document, const KindOfField& kind_of, linker::MatchPlan& plan) {
  if (document.features().empty()) return absl::OkStatus();
  std::vector<linker::FieldDescription> fields;
  for (const Feature& feature : document.features()) {
    SLUIS_ASSIGN_OR_RETURN(const FeatureKind by_type, kind_of(feature.name()));
    const bool given = feature.kind() != Feature::KIND_UNSPECIFIED;
    fields.push_back({feature.name(), given ? FromDocument(feature.kind()) : by_type});
  }
  plan.encoding.features = linker::DefaultPlan(fields).features;
  for (int i = 0; i < document.features_size(); ++i) {
    linker::Feature& feature = plan.encoding.features[static_cast<std::size_t>(i)];
    if (document.features(i).has_weight()) feature.weight = document.features(i).weight();
    if (document.features(i).has_stable()) feature.stable = document.features(i).stable();
  }
  return absl::OkStatus();
}

void ApplyHardening(const common::v1::Hardening& document, linker::Hardening& hardening) {
  if (document.has_folds()) hardening.folds = static_cast<int>(document.folds());
  if (document.has_flip()) hardening.flip = document.flip();
  if (!document.salt_feature().empty()) hardening.salt_feature = document.salt_feature();
  if (document.diffusion() > 0) hardening.diffusion = static_cast<int>(document.diffusion());
  if (document.balanced()) hardening.balanced = true;
}

absl::Status ApplyPasses(const v1::MatchPlan& document, linker::MatchPlan& plan) {
  if (document.no_passes() && !document.passes().empty()) {
    return absl::InvalidArgumentError("the plan has passes and no_passes: leave one out");
  }
  if (document.no_passes()) plan.passes.clear();
  if (document.passes().empty()) return absl::OkStatus();
  const std::vector<linker::ExactPass> by_schema = std::exchange(plan.passes, {});
  for (const v1::ExactPass& pass : document.passes()) {
    linker::ExactPass out{pass.field(), linker::ExactNormaliser::kText};
    for (const linker::ExactPass& known : by_schema) {
      if (known.field == out.field) out.normaliser = known.normaliser;
    }
    if (pass.normaliser() == v1::ExactPass::TEXT) out.normaliser = linker::ExactNormaliser::kText;
    if (pass.normaliser() == v1::ExactPass::BSN) out.normaliser = linker::ExactNormaliser::kBsn;
    for (const linker::ExactPass& earlier : plan.passes) {
      if (earlier.field == out.field) {
        return absl::InvalidArgumentError("the plan has two passes on the field `" + out.field + "`");
      }
    }
    plan.passes.push_back(std::move(out));
  }
  return absl::OkStatus();
}

absl::Status ApplyLimits(const v1::MatchPlan& document, linker::MatchPlan& plan) {
  if (document.has_exhaustive_pairs()) plan.exhaustive_pairs = document.exhaustive_pairs();
  if (document.has_max_block()) plan.max_block = document.max_block();
  if (document.has_memory_mebibytes()) {
    if (document.memory_mebibytes() < 64 || document.memory_mebibytes() > 1 << 20) {
      return absl::InvalidArgumentError("the plan: memory_mebibytes must be 64 to 1,048,576");
    }
    plan.memory_bytes = document.memory_mebibytes() << 20;
  }
  if (!document.repeats().empty()) plan.repeats.assign(document.repeats().begin(), document.repeats().end());
  if (document.match_share().has_low()) plan.match_share.low = document.match_share().low();
  if (document.match_share().has_high()) plan.match_share.high = document.match_share().high();
  if (document.has_review_min_pairs()) plan.review_min_pairs = document.review_min_pairs();
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyPlanDocument(std::string_view document, const KindOfField& kind_of, linker::MatchPlan& plan) {
  v1::MatchPlan message;
  if (absl::Status status = common::ParseYaml(document, message); !status.ok()) {
    return common::Annotate(status, "the plan");
  }
  linker::EncodingPlan& encoding = plan.encoding;
  if (!message.label().empty()) encoding.label = message.label();
  if (message.profile() == Encoding::FIELD_LEVEL) {
    linker::UseFieldLevel(encoding);
  }
  if (message.has_bits()) encoding.bits = message.bits();
  if (message.has_insertions()) encoding.insertions = message.insertions();
  if (message.hashing() == Encoding::TABULATION_MIN_HASH) {
    encoding.hashing = linker::Hashing::kTabulationMinHash;
    encoding.hardening.folds = 0;  // unless the document asks for folds, which such a plan cannot have
  }
  ApplyHardening(message.hardening(), encoding.hardening);
  if (message.allow_few_features()) encoding.allow_few_features = true;
  SLUIS_RETURN_IF_ERROR(ApplyFeatures(message, kind_of, plan));
  encoding.stable_bits = message.has_stable_bits() ? message.stable_bits() : linker::DefaultStableBits(encoding);
  if (message.has_stable_insertions()) encoding.stable_insertions = message.stable_insertions();
  SLUIS_RETURN_IF_ERROR(ApplyPasses(message, plan));
  return ApplyLimits(message, plan);
}

std::string_view FeatureKindName(FeatureKind kind) {
  static constexpr std::string_view kNames[] = {"NAME", "TEXT", "CATEGORY", "DATE", "DIGITS", "NUMBER"};
  return kNames[static_cast<std::size_t>(kind)];
}

nlohmann::ordered_json PlanJson(const linker::MatchPlan& plan) {
  using nlohmann::ordered_json;
  const linker::EncodingPlan& encoding = plan.encoding;
  const linker::Hardening& hardening = encoding.hardening;
  const bool field_level = encoding.profile == linker::EncodingProfile::kFieldLevel;
  const bool min_hash = encoding.hashing == linker::Hashing::kTabulationMinHash;
  ordered_json json = {{"label", encoding.label}, {"profile", field_level ? "FIELD_LEVEL" : "RECORD_LEVEL"}};
  json["features"] = ordered_json::array();
  for (const linker::Feature& feature : encoding.features) {
    json["features"].push_back({{"name", feature.name},
                                {"kind", FeatureKindName(feature.kind)},
                                {"weight", feature.weight},
                                {"stable", feature.stable}});
  }
  json["bits"] = encoding.bits;
  json["insertions"] = encoding.insertions;
  json["stable_bits"] = encoding.stable_bits;
  json["stable_insertions"] = encoding.stable_insertions;
  json["hashing"] = min_hash ? "TABULATION_MIN_HASH" : "RANDOM";
  json["hardening"] = {{"folds", hardening.folds},
                       {"flip", hardening.flip},
                       {"salt_feature", hardening.salt_feature},
                       {"diffusion", hardening.diffusion},
                       {"balanced", hardening.balanced}};
  json["allow_few_features"] = encoding.allow_few_features;
  json["passes"] = ordered_json::array();
  for (const linker::ExactPass& pass : plan.passes) {
    const bool bsn = pass.normaliser == linker::ExactNormaliser::kBsn;
    json["passes"].push_back({{"field", pass.field}, {"normaliser", bsn ? "BSN" : "TEXT"}});
  }
  json["no_passes"] = plan.passes.empty();
  json["exhaustive_pairs"] = plan.exhaustive_pairs;
  json["max_block"] = plan.max_block;
  json["memory_mebibytes"] = plan.memory_bytes >> 20;
  json["repeats"] = plan.repeats;
  json["match_share"] = {{"low", plan.match_share.low}};
  if (std::isfinite(plan.match_share.high)) json["match_share"]["high"] = plan.match_share.high;
  json["review_min_pairs"] = plan.review_min_pairs;
  return json;
}

std::string PlanDocument(const linker::MatchPlan& plan) {
  // JSON is YAML; lists get a line for each item, so that people can edit them.
  const auto text = [](const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  const nlohmann::ordered_json json = PlanJson(plan);
  std::string out;
  for (const auto& [key, value] : json.items()) {
    absl::StrAppend(&out, key, ":");
    if (value.is_array() && !value.empty()) {
      for (const auto& item : value) absl::StrAppend(&out, "\n  - ", text(item));
    } else {
      absl::StrAppend(&out, " ", text(value));
    }
    out += '\n';
  }
  return out;
}

}  // namespace sluis::cli
