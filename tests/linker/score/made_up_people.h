#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes/secret.h"
#include "linker/encode/record_encoder.h"
#include "linker/kernel/encoding_table.h"

// Registers of made-up people with known truth: names, dates and addresses as text, by the default plan of
// linker/encode. Frequencies of names, households, moves, misspellings and missing values are settings.

namespace sluis::linker::testing {

struct PeopleSettings {
  std::vector<std::size_t> rows = {1000, 1000};  // of each register
  double overlap = 0.5;   // between two registers: the persons in both, as a share of the smaller one
  double noise = 0.1;     // of a value in a record: misspelt, and a third as often missing
  double household = 0;   // of persons who are in a household of two or more with one surname and address
  double moved = 0;       // of persons whose other address each register but the first has
  bool address = true;    // false: names, birth date, sex and town only
  double unevenness = 0;  // records are dirty to different degrees: noise times 1 - unevenness to 1 + unevenness
  std::uint64_t seed = 1;
};

struct PeopleRegister {
  EncodingTable table;
  std::vector<std::uint32_t> persons;  // of each row
  std::size_t stable_begin = 0;        // where the stable section begins
};

class PeopleMaker {
 public:
  explicit PeopleMaker(const PeopleSettings& settings) : settings_(settings), random_(settings.seed) {}

