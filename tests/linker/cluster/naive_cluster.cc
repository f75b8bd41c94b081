#include "naive_cluster.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace sluis::linker {
namespace {

using Cluster = std::set<std::uint32_t>;

constexpr double kUnits = 1 << 20;

// std::minmax would return references to temporaries.
std::pair<std::uint32_t, std::uint32_t> Ordered(std::uint32_t a, std::uint32_t b) {
  return {std::min(a, b), std::max(a, b)};
}

class Naive {
 public:
  Naive(const OwnedInput& input, const ClusterOptions& options) : input_(input), options_(options) {
    for (std::uint32_t source = 0; source < input.sources.size(); ++source) {
      first_.push_back(static_cast<std::uint32_t>(source_of_.size()));
      source_of_.resize(source_of_.size() + input.sources[source].records, source);
    }
    for (std::uint32_t record = 0; record < source_of_.size(); ++record) {
      clusters_.push_back({record});
    }
    for (const OwnedInput::List& list : input.lists) {
      compared_.insert(Ordered(list.source_a, list.source_b));
      for (const ScoredPair& pair : list.pairs) {
        const auto key = Ordered(Number({list.source_a, pair.a}), Number({list.source_b, pair.b}));
        const double limited = std::clamp<double>(pair.log_odds, -options.max_log_odds, options.max_log_odds);
        const auto [held, inserted] = score_.emplace(key, std::llround(limited * kUnits));
        held->second = std::max<std::int64_t>(held->second, std::llround(limited * kUnits));
      }
    }
    for (const ApartPair& pair : input.apart) {
      apart_.insert(Ordered(Number(pair.a), Number(pair.b)));
    }
  }

  NaiveClustering Run() {
    MergeFixed();
    while (MergeBest()) {
    }
    NaiveClustering result;
    result.label.resize(source_of_.size());
    for (const Cluster& cluster : clusters_) {
      for (const std::uint32_t record : cluster) {
        result.label[record] = *cluster.begin();
      }
      if (!cluster.empty()) {
        result.entities[*cluster.begin()] = Summary(cluster);
      }
    }
    for (std::size_t i = 0; i < input_.fixed.size(); ++i) {
      if (reason_[i].has_value()) {
        result.conflicts.push_back({input_.fixed[i], *reason_[i]});
      }
    }
    result.merges = merges_;
    return result;
  }

 private:
  std::uint32_t Number(const RecordRef& record) const { return first_[record.source] + record.row; }

  std::optional<ConflictReason> Contradiction(const Cluster& a, const Cluster& b) const {
    std::optional<ConflictReason> reason;
    for (const std::uint32_t x : a) {
      for (const std::uint32_t y : b) {
        if (source_of_[x] == source_of_[y] && input_.sources[source_of_[x]].one_per_person) {
          return ConflictReason::kOnePerPerson;
        }
        if (apart_.contains(Ordered(x, y))) {
          reason = ConflictReason::kApart;
        }
      }
    }
    return reason;
  }

  void MergeFixed() {
    reason_.resize(input_.fixed.size());
    std::set<std::uint32_t> passes;
    for (const FixedPair& pair : input_.fixed) {
      passes.insert(pair.pass);
    }
    for (const std::uint32_t pass : passes) {
      // Grow the groups of clusters that the pass connects, then judge each by all its pairs of clusters.
      std::vector<std::set<std::size_t>> groups;
      for (const FixedPair& pair : input_.fixed) {
        if (pair.pass != pass || ClusterOf(Number(pair.a)) == ClusterOf(Number(pair.b))) {
          continue;
        }
        std::set<std::size_t> group = {ClusterOf(Number(pair.a)), ClusterOf(Number(pair.b))};
        for (auto it = groups.begin(); it != groups.end();) {
          const bool touches = std::any_of(it->begin(), it->end(), [&](std::size_t c) { return group.contains(c); });
          if (touches) {
            group.insert(it->begin(), it->end());
            it = groups.erase(it);
          } else {
            ++it;
          }
        }
        groups.push_back(group);
      }
      for (const std::set<std::size_t>& group : groups) {
        std::optional<ConflictReason> reason;
        for (const std::size_t a : group) {
          for (const std::size_t b : group) {
            if (a < b && reason != ConflictReason::kOnePerPerson) {
              const auto found = Contradiction(clusters_[a], clusters_[b]);
              reason = found.has_value() ? found : reason;
            }
          }
        }
        if (reason.has_value()) {
          for (std::size_t i = 0; i < input_.fixed.size(); ++i) {
            const FixedPair& pair = input_.fixed[i];
            if (pair.pass == pass && ClusterOf(Number(pair.a)) != ClusterOf(Number(pair.b)) &&
                group.contains(ClusterOf(Number(pair.a)))) {
              reason_[i] = reason;
            }
          }
          continue;
        }
        Cluster all;
        for (const std::size_t c : group) {
          all.insert(clusters_[c].begin(), clusters_[c].end());
          clusters_[c].clear();
        }
        clusters_.push_back(all);
        merges_.emplace_back(all.begin(), all.end());
      }
    }
  }

  std::size_t ClusterOf(std::uint32_t record) const {
    std::size_t i = 0;
    while (!clusters_[i].contains(record)) {
      ++i;
    }
    return i;
  }

