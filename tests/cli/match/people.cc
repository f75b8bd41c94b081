#include "tests/cli/match/people.h"

#include <array>
#include <cstdio>
#include <random>

namespace sluis::cli::testing {
namespace {

constexpr std::array<const char*, 24> kSyllables = {"ka",  "lo",  "mi",  "ren", "dal", "bos", "ster", "vin",
                                                    "hoe", "pa",  "tra", "gel", "wie", "zon", "der",  "ma",
                                                    "ti",  "oor", "ben", "quo", "fa",  "ul",  "sche", "nij"};

using Random = std::mt19937;  // its sequence is the same everywhere; distributions are not, so none is used

std::string Word(Random& random, int syllables) {
  std::string word;
  for (int i = 0; i < syllables; ++i) word += kSyllables[random() % kSyllables.size()];
  return word;
}

std::string Digits(Random& random, int count) {
  std::string digits;
  for (int i = 0; i < count; ++i) digits += static_cast<char>('0' + random() % 10);
  return digits;
}

}  // namespace

std::string PeopleSchema() {
  return R"(
fields:
  - {name: nr, type: string, x-role: attribute}
  - {name: bsn, type: string, x-role: identifier}
  - {name: given, type: string, x-role: quasi}
  - {name: surname, type: string, x-role: quasi}
  - {name: born, type: date, x-role: quasi}
  - {name: street, type: string, x-role: quasi}
  - {name: postcode, type: string, x-role: quasi}
  - {name: phone, type: string, x-role: quasi}
primaryKey: nr
)";
}

std::string PeopleCsv(const People& people) {
  std::string csv = "nr,bsn,given,surname,born,street,postcode,phone\n";
  for (std::uint32_t person = people.first; person < people.end; ++person) {
    Random random(person + 1);
    char born[16];
    std::snprintf(born, sizeof(born), "%04u-%02u-%02u", static_cast<unsigned>(1930 + random() % 80),
                  static_cast<unsigned>(1 + random() % 12), static_cast<unsigned>(1 + random() % 28));
    std::array<std::string, 6> values = {Word(random, 2), Word(random, 3),   born,
                                         Word(random, 4), Digits(random, 4), Digits(random, 9)};
    if (people.errors_seed != 0) {
      Random slips(person * 1000 + people.errors_seed);
      if (slips() % 2 == 0) {
        std::string& value = values[slips() % values.size()];
        value[slips() % value.size()] = static_cast<char>('a' + slips() % 26);
      }
    }
    csv += people.id_prefix + std::to_string(person) + ",";
    for (const std::string& value : values) csv += "," + value;
    csv += "\n";
  }
  return csv;
}

}  // namespace sluis::cli::testing
