#include "tests/linker/encode/attacks/attacks.h"

#include <algorithm>
#include <array>
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

// The least correlation of two bits that pattern mining looks at.
constexpr double kLeastPhi = 0.05;

// A bit, and whether it tends to the opposite of the first bit of its group.
struct SignedBit {
  std::size_t bit = 0;
  bool opposite = false;
};

// Groups of bits of which each goes with or against the others, as disjoint sets.
class SignedGroups {
 public:
  explicit SignedGroups(std::size_t bits) : parents_(bits) {
    for (std::size_t bit = 0; bit < bits; ++bit) parents_[bit].bit = bit;
  }

  SignedBit Root(std::size_t bit) {
    SignedBit& parent = parents_[bit];
    if (parent.bit == bit) return parent;
    const SignedBit root = Root(parent.bit);
    if (root.bit != parent.bit) parent = {root.bit, parent.opposite != root.opposite};
    return parent;
  }

  void Join(std::size_t a, std::size_t b, bool opposite) {
    const SignedBit root_a = Root(a), root_b = Root(b);
    if (root_a.bit == root_b.bit) return;
    const bool turned = (root_a.opposite != root_b.opposite) != opposite;
    parents_[root_a.bit] = {root_b.bit, turned};
  }

 private:
  std::vector<SignedBit> parents_;
};

int Distance(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b, int limit) {
  int distance = 0;
  for (std::size_t word = 0; word < a.size() && distance <= limit; ++word) distance += std::popcount(a[word] ^ b[word]);
  return distance;
}

// Puts each row into the group whose leader, its first row, is nearest, if they differ in at most `radius` bits, else
// into a new one. Returns the group of each row.
std::vector<std::size_t> GroupNearlyEqual(const Encodings& encodings, int radius) {
  std::map<std::vector<std::uint64_t>, std::size_t> group_of_code;
  std::vector<const std::vector<std::uint64_t>*> leaders;
  std::vector<std::size_t> group_of;
  for (const auto& row : encodings.rows) {
    const auto [found, is_new] = group_of_code.emplace(row, leaders.size());
    if (is_new && radius > 0) {
      int nearest = radius + 1;
      for (std::size_t group = 0; group < leaders.size(); ++group) {
        const int distance = Distance(row, *leaders[group], nearest - 1);
        if (distance < nearest) {
          nearest = distance;
          found->second = group;
        }
      }
    }
    if (found->second == leaders.size()) leaders.push_back(&found->first);
    group_of.push_back(found->second);
  }
  return group_of;
}

}  // namespace

int NoiseRadius(const EncodingPlan& plan) {
  const double differs = 2 * plan.hardening.flip * (1 - plan.hardening.flip), bits = plan.EncodedBits();
  return static_cast<int>(bits * differs + 6 * std::sqrt(bits * differs * (1 - differs)));
}

double FrequencyAlignment(const Encodings& encodings, const std::vector<Person>& people,
                          const std::vector<Person>& sample, int radius) {
  const std::vector<std::size_t> group_of = GroupNearlyEqual(encodings, radius);
  std::map<std::size_t, std::size_t> codes;
  for (const std::size_t group : group_of) ++codes[group];
  std::map<std::string, std::size_t> names;
  for (const Person& person : sample) ++names[person.values[kSurname]];
  const auto ranked_codes = ByFrequency(codes);
  const auto ranked_names = ByFrequency(names);
  std::map<std::size_t, std::string> guess;
  for (std::size_t i = 0; i < std::min(ranked_codes.size(), ranked_names.size()); ++i) {
    guess[ranked_codes[i]] = ranked_names[i];
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const auto found = guess.find(group_of[i]);
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
    ones.push_back(Ones(encodings.rows[i]));
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
      if (std::abs(phi) > kLeastPhi)
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
    for (std::size_t feature = 0; feature < plan.features.size(); ++feature) {
      const Field field = FieldOf(plan.features[feature]);
      if (field != kSurname && (field != kGivenName || plan.profile == EncodingProfile::kFieldLevel)) continue;
      const auto tokens = *Tokenise(plan.features[feature].kind, people[i].values[field]);
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
  for (double threshold = kLeastPhi; threshold < 0.95; threshold += 0.05) {
    SignedGroups groups_of(bits);
    for (const Edge& edge : edges) {
      if (std::abs(edge.phi) > threshold) groups_of.Join(edge.a, edge.b, edge.phi < 0);
    }
    std::map<std::size_t, std::vector<SignedBit>> groups;
    for (std::size_t bit = 0; bit < bits; ++bit) {
      const SignedBit root = groups_of.Root(bit);
      groups[root.bit].push_back({bit, root.opposite});
    }
    std::set<std::pair<std::size_t, std::string>> by_position, by_bearer;
    for (const auto& [leader, group] : groups) {
      if (group.size() < 3) continue;
      std::vector<std::uint64_t> majority(words);
      double voters = 0;
      for (std::size_t i = 0; i < people.size(); ++i) {
        std::size_t votes = 0;
        for (const SignedBit& one : group) {
          votes += (columns[one.bit][i / 64] >> (i % 64) & 1) ^ (one.opposite ? 1 : 0);
        }
        if (2 * votes > group.size()) {
          majority[i / 64] |= std::uint64_t{1} << (i % 64);
          ++voters;
        }
      }
      for (const auto& [token, truth] : truths) {
        const auto inside = std::ranges::count_if(
            group, [&](const SignedBit& one) { return truth.positions.contains(static_cast<std::uint16_t>(one.bit)); });
        if (5 * static_cast<std::size_t>(inside) >= 4 * group.size()) by_position.insert(token);
        if (std::abs(Phi(majority, voters, truth.bearers, truth.count, n)) >= 0.7) by_bearer.insert(token);
      }
    }
    best.positions = std::max(best.positions, by_position.size());
    best.bearers = std::max(best.bearers, by_bearer.size());
  }
  return best;
}

double LinkAdvantage(const Encodings& a, const Encodings& b, Channel channel) {
  const auto similarity = [&](std::size_t i, std::size_t j) {
    switch (channel) {
      case Channel::kOnes:
        return -std::abs(static_cast<double>(Ones(a.rows[i])) - Ones(b.rows[j]));
      case Channel::kPresent:
        return a.present[i] == b.present[j] ? 1.0 : 0.0;
      case Channel::kBits:
        break;
    }
    return Dice(a.rows[i], b.rows[j]);
  };
  double wins = 0, comparisons = 0;
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    const double same = similarity(i, i);
    for (std::size_t j = 0; j < b.rows.size(); ++j) {
      if (i == j) continue;
      const double different = similarity(i, j);
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
