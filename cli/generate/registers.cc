#include "cli/generate/registers.h"

#include <algorithm>
#include <array>

#include "cli/generate/identity.h"
#include "cli/generate/names.h"
#include "cli/generate/random.h"
#include "cli/generate/row_writer.h"

namespace sluis::cli {
namespace {

// Percent in paid work on the reference day by age class (15-24, 25-44, 45-54, 55-64, 65-74), and factors in percent.
constexpr std::array<std::uint32_t, 5> kWorkByAge = {66, 84, 82, 70, 14};
constexpr std::array<std::uint32_t, kOrigins> kWorkFactor = {100, 98, 86, 80, 92, 86, 99, 72, 76, 88, 50};
constexpr std::array<std::uint32_t, 5> kWorkByGround = {100, 66, 84, 108, 70};  // by Ground
// Per 10,000 of those aged 18 to 66 who have drawn a benefit.
constexpr std::array<std::uint32_t, kOrigins> kBenefitRate = {1100, 900,  2300, 2500, 2000, 2200,
                                                              1000, 3000, 2600, 1300, 2000};
constexpr std::array<std::string_view, 4> kBenefitTypes = {"UNEMPLOYMENT", "SOCIAL_ASSISTANCE", "DISABILITY",
                                                           "SURVIVOR"};
constexpr std::array<std::array<std::uint32_t, 4>, 2> kBenefitWeights = {{{45, 20, 32, 3}, {28, 55, 16, 1}}};
constexpr int kEmployerLevels = 20;
constexpr std::array<std::string_view, 6> kLanguageLevels = {"A0", "A1", "A2", "B1", "B2", "C1"};

constexpr DayNumber kYear = 365;

int AgeClass(int age) { return age < 25 ? 0 : age < 45 ? 1 : age < 55 ? 2 : age < 65 ? 3 : 4; }

void WriteIdentity(RowWriter& row, const Identity& identity) {
  row.Text(identity.bsn);
  row.Date(identity.birth);
  row.Text(identity.female ? "F" : "M");
  row.Text(identity.surname);
  if (identity.has_postcode) {
    row.PostcodeOf(identity.postcode);
  } else {
    row.Empty();
  }
}

void WritePerson(const Person& person, BlockRows& rows) {
  RowWriter row(rows.bytes, ',', DateStyle::kIso);
  row.Text(BsnDigits(person.bsn));
  row.Text(GivenNames()[person.given_name].utf8);
  row.Text(Surnames()[person.surname].utf8);
  row.Date(person.birth);
  row.Text(person.female ? "F" : "M");
  row.Text(Streets()[person.street]);
  row.Number(person.house_number);
  row.PostcodeOf(person.postcode);
  row.Text(Municipalities()[person.municipality].code);
  row.Text(Countries()[person.country].code);
  row.Text(Countries()[person.mother_country].code);
  row.Text(Countries()[person.father_country].code);
  row.Text(kGroundCodes[static_cast<std::size_t>(person.ground)]);
  row.Number(person.household);
  row.EndRow("\n");
  rows.persons.push_back(person.index);
}

// Employers: level l has 2^l of them and every level has the same share of the jobs, so that size falls as 1 / rank.
// From level 6 on an employer works in one province only.
std::uint64_t DrawEmployer(Random& random, const Person& person) {
  const std::uint64_t size = 1ull << random.Below(kEmployerLevels);
  std::uint64_t rank = size;
  if (size < 64) {
    rank += random.Below(size);
  } else {
    const std::string_view code = Municipalities()[person.municipality].province;  // PV20..PV31
    rank += random.Below(size / 12) * 12ull + static_cast<std::uint64_t>((code[2] - '2') * 10 + (code[3] - '0'));
  }
  // A bijection onto numbers of eight digits, so that numbers do not tell sizes.
  return 10'000'000 + rank * 7'919'003 % 89'999'999;
}

// One spell of work from `start` to `end` (INT32_MAX: still going on).
void WriteJob(Random& random, const CountrySeed& country, const Person& person, DayNumber start, DayNumber end, int age,
              BlockRows& rows) {
  const Identity identity = DrawIdentity(random, country, person, NameForm::kCp1252);
  RowWriter row(rows.bytes, ';', DateStyle::kDayFirst);
  WriteIdentity(row, identity);
  row.Number(DrawEmployer(random, person));
  row.Date(start);
  if (end == INT32_MAX) {
    row.Empty();
  } else {
    row.Date(end);
  }
  const bool part_time = random.Chance(person.female ? 6500 : 2500);
  const std::uint64_t weekly = part_time ? 8 + random.Below(25) : 34 + random.Below(7);
  const std::uint64_t hours = weekly * 52 / 12;
  std::uint64_t cents = 1400 + 190ull * person.isced +
                        14ull * static_cast<std::uint64_t>(std::clamp(age, 18, 55) - 18) + random.Skewed(1600);
  if (random.Chance(120)) {
    cents *= 2 + random.Skewed(9);
  }
  row.Number(hours);
  row.Amount(cents * hours);
  row.EndRow("\r\n");
  rows.persons.push_back(person.index);
}

void WriteJobs(const CountrySeed& country, const Person& person, BlockRows& rows) {
  Random random(country.seed, Purpose::kJobs, person.unique);
  const DayNumber today = country.reference_day;
  const DayNumber last = std::min(person.departure, today);
  const int age = ApproximateAge(person, today);
  if (age < 15 || age > 74) {
    return;
  }
  const DayNumber first = std::max<DayNumber>({person.birth + 15 * 366, person.arrival, today - 6 * kYear});
  if (first >= last) {
    return;
  }
  const bool emigrant = person.departure != INT32_MAX;
  const std::uint32_t percent = kWorkByAge[static_cast<std::size_t>(AgeClass(age))] *
                                kWorkFactor[static_cast<std::size_t>(person.origin)] *
                                kWorkByGround[static_cast<std::size_t>(person.ground)] / 10000;
  const bool works = random.Below(100) < percent;
  const bool from_abroad = person.index < 0 && !emigrant;
  DayNumber until = last;  // the day before which earlier spells end
  if (from_abroad || (works && !emigrant)) {
    const DayNumber start = last - static_cast<DayNumber>(random.Skewed(static_cast<std::uint64_t>(last - first) + 1));
    // The extract is made some months after the reference day: some spells have ended by then.
    const DayNumber end = random.Chance(1200) ? today + 1 + static_cast<DayNumber>(random.Below(90)) : INT32_MAX;
    WriteJob(random, country, person, start, end, age, rows);
    until = start;
  }
  const std::uint32_t earlier = works || emigrant ? random.Skewed(4) : random.Skewed(2);
  for (std::uint32_t i = 0; i < earlier && until - first > 60; ++i) {
    const DayNumber end = until - 1 - static_cast<DayNumber>(random.Below(60));
    const DayNumber length = 1 + static_cast<DayNumber>(random.Below(static_cast<std::uint64_t>(end - first) + 1));
    WriteJob(random, country, person, end - length + 1, end, age, rows);
    until = end - length + 1;
  }
}

void WriteBenefits(const CountrySeed& country, const Person& person, BlockRows& rows) {
  Random random(country.seed, Purpose::kBenefits, person.unique);
  const DayNumber today = country.reference_day;
  const int age = ApproximateAge(person, today);
  const bool emigrant = person.departure != INT32_MAX;
  const bool from_abroad = person.index < 0 && !emigrant;
  std::uint32_t rate = kBenefitRate[static_cast<std::size_t>(person.origin)];
  rate = person.ground == Ground::kAsylum ? rate * 2 : rate;
  if (age < 18 || age > 66 || from_abroad || !random.Chance(rate)) {
    return;
  }
  const DayNumber last = std::min(person.departure, today);
  const DayNumber first = std::max<DayNumber>({person.birth + 18 * 366, person.arrival, today - 6 * kYear});
  const std::uint32_t spells = 1 + random.Skewed(3);
  DayNumber until = last;
  for (std::uint32_t i = 0; i < spells && until - first > 31; ++i) {
    const DayNumber start =
        until - 30 - static_cast<DayNumber>(random.Below(static_cast<std::uint64_t>(until - first) - 30));
    const bool open = i == 0 && !emigrant && random.Chance(5500);
    const DayNumber end =
        start + 29 + static_cast<DayNumber>(random.Below(static_cast<std::uint64_t>(until - start) - 29));
    const Identity identity = DrawIdentity(random, country, person, NameForm::kAsciiUpper);
    RowWriter row(rows.bytes, '\t', DateStyle::kCompact);
    row.Text(identity.bsn);
    row.Date(identity.birth, identity.birth_day_unknown);
    row.Text(identity.female ? "F" : "M");
    row.Text(identity.surname);
    row.PostcodeOf(identity.postcode);
    row.Text(Countries()[person.country].code);
    row.Text(kBenefitTypes[random.Weighted(kBenefitWeights[person.origin == Origin::kNetherlands ? 0 : 1])]);
    row.Date(start);
    if (open) {
      row.Empty();
    } else {
      row.Date(end);
    }
    row.EndRow("\n");
    rows.persons.push_back(person.index);
    until = start;
  }
}

// Diplomas of Dutch schools: those who came as adults hold theirs from abroad, mostly not registered.
void WriteDiplomas(const CountrySeed& country, const Person& person, BlockRows& rows) {
  Random random(country.seed, Purpose::kDiplomas, person.unique);
  const bool from_abroad = person.index < 0 && person.departure == INT32_MAX;
  const int arrival_age = person.arrival == INT32_MIN ? 0 : (person.arrival - person.birth) * 4 / 1461;
  const int age = ApproximateAge(person, country.reference_day);
  // The register begins with those born about 1950, and is patchy for the older ones.
  const std::uint32_t coverage = age > 75 ? 0 : age > 50 ? 4500 : 9700;
  if (person.isced < 2 || from_abroad || arrival_age > 22 || !random.Chance(arrival_age > 16 ? 2500 : coverage)) {
    return;
  }
  // Years of age at which a level is attained.
  static constexpr std::array<int, 9> kAgeAtLevel = {6, 12, 16, 19, 20, 21, 22, 24, 29};
  for (int level = 2; level <= person.isced; ++level) {
    if (level != person.isced && level != 3 && !(level == 6 && person.isced > 6)) {
      continue;
    }
    const DayNumber date = person.birth + kAgeAtLevel[static_cast<std::size_t>(level)] * 1461 / 4 +
                           static_cast<DayNumber>(random.Below(2 * kYear));
    if (date > std::min(country.reference_day, person.departure)) {
      break;
    }
    RowWriter row(rows.bytes, ',', DateStyle::kIso);
    WriteIdentity(row, DrawIdentity(random, country, person, NameForm::kUtf8));
    row.Number(static_cast<std::uint64_t>(level));
    row.Date(date);
    row.EndRow("\n");
    rows.persons.push_back(person.index);
  }
}

// Obligations to take a civic-integration course: adults who came for asylum or family in the last ten years.
void WriteCivic(const CountrySeed& country, const Person& person, BlockRows& rows) {
  Random random(country.seed, Purpose::kCivic, person.unique);
  const DayNumber today = country.reference_day;
  const int arrival_age = person.arrival == INT32_MIN ? 0 : (person.arrival - person.birth) * 4 / 1461;
  if ((person.ground != Ground::kAsylum && person.ground != Ground::kFamily) || arrival_age < 18 || arrival_age > 64 ||
      person.arrival < today - 10 * kYear) {
    return;
  }
  const DayNumber start = person.arrival + static_cast<DayNumber>(random.Below(300));
  if (start > std::min(today, person.departure)) {
    return;
  }
  const DayNumber term = start + 3 * kYear;
  const std::uint32_t drawn = random.Below(100);
  const bool running = term > today;
  const std::string_view outcome = drawn < 8                       ? "EXEMPT"
                                   : drawn < (running ? 25u : 78u) ? "PASSED"
                                   : running                       ? "OPEN"
                                                                   : "FAILED";
  const Identity identity = DrawIdentity(random, country, person, NameForm::kUtf8);
  RowWriter row(rows.bytes, ',', DateStyle::kIso);
  row.Quoted(identity.bsn);
  row.Date(identity.birth);
  row.Quoted(identity.female ? "F" : "M");
  row.Quoted(identity.surname);
  row.PostcodeOf(identity.postcode);
  row.Quoted(Countries()[person.country].code);
  row.Date(start);
  row.Date(term);
  row.Quoted(outcome);
  row.Quoted(kLanguageLevels[outcome == "PASSED" ? 2 + random.Skewed(4) : random.Below(3)]);
  row.EndRow("\r\n");
  rows.persons.push_back(person.index);
}

}  // namespace

const std::array<RegisterFile, kRegisters>& RegisterFiles() {
  static constexpr std::array<RegisterFile, kRegisters> kFiles = {{
      {"persons", "persons.csv", Compression::kNone,
       "bsn,given_name,surname,birth_date,sex,street,house_number,postcode,municipality,country_of_birth,"
       "country_of_birth_mother,country_of_birth_father,residence_ground,household\n"},
      {"jobs", "jobs.csv", Compression::kNone, "bsn;birth_date;sex;surname;postcode;employer;start;end;hours;wage\r\n"},
      {"benefits", "benefits.tsv.gz", Compression::kGzip,
       "bsn\tbirth_date\tsex\tsurname\tpostcode\tcountry_of_birth\ttype\tstart\tend\n"},
      {"diplomas", "diplomas.csv.zst", Compression::kZstd, "bsn,birth_date,sex,surname,postcode,level,date\n"},
      {"civic", "civic.csv", Compression::kNone,
       "\xEF\xBB\xBF"
       "bsn,birth_date,sex,surname,postcode,country_of_birth,start,term_end,outcome,language_level\r\n"},
  }};
  return kFiles;
}

void WriteBlock(const CountrySeed& country, std::uint64_t block_number, const Block& block, BlockRegisters& rows) {
  for (BlockRows& of_register : rows) {
    of_register.bytes.clear();
    of_register.persons.clear();
  }
  for (const Person& person : block.residents) {
    WritePerson(person, rows[0]);
  }
  using Writer = void (*)(const CountrySeed&, const Person&, BlockRows&);
  static constexpr std::array<Writer, kRegisters> kWriters = {nullptr, WriteJobs, WriteBenefits, WriteDiplomas,
                                                              WriteCivic};
  const std::size_t residents = block.residents.size();
  const std::size_t people = residents + block.outsiders.size();
  // i -> (factor * i + shift) mod 2^11 with an odd factor visits every position once.
  static_assert(kBlockPersons + kMaxBlockOutsiders <= 2048);
  for (std::size_t id = 1; id < kRegisters; ++id) {
    Random order(country.seed, Purpose::kVisit, block_number, id);
    const std::uint64_t factor = 2 * order.Below(1024) + 1;
    const std::uint64_t shift = order.Below(2048);
    for (std::uint64_t i = 0; i < 2048; ++i) {
      const std::uint64_t at = (factor * i + shift) % 2048;
      if (at < people) {
        kWriters[id](country, at < residents ? block.residents[at] : block.outsiders[at - residents], rows[id]);
      }
    }
  }
}

}  // namespace sluis::cli
