#include "tests/bench/hardening_table_quality.h"

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <random>
#include <string_view>
#include <utility>

#include "common/crypto/crypto.h"
#include "linker/encode/record_encoder.h"
#include "linker/fuzzy/match_records.h"
#include "tests/bench/bench.h"
#include "tests/linker/encode/attacks/population.h"
#include "tests/linker/score/linkage_data.h"

namespace sluis::linker {
namespace {

using bench::Require;
using bench::RequireOk;

QualityData MadeUp() {
  constexpr std::size_t kRecords = 5000, kShift = 1000;
  QualityData data{"made up", {}, {}, "born", {}, {}};
  const EncodingPlan plan = attacks::PersonPlan();
  for (const Feature& feature : plan.features) data.fields.push_back({feature.name, feature.kind});
  const auto people = attacks::DrawPopulation(kRecords + kShift, 5);
  const auto slipped = attacks::WithSlips(people, 6);
  for (std::size_t i = 0; i < kRecords; ++i) {
    data.a.records.emplace_back(people[i].values.begin(), people[i].values.end());
    data.a.persons.push_back(std::to_string(i));
    const attacks::Person& other = slipped[i + kShift];
    data.b.records.emplace_back(other.values.begin(), other.values.end());
    data.b.persons.push_back(std::to_string(i + kShift));
  }
  return data;
}

std::string Word(std::mt19937_64& random, unsigned syllables) {
  constexpr const char* kSyllables[] = {"ba",  "den", "ker",  "van", "mo",  "lin",
                                        "sta", "ros", "huis", "el",  "wij", "tra"};
  std::string word;
  for (unsigned i = 0; i < syllables; ++i) word += kSyllables[random() % std::size(kSyllables)];
  return word;
}

// The same people in pairs of relatives with one surname and address; in the second register three in ten people have
// another address, so that a relative who stayed looks as much like them as they do themselves.
QualityData MadeUpMovers() {
  constexpr std::size_t kRecords = 5000, kShift = 1000;
  QualityData data{"made up, three in ten moved",
                   {{"given_name", FeatureKind::kName},
                    {"surname", FeatureKind::kName},
                    {"born", FeatureKind::kDate},
                    {"sex", FeatureKind::kCategory},
                    {"street", FeatureKind::kText},
                    {"house_number", FeatureKind::kDigits},
                    {"postcode", FeatureKind::kDigits},
                    {"city", FeatureKind::kText}},
                   {},
                   "born",
                   {},
                   {}};
  using attacks::Person;
  std::mt19937_64 random(7);
  std::vector<Person> people = attacks::DrawPopulation(kRecords + kShift, 5);
  for (std::size_t i = 0; i + 1 < people.size(); i += 2) {
    people[i + 1].values[attacks::kSurname] = people[i].values[attacks::kSurname];
    people[i + 1].values[attacks::kPostcode] = people[i].values[attacks::kPostcode];
  }
  const std::vector<Person> slipped = attacks::WithSlips(people, 6);
  const auto add = [](QualityData::Register& to, std::size_t person, const Person& from,
                      const std::vector<std::string>& address, const std::string& postcode) {
    to.records.push_back({from.values[attacks::kGivenName], from.values[attacks::kSurname], from.values[attacks::kBorn],
                          from.values[attacks::kSex], address[0], address[1], postcode, address[2]});
    to.persons.push_back(std::to_string(person));
  };
  std::vector<std::string> home;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const auto draw = [&] {
      return std::vector{Word(random, 3) + "straat", std::to_string(1 + random() % 200), Word(random, 2)};
    };
    if (i % 2 == 0) home = draw();
    if (i < kRecords) add(data.a, i, people[i], home, people[i].values[attacks::kPostcode]);
    if (i < kShift) continue;
    if (random() % 10 < 3) {
      add(data.b, i, slipped[i], draw(), people[random() % people.size()].values[attacks::kPostcode]);
    } else {
      add(data.b, i, slipped[i], home, slipped[i].values[attacks::kPostcode]);
    }
  }
  return data;
}

QualityData FromFiles(std::string name, const testing::RegisterFormat& format, std::string birth_date,
                      const std::filesystem::path& a, const std::filesystem::path& b) {
  QualityData data{std::move(name), format.fields, format.date_orders, std::move(birth_date), {}, {}};
  for (const auto& [path, to] : {std::pair(a, &data.a), std::pair(b, &data.b)}) {
    testing::PlainRegister plain = testing::ReadRegister(path, format);
    *to = {std::move(plain.records), std::move(plain.persons)};
  }
  return data;
}

MatchSource Encode(const QualityData::Register& from, const std::string& name, const QualityData& data,
                   const EncodingPlan& plan, const TokenSeeds& seeds) {
  const auto noise_key = common::SecretBytes::CopyOf(common::Sha256("noise of " + name));
  RecordEncoder encoder =
      Require(RecordEncoder::Make(plan, seeds, {.noise_key = &noise_key, .date_orders = data.date_orders}));
  MatchSource source;
  source.name = name;
  const bool field_level = plan.profile == EncodingProfile::kFieldLevel;
  if (field_level) {
    for (std::size_t i = 0; i < plan.features.size(); ++i) {
      source.columns.push_back(Require(FieldColumn::Create(plan.EncodedBits())));
    }
  } else {
    source.tables.push_back(Require(EncodingTable::Create(plan.EncodedBits())));
  }
  Encoding encoding;
  for (const std::vector<std::string>& record : from.records) {
    const std::vector<std::string_view> values(record.begin(), record.end());
    RequireOk(encoder.Encode(values, encoding));
    for (std::size_t i = 0; i < source.columns.size(); ++i) {
      if (encoding.HasFeature(i)) {
        RequireOk(source.columns[i].Append(encoding.Row(i)));
      } else {
        source.columns[i].AppendMissing();
      }
    }
    if (!field_level && encoding.present != 0) {
      RequireOk(source.tables[0].Append(encoding.Row(0)));
      source.record_of_row.push_back(source.records);
    }
    ++source.records;
  }
  return source;
}

}  // namespace

