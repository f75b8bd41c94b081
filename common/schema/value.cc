#include "common/schema/value.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdio>

#include "common/permit/permit.h"

namespace sluis::common {
namespace {

// ICU counts steps of its matcher in units of about 10,000; a field of 64 KiB that needs no backtracking stays well
// below.
constexpr std::int32_t kPatternTimeLimit = 50;
constexpr std::int32_t kPatternStackBytes = 1 << 20;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& item) { return item == text; });
}

// Sign, digits (with group characters between digits), and up to `scale` decimals.
bool ParseDecimal(std::string_view text, int scale, char decimal_char, char group_char, std::int64_t& out) {
  bool negative = false;
  std::size_t i = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    i = 1;
  }
  std::int64_t number = 0;  // kept negative: the range below zero is one wider
  const auto append = [&](char digit) {
    return !__builtin_mul_overflow(number, std::int64_t{10}, &number) &&
           !__builtin_sub_overflow(number, std::int64_t{digit - '0'}, &number);
  };
  bool digits = false;
  for (; i < text.size(); ++i) {
    if (IsDigit(text[i])) {
      if (!append(text[i])) return false;
      digits = true;
    } else if (group_char != 0 && text[i] == group_char && digits && i + 1 < text.size() && IsDigit(text[i + 1])) {
      continue;
    } else {
      break;
    }
  }
  if (!digits) return false;
  int decimals = 0;
  if (scale > 0 && i + 1 < text.size() && text[i] == decimal_char) {
    for (++i; i < text.size() && IsDigit(text[i]); ++i) {
      if (decimals == scale) {
        if (text[i] != '0') return false;
      } else {
        if (!append(text[i])) return false;
        ++decimals;
      }
    }
  }
  if (i != text.size()) return false;
  for (; decimals < scale; ++decimals) {
    if (!append('0')) return false;
  }
  // INT64_MIN is the sign of a missing value in sealed rows.
  if (number == INT64_MIN) return false;
  out = negative ? number : -number;
  return true;
}

bool ParseDate(const SchemaField& field, std::string_view text, Value& value) {
  int year = 0;
  int month = 0;
  int day = 0;
  std::size_t position = 0;
  const std::string& format = field.date_format.text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      if (position >= text.size() || text[position++] != format[i]) return false;
      continue;
    }
    const char part = format[++i];
    int number = 0;
    for (int width = part == 'Y' ? 4 : 2; width > 0; --width) {
      if (position >= text.size() || !IsDigit(text[position])) return false;
      number = number * 10 + (text[position++] - '0');
    }
    (part == 'Y' ? year : part == 'm' ? month : day) = number;
  }
  if (position != text.size()) return false;
  if (year == 0) {
    if (!field.partial_dates || month != 0 || day != 0) return false;
    value.state = ValueState::kMissing;
    return true;
  }
  if (month == 0 || day == 0) {
    // A day of an unknown month says nothing, but registers have it; no day of any month is above 31.
    if (!field.partial_dates || month > 12 || day > 31) return false;
    value.state = ValueState::kPartialDate;
    value.number = year * 10'000 + month * 100 + day;
    return true;
  }
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month > 12) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
  value.state = ValueState::kPresent;
  value.number = FromCivil({year, month, day});
  return true;
}

}  // namespace

std::optional<Value> ParseTyped(const SchemaField& field, std::string_view text) {
  Value value{ValueState::kPresent, 0, text};
  bool fits = false;
  switch (field.type) {
    case ValueType::kString:
      fits = true;
      break;
    case ValueType::kInteger:
      fits = ParseDecimal(text, 0, field.decimal_char, field.group_char, value.number);
      break;
    case ValueType::kNumber:
      fits = ParseDecimal(text, field.scale, field.decimal_char, field.group_char, value.number);
      break;
    case ValueType::kDate:
      fits = ParseDate(field, text, value);
      break;
    case ValueType::kBoolean:
      value.number = Contains(field.true_values, text) ? 1 : 0;
      fits = value.number == 1 || Contains(field.false_values, text);
      break;
    case ValueType::kYear:
      fits = text.size() == 4 && std::all_of(text.begin(), text.end(), IsDigit) &&
             ParseDecimal(text, 0, '.', 0, value.number);
      break;
  }
  if (!fits) return std::nullopt;
  return value;
}

struct ValueReader::Pattern {
  std::unique_ptr<icu::RegexMatcher> matcher;
};

