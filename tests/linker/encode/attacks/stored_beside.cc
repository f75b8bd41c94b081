#include "tests/linker/encode/attacks/stored_beside.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "common/crypto/crypto.h"
#include "linker/encode/match_key.h"

namespace sluis::linker::attacks {
namespace {

// By person: the key's input to the OPRF, empty if the person has no such key.
std::vector<std::string> Inputs(const common::MatchKey& key, const std::vector<Person>& people) {
  std::vector<std::string> inputs;
  for (const Person& person : people) {
    std::vector<std::string_view> values;
    for (const common::MatchKeyComponent& component : key.components) {
      values.push_back(person.values[FieldOf({component.source})]);
    }
    const auto input = MatchKeyInput(key, values);
    if (!input.ok()) std::abort();
    inputs.push_back(input->value_or(""));
  }
  return inputs;
}

// What is in `all`, the most frequent first; in the order of the texts where they are equally frequent.
std::vector<std::string> ByFrequency(const std::vector<std::string>& all) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& one : all) {
    if (!one.empty()) ++counts[one];
  }
  std::vector<std::pair<std::string, std::size_t>> order(counts.begin(), counts.end());
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> ranked;
  for (auto& [text, count] : order) ranked.push_back(std::move(text));
  return ranked;
}

}  // namespace

MaskLeakage MeasureMasks(std::span<const std::uint64_t> present) {
  std::map<std::uint64_t, double> counts;
  std::uint64_t all = 0;
  for (const std::uint64_t mask : present) {
    ++counts[mask];
    all |= mask;
  }
  const auto n = static_cast<double>(present.size());
  MaskLeakage leakage;
  for (const auto& [mask, count] : counts) {
    leakage.entropy -= count / n * std::log2(count / n);
    if (mask == all) leakage.full = count / n;
    if (count == 1) leakage.unique += 1 / n;
    if (count <= 10) leakage.rare += count / n;
  }
  return leakage;
}

double MasksReadFromOnes(const Encodings& encodings) {
  std::uint64_t all = 0;
  for (const std::uint64_t mask : encodings.present) all |= mask;
  std::map<int, std::map<std::uint64_t, int>> seen;
  for (std::size_t i = 0; i < encodings.rows.size(); i += 2) ++seen[Ones(encodings.rows[i])][encodings.present[i]];
  double lacking = 0, read = 0;
  for (std::size_t i = 1; i < encodings.rows.size(); i += 2) {
    if (encodings.present[i] == all) continue;
    ++lacking;
    const auto masks = seen.find(Ones(encodings.rows[i]));
    if (masks == seen.end()) continue;
    const auto guess =
        std::ranges::max_element(masks->second, [](const auto& a, const auto& b) { return a.second < b.second; });
    read += guess->first == encodings.present[i] ? 1 : 0;
  }
  return lacking == 0 ? 0 : read / lacking;
}

double MatchKeyAlignment(const common::MatchKey& key, const std::vector<Person>& people,
                         const std::vector<Person>& sample) {
  // Hashed, so that equally frequent tokens come in an order that says nothing of their inputs'.
  std::vector<std::string> tokens;
  const std::vector<std::string> inputs = Inputs(key, people);
  for (const std::string& input : inputs) {
    tokens.emplace_back(input.empty() ? "" : common::AsChars(common::Sha256("project" + input)));
  }
  const std::vector<std::string> ranked_tokens = ByFrequency(tokens), ranked_inputs = ByFrequency(Inputs(key, sample));
  std::map<std::string, std::string> guess;
  for (std::size_t i = 0; i < std::min(ranked_tokens.size(), ranked_inputs.size()); ++i) {
    guess[ranked_tokens[i]] = ranked_inputs[i];
  }
  double named = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const auto found = guess.find(tokens[i]);
    named += found != guess.end() && found->second == inputs[i] ? 1 : 0;
  }
  return named / static_cast<double>(people.size());
}

}  // namespace sluis::linker::attacks
