#include "cli/match/plan.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/match/plan_document.h"
#include "common/status/status.h"
#include "linker/fellegi_sunter/plan.h"

namespace sluis::cli {
namespace {

using common::FieldRole;
using common::SchemaField;
using common::ValueType;
using linker::FeatureKind;

FeatureKind KindOf(const SchemaField& field) {
  if (!field.constraints.enumeration.empty() || !field.constraints.enumerated_numbers.empty()) {
    return FeatureKind::kCategory;
  }
  switch (field.type) {
    case ValueType::kDate:
      return FeatureKind::kDate;
    case ValueType::kInteger:
    case ValueType::kYear:
      return FeatureKind::kDigits;
    case ValueType::kNumber:
      return FeatureKind::kNumber;
    case ValueType::kBoolean:
      return FeatureKind::kCategory;
    case ValueType::kString:
      return FeatureKind::kText;
  }
  return FeatureKind::kText;
}

// Values that are valid dates are handed on as yyyy-mm-dd; the order is for those that are not.
linker::DateOrder OrderOf(const SchemaField& field) {
  const std::string& format = field.date_format.text;
  const std::size_t year = format.find("%Y"), month = format.find("%m"), day = format.find("%d");
  if (year == std::string::npos || (year < month && year < day)) return linker::DateOrder::kYearFirst;
  return day < month ? linker::DateOrder::kDayFirst : linker::DateOrder::kMonthFirst;
}

std::optional<std::size_t> Find(const common::Schema& schema, const std::string& name) {
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (schema.fields[i].permit_name == name && schema.fields[i].role != FieldRole::kIgnore) return i;
  }
  return std::nullopt;
}

absl::Status CheckSchema(const InputSchema& input) {
  if (input.schema->primary_key.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("the schema of ", input.name, " names ",
                                                   input.schema->primary_key.size(),
                                                   " primary key columns: name exactly one (primaryKey), whose value "
                                                   "becomes the record_id of links.csv"));
  }
  return absl::OkStatus();
}

// Fields with `role` that all schemas have with it, in the order of the first schema. Those that only some have are
// named in `warnings`.
std::vector<std::string> CommonFields(std::span<const InputSchema> inputs, FieldRole role,
                                      std::vector<std::string>& warnings) {
  std::vector<std::string> order;
  std::set<std::string> seen;
  for (const InputSchema& input : inputs) {
    const std::size_t key = input.schema->primary_key.front();
    for (std::size_t i = 0; i < input.schema->fields.size(); ++i) {
      const SchemaField& field = input.schema->fields[i];
      const bool is_key = i == key && role != FieldRole::kIdentifier;
      if (field.role == role && !is_key && seen.insert(field.permit_name).second) order.push_back(field.permit_name);
    }
  }
  std::vector<std::string> common;
  for (const std::string& name : order) {
    std::string lacking;
    for (const InputSchema& input : inputs) {
      const std::optional<std::size_t> index = Find(*input.schema, name);
      if (!index || input.schema->fields[*index].role != role) {
        absl::StrAppend(&lacking, lacking.empty() ? "" : ", ", input.name);
      }
    }
    if (lacking.empty()) {
      common.push_back(name);
    } else {
      warnings.push_back(absl::StrCat("field `", name, "` is not used: the schema of ", lacking, " has no such ",
                                      role == FieldRole::kQuasi ? "quasi" : "identifier",
                                      " field (fields meet by x-field, else by name)"));
    }
  }
  return common;
}

// The kind of `name` in all schemas; kText, with a warning, if they differ. Precondition: all have it.
FeatureKind CommonKind(std::span<const InputSchema> inputs, const std::string& name,
                       std::vector<std::string>& warnings) {
  std::set<FeatureKind> kinds;
  for (const InputSchema& input : inputs) kinds.insert(KindOf(input.schema->fields[*Find(*input.schema, name)]));
  if (kinds.size() == 1) return *kinds.begin();
  warnings.push_back(absl::StrCat("field `", name, "` has different types in the schemas: it is compared as text"));
  return FeatureKind::kText;
}

