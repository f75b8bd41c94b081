// What each hardening profile costs in quality and what the attacks of tests/linker/encode/attacks get out of it, and
// out of what the linker stores beside encodings: the tables of linker/encode/README.md.
//
//   hardening_table [all|attacks [PROFILE]]
//
// "attacks" leaves quality out, which takes most of the time. PROFILE: only the rows whose name has this text in it.
//
// Quality: precision, recall and F1 of links found by MatchRecords without truth (hardening_table_quality.h). FEBRL4
// and five-party registers are looked for as SLUIS_TEST_DATA says. Attacks: synthetic people of fixed seeds: 60,000 for
// the alignment of equal encodings and match keys, 20,000 for that of nearly equal ones, 4,000 for pattern mining,
// masks and the measures of bits, 1,000 for graph matching, 300 for the coalition.

#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/hardening_table_quality.h"
#include "tests/linker/encode/attacks/attacks.h"
#include "tests/linker/encode/attacks/stored_beside.h"

namespace sluis::linker::attacks {
namespace {

// As by default where an address has several fields; the people attacked here have a postcode only.
constexpr std::uint32_t kStableBits = 512;

struct Profile {
  const char* name;
  EncodingPlan plan;
};

std::vector<Profile> Profiles() {
  std::vector<Profile> profiles = {{"field level, unhardened (control)", UnhardenedFieldLevel()}};
  EncodingPlan plan = UnhardenedFieldLevel();
  plan.hardening = {.folds = 1, .flip = 0.02};
  profiles.push_back({"field level, fold, BLIP .02", plan});
  profiles.push_back({"record level, unhardened", UnhardenedRecordLevel()});
  const auto add = [&](const char* name, const Hardening& hardening) {
    EncodingPlan changed = PersonPlan();
    changed.hardening = hardening;
    profiles.push_back({name, changed});
  };
  add("fold", {.folds = 1, .flip = 0});
  add("BLIP .02", {.folds = 0, .flip = 0.02});
  add("**fold, BLIP .02 (default)**", {.folds = 1, .flip = 0.02});
  EncodingPlan with_stable = PersonPlan();
  with_stable.stable_bits = kStableBits;
  profiles.push_back({"default with stable section", with_stable});
  add("fold twice, BLIP .02", {.folds = 2, .flip = 0.02});
  add("fold, BLIP .05", {.folds = 1, .flip = 0.05});
  add("fold, BLIP .10", {.folds = 1, .flip = 0.1});
  for (const auto& [name, insertions] :
       {std::pair("fold, BLIP .02, 200 insertions", 200u), std::pair("fold, BLIP .02, 800 insertions", 800u)}) {
    EncodingPlan changed = PersonPlan();
    changed.insertions = insertions;
    profiles.push_back({name, changed});
  }
  add("fold, BLIP .02, diffusion 2", {.folds = 1, .flip = 0.02, .diffusion = 2});
  add("fold, BLIP .02, diffusion 3", {.folds = 1, .flip = 0.02, .diffusion = 3});
  add("fold, BLIP .02, balanced", {.folds = 1, .flip = 0.02, .balanced = true});
  add("fold, BLIP .02, salted by year of birth", {.folds = 1, .flip = 0.02, .salt_feature = "born"});
  EncodingPlan min_hash = PersonPlan();
  min_hash.hashing = Hashing::kTabulationMinHash;
  min_hash.hardening = {.folds = 0, .flip = 0.02};
  profiles.push_back({"tabulation min-hash, BLIP .02", min_hash});
  return profiles;
}

int Rounded(double x) { return static_cast<int>(x + 0.5); }

std::string Percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", 100 * share);
  return text;
}

void PrintQuality(const Profile& profile, const std::vector<QualityData>& data) {
  std::printf("| %s |", profile.name);
  for (const QualityData& registers : data) {
    const Quality quality = LinkQuality(registers, profile.plan);
    if (quality.credible) {
      std::printf(" %.4f (%.4f, %.4f) |", quality.f1, quality.precision, quality.recall);
    } else {
      std::printf(" not credible, no links |");
    }
    std::fflush(stdout);
  }
  std::printf("\n");
}

void PrintAttacks(const Profile& profile) {
  const EncodingPlan& plan = profile.plan;
  const auto encode = [&](const std::vector<Person>& people, const char* key) {
    return Encode(people, plan, key, "custodian");
  };
  const auto many = DrawPopulation(60'000, 1), sample = DrawPopulation(60'000, 2), some = DrawPopulation(4'000, 1);
  const double equal = FrequencyAlignment(encode(many, "project"), many, sample);
  const auto fewer = DrawPopulation(20'000, 1), fewer_sample = DrawPopulation(20'000, 2);
  const double near = FrequencyAlignment(encode(fewer, "project"), fewer, fewer_sample, NoiseRadius(plan));
  const double masks = MasksReadFromOnes(encode(WithSlips(some, 3), "project"));
  const Encodings encodings = encode(some, "project");
  const BitLeakage leakage = MeasureBits(encodings);
  const Mined mined = PatternMining(encodings, some, plan, "project");
  const bool owned = plan.hashing == Hashing::kRandom && plan.hardening.diffusion == 0 && !plan.hardening.balanced &&
                     plan.hardening.salt_feature.empty() && plan.stable_bits == 0;

  // Row i of both sides is the same person up to the overlap; beyond it they are others. The attacker's own encodings
  // carry neither noise nor the project's key.
  EncodingPlan noiseless = plan;
  noiseless.hardening.flip = 0;
  std::string matched;
  for (const std::size_t overlap : {1000, 500, 200}) {
    const auto theirs = DrawPopulation(1000, 3);
    auto known = DrawPopulation(1000, 4);
    for (std::size_t i = 0; i < overlap; ++i) known[i] = theirs[i];
    const double share =
        GraphMatching(encode(theirs, "project"), Encode(known, noiseless, "attacker", "none"), overlap);
    char text[16];
    std::snprintf(text, sizeof text, "%s%.1f", matched.empty() ? "" : " / ", 100 * share);
    matched += text;
  }

  std::set<std::string> names;
  for (const Person& person : sample) names.insert(person.values[kSurname]);
  const auto victims = DrawPopulation(300, 1);
  double read = 0;
  // Whoever holds the seeds also tries the years of birth; under salting the surname alone encodes to nothing.
  const bool salted = !plan.hardening.salt_feature.empty();
  if (!salted) {
    std::vector<Person> alone;
    for (const std::string& name : names) {
      alone.emplace_back();
      alone.back().values[kSurname] = name;
    }
    read = DictionaryAttack(encode(victims, "project"), victims, Encode(alone, plan, "project", "other custodian"),
                            {names.begin(), names.end()});
  }
  const std::string positions = owned ? std::to_string(mined.positions) : "-";
  std::printf("| %s | %s / %s | %.3f | %.3f | %.3f | %.2f | %s | %s | %zu | %s | %s |\n", profile.name,
              Percent(equal).c_str(), Percent(near).c_str(), leakage.deviation, leakage.gini, leakage.entropy_gap,
              LengthCorrelation(encodings, some),
              plan.profile == EncodingProfile::kFieldLevel ? "stored" : std::to_string(Rounded(100 * masks)).c_str(),
              positions.c_str(), mined.bearers, matched.c_str(),
              salted ? "not run" : std::to_string(Rounded(100 * read)).c_str());
}

void PrintMatchKeys() {
  struct Key {
    const char* name;
    common::MatchKey key;
  };
  using common::Normaliser;
  const Key keys[] = {
      {"surname (control)", {"control", "match-keys", {{"surname", Normaliser::kName}}}},
      {"phonetic surname (control)", {"control_phonetic", "match-keys", {{"surname", Normaliser::kPhoneticName}}}},
      {"birth date", {"birth", "match-keys", {{"born", Normaliser::kDate}}}},
      {"sex, phonetic surname",
       {"sex_surname", "match-keys", {{"sex", Normaliser::kSex}, {"surname", Normaliser::kPhoneticName}}}},
      {"birth date, sex, phonetic surname",
       {"combined",
        "match-keys",
        {{"born", Normaliser::kDate}, {"sex", Normaliser::kSex}, {"surname", Normaliser::kPhoneticName}}}}};
  const auto people = DrawPopulation(60'000, 1), sample = DrawPopulation(60'000, 2);
  auto first_of_january = people, sample_of_january = sample;
  for (auto* const registered : {&first_of_january, &sample_of_january}) {
    for (std::size_t i = 0; i < registered->size(); i += 5) (*registered)[i].values[kBorn].replace(4, 6, "-01-01");
  }
  std::printf(
      "\n| match key | named, %% | named where one in five is registered as born on 1 January, %% |\n"
      "|---|---|---|\n");
  for (const Key& key : keys) {
    std::printf("| %s | %s | %s |\n", key.name, Percent(MatchKeyAlignment(key.key, people, sample)).c_str(),
                Percent(MatchKeyAlignment(key.key, first_of_january, sample_of_january)).c_str());
  }
}

void PrintMasks(const std::vector<QualityData>& data) {
  std::printf(
      "\n| register | features | mask, bits | complete, %% | with a mask of their own, %% | with one of at most "
      "ten, %% |\n|---|---|---|---|---|---|\n");
  for (const QualityData& registers : data) {
    std::vector<std::uint64_t> present;
    for (const auto& record : registers.b.records) {
      std::uint64_t mask = 0;
      for (std::size_t i = 0; i < record.size(); ++i) mask |= record[i].empty() ? 0 : std::uint64_t{1} << i;
      present.push_back(mask);
    }
    const MaskLeakage masks = MeasureMasks(present);
    std::printf("| %s, second register | %zu | %.2f | %s | %s | %s |\n", registers.name.c_str(),
                registers.fields.size(), masks.entropy, Percent(masks.full).c_str(), Percent(masks.unique).c_str(),
                Percent(masks.rare).c_str());
  }
}

void PrintTwoProjects() {
  const auto people = WithSlips(DrawPopulation(1000, 1), 3);
  EncodingPlan balanced = PersonPlan();
  balanced.hardening.balanced = true;
  const Profile profiles[] = {
      {"field level", UnhardenedFieldLevel()}, {"default", PersonPlan()}, {"balanced", balanced}};
  std::printf(
      "\n| two projects with the same people | bits | number of set bits | missing features |\n"
      "|---|---|---|---|\n");
  for (const Profile& profile : profiles) {
    const Encodings a = Encode(people, profile.plan, "project", "custodian"),
                    b = Encode(people, profile.plan, "other project", "custodian");
    const bool field_level = profile.plan.profile == EncodingProfile::kFieldLevel;
    std::printf("| %s | %.2f | %.2f |", profile.name, LinkAdvantage(a, b), LinkAdvantage(a, b, Channel::kOnes));
    if (field_level) {
      std::printf(" %.2f |\n", LinkAdvantage(a, b, Channel::kPresent));
    } else {
      std::printf(" not stored |\n");
    }
  }
}

// The rows of a and b side by side.
Encodings Join(const Encodings& a, const Encodings& b) {
  Encodings joined{a.words + b.words, a.rows, a.present};
  for (std::size_t i = 0; i < b.rows.size(); ++i) {
    joined.rows[i].insert(joined.rows[i].end(), b.rows[i].begin(), b.rows[i].end());
  }
  return joined;
}

// What a second encoding of the four features that seldom change adds, with the default's hardening.
void PrintSecondEncoding() {
  const auto people = DrawPopulation(4'000, 1);
  const Encodings all = Encode(people, PersonPlan(), "project", "custodian");
  std::printf(
      "\n| second encoding: name, birth date, sex | tokens mined: positions | bearers | bearers, both encodings side "
      "by "
      "side |\n|---|---|---|---|\n");
  for (const auto& [insertions, bits] : {std::pair(400u, 1024u), std::pair(200u, 512u), std::pair(150u, 512u)}) {
    EncodingPlan plan = PersonPlan();
    std::erase_if(plan.features, [](const Feature& feature) { return FieldOf(feature) == kPostcode; });
    plan.insertions = insertions;
    plan.bits = bits;
    const Encodings second = Encode(people, plan, "project", "custodian");
    const Mined mined = PatternMining(second, people, plan, "project");
    // Positions are not those of the joined rows; bearers do not need them.
    const Mined joined = PatternMining(Join(all, second), people, plan, "project");
    std::printf("| %u insertions, %u bits | %zu | %zu | %zu |\n", insertions, bits, mined.positions, mined.bearers,
                joined.bearers);
  }
}

int Main(bool with_quality, std::string_view profile_text) {
  const std::vector<QualityData> data = AllQualityData();
  std::vector<Profile> profiles = Profiles();
  std::erase_if(profiles, [&](const Profile& profile) {
    return std::string_view(profile.name).find(profile_text) == std::string_view::npos;
  });
  if (with_quality) {
    std::string rule = "|---|";
    std::printf("| F1 (precision, recall) |");
    for (const QualityData& registers : data) {
      std::printf(" %s |", registers.name.c_str());
      rule += "---|";
    }
    std::printf("\n%s\n", rule.c_str());
    for (const Profile& profile : profiles) PrintQuality(profile, data);
    std::printf("\n");
  }
  std::printf(
      "| profile | frequency, %% of people: equal / nearly equal | sd of bits | Gini | 1 - entropy | length r | masks "
      "read, %% | tokens mined: positions | bearers | graph, %% at overlap 100 / 50 / 20 | coalition, %% of surnames "
      "|\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Profile& profile : profiles) {
    PrintAttacks(profile);
    std::fflush(stdout);
  }
  PrintMatchKeys();
  PrintMasks(data);
  PrintTwoProjects();
  PrintSecondEncoding();
  return 0;
}

}  // namespace
}  // namespace sluis::linker::attacks

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "all";
  if (argc > 3 || (what != "all" && what != "attacks")) {
    std::fprintf(stderr, "usage: hardening_table [all|attacks [PROFILE]]\n");
    return 2;
  }
  return sluis::linker::attacks::Main(what == "all", argc > 2 ? argv[2] : "");
}
