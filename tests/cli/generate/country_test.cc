#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "cli/generate/bsn.h"
#include "cli/generate/generate.h"
#include "cli/generate/identity.h"
#include "cli/generate/names.h"
#include "cli/generate/population.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/cli/generate/read_country.h"

// What a generated country is like: the files are read back and compared with the documented rates and with the truth.

namespace sluis::cli {
namespace {

using testing::Table;

constexpr std::uint64_t kPersons = 100'000;
constexpr std::uint64_t kSeed = 5;
constexpr std::array<RegisterId, 4> kSatellites = {RegisterId::kJobs, RegisterId::kBenefits, RegisterId::kDiplomas,
                                                   RegisterId::kCivic};

// A date in any of the registers' notations as yyyymmdd.
std::string Compact(const std::string& date) {
  if (date.size() == 10 && date[2] == '-') {
    return date.substr(6) + date.substr(3, 2) + date.substr(0, 2);
  }
  return date.size() == 10 ? date.substr(0, 4) + date.substr(5, 2) + date.substr(8) : date;
}

class CountryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const testing::TemporaryDirectory directory;
    GenerateOptions options;
    options.persons = kPersons;
    options.seed = kSeed;
    options.reference_date = "2025-12-31";
    options.output_directory = directory.path();
    SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
    country_ = new testing::ReadCountry(testing::ReadCountryFrom(directory.path()));
    people_ = new std::vector<Person>;
    const CountrySeed seed{kSeed, kPersons, 20453};  // 2025-12-31
    for (std::uint64_t block = 0; block * kBlockPersons < kPersons; ++block) {
      const Block made = GenerateBlock(seed, block);
      people_->insert(people_->end(), made.residents.begin(), made.residents.end());
    }
  }
  static void TearDownTestSuite() {
    delete country_;
    delete people_;
  }

  static const Table& Register(RegisterId id) { return country_->registers[static_cast<std::size_t>(id)]; }
  static const std::vector<std::int64_t>& Truth(RegisterId id) { return country_->truth[static_cast<std::size_t>(id)]; }
  static const std::string& PersonField(std::int64_t person, const std::string& column) {
    const Table& persons = Register(RegisterId::kPersons);
    return persons.rows[static_cast<std::size_t>(person)][persons.Column(column)];
  }

  static testing::ReadCountry* country_;
  static std::vector<Person>* people_;
};
testing::ReadCountry* CountryTest::country_ = nullptr;
std::vector<Person>* CountryTest::people_ = nullptr;

// Counts of trials and successes by origin, against a probability per 10,000.
class RateCheck {
 public:
  void Count(Origin origin, bool success) {
    ++trials_[static_cast<std::size_t>(origin)];
    successes_[static_cast<std::size_t>(origin)] += success ? 1 : 0;
  }
  // Rows are independent trials, so a group's count is binomial. By Bernstein's inequality it is off by more than
  // t = 12 + sqrt(48 n p) with probability below 2 exp(-t^2 / (2 n p + 2 t / 3)) < 2 exp(-18); with some 60 checks a
  // correct generator fails for one seed in a hundred thousand at most, and the seed is fixed.
  template <typename Rate>
  void Expect(const Rate& per_10000) const {
    std::uint64_t all = 0;
    for (std::size_t origin = 0; origin < kOrigins; ++origin) {
      const double mean = static_cast<double>(trials_[origin]) * per_10000(kErrorRates[origin]) / 10000;
      EXPECT_NEAR(static_cast<double>(successes_[origin]), mean, 12 + std::sqrt(48 * mean)) << kOriginCodes[origin];
      all += successes_[origin];
    }
    EXPECT_GT(all, 0u);
  }

 private:
  std::array<std::uint64_t, kOrigins> trials_{};
  std::array<std::uint64_t, kOrigins> successes_{};
};

TEST_F(CountryTest, EveryPersonHasAnOwnNumberThatPassesTheElevenTest) {
  std::set<std::string> numbers;
  for (const auto& row : Register(RegisterId::kPersons).rows) {
    EXPECT_TRUE(PassesElevenTest(row[0]));
    numbers.insert(row[0]);
  }
  EXPECT_EQ(numbers.size(), kPersons);
}

TEST_F(CountryTest, EveryRowHasALineOfTruthAndTheRightShape) {
  for (std::size_t id = 0; id < kRegisters; ++id) {
    const Table& table = country_->registers[id];
    ASSERT_GT(table.rows.size(), 0u);
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      ASSERT_EQ(table.rows[row].size(), table.columns.size());
      ASSERT_GE(country_->truth[id][row], -1);
      ASSERT_LT(country_->truth[id][row], static_cast<std::int64_t>(kPersons));
    }
  }
  for (std::size_t row = 0; row < kPersons; ++row) {
    ASSERT_EQ(Truth(RegisterId::kPersons)[row], static_cast<std::int64_t>(row));
  }
}