linker::MatchPlan DerivePlan(std::span<const InputSchema> inputs, std::vector<std::string>& warnings) {
  linker::MatchPlan plan;
  std::vector<linker::FieldDescription> fields;
  for (const std::string& name : CommonFields(inputs, FieldRole::kQuasi, warnings)) {
    fields.push_back({name, CommonKind(inputs, name, warnings)});
  }
  plan.encoding = linker::DefaultPlan(fields);
  plan.encoding.label = "match";
  for (const std::string& name : CommonFields(inputs, FieldRole::kIdentifier, warnings)) {
    const bool bsn = std::ranges::all_of(
        inputs, [&](const InputSchema& input) { return input.schema->fields[*Find(*input.schema, name)].eleven_test; });
    plan.passes.push_back({name, bsn ? linker::ExactNormaliser::kBsn : linker::ExactNormaliser::kText});
  }
  return plan;
}

absl::StatusOr<std::size_t> FieldOf(const InputSchema& input, const std::string& name) {
  const std::optional<std::size_t> index = Find(*input.schema, name);
  if (!index) {
    return absl::InvalidArgumentError(absl::StrCat("the plan names the field `", name, "`, but the schema of ",
                                                   input.name,
                                                   " has no such field that is read (x-field, else the "
                                                   "column's name; x-role other than ignore)"));
  }
  return *index;
}

absl::Status CheckFeatures(const linker::MatchPlan& plan) {
  const linker::EncodingPlan& encoding = plan.encoding;
  const std::size_t features = encoding.features.size();
  if (features == 0 && plan.passes.empty()) {
    return absl::InvalidArgumentError(
        "the schemas have no field in common: give what describes persons in all of them (names, date of birth, sex, "
        "address ...) x-role: quasi, and the same x-field where the columns' names differ");
  }
  const bool record_level = encoding.profile == linker::EncodingProfile::kRecordLevel;
  if (record_level && features > 0 && features < linker::kMinRecordLevelFeatures && !encoding.allow_few_features) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the schemas have ", features, " quasi fields in common; record-level encodings need at least ",
        linker::kMinRecordLevelFeatures,
        ": add fields with x-role: quasi (names, date of birth, sex, address ...) to all schemas, or allow the weaker "
        "encoding with a plan that says allow_few_features: true"));
  }
  if (!record_level && features > linker::kMaxComparedFields) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", features, " features; at field level at most ", linker::kMaxComparedFields,
                     " can be compared: name the best of them under `features` in a plan"));
  }
  return features == 0 ? absl::OkStatus() : encoding.Validate();
}

}  // namespace

absl::StatusOr<ResolvedPlan> ResolvePlan(std::span<const InputSchema> inputs, std::string_view document) {
  for (const InputSchema& input : inputs) SLUIS_RETURN_IF_ERROR(CheckSchema(input));
  ResolvedPlan resolved;
  resolved.plan = DerivePlan(inputs, resolved.warnings);
  if (!document.empty()) {
    SLUIS_RETURN_IF_ERROR(ApplyPlanDocument(
        document,
        [&](const std::string& name) -> absl::StatusOr<FeatureKind> {
          for (const InputSchema& input : inputs) SLUIS_RETURN_IF_ERROR(FieldOf(input, name).status());
          return CommonKind(inputs, name, resolved.warnings);
        },
        resolved.plan));
  }
  SLUIS_RETURN_IF_ERROR(CheckFeatures(resolved.plan));
  for (const InputSchema& input : inputs) {
    InputColumns columns;
    columns.record_id = input.schema->primary_key.front();
    for (const linker::Feature& feature : resolved.plan.encoding.features) {
      SLUIS_ASSIGN_OR_RETURN(const std::size_t index, FieldOf(input, feature.name));
      columns.features.push_back(index);
      columns.date_orders.push_back(OrderOf(input.schema->fields[index]));
    }
    for (const linker::ExactPass& pass : resolved.plan.passes) {
      SLUIS_ASSIGN_OR_RETURN(const std::size_t index, FieldOf(input, pass.field));
      columns.passes.push_back(index);
    }
    resolved.columns.push_back(std::move(columns));
  }
  return resolved;
}

}  // namespace sluis::cli