  bool MergeBest() {
    const std::int64_t missing = std::llround(options_.missing_log_odds * kUnits);
    std::size_t best_a = 0;
    std::size_t best_b = 0;
    std::int64_t best = std::llround(options_.threshold * kUnits);
    std::pair<std::uint32_t, std::uint32_t> best_place;
    for (std::size_t a = 0; a < clusters_.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        if (clusters_[a].empty() || clusters_[b].empty() || Contradiction(clusters_[a], clusters_[b]).has_value()) {
          continue;
        }
        std::int64_t sum = 0;
        std::int64_t count = 0;
        for (const std::uint32_t x : clusters_[a]) {
          for (const std::uint32_t y : clusters_[b]) {
            if (compared_.contains(Ordered(source_of_[x], source_of_[y]))) {
              const auto found = score_.find(Ordered(x, y));
              sum += found == score_.end() ? missing : found->second;
              ++count;
            }
          }
        }
        if (count == 0) {
          continue;
        }
        std::int64_t average = sum / count;
        average -= average * count > sum ? 1 : 0;
        const auto [earlier, later] = Ordered(*clusters_[a].rbegin(), *clusters_[b].rbegin());
        const std::pair place(later, earlier);
        if (average > best || (average == best && best_a != best_b && place < best_place)) {
          best = average;
          best_a = a;
          best_b = b;
          best_place = place;
        }
      }
    }
    if (best_a == best_b) {
      return false;
    }
    clusters_[best_a].insert(clusters_[best_b].begin(), clusters_[best_b].end());
    clusters_[best_b].clear();
    merges_.emplace_back(clusters_[best_a].begin(), clusters_[best_a].end());
    return true;
  }

  NaiveEntity Summary(const Cluster& cluster) const {
    NaiveEntity entity;
    double sum = 0;
    for (const std::uint32_t x : cluster) {
      for (const std::uint32_t y : cluster) {
        if (x >= y) {
          continue;
        }
        bool fixed = false;
        for (std::size_t i = 0; i < input_.fixed.size(); ++i) {
          const auto pair = Ordered(Number(input_.fixed[i].a), Number(input_.fixed[i].b));
          fixed |= !reason_[i].has_value() && pair == Ordered(x, y);
        }
        const auto score = score_.find({x, y});
        const bool scored = fixed || score != score_.end();
        if (!scored && !compared_.contains(Ordered(source_of_[x], source_of_[y]))) {
          continue;
        }
        const double value = fixed    ? options_.max_log_odds
                             : scored ? static_cast<double>(score->second) / kUnits
                                      : options_.missing_log_odds;
        entity.scored_pairs += scored ? 1 : 0;
        entity.least = entity.pairs == 0 ? value : std::min(entity.least, value);
        sum += value;
        ++entity.pairs;
      }
    }
    entity.mean = entity.pairs == 0 ? 0 : sum / static_cast<double>(entity.pairs);
    return entity;
  }

  const OwnedInput& input_;
  const ClusterOptions& options_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> source_of_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> compared_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> score_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> apart_;
  std::vector<Cluster> clusters_;
  std::vector<std::optional<ConflictReason>> reason_;
  std::vector<std::vector<std::uint32_t>> merges_;
};

}  // namespace

ClusterInput OwnedInput::View() {
  views_.clear();
  for (const List& list : lists) {
    views_.push_back({list.source_a, list.source_b, list.pairs});
  }
  return {.sources = sources, .pairs = views_, .fixed = fixed, .apart = apart};
}

NaiveClustering NaiveCluster(const OwnedInput& input, const ClusterOptions& options) {
  return Naive(input, options).Run();
}

std::vector<std::uint32_t> LabelsOf(const Clustering& clustering) {
  std::map<std::uint32_t, std::uint32_t> first;
  std::vector<std::uint32_t> labels;
  for (const std::vector<std::uint32_t>& source : clustering.entity_of) {
    for (const std::uint32_t entity : source) {
      labels.push_back(first.emplace(entity, static_cast<std::uint32_t>(labels.size())).first->second);
    }
  }
  return labels;
}

OwnedInput RandomInput(std::mt19937* random, std::uint32_t max_records, bool constraints) {
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>((*random)() % limit); };
  OwnedInput input;
  const std::uint32_t sources = 1 + below(4);
  for (std::uint32_t i = 0; i < sources; ++i) {
    input.sources.push_back({1 + below(max_records), below(2) == 0});
  }
  const std::uint32_t values = 2 + below(20);
  const std::uint32_t density = 1 + below(4);
  for (std::uint32_t s = 0; s < sources; ++s) {
    for (std::uint32_t t = s; t < sources; ++t) {
      if (below(5) == 0) {
        continue;
      }
      OwnedInput::List list{s, t, {}};
      for (std::uint32_t a = 0; a < input.sources[s].records; ++a) {
        for (std::uint32_t b = s == t ? a + 1 : 0; b < input.sources[t].records; ++b) {
          if (below(4) < density) {
            list.pairs.push_back({a, b, static_cast<float>(below(values)) * 1.375f - 6});
          }
        }
      }
      std::shuffle(list.pairs.begin(), list.pairs.end(), *random);
      input.lists.push_back(list);
    }
  }
  const auto any_pair = [&] {
    RecordRef a;
    RecordRef b;
    while (a == b) {
      a.source = below(sources);
      a.row = below(input.sources[a.source].records);
      b.source = below(sources);
      b.row = below(input.sources[b.source].records);
    }
    return std::pair(a, b);
  };
  std::uint32_t records = 0;
  for (const ClusterSource& source : input.sources) {
    records += source.records;
  }
  if (!constraints || records < 2) {
    return input;
  }
  for (std::uint32_t i = below(6); i > 0; --i) {
    const auto [a, b] = any_pair();
    input.fixed.push_back({a, b, below(3)});
  }
  for (std::uint32_t i = below(4); i > 0; --i) {
    const auto [a, b] = any_pair();
    input.apart.push_back({a, b});
  }
  return input;
}

}  // namespace sluis::linker