TEST_F(CountryTest, TruthNamesThePersonOfTheRow) {
  for (const RegisterId id : kSatellites) {
    const Table& table = Register(id);
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      const std::int64_t person = Truth(id)[row];
      if (person < 0) {
        continue;
      }
      const auto& fields = table.rows[row];
      ASSERT_EQ(fields[table.Column("sex")], PersonField(person, "sex"));
      ASSERT_EQ(
          fields[table.Column("birth_date")].find(PersonField(person, "birth_date").substr(0, 4)) != std::string::npos,
          true);
      if (id == RegisterId::kBenefits || id == RegisterId::kCivic) {
        ASSERT_EQ(fields[table.Column("country_of_birth")], PersonField(person, "country_of_birth"));
      }
      const int agreements =
          (fields[table.Column("bsn")] == PersonField(person, "bsn")) +
          (Compact(fields[table.Column("birth_date")]) == Compact(PersonField(person, "birth_date"))) +
          (fields[table.Column("postcode")] == PersonField(person, "postcode"));
      // All three wrong at once: below one row in 10,000 in the worst group.
      ASSERT_TRUE(agreements > 0 || (*people_)[static_cast<std::size_t>(person)].origin != Origin::kNetherlands);
    }
  }
}

TEST_F(CountryTest, PeopleOutsideTheRegisterBearNumbersOfNobodyInIt) {
  std::set<std::string> numbers;
  for (const auto& row : Register(RegisterId::kPersons).rows) {
    numbers.insert(row[0]);
  }
  for (const RegisterId id : kSatellites) {
    std::size_t outside = 0;
    std::size_t known = 0;
    for (std::size_t row = 0; row < Truth(id).size(); ++row) {
      if (Truth(id)[row] == -1) {
        ++outside;
        known += numbers.count(Register(id).rows[row][0]);
      }
    }
    EXPECT_GT(outside, 0u);
    // Only a typing error that passes the eleven test can give another's number: one row in 1000 at most.
    EXPECT_LE(known, 3u);
  }
}

TEST_F(CountryTest, NumbersAreMissingAndWrongAtTheDocumentedRates) {
  RateCheck missing;
  RateCheck wrong;
  std::uint64_t all_wrong = 0;
  std::uint64_t passing = 0;
  for (const RegisterId id : kSatellites) {
    for (std::size_t row = 0; row < Truth(id).size(); ++row) {
      const std::int64_t person = Truth(id)[row];
      if (person < 0) {
        continue;
      }
      const std::string& bsn = Register(id).rows[row][0];
      const Origin origin = (*people_)[static_cast<std::size_t>(person)].origin;
      missing.Count(origin, bsn.empty());
      if (!bsn.empty()) {
        const bool is_wrong = bsn != PersonField(person, "bsn");
        wrong.Count(origin, is_wrong);
        all_wrong += is_wrong ? 1 : 0;
        passing += is_wrong && PassesElevenTest(bsn) ? 1 : 0;
      }
    }
  }
  missing.Expect([](const ErrorRates& rates) { return rates.missing_bsn; });
  wrong.Expect([](const ErrorRates& rates) { return rates.wrong_bsn; });
  // One wrong number in ten passes: binomial, six standard deviations.
  const auto expected = static_cast<double>(all_wrong) / 10;
  EXPECT_NEAR(static_cast<double>(passing), expected, 6 * std::sqrt(expected));
}

TEST_F(CountryTest, PostcodesAreOldAtTheDocumentedRates) {
  RateCheck old;
  for (const RegisterId id : kSatellites) {
    const std::size_t column = Register(id).Column("postcode");
    for (std::size_t row = 0; row < Truth(id).size(); ++row) {
      if (const std::int64_t person = Truth(id)[row]; person >= 0) {
        old.Count((*people_)[static_cast<std::size_t>(person)].origin,
                  Register(id).rows[row][column] != PersonField(person, "postcode"));
      }
    }
  }
  old.Expect([](const ErrorRates& rates) { return rates.old_address; });
}

TEST_F(CountryTest, BirthDatesAreSwappedAndUnknownAtTheDocumentedRates) {
  RateCheck swapped;
  RateCheck unknown;
  for (const RegisterId id : kSatellites) {
    const std::string missing = id == RegisterId::kBenefits ? "0000" : "0101";
    for (std::size_t row = 0; row < Truth(id).size(); ++row) {
      const std::int64_t person = Truth(id)[row];
      if (person < 0) {
        continue;
      }
      const Origin origin = (*people_)[static_cast<std::size_t>(person)].origin;
      const std::string truth = Compact(PersonField(person, "birth_date"));
      const std::string date = Compact(Register(id).rows[row][Register(id).Column("birth_date")]);
      const std::string month = truth.substr(4, 2);
      const std::string day = truth.substr(6);
      if (truth.substr(4) != "0101") {
        unknown.Count(origin, date.substr(4) == missing);
      }
      if (day <= "12" && day != month && date.substr(4) != missing) {
        swapped.Count(origin, date == truth.substr(0, 4) + day + month);
      }
    }
  }
  unknown.Expect([](const ErrorRates& rates) { return rates.unknown_day; });
  swapped.Expect([](const ErrorRates& rates) { return rates.swapped_date; });
}

