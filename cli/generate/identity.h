#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "cli/generate/names.h"
#include "cli/generate/population.h"
#include "cli/generate/random.h"

// A person's identifiers as a register other than the person register has them: with the errors of real registers, at
// rates that differ by origin group. The rates are made up; their order follows what linkage studies report: errors
// and gaps concentrate in recently arrived groups.

namespace sluis::cli {

// Probabilities per 10,000 rows; each error is drawn on its own.
struct ErrorRates {
  std::uint32_t missing_bsn;
  std::uint32_t wrong_bsn;     // among rows that have one: a typing error, one in ten of them a number that passes
  std::uint32_t swapped_date;  // day and month; among dates that then exist and differ
  std::uint32_t birth_name;    // among those who bear a partner's surname
  std::uint32_t surname_typo;  // one letter replaced, dropped, doubled, or two swapped
  std::uint32_t old_address;   // the postcode of the address before
  std::uint32_t unknown_day;   // day and month of birth unknown
};
// By Origin.
inline constexpr std::array<ErrorRates, kOrigins> kErrorRates = {{
    {60, 40, 20, 1500, 80, 300, 1},       // Netherlands
    {400, 90, 60, 800, 250, 900, 10},     // Europe
    {120, 70, 60, 900, 200, 450, 60},     // Turkey
    {140, 80, 80, 700, 250, 500, 120},    // Morocco
    {80, 50, 30, 1000, 120, 400, 10},     // Suriname
    {150, 60, 30, 800, 130, 700, 5},      // Dutch Caribbean
    {60, 45, 25, 1200, 100, 320, 5},      // Indonesia
    {350, 120, 120, 600, 400, 900, 300},  // Africa
    {300, 110, 110, 600, 350, 850, 250},  // Asia
    {250, 90, 70, 800, 200, 700, 20},     // America and Oceania
    {800, 150, 150, 600, 400, 900, 500},  // unknown
}};

enum class NameForm { kUtf8, kCp1252, kAsciiUpper };

struct Identity {
  std::string bsn;  // nine digits, or empty
  DayNumber birth = 0;
  bool birth_day_unknown = false;  // then `birth` is 1 January
  bool female = false;
  std::string surname;
  bool has_postcode = true;
  Postcode postcode;
};

// Returns what the next row of a register says about `person`. Workers from abroad have no postcode in half of the
// rows.
[[nodiscard]] Identity DrawIdentity(Random& random, const CountrySeed& country, const Person& person, NameForm form);

// Returns nine digits, with leading zeros.
[[nodiscard]] std::string BsnDigits(std::uint32_t bsn);

}  // namespace sluis::cli
