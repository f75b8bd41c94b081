#include "tests/linker/encode/attacks/attacks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "linker/encode/tokens.h"

namespace sluis::linker::attacks {
namespace {

bool BitAt(const std::vector<std::uint64_t>& row, std::size_t bit) { return (row[bit / 64] >> (bit % 64) & 1) != 0; }

double Correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n,
               mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xx == 0 || yy == 0 ? 0 : xy / std::sqrt(xx * yy);
}

// Correlation of two sets of people, of `a_size` and `b_size` of the `n`.
double Phi(const std::vector<std::uint64_t>& a, double a_size, const std::vector<std::uint64_t>& b, double b_size,
           double n) {
  double common = 0;
  for (std::size_t word = 0; word < a.size(); ++word) common += std::popcount(a[word] & b[word]);
  const double variance = a_size * (n - a_size) * b_size * (n - b_size);
  return variance <= 0 ? 0 : (n * common - a_size * b_size) / std::sqrt(variance);
}

std::vector<double> BitFrequencies(const Encodings& encodings) {
  std::vector<double> frequencies(encodings.words * 64);
  for (const auto& row : encodings.rows) {
    for (std::size_t bit = 0; bit < frequencies.size(); ++bit) frequencies[bit] += BitAt(row, bit) ? 1 : 0;
  }
  for (double& frequency : frequencies) frequency /= static_cast<double>(encodings.rows.size());
  return frequencies;
}

// The keys of `counts`, the most frequent first.
template <typename Key>
std::vector<Key> ByFrequency(const std::map<Key, std::size_t>& counts) {
  std::vector<std::pair<std::size_t, const Key*>> order;
  for (const auto& [key, count] : counts) order.emplace_back(count, &key);
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Key> keys;
  for (const auto& [count, key] : order) keys.push_back(*key);
  return keys;
}

}  // namespace

double FrequencyAlignment(const Encodings& encodings, const std::vector<Person>& people,
                          const std::vector<Person>& sample) {
  std::map<std::vector<std::uint64_t>, std::size_t> codes;
  for (const auto& row : encodings.rows) ++codes[row];
  std::map<std::string, std::size_t> names;
  for (const Person& person : sample) ++names[person.values[kSurname]];
  const auto ranked_codes = ByFrequency(codes);
  const auto ranked_names = ByFrequency(names);
  std::map<std::vector<std::uint64_t>, std::string> guess;
  for (std::size_t i = 0; i < std::min(ranked_codes.size(), ranked_names.size()); ++i) {
    guess[ranked_codes[i]] = ranked_names[i];
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const auto found = guess.find(encodings.rows[i]);
    right += found != guess.end() && found->second == people[i].values[kSurname] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(people.size());
}

BitLeakage MeasureBits(const Encodings& encodings) {
  std::vector<double> frequencies = BitFrequencies(encodings);
  std::ranges::sort(frequencies);
  const double n = static_cast<double>(frequencies.size());
  const double sum = std::accumulate(frequencies.begin(), frequencies.end(), 0.0), mean = sum / n;
  BitLeakage leakage;
  double squares = 0, ranked = 0, entropy = 0;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double p = frequencies[i];
    squares += (p - mean) * (p - mean);
    ranked += static_cast<double>(i + 1) * p;
    if (p > 0 && p < 1) entropy -= p * std::log2(p) + (1 - p) * std::log2(1 - p);
  }
  leakage.deviation = std::sqrt(squares / n);
  leakage.gini = sum == 0 ? 0 : 2 * ranked / (n * sum) - (n + 1) / n;
  leakage.entropy_gap = 1 - entropy / n;
  return leakage;
}

double LengthCorrelation(const Encodings& encodings, const std::vector<Person>& people) {
  std::vector<double> ones, lengths;
  for (std::size_t i = 0; i < people.size(); ++i) {
    int count = 0;
    for (const std::uint64_t word : encodings.rows[i]) count += std::popcount(word);
    ones.push_back(count);
    lengths.push_back(static_cast<double>(people[i].values[kGivenName].size() + people[i].values[kSurname].size()));
  }
  return Correlation(ones, lengths);
}

