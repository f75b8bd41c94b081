#include "cli/generate/population.h"

#include <algorithm>
#include <chrono>

#include "cli/generate/bsn.h"
#include "cli/generate/names.h"
#include "cli/generate/random.h"

namespace sluis::cli {
namespace {

using enum Origin;

enum class HouseholdType { kSingle, kCouple, kFamily, kSingleParent };
constexpr std::array<std::uint32_t, 4> kHouseholdWeights = {40, 29, 24, 7};
constexpr std::array<std::uint32_t, 4> kChildrenWeights = {38, 42, 15, 5};  // 1..4 children
constexpr int kMaxAge = 98;

// Percent of the heads of household of an origin that were born abroad; the rest are children of migrants.
constexpr std::array<std::uint32_t, kOrigins> kBornAbroadPercent = {1, 72, 48, 45, 52, 62, 25, 65, 72, 65, 70};
// Weights of the grounds none, asylum, family, labour, study for those born abroad who need one.
constexpr std::array<std::array<std::uint32_t, 5>, kOrigins> kGroundWeights = {{{1, 0, 0, 0, 0},
                                                                                {20, 25, 20, 30, 5},
                                                                                {25, 8, 55, 10, 2},
                                                                                {30, 1, 62, 5, 2},
                                                                                {70, 0, 25, 2, 3},
                                                                                {1, 0, 0, 0, 0},
                                                                                {65, 1, 18, 8, 8},
                                                                                {10, 52, 28, 4, 6},
                                                                                {8, 46, 22, 14, 10},
                                                                                {15, 6, 40, 24, 15},
                                                                                {30, 55, 10, 3, 2}}};
// Per 10,000 of those born abroad whose day and month of birth no document shows: registered as 1 January.
constexpr std::array<std::uint32_t, kOrigins> kUnknownBirthday = {0, 10, 250, 400, 20, 5, 10, 900, 700, 10, 500};
// Weights of the highest ISCED levels 0..8 of adults: natives, migrants by labour and study, others.
constexpr std::array<std::array<std::uint32_t, 9>, 3> kIscedWeights = {
    {{1, 4, 16, 36, 5, 3, 22, 12, 1}, {0, 1, 5, 15, 3, 3, 32, 36, 5}, {6, 14, 24, 28, 5, 3, 13, 6, 1}}};

std::uint8_t DrawCountry(Random& random, Origin origin) {
  // Position and total weight of each origin's countries, which stand together in Countries().
  struct Group {
    std::size_t first = 0;
    std::vector<std::uint32_t> weights;
  };
  static const auto* const groups = [] {
    auto* g = new std::array<Group, kOrigins>;
    for (std::size_t i = 0; i < Countries().size(); ++i) {
      Group& group = (*g)[static_cast<std::size_t>(Countries()[i].origin)];
      if (group.weights.empty()) {
        group.first = i;
      }
      group.weights.push_back(Countries()[i].weight);
    }
    return g;
  }();
  const Group& group = (*groups)[static_cast<std::size_t>(origin)];
  return static_cast<std::uint8_t>(group.first + random.Weighted(group.weights));
}

bool BornAbroad(const Person& person) {
  return person.country != kNetherlandsCountry && person.country != kUnknownCountry;
}

int Triangular(Random& random, int low, int high) {
  return (random.Between(low, high) + random.Between(low, high)) / 2;
}

DayNumber FirstOfYear(DayNumber day) {
  using namespace std::chrono;
  const year_month_day date{sys_days{days{day}}};
  return static_cast<DayNumber>(sys_days{date.year() / January / 1}.time_since_epoch().count());
}

DayNumber DrawBirth(Random& random, DayNumber reference_day, int age) {
  return reference_day - age * 1461 / 4 - static_cast<DayNumber>(random.Below(365));
}

// Sets arrival, ground and what else follows from having been born abroad.
void Arrive(Random& random, DayNumber reference_day, Person& person) {
  if (!BornAbroad(person)) {
    return;
  }
  const DayNumber life = reference_day - person.birth;
  const DayNumber longest = std::min<DayNumber>(life, 45 * 365);
  person.arrival = reference_day - static_cast<DayNumber>(random.Skewed(static_cast<std::uint64_t>(longest) + 1));
  if (!Countries()[person.country].free_movement) {
    person.ground = static_cast<Ground>(random.Weighted(kGroundWeights[static_cast<std::size_t>(person.origin)]));
  }
  if (random.Chance(kUnknownBirthday[static_cast<std::size_t>(person.origin)])) {
    person.birth = FirstOfYear(person.birth);
  }
}

void Educate(Random& random, int age, Person& person) {
  const std::size_t kind = !BornAbroad(person)                                                   ? 0
                           : person.ground == Ground::kLabour || person.ground == Ground::kStudy ? 1
                                                                                                 : 2;
  const auto level = static_cast<int>(random.Weighted(kIscedWeights[kind]));
  const int highest_at_age = age < 12 ? 0 : age < 16 ? 1 : age < 18 ? 2 : age < 21 ? 3 : age < 24 ? 6 : 8;
  person.isced = static_cast<std::uint8_t>(std::min(level, highest_at_age));
}

// An adult of a family that comes from `family`.
Person MakeAdult(Random& random, DayNumber reference_day, Origin family, int age, bool female) {
  Person person;
  person.female = female;
  person.birth = DrawBirth(random, reference_day, age);
  person.given_name = DrawGivenName(random, family, female);
  person.surname = person.birth_surname = DrawSurname(random, family);
  const auto group = static_cast<std::size_t>(family);
  // Labour migration began in the 1960s: older people of those groups were born abroad.
  const bool old_migrant = age > 60 && family != kNetherlands && family != kEurope && family != kIndonesia;
  const bool abroad = random.Below(100) < kBornAbroadPercent[group] || old_migrant;
  if (family == kNetherlands) {
    person.country = abroad ? DrawCountry(random, kEurope) : kNetherlandsCountry;
  } else if (abroad) {
    person.country = DrawCountry(random, family);
    person.mother_country = random.Chance(9600) ? person.country : kUnknownCountry;
    person.father_country = random.Chance(9500) ? person.country : kUnknownCountry;
  } else {
    const std::uint32_t parents = random.Below(100);  // both abroad; the mother only; the father only
    person.mother_country = parents < 80 ? DrawCountry(random, family) : kNetherlandsCountry;
    person.father_country = parents < 60 || parents >= 80 ? DrawCountry(random, family) : kNetherlandsCountry;
  }
  person.origin = OriginOf(person.country, person.mother_country, person.father_country);
  Arrive(random, reference_day, person);
  Educate(random, age, person);
  return person;
}

// A child of `mother` and `father`, of whom one may be null (unknown or elsewhere).
Person MakeChild(Random& random, DayNumber reference_day, const Person* mother, const Person* father, Origin family) {
  const Person& parent = mother != nullptr ? *mother : *father;
  Person child;
  const int parent_age = ApproximateAge(parent, reference_day);
  const int age = std::max(0, std::min(24, parent_age - random.Between(19, 38)));
  child.birth = DrawBirth(random, reference_day, age);
  child.female = random.Chance(4900);
  child.given_name = DrawGivenName(random, family, child.female);
  child.surname = child.birth_surname = father != nullptr ? father->birth_surname : mother->birth_surname;
  const auto other_parent = [&] { return random.Chance(1500) ? kUnknownCountry : DrawCountry(random, family); };
  child.mother_country = mother != nullptr ? mother->country : other_parent();
  child.father_country = father != nullptr ? father->country : other_parent();
  child.country = BornAbroad(parent) && parent.arrival > child.birth ? parent.country : kNetherlandsCountry;
  child.origin = OriginOf(child.country, child.mother_country, child.father_country);
  Arrive(random, reference_day, child);
  Educate(random, age, child);
  return child;
}

Postcode DrawPostcode(Random& random, std::size_t municipality) {
  // Letters that the Dutch postcode uses: no F, I, O, Q, U, Y; the pairs SA, SD and SS do not exist.
  static constexpr char kLetters[] = "ABCDEGHJKLMNPRSTVWXZ";
  const Municipality& place = Municipalities()[municipality];
  Postcode postcode;
  postcode.digits = static_cast<std::uint16_t>(place.first_pc4 + random.Below(place.pc4_count));
  postcode.letters = {kLetters[random.Below(20)], kLetters[random.Below(20)]};
  if (postcode.letters[0] == 'S' && std::string_view("ADS").find(postcode.letters[1]) != std::string_view::npos) {
    postcode.letters[1] = 'B';
  }
  return postcode;
}

std::size_t DrawMunicipality(Random& random) {
  static const auto* const weights = [] {
    auto* w = new std::vector<std::uint32_t>;
    for (const Municipality& place : Municipalities()) {
      w->push_back(place.weight);
    }
    return w;
  }();
  return random.Weighted(*weights);
}

// Gives all members one address, and one before it, in the same municipality mostly.
void Settle(Random& random, const CountrySeed& country, std::size_t municipality, std::span<Person> members) {
  Person address;
  address.municipality = static_cast<std::uint8_t>(municipality);
  address.postcode = DrawPostcode(random, municipality);
  do {
    address.old_postcode = DrawPostcode(random, random.Chance(7000) ? municipality : DrawMunicipality(random));
  } while (address.old_postcode == address.postcode);
  // A postcode is one stretch of one street.
  const auto code = (static_cast<std::uint64_t>(address.postcode.digits) << 16) |
                    (static_cast<std::uint64_t>(address.postcode.letters[0]) << 8) |
                    static_cast<std::uint64_t>(address.postcode.letters[1]);
  Random stretch(country.seed, Purpose::kAddress, code);
  address.street = static_cast<std::uint16_t>(stretch.Below(Streets().size()));
  address.house_number = static_cast<std::uint16_t>(1 + 2 * stretch.Below(90) + 2 * random.Below(20));
  for (Person& person : members) {
    person.municipality = address.municipality;
    person.postcode = address.postcode;
    person.old_postcode = address.old_postcode;
    person.street = address.street;
    person.house_number = address.house_number;
  }
}

// Appends one household of at most `room` members.
void AppendHousehold(const CountrySeed& country, Random random, std::uint64_t room, std::vector<Person>& to) {
  const DayNumber day = country.reference_day;
  const std::size_t first = to.size();
  const std::size_t municipality = DrawMunicipality(random);
  const auto family = static_cast<Origin>(random.Weighted(OriginWeights(municipality)));
  auto type = static_cast<HouseholdType>(random.Weighted(kHouseholdWeights));
  if (room < 2) {
    type = HouseholdType::kSingle;
  }
  const bool parents = type == HouseholdType::kFamily || type == HouseholdType::kSingleParent;
  const bool couple = type == HouseholdType::kFamily || type == HouseholdType::kCouple;
  // Migrants are younger than natives.
  const int oldest = parents ? 60 : family == kNetherlands ? kMaxAge : 88;
  const int age = Triangular(random, parents ? 24 : 18, oldest);
  const bool female_head =
      type == HouseholdType::kSingleParent ? random.Chance(8200) : random.Chance(couple ? 1500 : 5100);
  to.push_back(MakeAdult(random, day, family, age, female_head));
  if (couple) {
    const Origin partner_family =
        random.Chance(8200) ? family : static_cast<Origin>(random.Weighted(OriginWeights(municipality)));
    const bool same_sex = random.Chance(250);
    const int partner_age = std::clamp(age + random.Between(-6, 4), 18, kMaxAge);
    to.push_back(MakeAdult(random, day, partner_family, partner_age, female_head == same_sex));
    Person& partner = to.back();
    if (partner.female && random.Chance(family == kNetherlands ? 5500 : 2500)) {
      partner.surname = to[first].birth_surname;
    }
  }
  if (parents) {
    const std::size_t children = 1 + random.Weighted(kChildrenWeights);
    const Person* mother = to[first].female ? &to[first] : nullptr;
    const Person* father = to[first].female ? nullptr : &to[first];
    if (couple) {
      // The second parent takes the free place, whatever the sex.
      (mother == nullptr ? mother : father) = &to[first + 1];
    }
    const Person mother_copy = mother != nullptr ? *mother : Person();
    const Person father_copy = father != nullptr ? *father : Person();
    for (std::size_t i = 0; i < children && to.size() - first < room; ++i) {
      to.push_back(MakeChild(random, day, mother != nullptr ? &mother_copy : nullptr,
                             father != nullptr ? &father_copy : nullptr, family));
    }
  }
  Settle(random, country, municipality, std::span(to).subspan(first));
}

// Someone with a number who is not in the person register: a worker from abroad, or an emigrant.
Person MakeOutsider(const CountrySeed& country, std::uint64_t unique) {
  Random random(country.seed, Purpose::kOutsider, unique);
  const bool emigrant = random.Chance(4000);
  const std::size_t municipality = DrawMunicipality(random);
  const Origin family = emigrant ? static_cast<Origin>(random.Weighted(OriginWeights(municipality))) : kEurope;
  Person person = MakeAdult(random, country.reference_day, family, random.Between(20, 62), random.Chance(4500));
  Settle(random, country, municipality, std::span(&person, 1));
  if (emigrant) {
    person.departure = country.reference_day - 30 - static_cast<DayNumber>(random.Below(3 * 365));
    person.arrival = person.arrival == INT32_MIN ? INT32_MIN : std::min(person.arrival, person.departure - 90);
  } else {
    person.country = person.mother_country = person.father_country = DrawCountry(random, kEurope);
    person.origin = kEurope;
    person.ground = Ground::kNone;
    person.arrival = country.reference_day - static_cast<DayNumber>(random.Below(2 * 365));
  }
  person.unique = unique;
  person.bsn = BsnOf(country.seed, unique);
  return person;
}

}  // namespace

int ApproximateAge(const Person& person, DayNumber day) { return (day - person.birth) * 4 / 1461; }

Block GenerateBlock(const CountrySeed& country, std::uint64_t block) {
  Block result;
  const std::uint64_t first = block * kBlockPersons;
  const std::uint64_t count = std::min(kBlockPersons, country.persons - first);
  result.residents.reserve(count);
  while (result.residents.size() < count) {
    const std::size_t begin = result.residents.size();
    AppendHousehold(country, Random(country.seed, Purpose::kHousehold, first + begin), count - begin, result.residents);
    for (std::size_t i = begin; i < result.residents.size(); ++i) {
      Person& person = result.residents[i];
      person.index = static_cast<std::int64_t>(first + i);
      person.unique = first + i;
      person.household = first + begin + 1;
      person.bsn = BsnOf(country.seed, person.unique);
    }
  }
  Random outsiders(country.seed, Purpose::kOutsider, kMaxPersons + (block << 32));
  const std::uint64_t outsider_count = (8 + outsiders.Below(17)) * count / kBlockPersons;
  for (std::uint64_t i = 0; i < outsider_count; ++i) {
    result.outsiders.push_back(MakeOutsider(country, kMaxPersons + block * kMaxBlockOutsiders + i));
  }
  return result;
}

}  // namespace sluis::cli
