#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/schema/schema.h"

namespace sluis::common {

enum class ValueState : std::uint8_t { kMissing, kPresent, kPartialDate };

// A value as its field types it.
struct Value {
  ValueState state = ValueState::kMissing;
  // kInteger, kYear: the number. kNumber: in units of 10^-scale. kBoolean: 0 or 1. kDate: days since 1970-01-01, or if
  // kPartialDate year * 10,000 + month * 100 + day with 0 for what is unknown (the year is known). kString: 0.
  std::int64_t number = 0;
  std::string_view text;  // as in the file, without spaces around it; valid as long as the record
};

enum class ValueFault : std::uint8_t {
  kNone,
  kRequired,
  kType,
  kMinimum,
  kMaximum,
  kMinLength,
  kMaxLength,
  kPattern,
  kPatternCost,  // matching the pattern took too long: simplify the pattern
  kEnum,
  kElevenTest,  // the value counts as missing; a warning, because registers have typing errors
};

// Reads and checks the values of one field. Keeps a pattern's matcher, so it is not thread-safe.
class ValueReader {
 public:
  // `field` comes from Schema::Parse and outlives the reader.
  explicit ValueReader(const SchemaField& field);
  ~ValueReader();
  ValueReader(ValueReader&&) noexcept;

  // Types `raw` (valid UTF-8) and checks the field's constraints except `unique`. Spaces around it do not count. At a
  // fault other than kNone, `value` is missing. Cost: one pass over the bytes, no allocation, unless there is a
  // pattern. Real numbers are scaled exactly, never rounded: more decimals than the scale are kType.
  [[nodiscard]] ValueFault Read(std::string_view raw, Value& value) const;

 private:
  struct Pattern;
  [[nodiscard]] ValueFault CheckConstraints(const Value& value) const;
  [[nodiscard]] ValueFault MatchPattern(std::string_view text) const;

  const SchemaField* field_;
  std::unique_ptr<Pattern> pattern_;
};

// Appends the value in one canonical form: dates as yyyy-mm-dd (00 for what is unknown), booleans as true or false,
// integers and years as decimal numbers, others as in the file. Missing values append nothing.
void AppendText(const SchemaField& field, const Value& value, std::string& out);

// Appends the value as it is compared with that of another register: as AppendText, but numbers without grouping and
// with a decimal point, and dates without the parts at their end that are unknown (1980-02, 1980).
void AppendComparable(const SchemaField& field, const Value& value, std::string& out);

// True if `digits` are nine digits (or eight, with the leading zero lost), not all zero, that pass the Dutch eleven
// test: 9a + 8b + 7c + 6d + 5e + 4f + 3g + 2h - i is a multiple of 11. Source: Logisch Ontwerp BSN, RvIG.
[[nodiscard]] bool PassesElevenTest(std::string_view digits);

// Parses a value of `field`'s type that is no string, without constraints; nullopt if it is not one.
[[nodiscard]] std::optional<Value> ParseTyped(const SchemaField& field, std::string_view text);

}  // namespace sluis::common
