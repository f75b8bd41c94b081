#include "cli/generate/identity.h"

#include <chrono>
#include <utility>
#include <vector>

#include "cli/generate/bsn.h"

namespace sluis::cli {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One digit replaced or two neighbours swapped: always fails the eleven test, as the test was made for that.
void Mistype(Random& random, std::string& bsn) {
  const std::size_t at = random.Below(8);
  if (bsn[at] != bsn[at + 1] && random.Chance(4000)) {
    std::swap(bsn[at], bsn[at + 1]);
  } else {
    bsn[at] = static_cast<char>('0' + (bsn[at] - '0' + 1 + static_cast<int>(random.Below(9))) % 10);
  }
}

// Changes one ASCII letter of `name`; the result differs from it and is in the same encoding.
void MistypeName(Random& random, std::string& name) {
  std::size_t letters = 0;
  for (const char c : name) {
    letters += IsLetter(c) ? 1 : 0;
  }
  if (letters == 0) {
    return;
  }
  std::size_t nth = random.Below(letters);
  std::size_t at = 0;
  while (!IsLetter(name[at]) || nth-- > 0) {
    ++at;
  }
  const bool upper = name[at] <= 'Z';
  const std::uint32_t kind = random.Below(4);
  if (kind == 0 && letters > 2) {
    name.erase(at, 1);
  } else if (kind == 1) {
    name.insert(at, 1, name[at]);
  } else if (kind == 2 && at + 1 < name.size() && IsLetter(name[at + 1]) && name[at + 1] != name[at]) {
    std::swap(name[at], name[at + 1]);
  } else {
    const char base = upper ? 'A' : 'a';
    name[at] = static_cast<char>(base + (name[at] - base + 1 + static_cast<int>(random.Below(25))) % 26);
  }
}

const std::string& Form(const Name& name, NameForm form) {
  return form == NameForm::kUtf8 ? name.utf8 : form == NameForm::kCp1252 ? name.cp1252 : name.ascii_upper;
}

}  // namespace

std::string BsnDigits(std::uint32_t bsn) {
  std::string digits(9, '0');
  for (std::size_t i = 9; i-- > 0; bsn /= 10) {
    digits[i] = static_cast<char>('0' + bsn % 10);
  }
  return digits;
}

Identity DrawIdentity(Random& random, const CountrySeed& country, const Person& person, NameForm form) {
  using namespace std::chrono;
  const ErrorRates& rates = kErrorRates[static_cast<std::size_t>(person.origin)];
  Identity identity;
  identity.female = person.female;
  identity.birth = person.birth;
  const bool missing = random.Chance(rates.missing_bsn);
  if (!missing) {
    identity.bsn = BsnDigits(person.bsn);
    if (random.Chance(rates.wrong_bsn)) {
      if (random.Below(10) == 0) {
        identity.bsn = BsnDigits(BsnOf(country.seed, (person.unique + 1 + random.Below(kMaxPersons)) % kBsnCount));
      } else {
        Mistype(random, identity.bsn);
      }
    }
  }
  const bool swap = random.Chance(rates.swapped_date);
  const bool unknown = random.Chance(rates.unknown_day);
  if (swap || unknown) {
    const year_month_day date{sys_days{days{person.birth}}};
    if (swap && unsigned{date.day()} <= 12) {
      const year_month_day swapped = date.year() / month{unsigned{date.day()}} / day{unsigned{date.month()}};
      identity.birth = static_cast<DayNumber>(sys_days{swapped}.time_since_epoch().count());
    }
    if (unknown) {
      identity.birth_day_unknown = true;
      identity.birth = static_cast<DayNumber>(sys_days{date.year() / January / 1}.time_since_epoch().count());
    }
  }
  const bool birth_name = random.Chance(rates.birth_name);
  identity.surname = Form(Surnames()[birth_name ? person.birth_surname : person.surname], form);
  if (random.Chance(rates.surname_typo)) {
    MistypeName(random, identity.surname);
  }
  identity.postcode = random.Chance(rates.old_address) ? person.old_postcode : person.postcode;
  const bool worker_from_abroad = person.index < 0 && person.departure == INT32_MAX;
  identity.has_postcode = !worker_from_abroad || random.Chance(5000);
  return identity;
}

}  // namespace sluis::cli