ValueReader::ValueReader(const SchemaField& field) : field_(&field) {
  if (field.constraints.pattern.empty()) return;
  UErrorCode error = U_ZERO_ERROR;
  pattern_ = std::make_unique<Pattern>();
  pattern_->matcher =
      std::make_unique<icu::RegexMatcher>(icu::UnicodeString::fromUTF8(field.constraints.pattern), 0, error);
  pattern_->matcher->setTimeLimit(kPatternTimeLimit, error);
  pattern_->matcher->setStackLimit(kPatternStackBytes, error);
}
ValueReader::~ValueReader() = default;
ValueReader::ValueReader(ValueReader&&) noexcept = default;

ValueFault ValueReader::MatchPattern(std::string_view text) const {
  const icu::UnicodeString subject = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  UErrorCode error = U_ZERO_ERROR;
  pattern_->matcher->reset(subject);
  const bool matches = pattern_->matcher->matches(error) != 0;
  if (U_FAILURE(error)) return ValueFault::kPatternCost;
  return matches ? ValueFault::kNone : ValueFault::kPattern;
}

ValueFault ValueReader::CheckConstraints(const Value& value) const {
  const Constraints& constraints = field_->constraints;
  if (field_->type == ValueType::kString) {
    if (constraints.min_length || constraints.max_length) {
      const auto length = static_cast<std::size_t>(std::count_if(
          value.text.begin(), value.text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; }));
      if (constraints.min_length && length < *constraints.min_length) return ValueFault::kMinLength;
      if (constraints.max_length && length > *constraints.max_length) return ValueFault::kMaxLength;
    }
    if (!constraints.enumeration.empty() && !Contains(constraints.enumeration, value.text)) return ValueFault::kEnum;
  } else if (value.state == ValueState::kPresent) {
    if (constraints.minimum && value.number < *constraints.minimum) return ValueFault::kMinimum;
    if (constraints.maximum && value.number > *constraints.maximum) return ValueFault::kMaximum;
    const auto& numbers = constraints.enumerated_numbers;
    if (!numbers.empty() && std::find(numbers.begin(), numbers.end(), value.number) == numbers.end()) {
      return ValueFault::kEnum;
    }
  }
  return pattern_ == nullptr ? ValueFault::kNone : MatchPattern(value.text);
}

ValueFault ValueReader::Read(std::string_view raw, Value& value) const {
  value = Value{};
  const std::string_view text = Trim(raw);
  if (Contains(field_->missing_values, text)) {
    return field_->constraints.required ? ValueFault::kRequired : ValueFault::kNone;
  }
  std::optional<Value> typed = ParseTyped(*field_, text);
  if (!typed) return ValueFault::kType;
  if (typed->state == ValueState::kMissing) {
    return field_->constraints.required ? ValueFault::kRequired : ValueFault::kNone;
  }
  const ValueFault fault = CheckConstraints(*typed);
  if (fault != ValueFault::kNone) return fault;
  if (field_->eleven_test && !PassesElevenTest(text)) return ValueFault::kElevenTest;
  value = *typed;
  return ValueFault::kNone;
}

void AppendText(const SchemaField& field, const Value& value, std::string& out) {
  if (value.state == ValueState::kMissing) return;
  switch (field.type) {
    case ValueType::kString:
    case ValueType::kNumber:
      out += value.text;
      return;
    case ValueType::kInteger:
    case ValueType::kYear:
      out += std::to_string(value.number);
      return;
    case ValueType::kBoolean:
      out += value.number != 0 ? "true" : "false";
      return;
    case ValueType::kDate: {
      CivilDate date{};
      if (value.state == ValueState::kPresent) {
        date = ToCivil(static_cast<Day>(value.number));
      } else {
        date = {static_cast<int>(value.number / 10'000), static_cast<int>(value.number / 100 % 100),
                static_cast<int>(value.number % 100)};
      }
      char text[40];
      std::snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
      out += text;
      return;
    }
  }
}

void AppendComparable(const SchemaField& field, const Value& value, std::string& out) {
  if (field.type != ValueType::kNumber) {
    AppendText(field, value, out);
    if (value.state == ValueState::kPartialDate) {
      while (out.ends_with("-00")) out.resize(out.size() - 3);
    }
    return;
  }
  for (const char c : value.text) {
    if (field.group_char != 0 && c == field.group_char) continue;
    out += c == field.decimal_char ? '.' : c;
  }
}

}  // namespace sluis::common
