#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/csv/record.h"
#include "common/permit/permit.h"
#include "common/schema/schema.h"
#include "common/schema/value.h"

// The rules that an extract is held to. Codes are stable: scripts of custodians depend on them. README.md lists them.

namespace sluis::cli {

enum class Rule : std::uint8_t {
  kColumnUndeclared,
  kColumnMissing,
  kColumnOrder,
  kColumnDuplicate,
  kCsvArity,
  kCsvEncoding,
  kCsvNul,
  kCsvStray,
  kValueRequired,
  kValueType,
  kValueMinimum,
  kValueMaximum,
  kValueMinLength,
  kValueMaxLength,
  kValuePattern,
  kValuePatternCost,
  kValueEnum,
  kValueUnique,
  kPrimaryKey,
  kAttributeCode,
  kAttributeCodeList,
  kAttributeRange,
  kAttributeDate,
  kRegisterEmpty,
  kRecordsTooMany,
  // Warnings: the row is kept.
  kIdentifierMissing,
  kIdentifierElevenTest,
};

[[nodiscard]] std::string_view RuleCode(Rule rule);

// One breach in one row. Cheap to make; the words come when it is reported.
struct RowFault {
  Rule rule;
  const common::SchemaField* field = nullptr;      // null: the record as a whole
  const common::PermitField* attribute = nullptr;  // for kAttribute*: what the value was to become
  std::size_t column = 0;                          // 1-based position in the file, 0: the record as a whole
};

// Says what is expected and what to do, without a value.
[[nodiscard]] std::string Explain(const RowFault& fault);

// The rule that a fault of a record or a value breaks. Precondition: it is not kNone (nor, for values, kElevenTest).
[[nodiscard]] Rule RuleOf(common::RecordFault fault);
[[nodiscard]] Rule RuleOf(common::ValueFault fault);

}  // namespace sluis::cli
