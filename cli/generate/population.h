#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cli/generate/places.h"

// The people of the synthetic country, without registers and errors. They are made in blocks, each a pure function of
// (seed, reference day, block): nothing else is remembered, so a country of any size needs the memory of a few blocks,
// and a small country is, but for its last block, the beginning of a larger one.

namespace sluis::cli {

// Days since 1970-01-01.
using DayNumber = std::int32_t;

inline constexpr std::uint64_t kBlockPersons = 1024;
// People with a number who are not in the person register: at most this many a block.
inline constexpr std::uint64_t kMaxBlockOutsiders = 32;
inline constexpr std::uint64_t kMaxPersons = 80'000'000;

enum class Ground : std::uint8_t { kNone, kAsylum, kFamily, kLabour, kStudy };
inline constexpr std::array<const char*, 5> kGroundCodes = {"NONE", "ASYLUM", "FAMILY", "LABOUR", "STUDY"};

struct Postcode {
  std::uint16_t digits = 0;
  std::array<char, 2> letters{};
  friend bool operator==(const Postcode&, const Postcode&) = default;
};

struct Person {
  std::int64_t index = -1;      // row of the person register from 0; -1: not in it
  std::uint64_t unique = 0;     // distinct for all people, outsiders included
  std::uint64_t household = 0;  // from 1
  std::uint32_t bsn = 0;
  DayNumber birth = 0;
  DayNumber arrival = INT32_MIN;    // first day in the country; INT32_MIN: born there
  DayNumber departure = INT32_MAX;  // emigrants: last day; INT32_MAX: stays
  std::uint16_t given_name = 0;
  std::uint16_t surname = 0;
  std::uint16_t birth_surname = 0;  // differs for those who bear the partner's surname
  std::uint16_t street = 0;
  std::uint16_t house_number = 0;
  std::uint8_t municipality = 0;
  Postcode postcode;
  Postcode old_postcode;  // of the address before
  std::uint8_t country = 0;
  std::uint8_t mother_country = 0;
  std::uint8_t father_country = 0;
  Origin origin = Origin::kNetherlands;
  Ground ground = Ground::kNone;
  bool female = false;
  std::uint8_t isced = 0;  // highest level attained, 0..8
};

struct CountrySeed {
  std::uint64_t seed = 0;
  std::uint64_t persons = 0;
  DayNumber reference_day = 0;
};

// One block of people. `residents` are persons [block * kBlockPersons, ...) of the person register, whole households
// in order; `outsiders` live abroad: workers who never registered, and emigrants.
struct Block {
  std::vector<Person> residents;
  std::vector<Person> outsiders;
};

// Returns block `block` < ceil(persons / kBlockPersons). Cost: 0.3 microseconds a person.
[[nodiscard]] Block GenerateBlock(const CountrySeed& country, std::uint64_t block);

// Returns the completed years of age, counted in years of 365.25 days.
[[nodiscard]] int ApproximateAge(const Person& person, DayNumber day);

}  // namespace sluis::cli