TEST_F(CountryTest, SurnamesAreWrongAtTheDocumentedRates) {
  RateCheck typo;
  RateCheck birth_name;
  for (const RegisterId id : {RegisterId::kDiplomas, RegisterId::kCivic}) {
    for (std::size_t row = 0; row < Truth(id).size(); ++row) {
      const std::int64_t index = Truth(id)[row];
      if (index < 0) {
        continue;
      }
      const Person& person = (*people_)[static_cast<std::size_t>(index)];
      const std::string& surname = Register(id).rows[row][Register(id).Column("surname")];
      const std::string& at_birth = Surnames()[person.birth_surname].utf8;
      const std::string& borne = Surnames()[person.surname].utf8;
      if (at_birth == borne) {
        typo.Count(person.origin, surname != borne);
      } else if (surname == at_birth || surname == borne) {
        birth_name.Count(person.origin, surname == at_birth);
      }
    }
  }
  typo.Expect([](const ErrorRates& rates) { return rates.surname_typo; });
  birth_name.Expect([](const ErrorRates& rates) { return rates.birth_name; });
}

TEST_F(CountryTest, OriginsAreSharedOutAsInTheNetherlandsAndUnequallyOverProvinces) {
  std::array<double, kOrigins> share{};
  std::map<std::string_view, std::array<double, 2>> surinamese;  // province -> persons, of Surinamese origin
  for (const Person& person : *people_) {
    share[static_cast<std::size_t>(person.origin)] += 100.0 / kPersons;
    auto& [all, of_origin] = surinamese[Municipalities()[person.municipality].province];
    all += 1;
    of_origin += person.origin == Origin::kSuriname ? 1 : 0;
  }
  // CBS StatLine, population by country of origin, 1 January 2023, in percent, rounded; +- half of each share.
  const std::array<double, kOrigins> published = {74, 9, 2.5, 2.4, 2.0, 1.1, 2.0, 2.4, 4.4, 1.5, 0.5};
  for (std::size_t origin = 0; origin + 1 < kOrigins; ++origin) {
    EXPECT_NEAR(share[origin], published[origin], published[origin] / (origin == 0 ? 10 : 2)) << kOriginCodes[origin];
  }
  EXPECT_LT(share[kOrigins - 1], 1.5);
  ASSERT_EQ(surinamese.size(), 12u);
  EXPECT_GT(surinamese["PV24"][1] / surinamese["PV24"][0], 5 * surinamese["PV22"][1] / surinamese["PV22"][0]);
}

TEST_F(CountryTest, MembersOfAHouseholdLiveAtOneAddressAndParentsAreOlder) {
  std::uint64_t shared = 0;
  for (std::size_t i = 1; i < people_->size(); ++i) {
    const Person& person = (*people_)[i];
    const Person& before = (*people_)[i - 1];
    ASSERT_GE(person.household, before.household);
    if (person.household == before.household) {
      ++shared;
      ASSERT_EQ(person.municipality, before.municipality);
      ASSERT_EQ(person.postcode, before.postcode);
      ASSERT_EQ(person.house_number, before.house_number);
    }
    const Municipality& place = Municipalities()[person.municipality];
    ASSERT_GE(person.postcode.digits, place.first_pc4);
    ASSERT_LT(person.postcode.digits, place.first_pc4 + place.pc4_count);
    ASSERT_FALSE(person.postcode == person.old_postcode);
    ASSERT_LE(person.birth, 20453);
    ASSERT_TRUE(person.arrival == INT32_MIN || person.arrival <= 20453);
  }
  EXPECT_GT(shared, kPersons / 3);
}

TEST_F(CountryTest, SpellsEndAfterTheyBegin) {
  for (const RegisterId id : {RegisterId::kJobs, RegisterId::kBenefits}) {
    const Table& table = Register(id);
    for (const auto& row : table.rows) {
      const std::string& end = row[table.Column("end")];
      ASSERT_TRUE(end.empty() || Compact(row[table.Column("start")]) <= Compact(end));
    }
  }
}

// Each level of employers has the same share of the jobs: the largest has a twentieth, and half of the employers one
// job or two.
TEST_F(CountryTest, EmployersAreOfVeryUnequalSize) {
  std::unordered_map<std::string, std::uint64_t> jobs;
  const Table& table = Register(RegisterId::kJobs);
  for (const auto& row : table.rows) {
    ++jobs[row[table.Column("employer")]];
  }
  std::uint64_t largest = 0;
  std::uint64_t small = 0;
  for (const auto& [employer, count] : jobs) {
    largest = std::max(largest, count);
    small += count <= 2 ? 1 : 0;
  }
  const auto all = static_cast<double>(table.rows.size());
  EXPECT_NEAR(static_cast<double>(largest), all / 20, 6 * std::sqrt(all / 20));
  EXPECT_GT(small, jobs.size() / 2);
}

}  // namespace
}  // namespace sluis::cli