Mined PatternMining(const Encodings& encodings, const std::vector<Person>& people, const EncodingPlan& plan,
                    std::string_view token_key) {
  // Columns, so that co-occurrence is a popcount.
  const std::size_t bits = encodings.words * 64, words = (people.size() + 63) / 64;
  std::vector<std::vector<std::uint64_t>> columns(bits, std::vector<std::uint64_t>(words));
  std::vector<double> ones(bits);
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t bit = 0; bit < bits; ++bit) {
      if (BitAt(encodings.rows[i], bit)) {
        columns[bit][i / 64] |= std::uint64_t{1} << (i % 64);
        ++ones[bit];
      }
    }
  }
  const double n = static_cast<double>(people.size());
  struct Edge {
    float phi;
    std::uint16_t a, b;
  };
  std::vector<Edge> edges;
  for (std::size_t a = 0; a < bits; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const double phi = Phi(columns[a], ones[a], columns[b], ones[b], n);
      if (phi > 0.2)
        edges.push_back({static_cast<float>(phi), static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b)});
    }
  }
  // The truth, to judge by: which positions a token of a name owns (its share of the bits is at most a fifth), and who
  // bears it.
  struct Truth {
    std::set<std::uint16_t> positions;
    std::vector<std::uint64_t> bearers;
    double count = 0;
  };
  std::map<std::pair<std::size_t, std::string>, Truth> truths;
  const Hardening& hardening = plan.hardening;
  const bool owned = plan.hashing == Hashing::kRandom && hardening.diffusion == 0 && !hardening.balanced &&
                     hardening.salt_feature.empty();
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (const std::size_t feature : {std::size_t{kGivenName}, std::size_t{kSurname}}) {
      if (plan.profile == EncodingProfile::kFieldLevel && feature != kSurname) continue;
      const auto tokens = *Tokenise(plan.features[feature].kind, people[i].values[feature]);
      for (const std::string& token : tokens) {
        Truth& truth = truths[{feature, token}];
        if (truth.bearers.empty()) {
          truth.bearers.resize(words);
          if (owned) {
            const auto found = PositionsOf(plan, token_key, feature, token, plan.FeatureBits()[feature] / 5);
            truth.positions.insert(found.begin(), found.end());
          }
        }
        truth.bearers[i / 64] |= std::uint64_t{1} << (i % 64);
        ++truth.count;
      }
    }
  }
  Mined best;
  for (double threshold = 0.2; threshold < 0.95; threshold += 0.05) {
    std::vector<std::size_t> parent(bits);
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    const auto root = [&parent](std::size_t bit) {
      while (parent[bit] != bit) bit = parent[bit] = parent[parent[bit]];
      return bit;
    };
    for (const Edge& edge : edges) {
      if (edge.phi > threshold) parent[root(edge.a)] = root(edge.b);
    }
    std::map<std::size_t, std::vector<std::uint16_t>> groups;
    for (std::size_t bit = 0; bit < bits; ++bit) groups[root(bit)].push_back(static_cast<std::uint16_t>(bit));
    std::set<std::pair<std::size_t, std::string>> by_position, by_bearer;
    for (const auto& [leader, group] : groups) {
      if (group.size() < 3) continue;
      std::vector<std::uint64_t> majority(words);
      double voters = 0;
      for (std::size_t i = 0; i < people.size(); ++i) {
        std::size_t votes = 0;
        for (const std::uint16_t bit : group) votes += columns[bit][i / 64] >> (i % 64) & 1;
        if (2 * votes > group.size()) {
          majority[i / 64] |= std::uint64_t{1} << (i % 64);
          ++voters;
        }
      }
      for (const auto& [token, truth] : truths) {
        const auto inside =
            std::ranges::count_if(group, [&](std::uint16_t bit) { return truth.positions.contains(bit); });
        if (5 * static_cast<std::size_t>(inside) >= 4 * group.size()) by_position.insert(token);
        if (Phi(majority, voters, truth.bearers, truth.count, n) >= 0.7) by_bearer.insert(token);
      }
    }
    best.positions = std::max(best.positions, by_position.size());
    best.bearers = std::max(best.bearers, by_bearer.size());
  }
  return best;
}

