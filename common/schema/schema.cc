#include "common/schema/schema.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/schema/constraints.h"
#include "common/schema/document.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

using nlohmann::json;
using schema_internal::ObjectReader;
using schema_internal::ReadConstraints;

constexpr std::size_t kMaxFields = 1000;
constexpr int kMaxScale = 9;

constexpr std::pair<std::string_view, ValueType> kTypes[] = {
    {"string", ValueType::kString}, {"integer", ValueType::kInteger}, {"number", ValueType::kNumber},
    {"date", ValueType::kDate},     {"boolean", ValueType::kBoolean}, {"year", ValueType::kYear}};
constexpr std::pair<std::string_view, FieldRole> kRoles[] = {
    {"identifier", FieldRole::kIdentifier}, {"quasi", FieldRole::kQuasi}, {"attribute", FieldRole::kAttribute},
    {"weight", FieldRole::kWeight},         {"time", FieldRole::kTime},   {"ignore", FieldRole::kIgnore}};

template <typename Choice, std::size_t size>
bool Choose(const std::pair<std::string_view, Choice> (&choices)[size], std::string_view name, Choice& out) {
  for (const auto& [choice_name, choice] : choices) {
    if (choice_name == name) {
      out = choice;
      return true;
    }
  }
  return false;
}

// Drops keys that describe but decide nothing.
void TakeDescriptions(ObjectReader& object) {
  for (const char* key : {"title", "description", "example"}) object.Take(key);
}

absl::Status ReadDateFormat(const ObjectReader& object, const std::string& format, SchemaField& field) {
  if (format == "default" || format.empty()) return absl::OkStatus();
  std::string parts;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%') {
      if (++i == format.size()) return object.Wrong("format", "ends with %");
      parts += format[i];
    } else if (format[i] < ' ' || format[i] > '~' || (format[i] >= '0' && format[i] <= '9')) {
      return object.Wrong("format", "may have ASCII separators only between %Y, %m and %d");
    }
  }
  std::sort(parts.begin(), parts.end());
  if (parts != "Ydm") return object.Wrong("format", "must have %Y, %m and %d once each");
  field.date_format.text = format;
  return absl::OkStatus();
}

// How what a field leaves out is read.
struct Leniency {
  bool scale = false;
  bool role = false;
};

