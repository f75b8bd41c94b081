#include "tests/linker/encode/attacks/population.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "cli/generate/names.h"
#include "common/crypto/crypto.h"
#include "linker/encode/keyed_generator.h"

namespace sluis::linker::attacks {
namespace {

constexpr std::size_t kSurnames = 2000;

common::SecretBytes KeyOf(std::string_view name) { return common::SecretBytes::CopyOf(common::Sha256(name)); }

std::vector<std::string> Distinct(const std::vector<cli::Name>& names, std::size_t limit) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const cli::Name& name : names) {
    if (out.size() < limit && seen.insert(name.utf8).second) out.push_back(name.utf8);
  }
  return out;
}

class Zipf {
 public:
  explicit Zipf(std::size_t size) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) cumulative_.push_back(sum += 1.0 / static_cast<double>(i + 5));
  }
  std::size_t Draw(std::mt19937_64& random) const {
    // Not std::uniform_real_distribution, which differs between standard libraries.
    const double at = static_cast<double>(random() >> 11) * 0x1p-53 * cumulative_.back();
    return static_cast<std::size_t>(std::ranges::upper_bound(cumulative_, at) - cumulative_.begin());
  }

 private:
  std::vector<double> cumulative_;
};

template <typename T>
T Require(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::abort();
  }
  return *std::move(value);
}

}  // namespace

Field FieldOf(const Feature& feature) {
  const auto at = std::ranges::find(kFieldNames, feature.name);
  if (at == kFieldNames.end()) std::abort();
  return static_cast<Field>(at - kFieldNames.begin());
}

std::vector<std::string_view> Person::Views(const EncodingPlan& plan) const {
  std::vector<std::string_view> views;
  for (const Feature& feature : plan.features) views.push_back(values[FieldOf(feature)]);
  return views;
}

std::vector<Person> DrawPopulation(std::size_t size, std::uint64_t seed) {
  const std::vector<std::string> surnames = Distinct(cli::Surnames(), kSurnames);
  const std::vector<std::string> given_names = Distinct(cli::GivenNames(), kSurnames);
  const Zipf surname(surnames.size()), given_name(given_names.size());
  std::mt19937_64 random(seed);
  std::vector<Person> people(size);
  for (Person& person : people) {
    char born[16], postcode[16];
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    std::snprintf(born, sizeof born, "%04u-%02u-%02u", 1930 + below(80), 1 + below(12), 1 + below(28));
    std::snprintf(postcode, sizeof postcode, "%04u%c%c", 1000 + below(600), static_cast<char>('A' + below(8)),
                  static_cast<char>('A' + below(5)));
    person.values = {given_names[given_name.Draw(random)], surnames[surname.Draw(random)], born, postcode,
                     random() % 2 == 0 ? "m" : "f"};
  }
  return people;
}

std::vector<Person> WithSlips(const std::vector<Person>& people, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto in_thousand = [&below](std::size_t chance) { return below(1000) < chance; };
  const auto mistype = [&below](std::string& value, char first, std::size_t letters) {
    const std::size_t at = below(value.size());
    if (static_cast<unsigned char>(value[at]) < 0x80) value[at] = static_cast<char>(first + below(letters));
  };
  std::vector<Person> result = people;
  for (Person& person : result) {
    for (const Field field : {kGivenName, kSurname}) {
      if (in_thousand(40)) mistype(person.values[field], 'a', 26);
      if (in_thousand(20)) person.values[field].clear();
    }
    std::string& born = person.values[kBorn];
    if (in_thousand(15)) {
      if (below(2) == 0) {
        born = born.substr(0, 5) + born.substr(8, 2) + "-" + born.substr(5, 2);
      } else {
        born[std::array{2, 3, 6, 9}[below(4)]] = static_cast<char>('0' + below(10));
      }
    }
    if (in_thousand(20)) born.clear();
    std::string& postcode = person.values[kPostcode];
    if (in_thousand(80)) postcode = people[below(people.size())].values[kPostcode];
    if (in_thousand(50)) postcode.clear();
    if (in_thousand(5)) person.values[kSex] = person.values[kSex] == "m" ? "f" : "m";
    if (in_thousand(30)) person.values[kSex].clear();
  }
  return result;
}

EncodingPlan PersonPlan() {
  const FieldDescription fields[] = {{"given_name", FeatureKind::kName},
                                     {"surname", FeatureKind::kName},
                                     {"born", FeatureKind::kDate},
                                     {"postcode", FeatureKind::kDigits},
                                     {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

EncodingPlan UnhardenedRecordLevel() {
  EncodingPlan plan = PersonPlan();
  plan.label = "unhardened record level";
  plan.hardening.folds = 0;
  plan.hardening.flip = 0;
  return plan;
}

EncodingPlan UnhardenedFieldLevel() {
  EncodingPlan plan = UnhardenedRecordLevel();
  plan.label = "unhardened field level";
  plan.profile = EncodingProfile::kFieldLevel;
  plan.insertions = 80;
  return plan;
}

Encodings Encode(const std::vector<Person>& people, const EncodingPlan& plan, std::string_view token_key,
                 std::string_view noise_key) {
  const TokenSeeds seeds = Require(TokenSeeds::FromKey(KeyOf(token_key)));
  const common::SecretBytes noise = KeyOf(noise_key);
  RecordEncoder encoder = Require(RecordEncoder::Make(plan, seeds, {.noise_key = &noise}));
  std::size_t row = 0;
  while (plan.profile == EncodingProfile::kFieldLevel && FieldOf(plan.features[row]) != kSurname) ++row;
  Encodings out{plan.EncodedBits() / 64, {}, {}};
  Encoding encoding;
  for (const Person& person : people) {
    if (const absl::Status status = encoder.Encode(person.Views(plan), encoding); !status.ok()) std::abort();
    const auto words = encoding.Row(row);
    out.rows.emplace_back(words.begin(), words.end());
    out.present.push_back(encoding.present);
  }
  return out;
}

std::vector<std::uint16_t> PositionsOf(const EncodingPlan& plan, std::string_view token_key, std::size_t feature,
                                       std::string_view token, std::size_t count) {
  const TokenSeeds seeds = Require(TokenSeeds::FromKey(KeyOf(token_key)));
  const common::Hash256 seed = Require(seeds.Seed(TokenInput(plan.features[feature].name, "", token)));
  std::vector<std::uint16_t> positions;
  KeyedGenerator(DeriveSeed(seed, common::AsChars(plan.Digest()))).AppendDistinct(plan.RawBits(), count, positions);
  for (std::uint16_t& position : positions) position = static_cast<std::uint16_t>(position % plan.bits);
  return positions;
}

int Ones(const std::vector<std::uint64_t>& row) {
  int ones = 0;
  for (const std::uint64_t word : row) ones += std::popcount(word);
  return ones;
}

double Dice(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  int common = 0, ones = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    common += std::popcount(a[i] & b[i]);
    ones += std::popcount(a[i]) + std::popcount(b[i]);
  }
  return ones == 0 ? 0 : 2.0 * common / ones;
}

}  // namespace sluis::linker::attacks
