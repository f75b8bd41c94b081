#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/csv/fixed_width_reader.h"
#include "common/csv/text_source.h"

// What a custodian's file looks like: a Frictionless Table Schema (specification v2), narrowed to what Sluis can check
// exactly, with a role for every field. See README.md for all keys.

namespace sluis::common {

enum class ValueType { kString, kInteger, kNumber, kDate, kBoolean, kYear };

// What a field is for; every field has one, so that nothing is passed on by oversight.
enum class FieldRole {
  kIdentifier,  // names a person by itself: only ever hashed
  kQuasi,       // part of a match key: hashed; may also be coarsened into an attribute
  kAttribute,
  kWeight,  // a number
  kTime,    // a date or a year
  kIgnore,  // in the file, but not read
};

// The order of parts and separators of a date, such as %Y-%m-%d: exactly one %Y (4 digits), %m and %d (2 digits each).
struct DateFormat {
  std::string text = "%Y-%m-%d";
};

struct Constraints {
  bool required = false;
  bool unique = false;
  std::optional<std::size_t> min_length, max_length;  // characters; strings only
  std::optional<std::int64_t> minimum, maximum;       // inclusive; in the unit of Value::number
  std::string pattern;                                // ICU regular expression for the whole value
  std::vector<std::string> enumeration;               // strings
  std::vector<std::int64_t> enumerated_numbers;       // other types, in the unit of Value::number
};

struct SchemaField {
  std::string name;         // of the column
  std::string permit_name;  // what the permit calls it: x-field, else the name
  FieldRole role = FieldRole::kIgnore;
  ValueType type = ValueType::kString;
  DateFormat date_format;
  bool partial_dates = false;  // 00 for an unknown day or month, 0000-00-00 for an unknown date
  int scale = 0;               // kNumber: decimals; Value::number is in units of 10^-scale
  char decimal_char = '.';
  char group_char = 0;  // 0: none
  bool eleven_test = false;
  std::vector<std::string> true_values = {"true", "True", "TRUE", "1"};
  std::vector<std::string> false_values = {"false", "False", "FALSE", "0"};
  std::vector<std::string> missing_values = {""};
  Constraints constraints;
  std::optional<FixedWidthColumn> fixed_width;
};

struct Dialect {
  char delimiter = 0;  // 0: found in the header
  char quote = '"';
  bool header = true;
  Encoding encoding = Encoding::kUtf8;
};

enum class FieldsMatch {
  kExact,  // the file's columns are the fields, in this order (the default)
  kEqual,  // the same columns in any order
};

// What a schema is read for. An extract is protected by what its schema says, so nothing is guessed; a file that is
// matched where it lies needs less said.
enum class SchemaUse {
  kExtract,
  // A number without x-scale has kAssumedScale decimals. If no field but the primary key has an x-role, all others are
  // quasi, those with x-check identifier, and `roles_assumed` is set; if any has one, all must. The
  // primary key may be ignored: it only names records.
  kMatch,
};
inline constexpr int kAssumedScale = 6;  // leaves 12 digits before the decimal sign

struct Schema {
  std::vector<SchemaField> fields;
  std::vector<std::size_t> primary_key;  // indices into `fields`; empty: none
  FieldsMatch fields_match = FieldsMatch::kExact;
  Dialect dialect;
  bool fixed_width = false;    // every field has its place in the line
  bool roles_assumed = false;  // see SchemaUse::kMatch

  // Reads JSON or YAML of at most 1 MiB.
  // Errors: INVALID_ARGUMENT with the path of the first thing that is wrong (fields[3].constraints) and what is
  // expected; an unknown key is named, and one that the standard has but Sluis cannot check is refused too.
  [[nodiscard]] static absl::StatusOr<Schema> Parse(std::string_view bytes, SchemaUse use = SchemaUse::kExtract);
};

[[nodiscard]] std::string_view ValueTypeName(ValueType type);

}  // namespace sluis::common