  // Every register has persons [0, common) and persons of its own; with more than two registers every person of a pool
  // is in each register by chance.
  std::vector<PeopleRegister> Make() {
    const auto least = *std::min_element(settings_.rows.begin(), settings_.rows.end());
    const auto most = *std::max_element(settings_.rows.begin(), settings_.rows.end());
    const auto common = static_cast<std::size_t>(std::lround(settings_.overlap * static_cast<double>(least)));
    std::vector<std::vector<std::uint32_t>> members(settings_.rows.size());
    std::size_t persons = 0;
    if (settings_.rows.size() == 2) {
      persons = settings_.rows[0] + settings_.rows[1] - common;
      // Households are consecutive persons; who of them is in which register is by chance.
      std::vector<std::uint32_t> order(persons);
      for (std::uint32_t i = 0; i < persons; ++i) order[i] = i;
      Shuffle(&order);
      members[0].assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(settings_.rows[0]));
      members[1].assign(order.end() - static_cast<std::ptrdiff_t>(settings_.rows[1]), order.end());
    } else {
      persons = static_cast<std::size_t>(static_cast<double>(most) / std::max(settings_.overlap, 0.01));
      for (std::size_t r = 0; r < members.size(); ++r) {
        std::vector<std::uint32_t> order(persons);
        for (std::uint32_t i = 0; i < persons; ++i) order[i] = i;
        Shuffle(&order);
        members[r].assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(settings_.rows[r]));
      }
    }
    MakePopulation(persons);
    std::vector<PeopleRegister> registers;
    for (std::size_t r = 0; r < members.size(); ++r) {
      Shuffle(&members[r]);
      registers.push_back(Encode(members[r], r));
    }
    return registers;
  }

 private:
  struct Person {
    std::array<std::string, 8> values;  // as in kFields
    std::array<std::string, 4> other_address;
  };

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  std::size_t Below(std::size_t n) { return random_() % n; }
  void Shuffle(std::vector<std::uint32_t>* values) {
    for (std::size_t i = values->size(); i > 1; --i) std::swap((*values)[i - 1], (*values)[Below(i)]);
  }

  // The word of this rank; the same in all registers.
  static std::string Word(std::uint64_t kind, std::size_t rank, std::size_t syllables) {
    static constexpr std::array<const char*, 28> kSyllables = {
        "ka",  "lo", "mi", "ren", "dal", "bos", "ster", "vin", "hoe",  "pa",  "tra", "gel",  "wie", "zon",
        "der", "ma", "ti", "oor", "ben", "quo", "fa",   "ul",  "sche", "nij", "gra", "velt", "sem", "jo"};
    std::mt19937_64 random(kind * 1'000'003 + rank);
    std::string word;
    for (std::size_t i = 0; i < syllables; ++i) word += kSyllables[random() % kSyllables.size()];
    return word;
  }
  // Ranks by a law of Zipf: few names are frequent, many rare.
  std::size_t Rank(double values) { return static_cast<std::size_t>(std::exp(Uniform() * std::log(values))); }

  std::array<std::string, 4> Address() {
    const std::size_t town = Rank(60);
    const std::size_t street = town * 100 + Below(40);
    return {Word(3, street, 3) + "straat", std::to_string(1 + Below(150)),
            std::to_string(1000 + street * 7 % 9000) + "AB", Word(4, town, 2) + "dam"};
  }

  void MakePopulation(std::size_t persons) {
    while (population_.size() < persons) {
      const std::string surname = Word(2, Rank(3000), 3);
      const std::array<std::string, 4> address = Address();
      const std::size_t members = Uniform() < settings_.household / 2 ? 2 + Below(3) : 1;
      for (std::size_t m = 0; m < members && population_.size() < persons; ++m) {
        Person person;
        const std::size_t year = 1930 + Below(80), month = 1 + Below(12), day = 1 + Below(28);
        person.values = {Word(1, Rank(600), 2),
                         surname,
                         std::to_string(year) + (month < 10 ? "-0" : "-") + std::to_string(month) +
                             (day < 10 ? "-0" : "-") + std::to_string(day),
                         Below(2) == 0 ? "m" : "f",
                         address[0],
                         address[1],
                         address[2],
                         address[3]};
        person.other_address = Uniform() < settings_.moved ? Address() : address;
        population_.push_back(std::move(person));
      }
    }
  }

  std::string Dirty(std::string value, double noise) {
    const double chance = Uniform();
    if (chance < noise / 3) return "";
    if (chance >= 4 * noise / 3 || value.empty()) return value;
    const std::size_t at = Below(value.size());
    const bool digit = value[at] >= '0' && value[at] <= '9';
    const char other = static_cast<char>(digit ? '0' + Below(10) : 'a' + Below(26));
    const std::size_t kind = digit ? 0 : Below(4);
    if (kind == 1) {
      value.erase(at, 1);
    } else if (kind == 2) {
      value.insert(at, 1, other);
    } else if (kind == 3 && at > 0) {
      std::swap(value[at], value[at - 1]);
    } else {
      value[at] = other;
    }
    return value;
  }

  PeopleRegister Encode(const std::vector<std::uint32_t>& members, std::size_t number) {
    std::vector<FieldDescription> fields = {{"given", FeatureKind::kName},    {"surname", FeatureKind::kName},
                                            {"born", FeatureKind::kDate},     {"sex", FeatureKind::kCategory},
                                            {"town", FeatureKind::kText},     {"street", FeatureKind::kText},
                                            {"number", FeatureKind::kDigits}, {"postcode", FeatureKind::kDigits}};
    if (!settings_.address) fields.resize(5);
    EncodingPlan plan = DefaultPlan(fields);
    plan.label = "test";
    const auto key = [](const std::string& text) {
      const std::string bytes = text + std::string(32, 'k');
      return common::SecretBytes::CopyOf(common::AsBytes(bytes));
    };
    const auto seeds = TokenSeeds::FromKey(key("tokens"));
    const common::SecretBytes noise_key = key(std::to_string(number) + "-" + std::to_string(settings_.seed));
    auto encoder = RecordEncoder::Make(plan, *seeds, {.noise_key = &noise_key, .date_orders = {}});
    PeopleRegister result{*EncodingTable::Create(plan.EncodedBits()), members, plan.FirstSectionBits()};
    Encoding encoding;
    for (const std::uint32_t member : members) {
      const Person& person = population_[member];
      const auto& address = number == 0 ? Tail(person.values) : person.other_address;
      const double noise = settings_.noise * (1 + settings_.unevenness * (2 * Uniform() - 1));
      std::array<std::string, 8> values = {Dirty(person.values[0], noise), Dirty(person.values[1], noise),
                                           Dirty(person.values[2], noise), Dirty(person.values[3], noise / 10),
                                           Dirty(address[3], noise),       Dirty(address[0], noise),
                                           Dirty(address[1], noise),       Dirty(address[2], noise)};
      std::vector<std::string_view> views(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(fields.size()));
      if (!encoder->Encode(views, encoding).ok() || !result.table.Append(encoding.Row(0)).ok()) std::abort();
    }
    return result;
  }

  static std::array<std::string, 4> Tail(const std::array<std::string, 8>& values) {
    return {values[4], values[5], values[6], values[7]};
  }

  const PeopleSettings settings_;
  std::mt19937_64 random_;
  std::vector<Person> population_;
};

}  // namespace sluis::linker::testing
