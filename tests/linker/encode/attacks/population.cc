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
  const std::size_t row = plan.profile == EncodingProfile::kFieldLevel ? std::size_t{kSurname} : 0;
  Encodings out{plan.EncodedBits() / 64, {}};
  Encoding encoding;
  for (const Person& person : people) {
    if (const absl::Status status = encoder.Encode(person.Views(), encoding); !status.ok()) std::abort();
    const auto words = encoding.Row(row);
    out.rows.emplace_back(words.begin(), words.end());
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

double Dice(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  int common = 0, ones = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    common += std::popcount(a[i] & b[i]);
    ones += std::popcount(a[i]) + std::popcount(b[i]);
  }
  return ones == 0 ? 0 : 2.0 * common / ones;
}

}  // namespace sluis::linker::attacks
