#include "cli/extract/rules.h"

namespace sluis::cli {
namespace {

using common::RecordFault;
using common::SchemaField;
using common::ValueFault;
using common::ValueType;

std::string ExpectedType(const SchemaField& field) {
  switch (field.type) {
    case ValueType::kDate:
      return "not a date in the format " + field.date_format.text +
             (field.partial_dates ? "" : "; for unknown days or months (00) set x-partial-dates in the schema");
    case ValueType::kNumber:
      return "not a number with at most " + std::to_string(field.scale) + " decimals after `" + field.decimal_char +
             "`";
    case ValueType::kYear:
      return "not a year of four digits";
    case ValueType::kBoolean:
      return "not one of the schema's trueValues and falseValues";
    default:
      return "not a whole number, or one beyond 64 bits";
  }
}

std::string Quoted(const std::string& name) { return "`" + name + "`"; }

}  // namespace

std::string_view RuleCode(Rule rule) {
  static constexpr std::string_view kCodes[] = {"COLUMN_UNDECLARED",
                                                "COLUMN_MISSING",
                                                "COLUMN_ORDER",
                                                "COLUMN_DUPLICATE",
                                                "CSV_ARITY",
                                                "CSV_ENCODING",
                                                "CSV_NUL",
                                                "CSV_STRAY",
                                                "VALUE_REQUIRED",
                                                "VALUE_TYPE",
                                                "VALUE_MINIMUM",
                                                "VALUE_MAXIMUM",
                                                "VALUE_MIN_LENGTH",
                                                "VALUE_MAX_LENGTH",
                                                "VALUE_PATTERN",
                                                "VALUE_PATTERN_COST",
                                                "VALUE_ENUM",
                                                "VALUE_UNIQUE",
                                                "PRIMARY_KEY",
                                                "ATTRIBUTE_CODE",
                                                "ATTRIBUTE_CODE_LIST",
                                                "ATTRIBUTE_RANGE",
                                                "ATTRIBUTE_DATE",
                                                "REGISTER_EMPTY",
                                                "RECORDS_TOO_MANY",
                                                "IDENTIFIER_MISSING",
                                                "IDENTIFIER_ELEVEN_TEST"};
  static_assert(std::size(kCodes) == static_cast<std::size_t>(Rule::kIdentifierElevenTest) + 1);
  return kCodes[static_cast<std::size_t>(rule)];
}

std::string Explain(const RowFault& fault) {
  const std::string into = fault.attribute == nullptr ? "" : Quoted(fault.attribute->name);
  switch (fault.rule) {
    case Rule::kColumnUndeclared:
      return "the schema declares no such column; remove it from the file, or declare it with x-role: ignore";
    case Rule::kColumnMissing:
      return "the schema declares this column, but the file's header lacks it";
    case Rule::kColumnOrder:
      return "the column stands at another place than in the schema; reorder, or set fieldsMatch: equal";
    case Rule::kColumnDuplicate:
      return "the column occurs twice in the header";
    case Rule::kCsvArity:
      return "the record has another number of fields than the header or the schema; is a delimiter not quoted?";
    case Rule::kCsvEncoding:
      return "not valid in the declared encoding; set dialect.encoding in the schema to that of the file";
    case Rule::kCsvNul:
      return "a NUL byte; export the file again";
    case Rule::kCsvStray:
      return "characters outside the declared columns; declare them with x-role: ignore, or remove them";
    case Rule::kValueRequired:
      return "the schema requires a value, but it is missing";
    case Rule::kValueType:
      return ExpectedType(*fault.field);
    case Rule::kValueMinimum:
      return "below the schema's minimum";
    case Rule::kValueMaximum:
      return "above the schema's maximum";
    case Rule::kValueMinLength:
      return "shorter than the schema's minLength";
    case Rule::kValueMaxLength:
      return "longer than the schema's maxLength";
    case Rule::kValuePattern:
      return "does not match the schema's pattern";
    case Rule::kValuePatternCost:
      return "the schema's pattern takes too many steps to match; write it without nested repetition";
    case Rule::kValueEnum:
      return "not one of the schema's enum";
    case Rule::kValueUnique:
      return "the value occurs in an earlier row, but the schema says unique";
    case Rule::kPrimaryKey:
      return "an earlier row has the same primary key, or part of the key is missing";
    case Rule::kAttributeCode:
      return "no code of the permit for " + into + "; correct the value, or have the permit name the code";
    case Rule::kAttributeCodeList:
      return "not in the code list " + Quoted(fault.attribute->code_list) + " of the permit for " + into;
    case Rule::kAttributeRange:
      return "outside the permit's range for " + into + ", " + std::to_string(fault.attribute->minimum) + " to " +
             std::to_string(fault.attribute->maximum);
    case Rule::kAttributeDate:
      return "after the permit's reference date for " + into + ", so that there is no age";
    case Rule::kRegisterEmpty:
      return "the file has no records, only a header at most; nothing was delivered. To take a delivery back, withdraw "
             "it";
    case Rule::kRecordsTooMany:
      return "more records than the permit's max_records; the rest was not read";
    case Rule::kIdentifierMissing:
      return "the identifier is missing; the row is kept and linked by other keys";
    case Rule::kIdentifierElevenTest:
      return "the identifier fails the eleven test and counts as missing; the row is kept";
  }
  return "";
}

Rule RuleOf(RecordFault fault) {
  switch (fault) {
    case RecordFault::kEncoding:
      return Rule::kCsvEncoding;
    case RecordFault::kNul:
      return Rule::kCsvNul;
    case RecordFault::kStray:
      return Rule::kCsvStray;
    default:
      return Rule::kCsvArity;
  }
}

Rule RuleOf(ValueFault fault) {
  switch (fault) {
    case ValueFault::kRequired:
      return Rule::kValueRequired;
    case ValueFault::kMinimum:
      return Rule::kValueMinimum;
    case ValueFault::kMaximum:
      return Rule::kValueMaximum;
    case ValueFault::kMinLength:
      return Rule::kValueMinLength;
    case ValueFault::kMaxLength:
      return Rule::kValueMaxLength;
    case ValueFault::kPattern:
      return Rule::kValuePattern;
    case ValueFault::kPatternCost:
      return Rule::kValuePatternCost;
    case ValueFault::kEnum:
      return Rule::kValueEnum;
    default:
      return Rule::kValueType;
  }
}

}  // namespace sluis::cli