std::vector<QualityData> AllQualityData() {
  std::vector<QualityData> all = {MadeUp(), MadeUpMovers()};
  if (const auto path = testing::LinkageData(); path.has_value()) {
    all.push_back(FromFiles("FEBRL4", testing::FebrlFormat(), "date_of_birth", *path / "febrl/dataset4a.csv",
                            *path / "febrl/dataset4b.csv"));
    all.push_back(FromFiles("five-party 1 x 2", testing::FivePartyFormat(), "dob", *path / "five-party/dataset-1.csv",
                            *path / "five-party/dataset-2.csv"));
  }
  return all;
}

Quality LinkQuality(const QualityData& data, const EncodingPlan& profile) {
  EncodingPlan plan = DefaultPlan(data.fields);
  plan.profile = profile.profile;
  plan.hashing = profile.hashing;
  plan.bits = profile.bits;
  plan.insertions = profile.insertions;
  plan.hardening = profile.hardening;
  plan.stable_bits = profile.stable_bits == 0 ? 0 : DefaultStableBits(plan);
  if (!plan.hardening.salt_feature.empty()) plan.hardening.salt_feature = data.birth_date;
  const TokenSeeds seeds = Require(TokenSeeds::FromKey(common::SecretBytes::CopyOf(common::Sha256("tokens"))));
  std::vector<MatchSource> sources;
  sources.push_back(Encode(data.a, "a", data, plan, seeds));
  sources.push_back(Encode(data.b, "b", data, plan, seeds));
  MatchPlan match;
  match.encoding = plan;
  MatchOptions options;
  options.threads = 2;
  const MatchResult result = Require(MatchRecords(sources, match, options));

  std::map<std::string, std::uint32_t> row_in_a;
  for (std::uint32_t record = 0; record < data.a.persons.size(); ++record) row_in_a[data.a.persons[record]] = record;
  double possible = 0, right = 0;
  for (std::size_t record = 0; record < data.b.persons.size(); ++record) {
    const auto found = row_in_a.find(data.b.persons[record]);
    if (found == row_in_a.end()) continue;
    ++possible;
    right += result.clustering.entity_of[0][found->second] == result.clustering.entity_of[1][record] ? 1 : 0;
  }
  const auto links = static_cast<double>(result.report.pairs);
  Quality quality;
  quality.credible = result.report.comparisons.front().fit.credible;
  quality.precision = links > 0 ? right / links : 1;
  quality.recall = right / possible;
  quality.f1 = 2 * right / (links + possible);
  return quality;
}

}  // namespace sluis::linker