double LinkAdvantage(const Encodings& a, const Encodings& b) {
  double wins = 0, comparisons = 0;
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    const double same = Dice(a.rows[i], b.rows[i]);
    for (std::size_t j = 0; j < b.rows.size(); ++j) {
      if (i == j) continue;
      const double different = Dice(a.rows[i], b.rows[j]);
      wins += same > different ? 1 : same == different ? 0.5 : 0;
      ++comparisons;
    }
  }
  return wins / comparisons;
}

double DictionaryAttack(const Encodings& encodings, const std::vector<Person>& people, const Encodings& surnames,
                        const std::vector<std::string>& names) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    double best = -1;
    std::size_t guess = 0;
    for (std::size_t candidate = 0; candidate < names.size(); ++candidate) {
      int common = 0, ones = 0;
      for (std::size_t word = 0; word < encodings.words; ++word) {
        common += std::popcount(encodings.rows[i][word] & surnames.rows[candidate][word]);
        ones += std::popcount(surnames.rows[candidate][word]);
      }
      const double score = static_cast<double>(common) / ones;
      if (score > best) {
        best = score;
        guess = candidate;
      }
    }
    right += names[guess] == people[i].values[kSurname] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(people.size());
}

double GraphMatching(const Encodings& encodings, const Encodings& plain, std::size_t overlap) {
  constexpr std::size_t kNeighbours = 20;
  // A record by its descending similarities to its nearest others and the mean to all, each in units of its deviation
  // over the side, so that a shift by hardening does not matter.
  using Description = std::array<double, kNeighbours + 1>;
  const auto describe = [](const Encodings& side) {
    std::vector<Description> all(side.rows.size());
    for (std::size_t i = 0; i < side.rows.size(); ++i) {
      std::vector<double> similarities;
      for (std::size_t j = 0; j < side.rows.size(); ++j) {
        if (i != j) similarities.push_back(Dice(side.rows[i], side.rows[j]));
      }
      const double mean =
          std::accumulate(similarities.begin(), similarities.end(), 0.0) / static_cast<double>(similarities.size());
      std::ranges::partial_sort(similarities, similarities.begin() + kNeighbours, std::greater<>());
      std::copy_n(similarities.begin(), kNeighbours, all[i].begin());
      all[i][kNeighbours] = mean;
    }
    for (std::size_t k = 0; k <= kNeighbours; ++k) {
      double sum = 0, squares = 0;
      for (const Description& one : all) sum += one[k], squares += one[k] * one[k];
      const double mean = sum / static_cast<double>(all.size());
      const double deviation = std::sqrt(std::max(1e-12, squares / static_cast<double>(all.size()) - mean * mean));
      for (Description& one : all) one[k] = (one[k] - mean) / deviation;
    }
    return all;
  };
  const auto a = describe(encodings), b = describe(plain);
  const auto nearest = [](const Description& one, const std::vector<Description>& others) {
    double best = std::numeric_limits<double>::infinity();
    std::size_t at = 0;
    for (std::size_t j = 0; j < others.size(); ++j) {
      double distance = 0;
      for (std::size_t k = 0; k <= kNeighbours; ++k) distance += (one[k] - others[j][k]) * (one[k] - others[j][k]);
      if (distance < best) best = distance, at = j;
    }
    return at;
  };
  std::size_t right = 0;
  for (std::size_t i = 0; i < overlap; ++i) {
    const std::size_t j = nearest(a[i], b);
    right += j == i && nearest(b[j], a) == i ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(overlap);
}

}  // namespace sluis::linker::attacks