absl::Status ReadNumberKeys(ObjectReader& object, const Leniency& leniency, SchemaField& field) {
  SLUIS_RETURN_IF_ERROR(object.TakeCharacter("decimalChar", field.decimal_char));
  SLUIS_RETURN_IF_ERROR(object.TakeCharacter("groupChar", field.group_char));
  bool bare = true;
  SLUIS_RETURN_IF_ERROR(object.TakeBool("bareNumber", bare));
  if (!bare) return object.Wrong("bareNumber", "must be true: units belong in the title, not in the values");
  const auto is_number_part = [](char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+'; };
  if (is_number_part(field.decimal_char) || is_number_part(field.group_char) ||
      field.decimal_char == field.group_char) {
    return object.Wrong("decimalChar", "and groupChar must differ and be neither digits nor signs");
  }
  std::size_t scale = 0;
  bool found = false;
  SLUIS_RETURN_IF_ERROR(object.TakeSize("x-scale", scale, &found));
  if (found && (field.type != ValueType::kNumber || scale > kMaxScale)) {
    return object.Wrong("x-scale", "is the number of decimals of a number, 0 to 9");
  }
  if (!found && leniency.scale && field.type == ValueType::kNumber) {
    scale = kAssumedScale;
  } else if (!found && field.type == ValueType::kNumber && field.role != FieldRole::kIgnore) {
    return object.Wrong("x-scale",
                        "is missing: how many decimals has this number? Amounts are kept as whole numbers "
                        "of that unit");
  }
  field.scale = static_cast<int>(scale);
  return absl::OkStatus();
}

absl::Status ReadFixedWidth(ObjectReader& parent, SchemaField& field) {
  const json* value = parent.Take("x-fixed-width");
  if (value == nullptr) return absl::OkStatus();
  SLUIS_ASSIGN_OR_RETURN(ObjectReader object, ObjectReader::Open(*value, parent.PathOf("x-fixed-width")));
  FixedWidthColumn column{field.name, 0, 0};
  SLUIS_RETURN_IF_ERROR(object.TakeSize("start", column.start, nullptr));
  SLUIS_RETURN_IF_ERROR(object.TakeSize("width", column.width, nullptr));
  if (column.start == 0 || column.width == 0) return object.Wrong("start", "and width must be at least 1");
  field.fixed_width = column;
  return object.Finish();
}

absl::Status CheckRole(const ObjectReader& object, const SchemaField& field) {
  const bool amount = field.type == ValueType::kInteger || field.type == ValueType::kNumber;
  const bool time = field.type == ValueType::kDate || field.type == ValueType::kYear;
  if (field.role == FieldRole::kWeight && !amount) return object.Wrong("x-role", "weight is for integer or number");
  if (field.role == FieldRole::kTime && !time) return object.Wrong("x-role", "time is for date or year");
  return absl::OkStatus();
}

absl::StatusOr<SchemaField> ReadField(const json& value, const std::string& path,
                                      const std::vector<std::string>& missing_values, const Leniency& leniency) {
  SLUIS_ASSIGN_OR_RETURN(ObjectReader object, ObjectReader::Open(value, path));
  SchemaField field;
  field.missing_values = missing_values;
  TakeDescriptions(object);
  SLUIS_RETURN_IF_ERROR(object.TakeString("name", field.name));
  if (field.name.empty()) return object.Wrong("name", "is missing");
  field.permit_name = field.name;
  SLUIS_RETURN_IF_ERROR(object.TakeString("x-field", field.permit_name));

  std::string role;
  SLUIS_RETURN_IF_ERROR(object.TakeString("x-role", role));
  const bool assumed = role.empty() && leniency.role;
  if (assumed) field.role = FieldRole::kQuasi;
  if (!assumed && !Choose(kRoles, role, field.role)) {
    return object.Wrong("x-role", "must be identifier, quasi, attribute, weight, time or ignore");
  }
  std::string type = "string";
  SLUIS_RETURN_IF_ERROR(object.TakeString("type", type));
  if (!Choose(kTypes, type, field.type)) {
    return object.Wrong("type", "must be string, integer, number, date, boolean or year");
  }
  std::string format = "default";
  SLUIS_RETURN_IF_ERROR(object.TakeString("format", format));
  if (field.type == ValueType::kDate) {
    SLUIS_RETURN_IF_ERROR(ReadDateFormat(object, format, field));
  } else if (format != "default") {
    return object.Wrong("format", "can be given for dates only");
  }
  SLUIS_RETURN_IF_ERROR(object.TakeBool("x-partial-dates", field.partial_dates));
  if (field.partial_dates && field.type != ValueType::kDate) return object.Wrong("x-partial-dates", "is for dates");
  SLUIS_RETURN_IF_ERROR(ReadNumberKeys(object, leniency, field));
  SLUIS_RETURN_IF_ERROR(object.TakeStrings("trueValues", field.true_values));
  SLUIS_RETURN_IF_ERROR(object.TakeStrings("falseValues", field.false_values));
  SLUIS_RETURN_IF_ERROR(object.TakeStrings("missingValues", field.missing_values));
  std::string check;
  SLUIS_RETURN_IF_ERROR(object.TakeString("x-check", check));
  if (!check.empty() && (check != "elfproef" || field.type != ValueType::kString)) {
    return object.Wrong("x-check", "can only be elfproef, on a string");
  }
  field.eleven_test = !check.empty();
  if (assumed && field.eleven_test) field.role = FieldRole::kIdentifier;
  SLUIS_RETURN_IF_ERROR(ReadFixedWidth(object, field));
  if (const json* constraints = object.Take("constraints")) {
    SLUIS_RETURN_IF_ERROR(ReadConstraints(*constraints, object.PathOf("constraints"), field));
  }
  SLUIS_RETURN_IF_ERROR(CheckRole(object, field));
  SLUIS_RETURN_IF_ERROR(object.Finish());
  return field;
}

absl::Status ReadDialect(ObjectReader& parent, Dialect& dialect) {
  const json* value = parent.Take("dialect");
  if (value == nullptr) return absl::OkStatus();
  SLUIS_ASSIGN_OR_RETURN(ObjectReader object, ObjectReader::Open(*value, "dialect"));
  SLUIS_RETURN_IF_ERROR(object.TakeCharacter("delimiter", dialect.delimiter));
  if (dialect.delimiter != 0 && dialect.delimiter != ',' && dialect.delimiter != ';' && dialect.delimiter != '\t') {
    return object.Wrong("delimiter", "must be a comma, a semicolon or a tab");
  }
  SLUIS_RETURN_IF_ERROR(object.TakeCharacter("quoteChar", dialect.quote));
  if (dialect.quote != '"' && dialect.quote != '\'') return object.Wrong("quoteChar", "must be \" or '");
  SLUIS_RETURN_IF_ERROR(object.TakeBool("header", dialect.header));
  std::string encoding = "utf-8";
  SLUIS_RETURN_IF_ERROR(object.TakeString("encoding", encoding));
  const absl::StatusOr<Encoding> parsed = ParseEncoding(encoding);
  if (!parsed.ok()) return object.Wrong("encoding", "must be utf-8 or windows-1252");
  dialect.encoding = *parsed;
  return object.Finish();
}

absl::Status ReadPrimaryKey(ObjectReader& object, SchemaUse use, Schema& schema) {
  const json* value = object.Take("primaryKey");
  if (value == nullptr) return absl::OkStatus();
  std::vector<json> names;
  if (value->is_array()) {
    names.assign(value->begin(), value->end());
  } else {
    names.push_back(*value);
  }
  for (const json& name : names) {
    const auto found = std::find_if(schema.fields.begin(), schema.fields.end(), [&](const SchemaField& field) {
      return name.is_string() && field.name == name.get<std::string>();
    });
    if (found == schema.fields.end() || (found->role == FieldRole::kIgnore && use != SchemaUse::kMatch)) {
      return object.Wrong("primaryKey", use == SchemaUse::kMatch
                                            ? "must name fields of the schema"
                                            : "must name fields of the schema that are not ignored");
    }
    schema.primary_key.push_back(static_cast<std::size_t>(found - schema.fields.begin()));
  }
  return absl::OkStatus();
}

absl::Status CheckFieldsTogether(const ObjectReader& object, Schema& schema) {
  std::set<std::string> names;
  std::set<std::string> permit_names;
  std::size_t fixed = 0;
  for (const SchemaField& field : schema.fields) {
    if (!names.insert(field.name).second) return object.Wrong("fields", "has the name `" + field.name + "` twice");
    if (field.role != FieldRole::kIgnore && !permit_names.insert(field.permit_name).second) {
      return object.Wrong("fields", "has two fields for `" + field.permit_name + "`");
    }
    fixed += field.fixed_width ? 1 : 0;
  }
  schema.fixed_width = fixed > 0;
  if (fixed > 0 && fixed < schema.fields.size()) {
    return object.Wrong("fields", "must all have x-fixed-width, or none");
  }
  return absl::OkStatus();
}

// Whether no field has a role but those of the primary key.
bool NoFieldHasARole(const json& fields, const json& document) {
  const auto key = document.find("primaryKey");
  const auto is_key = [&](const json& name) {
    if (key == document.end()) return false;
    return *key == name || (key->is_array() && std::find(key->begin(), key->end(), name) != key->end());
  };
  return std::none_of(fields.begin(), fields.end(), [&](const json& field) {
    return field.is_object() && field.contains("x-role") && !(field.contains("name") && is_key(field["name"]));
  });
}

}  // namespace

