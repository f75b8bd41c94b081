#include "cli/match/plan_document.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/match/plan.h"
#include "common/document/yaml.h"
#include "common/status/status.h"
#include "proto/sluis/linker/v1/plan.pb.h"

namespace sluis::cli {
namespace {

namespace v1 = ::sluis::linker::v1;
using linker::FeatureKind;

// A JSON string is a YAML string.
std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The shortest text that reads back to the same number.
std::string Exact(double number) { return nlohmann::json(number).dump(); }

const char* YesNo(bool value) { return value ? "true" : "false"; }

// The two enumerations have the same order; the document's begins with UNSPECIFIED.
FeatureKind FromDocument(v1::Feature::Kind kind) { return static_cast<FeatureKind>(static_cast<int>(kind) - 1); }
static_assert(static_cast<int>(v1::Feature::NAME) == static_cast<int>(FeatureKind::kName) + 1);
static_assert(static_cast<int>(v1::Feature::TEXT) == static_cast<int>(FeatureKind::kText) + 1);
static_assert(static_cast<int>(v1::Feature::CATEGORY) == static_cast<int>(FeatureKind::kCategory) + 1);
static_assert(static_cast<int>(v1::Feature::DATE) == static_cast<int>(FeatureKind::kDate) + 1);
static_assert(static_cast<int>(v1::Feature::DIGITS) == static_cast<int>(FeatureKind::kDigits) + 1);
static_assert(static_cast<int>(v1::Feature::NUMBER) == static_cast<int>(FeatureKind::kNumber) + 1);

absl::Status ApplyFeatures(const v1::MatchPlan& document, const KindOfField& kind_of, linker::MatchPlan& plan) {
  if (document.features().empty()) return absl::OkStatus();
  std::vector<linker::FieldDescription> fields;
  for (const v1::Feature& feature : document.features()) {
    SLUIS_ASSIGN_OR_RETURN(const FeatureKind by_type, kind_of(feature.name()));
    const bool given = feature.kind() != v1::Feature::KIND_UNSPECIFIED;
    fields.push_back({feature.name(), given ? FromDocument(feature.kind()) : by_type});
  }
  plan.encoding.features = linker::DefaultPlan(fields).features;
  for (int i = 0; i < document.features_size(); ++i) {
    if (document.features(i).has_weight()) {
      plan.encoding.features[static_cast<std::size_t>(i)].weight = document.features(i).weight();
    }
  }
  return absl::OkStatus();
}

void ApplyHardening(const v1::Hardening& document, linker::Hardening& hardening) {
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
  if (document.has_max_block()) {
    if (document.max_block() < 2) return absl::InvalidArgumentError("the plan: max_block must be at least 2 records");
    plan.max_block = document.max_block();
  }
  if (document.has_memory_mebibytes()) {
    if (document.memory_mebibytes() < 64 || document.memory_mebibytes() > 1 << 20) {
      return absl::InvalidArgumentError("the plan: memory_mebibytes must be 64 to 1,048,576");
    }
    plan.memory_bytes = document.memory_mebibytes() << 20;
  }
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
  if (message.profile() == v1::MatchPlan::FIELD_LEVEL) encoding.profile = linker::EncodingProfile::kFieldLevel;
  if (message.has_bits()) encoding.bits = message.bits();
  if (message.has_insertions()) encoding.insertions = message.insertions();
  if (message.hashing() == v1::MatchPlan::TABULATION_MIN_HASH) {
    encoding.hashing = linker::Hashing::kTabulationMinHash;
    encoding.hardening.folds = 0;  // unless the document asks for folds, which such a plan cannot have
  }
  ApplyHardening(message.hardening(), encoding.hardening);
  if (message.allow_few_features()) encoding.allow_few_features = true;
  SLUIS_RETURN_IF_ERROR(ApplyFeatures(message, kind_of, plan));
  SLUIS_RETURN_IF_ERROR(ApplyPasses(message, plan));
  return ApplyLimits(message, plan);
}

std::string_view FeatureKindName(FeatureKind kind) {
  static constexpr std::string_view kNames[] = {"NAME", "TEXT", "CATEGORY", "DATE", "DIGITS", "NUMBER"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string PlanDocument(const linker::MatchPlan& plan) {
  const linker::EncodingPlan& encoding = plan.encoding;
  const linker::Hardening& hardening = encoding.hardening;
  const bool field_level = encoding.profile == linker::EncodingProfile::kFieldLevel;
  const bool min_hash = encoding.hashing == linker::Hashing::kTabulationMinHash;
  std::string out = absl::StrCat("label: ", Quoted(encoding.label), "\n");
  absl::StrAppend(&out, "profile: ", field_level ? "FIELD_LEVEL" : "RECORD_LEVEL", "\n");
  if (!encoding.features.empty()) out += "features:\n";
  for (const linker::Feature& feature : encoding.features) {
    absl::StrAppend(&out, "  - {name: ", Quoted(feature.name), ", kind: ", std::string(FeatureKindName(feature.kind)),
                    ", weight: ", Exact(feature.weight), "}\n");
  }
  absl::StrAppend(&out, "bits: ", encoding.bits, "\ninsertions: ", encoding.insertions, "\n");
  absl::StrAppend(&out, "hashing: ", min_hash ? "TABULATION_MIN_HASH" : "RANDOM", "\n");
  absl::StrAppend(&out, "hardening: {folds: ", hardening.folds, ", flip: ", Exact(hardening.flip),
                  ", diffusion: ", hardening.diffusion, ", balanced: ", YesNo(hardening.balanced));
  if (!hardening.salt_feature.empty()) absl::StrAppend(&out, ", salt_feature: ", Quoted(hardening.salt_feature));
  absl::StrAppend(&out, "}\nallow_few_features: ", YesNo(encoding.allow_few_features), "\n");
  out += plan.passes.empty() ? "no_passes: true\n" : "passes:\n";
  for (const linker::ExactPass& pass : plan.passes) {
    absl::StrAppend(&out, "  - {field: ", Quoted(pass.field),
                    ", normaliser: ", pass.normaliser == linker::ExactNormaliser::kBsn ? "BSN" : "TEXT", "}\n");
  }
  absl::StrAppend(&out, "exhaustive_pairs: ", plan.exhaustive_pairs, "\nmax_block: ", plan.max_block,
                  "\nmemory_mebibytes: ", plan.memory_bytes >> 20, "\n");
  return out;
}

}  // namespace sluis::cli
