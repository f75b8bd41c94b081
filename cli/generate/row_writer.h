#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/generate/population.h"

// Appends the fields of one register's rows to a byte string.

namespace sluis::cli {

enum class DateStyle { kIso, kDayFirst, kCompact };  // 2025-12-31, 31-12-2025, 20251231

class RowWriter {
 public:
  RowWriter(std::string& to, char delimiter, DateStyle dates) : to_(to), delimiter_(delimiter), dates_(dates) {}

  void Text(std::string_view text) {
    to_.append(text);
    to_.push_back(delimiter_);
  }
  // Precondition: `text` holds no quotation mark.
  void Quoted(std::string_view text) {
    to_.push_back('"');
    to_.append(text);
    to_.push_back('"');
    to_.push_back(delimiter_);
  }
  void Number(std::uint64_t number) {
    AppendNumber(number);
    to_.push_back(delimiter_);
  }
  // An amount in cents with decimal comma: 254327 is written 2543,27.
  void Amount(std::uint64_t cents) {
    AppendNumber(cents / 100);
    to_.push_back(',');
    AppendDigits(static_cast<unsigned>(cents % 100), 2);
    to_.push_back(delimiter_);
  }
  void Date(DayNumber day_number, bool month_unknown = false) {
    using namespace std::chrono;
    const year_month_day date{sys_days{days{day_number}}};
    const unsigned year = static_cast<unsigned>(int{date.year()});
    const unsigned month = month_unknown ? 0 : unsigned{date.month()};
    const unsigned day = month_unknown ? 0 : unsigned{date.day()};
    if (dates_ == DateStyle::kDayFirst) {
      AppendDigits(day, 2);
      to_.push_back('-');
      AppendDigits(month, 2);
      to_.push_back('-');
      AppendDigits(year, 4);
    } else {
      AppendDigits(year, 4);
      Hyphen();
      AppendDigits(month, 2);
      Hyphen();
      AppendDigits(day, 2);
    }
    to_.push_back(delimiter_);
  }
  void PostcodeOf(const Postcode& postcode) {
    AppendDigits(postcode.digits, 4);
    to_.append(postcode.letters.data(), 2);
    to_.push_back(delimiter_);
  }
  void Empty() { to_.push_back(delimiter_); }

  // Ends the row: `line_end` takes the place of the last delimiter.
  void EndRow(std::string_view line_end) {
    to_.pop_back();
    to_.append(line_end);
  }

 private:
  void Hyphen() {
    if (dates_ == DateStyle::kIso) {
      to_.push_back('-');
    }
  }
  void AppendDigits(unsigned number, int digits) {
    char text[4];
    for (int i = digits; i-- > 0; number /= 10) {
      text[i] = static_cast<char>('0' + number % 10);
    }
    to_.append(text, static_cast<std::size_t>(digits));
  }
  void AppendNumber(std::uint64_t number) {
    char text[20];
    to_.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
  }

  std::string& to_;
  char delimiter_;
  DateStyle dates_;
};

}  // namespace sluis::cli
