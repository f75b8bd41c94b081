#include "common/schema/constraints.h"

#include <unicode/regex.h>

#include "common/schema/document.h"
#include "common/schema/value.h"
#include "common/status/status.h"

namespace sluis::common::schema_internal {
namespace {

using nlohmann::json;

// A bound is written as JSON number (with a decimal point) or as a value of the field's own format.
absl::StatusOr<std::int64_t> ReadBound(const ObjectReader& object, const char* key, const json& json_value,
                                       const SchemaField& field) {
  SchemaField reading = field;
  std::string text;
  if (json_value.is_number()) {
    text = json_value.dump();
    reading.decimal_char = '.';
    reading.group_char = 0;
  } else if (json_value.is_string()) {
    text = json_value.get<std::string>();
  } else if (json_value.is_boolean()) {
    text = json_value.get<bool>() ? "true" : "false";
    reading.true_values = {"true"};
    reading.false_values = {"false"};
  }
  const std::optional<Value> value = ParseTyped(reading, text);
  if (text.empty() || !value || value->state != ValueState::kPresent) {
    return object.Wrong(
        key, "must be a value of the field's type " + std::string(ValueTypeName(field.type)) + " in its format");
  }
  return value->number;
}

absl::Status ReadOptionalBound(ObjectReader& object, const char* key, const SchemaField& field,
                               std::optional<std::int64_t>& out) {
  const json* value = object.Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (field.type == ValueType::kString || field.type == ValueType::kBoolean) {
    return object.Wrong(key, "is for numbers, dates and years");
  }
  SLUIS_ASSIGN_OR_RETURN(out, ReadBound(object, key, *value, field));
  return absl::OkStatus();
}

absl::Status ReadOptionalLength(ObjectReader& object, const char* key, const SchemaField& field,
                                std::optional<std::size_t>& out) {
  bool found = false;
  std::size_t length = 0;
  SLUIS_RETURN_IF_ERROR(object.TakeSize(key, length, &found));
  if (!found) return absl::OkStatus();
  if (field.type != ValueType::kString) return object.Wrong(key, "is for strings");
  out = length;
  return absl::OkStatus();
}

absl::Status ReadEnumeration(ObjectReader& object, SchemaField& field) {
  const json* list = object.Take("enum");
  if (list == nullptr) return absl::OkStatus();
  if (!list->is_array() || list->empty()) return object.Wrong("enum", "must be a list of at least one value");
  for (const json& item : *list) {
    if (field.type == ValueType::kString) {
      if (!item.is_string()) return object.Wrong("enum", "must be a list of strings; put numbers in quotes");
      field.constraints.enumeration.push_back(item.get<std::string>());
    } else {
      SLUIS_ASSIGN_OR_RETURN(const std::int64_t number, ReadBound(object, "enum", item, field));
      field.constraints.enumerated_numbers.push_back(number);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadConstraints(const json& value, const std::string& path, SchemaField& field) {
  SLUIS_ASSIGN_OR_RETURN(ObjectReader object, ObjectReader::Open(value, path));
  Constraints& constraints = field.constraints;
  SLUIS_RETURN_IF_ERROR(object.TakeBool("required", constraints.required));
  SLUIS_RETURN_IF_ERROR(object.TakeBool("unique", constraints.unique));
  SLUIS_RETURN_IF_ERROR(ReadOptionalLength(object, "minLength", field, constraints.min_length));
  SLUIS_RETURN_IF_ERROR(ReadOptionalLength(object, "maxLength", field, constraints.max_length));
  SLUIS_RETURN_IF_ERROR(ReadOptionalBound(object, "minimum", field, constraints.minimum));
  SLUIS_RETURN_IF_ERROR(ReadOptionalBound(object, "maximum", field, constraints.maximum));
  SLUIS_RETURN_IF_ERROR(object.TakeString("pattern", constraints.pattern));
  if (!constraints.pattern.empty()) {
    UErrorCode error = U_ZERO_ERROR;
    const icu::RegexMatcher matcher(icu::UnicodeString::fromUTF8(constraints.pattern), 0, error);
    if (U_FAILURE(error)) return object.Wrong("pattern", "is not a valid regular expression");
  }
  SLUIS_RETURN_IF_ERROR(ReadEnumeration(object, field));
  return object.Finish();
}

}  // namespace sluis::common::schema_internal