absl::StatusOr<Schema> Schema::Parse(std::string_view bytes, SchemaUse use) {
  SLUIS_ASSIGN_OR_RETURN(const json document, schema_internal::ParseDocument(bytes));
  SLUIS_ASSIGN_OR_RETURN(ObjectReader object, ObjectReader::Open(document, ""));
  Schema schema;
  for (const char* key : {"$schema", "name"}) object.Take(key);
  TakeDescriptions(object);
  std::vector<std::string> missing_values = {""};
  SLUIS_RETURN_IF_ERROR(object.TakeStrings("missingValues", missing_values));
  const json* fields = object.Take("fields");
  if (fields == nullptr || !fields->is_array() || fields->empty() || fields->size() > kMaxFields) {
    return object.Wrong("fields", "must be a list of 1 to " + std::to_string(kMaxFields) + " fields");
  }
  Leniency leniency;
  leniency.scale = use == SchemaUse::kMatch;
  leniency.role = use == SchemaUse::kMatch && NoFieldHasARole(*fields, document);
  schema.roles_assumed = leniency.role;
  for (std::size_t i = 0; i < fields->size(); ++i) {
    SLUIS_ASSIGN_OR_RETURN(SchemaField field,
                           ReadField((*fields)[i], "fields[" + std::to_string(i) + "]", missing_values, leniency));
    schema.fields.push_back(std::move(field));
  }
  std::string match = "exact";
  SLUIS_RETURN_IF_ERROR(object.TakeString("fieldsMatch", match));
  if (match != "exact" && match != "equal") {
    return object.Wrong("fieldsMatch", "must be exact or equal: a file may hold no other columns than declared");
  }
  schema.fields_match = match == "exact" ? FieldsMatch::kExact : FieldsMatch::kEqual;
  SLUIS_RETURN_IF_ERROR(ReadPrimaryKey(object, use, schema));
  SLUIS_RETURN_IF_ERROR(ReadDialect(object, schema.dialect));
  SLUIS_RETURN_IF_ERROR(CheckFieldsTogether(object, schema));
  SLUIS_RETURN_IF_ERROR(object.Finish());
  return schema;
}

std::string_view ValueTypeName(ValueType type) {
  for (const auto& [name, value] : kTypes) {
    if (value == type) return name;
  }
  return "";
}

}  // namespace sluis::common
