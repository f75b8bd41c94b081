#include <chrono>
#include <cstdio>

#include "common/permit/permit.h"

namespace sluis::common {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

year_month_day FromDay(Day day) { return year_month_day(sys_days(std::chrono::days(day))); }

}  // namespace

absl::StatusOr<Day> ParseDay(std::string_view text) {
  const auto fail = [] { return absl::InvalidArgumentError("not a date: yyyy-mm-dd is expected"); };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return fail();
  }
  int numbers[3] = {0, 0, 0};
  constexpr int kStart[] = {0, 5, 8};
  constexpr int kLength[] = {4, 2, 2};
  for (int part = 0; part < 3; ++part) {
    for (int i = 0; i < kLength[part]; ++i) {
      const char c = text[static_cast<std::size_t>(kStart[part] + i)];
      if (c < '0' || c > '9') {
        return fail();
      }
      numbers[part] = numbers[part] * 10 + (c - '0');
    }
  }
  const year_month_day date{std::chrono::year(numbers[0]), std::chrono::month(static_cast<unsigned>(numbers[1])),
                            std::chrono::day(static_cast<unsigned>(numbers[2]))};
  if (!date.ok()) {
    return fail();
  }
  return static_cast<Day>(sys_days(date).time_since_epoch().count());
}

std::string FormatDay(Day day) {
  const CivilDate date = ToCivil(day);
  char text[40];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
  return text;
}

CivilDate ToCivil(Day day) {
  const year_month_day date = FromDay(day);
  return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day()))};
}

Day FromCivil(CivilDate date) {
  const year_month_day ymd{std::chrono::year(date.year), std::chrono::month(static_cast<unsigned>(date.month)),
                           std::chrono::day(static_cast<unsigned>(date.day))};
  return static_cast<Day>(sys_days(ymd).time_since_epoch().count());
}

int AgeInYears(Day birth, Day on) {
  const CivilDate b = ToCivil(birth);
  const CivilDate o = ToCivil(on);
  const bool had_birthday = o.month > b.month || (o.month == b.month && o.day >= b.day);
  return o.year - b.year - (had_birthday ? 0 : 1);
}

}  // namespace sluis::common
