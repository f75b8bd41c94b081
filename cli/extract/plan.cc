#include "cli/extract/plan.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"

namespace sluis::cli {
namespace {

using common::Coarsening;
using common::FieldRole;
using common::FieldType;
using common::Normaliser;
using common::PermitField;
using common::SchemaField;
using common::ValueType;

std::string Quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

// What the permit expects of an attribute's source, or nothing if `type` serves.
std::string WrongAttributeType(const PermitField& attribute, ValueType type) {
  const bool date = type == ValueType::kDate;
  const bool whole = type == ValueType::kInteger || type == ValueType::kYear;
  switch (attribute.coarsening) {
    case Coarsening::kAgeClass:
    case Coarsening::kTruncateMonth:
    case Coarsening::kTruncateYear:
      return date ? "" : "date";
    case Coarsening::kPrefix:
      return type == ValueType::kString ? "" : "string";
    case Coarsening::kToken:
      return type == ValueType::kString || type == ValueType::kInteger ? "" : "string or integer";
    case Coarsening::kRoundDown:
      return whole || type == ValueType::kNumber ? "" : "integer, number or year";
    default:
      break;
  }
  switch (attribute.type) {
    case FieldType::kDate:
      return date ? "" : "date";
    case FieldType::kInteger:
      return whole || type == ValueType::kNumber ? "" : "integer, number or year";
    case FieldType::kToken:
      return type == ValueType::kString || type == ValueType::kInteger ? "" : "string or integer";
    case FieldType::kCode:
      return type != ValueType::kNumber ? "" : "string, integer, year, boolean or date";
  }
  return "";
}

std::string WrongKeyType(Normaliser normaliser, ValueType type) {
  if (normaliser == Normaliser::kDate) return type == ValueType::kDate ? "" : "date";
  if (type == ValueType::kString) return "";
  const bool digits =
      normaliser == Normaliser::kBsn || normaliser == Normaliser::kPostcode4 || normaliser == Normaliser::kText;
  if (digits) return type == ValueType::kInteger ? "" : "string or integer";
  return "string";
}

class Fitting {
 public:
  Fitting(ExtractPlan& plan, const common::Permit& permit)
      : plan_(plan), permit_(permit), used_(plan.schema.fields.size()) {}

  absl::Status Run() {
    for (const PermitField& attribute : plan_.permit_register.fields) FitAttribute(attribute);
    for (const std::string& name : plan_.permit_register.match_keys) {
      const common::MatchKey* key = permit_.FindMatchKey(name);
      if (key == nullptr) {
        Problem("the permit lacks the match key " + Quoted(name));
        continue;
      }
      for (const common::MatchKeyComponent& component : key->components) FitComponent(*key, component);
    }
    for (const common::FeatureSource& feature : plan_.permit_register.features) FitFeature(feature);
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const SchemaField& field = plan_.schema.fields[i];
      if (!used_[i] && field.role != FieldRole::kIgnore) {
        Problem("field " + Quoted(field.name) +
                ": the permit does not use it; remove the column, or set x-role: ignore (minimisation)");
      }
    }
    if (problems_.empty()) return absl::OkStatus();
    return common::WithReason(absl::InvalidArgumentError("the schema does not fit the permit:" + problems_),
                              "SCHEMA_PERMIT");
  }

 private:
  void Problem(const std::string& text) { problems_ += "\n  " + text; }

  // The schema field for `source`, marked as used; null (and a problem noted) if there is none that may be read.
  const SchemaField* Source(const std::string& source, const std::string& purpose) {
    const std::size_t index = plan_.FieldIndex(source);
    if (index == used_.size()) {
      Problem(purpose + ": the schema lacks its source " + Quoted(source) +
              ", or has it with x-role: ignore; a column of another name is tied to it by x-field");
      return nullptr;
    }
    used_[index] = true;
    return &plan_.schema.fields[index];
  }

  void FitAttribute(const PermitField& attribute) {
    const std::string purpose = "attribute " + Quoted(attribute.name);
    const SchemaField* field = Source(attribute.source, purpose);
    plan_.attribute_source.push_back(plan_.FieldIndex(attribute.source));
    if (field == nullptr) return;
    if (field->role == FieldRole::kIdentifier) {
      Problem(purpose + ": its source has x-role: identifier, which never leaves as an attribute");
    }
    if (const std::string expected = WrongAttributeType(attribute, field->type); !expected.empty()) {
      Problem(purpose + ": its source must have the type " + expected + ", not " +
              std::string(common::ValueTypeName(field->type)));
    }
    if (attribute.coarsening == Coarsening::kCodeList) FitCodeList(attribute, purpose);
  }

  void FitCodeList(const PermitField& attribute, const std::string& purpose) {
    const auto list = plan_.code_lists.find(attribute.code_list);
    if (list == plan_.code_lists.end()) {
      Problem(purpose + ": the code list " + Quoted(attribute.code_list) + " was not loaded");
      return;
    }
    const auto& codes = attribute.codes;
    const bool all_known = std::all_of(list->second.begin(), list->second.end(), [&](const auto& entry) {
      return std::find(codes.begin(), codes.end(), entry.second) != codes.end();
    });
    if (!all_known) Problem(purpose + ": its code list leads to codes that the permit does not name");
  }

  void FitComponent(const common::MatchKey& key, const common::MatchKeyComponent& component) {
    const std::string purpose = "match key " + Quoted(key.name);
    const SchemaField* field = Source(component.source, purpose);
    if (field == nullptr) return;
    if (field->role != FieldRole::kIdentifier && field->role != FieldRole::kQuasi) {
      Problem(purpose + ": its source " + Quoted(component.source) + " must have x-role: identifier or quasi");
    }
    if (const std::string expected = WrongKeyType(component.normaliser, field->type); !expected.empty()) {
      Problem(purpose + ": its source " + Quoted(component.source) + " must have the type " + expected);
    }
  }

  // An identifier is not compared by likeness: its digits would be read from the encodings.
  void FitFeature(const common::FeatureSource& feature) {
    const std::string purpose = "feature " + Quoted(feature.feature);
    const SchemaField* field = Source(feature.source, purpose);
    if (field != nullptr && field->role != FieldRole::kQuasi) {
      Problem(purpose + ": its source " + Quoted(feature.source) + " must have x-role: quasi");
    }
  }

  ExtractPlan& plan_;
  const common::Permit& permit_;
  std::vector<bool> used_;
  std::string problems_;
};

}  // namespace

std::size_t ExtractPlan::FieldIndex(std::string_view permit_name) const {
  const auto found = std::find_if(schema.fields.begin(), schema.fields.end(), [&](const SchemaField& field) {
    return field.role != FieldRole::kIgnore && field.permit_name == permit_name;
  });
  return static_cast<std::size_t>(found - schema.fields.begin());
}

absl::StatusOr<std::shared_ptr<const ExtractPlan>> ExtractPlan::Make(common::Schema schema,
                                                                     const common::Permit& permit,
                                                                     std::string_view register_name,
                                                                     CodeLists code_lists) {
  const common::PermitRegister* permit_register = permit.FindRegister(register_name);
  if (permit_register == nullptr) {
    return absl::NotFoundError("the permit has no register " + Quoted(register_name));
  }
  auto plan = std::make_shared<ExtractPlan>();
  plan->schema = std::move(schema);
  plan->permit_register = *permit_register;
  plan->code_lists = std::move(code_lists);
  SLUIS_RETURN_IF_ERROR(Fitting(*plan, permit).Run());
  return plan;
}

}  // namespace sluis::cli
