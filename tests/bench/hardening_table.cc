// What the attacks of tests/linker/encode/attacks get out of each hardening profile, as the table of
// linker/encode/README.md.
//
//   hardening_table
//
// Synthetic people of fixed seeds: 60,000 for the frequency attack, 4,000 for pattern mining and the measures of bits,
// 1,000 for graph matching, 300 for the coalition.

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "tests/linker/encode/attacks/attacks.h"

namespace sluis::linker::attacks {
namespace {

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
  add("fold twice, BLIP .02", {.folds = 2, .flip = 0.02});
  add("fold, BLIP .05", {.folds = 1, .flip = 0.05});
  add("fold, BLIP .10", {.folds = 1, .flip = 0.1});
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

void PrintRow(const Profile& profile) {
  const EncodingPlan& plan = profile.plan;
  const auto encode = [&](const std::vector<Person>& people, const char* key) {
    return Encode(people, plan, key, "custodian");
  };
  const auto many = DrawPopulation(60'000, 1), sample = DrawPopulation(60'000, 2), some = DrawPopulation(4'000, 1);
  const double aligned = FrequencyAlignment(encode(many, "project"), many, sample);
  const Encodings encodings = encode(some, "project");
  const BitLeakage leakage = MeasureBits(encodings);
  const Mined mined = PatternMining(encodings, some, plan, "project");
  const bool owned = plan.hashing == Hashing::kRandom && plan.hardening.diffusion == 0 && !plan.hardening.balanced &&
                     plan.hardening.salt_feature.empty();

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
  std::printf("| %s | %.2f | %.3f | %.3f | %.3f | %.2f | %s | %zu | %s | %s |\n", profile.name, 100 * aligned,
              leakage.deviation, leakage.gini, leakage.entropy_gap, LengthCorrelation(encodings, some),
              positions.c_str(), mined.bearers, matched.c_str(),
              salted ? "not run" : std::to_string(static_cast<int>(100 * read + 0.5)).c_str());
}

}  // namespace
}  // namespace sluis::linker::attacks

int main() {
  std::printf(
      "| profile | frequency, %% of people | sd of bits | Gini | 1 - entropy | length r | tokens mined: positions | "
      "bearers | graph, %% at overlap 100 / 50 / 20 | coalition, %% of surnames "
      "|\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& profile : sluis::linker::attacks::Profiles()) {
    sluis::linker::attacks::PrintRow(profile);
    std::fflush(stdout);
  }
}
