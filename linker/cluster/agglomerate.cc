#include "linker/cluster/agglomerate.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "linker/cluster/components.h"
#include "linker/cluster/disjoint_sets.h"

namespace sluis::linker {
namespace {

__extension__ using Int128 = __int128;  // a compiler extension, as -Wpedantic notes

constexpr std::uint64_t kStepsBetweenStopChecks = 1 << 16;
constexpr SourceSet kAllSources = (SourceSet{1} << kMaxSources) - 1;

template <typename Visitor>
void ForEachSource(SourceSet set, Visitor visit) {
  for (set &= kAllSources; set != 0; set &= set - 1) {
    visit(static_cast<std::uint32_t>(std::countr_zero(set)));
  }
}

// Clusters one component. Nodes are units at first, then clusters, which keep the number of one of their units.
class ComponentClusterer {
 public:
  ComponentClusterer(const Units& units, std::span<const UnitEdge> edges, const LinkageRules& rules,
                     const Components& components, DisjointSets* clusters)
      : units_(units), edges_(edges), rules_(rules), components_(components), clusters_(*clusters) {
    ForEachSource(kAllSources, [&](std::uint32_t source) {
      sources_ = rules.compared[source] != 0 || (rules.exclusive >> source & 1) != 0 ? source + 1 : sources_;
    });
    for (const SourceSet present : units.present) {
      sources_ = std::max(sources_, static_cast<std::uint32_t>(std::bit_width(present & kAllSources)));
    }
  }

  // Returns false if a stop was requested.
  bool Cluster(std::size_t component, const std::stop_token& stop, AgglomerationStats* stats) {
    Load(component);
    while (!queue_.empty()) {
      if (++stats->queue_steps % kStepsBetweenStopChecks == 0 && stop.stop_requested()) {
        return false;
      }
      std::pop_heap(queue_.begin(), queue_.end(), Later);
      const Entry entry = queue_.back();
      queue_.pop_back();
      Edge& edge = links_[entry.edge];
      if (!edge.alive) {
        continue;
      }
      const bool allowed = !edge.apart && (present_[edge.a] & present_[edge.b] & rules_.exclusive) == 0;
      const Entry current = allowed ? EntryOf(entry.edge) : Entry{};
      if (!allowed || current.average <= rules_.threshold) {
        edge.queued = false;
      } else if (Later(current, entry)) {
        Push(entry.edge, current);
      } else {
        Merge(entry.edge);
        ++stats->merges;
      }
    }
    return true;
  }

 private:
  struct Edge {
    std::uint32_t a;
    std::uint32_t b;
    std::int64_t sum;
    std::uint32_t scored;
    bool apart;
    bool alive = true;
    bool queued = false;       // it has an entry in the queue:
    std::int64_t average = 0;  // with this average and these places
    std::uint32_t later = 0;
    std::uint32_t earlier = 0;
  };
  struct Entry {
    std::int64_t average = 0;
    std::uint32_t later = 0;    // place of the later cluster
    std::uint32_t earlier = 0;  // and of the earlier
    std::uint32_t edge = 0;
  };

  // Whether x comes after y. Places are distinct, so that no two edges between living clusters are equal.
  static bool Later(const Entry& x, const Entry& y) {
    return std::tie(y.average, x.later, x.earlier) > std::tie(x.average, y.later, y.earlier);
  }

  static std::uint64_t Key(std::uint32_t a, std::uint32_t b) {
    return std::uint64_t{std::min(a, b)} << 32 | std::max(a, b);
  }

  void Load(std::size_t component) {
    const std::span<const std::uint32_t> nodes = components_.nodes(component);
    const std::span<const std::uint32_t> members = components_.edges(component);
    unit_.assign(nodes.begin(), nodes.end());
    place_.clear();
    present_.clear();
    counts_.assign(nodes.size() * sources_, 0);
    for (std::size_t node = 0; node < nodes.size(); ++node) {
      const std::span<const std::uint32_t> records = units_.members(nodes[node]);
      place_.push_back(records.back());
      present_.push_back(units_.present[nodes[node]]);
      for (const std::uint32_t record : records) {
        ++counts_[node * sources_ + units_.source_of[record]];
      }
    }
    if (incident_.size() < nodes.size()) {
      incident_.resize(nodes.size());
    }
    for (std::size_t node = 0; node < nodes.size(); ++node) {
      incident_[node].clear();
    }
    links_.clear();
    edge_between_.clear();
    queue_.clear();
    for (const std::uint32_t member : members) {
      const UnitEdge& edge = edges_[member];
      const auto index = static_cast<std::uint32_t>(links_.size());
      const std::uint32_t a = components_.local(edge.a);
      const std::uint32_t b = components_.local(edge.b);
      links_.push_back({.a = a, .b = b, .sum = edge.sum, .scored = edge.scored, .apart = edge.apart});
      if (nodes.size() > 2) {
        incident_[a].push_back(index);
        incident_[b].push_back(index);
        edge_between_.emplace(Key(a, b), index);
      }
      if (edge.apart || edge.scored == 0) {
        continue;
      }
      if (const Entry entry = EntryOf(index); entry.average > rules_.threshold) {
        Push(index, entry);
      }
    }
  }

  Entry EntryOf(std::uint32_t index) const {
    const Edge& edge = links_[index];
    std::uint64_t compared = 0;
    ForEachSource(present_[edge.a], [&](std::uint32_t source_a) {
      ForEachSource(present_[edge.b] & rules_.compared[source_a], [&](std::uint32_t source_b) {
        compared += std::uint64_t{counts_[edge.a * sources_ + source_a]} * counts_[edge.b * sources_ + source_b];
      });
    });
    return {AverageLinkage(edge.sum, edge.scored, compared, rules_.missing), std::max(place_[edge.a], place_[edge.b]),
            std::min(place_[edge.a], place_[edge.b]), index};
  }

  void Push(std::uint32_t index, const Entry& entry) {
    Edge& edge = links_[index];
    edge.queued = true;
    edge.average = entry.average;
    edge.later = entry.later;
    edge.earlier = entry.earlier;
    queue_.push_back(entry);
    std::push_heap(queue_.begin(), queue_.end(), Later);
  }

  // Adds what is known about the pairs of `dropped` to `kept`.
  static void Absorb(Edge* kept, Edge* dropped) {
    kept->sum += dropped->sum;
    kept->scored += dropped->scored;
    kept->apart |= dropped->apart;
    dropped->alive = false;
  }

  // Of two edges between the same clusters that one must live whose entry comes up first: only then is no entry too
  // low.
  static bool ComesFirst(const Edge& x, const Edge& y) {
    if (!x.queued || !y.queued) {
      return x.queued;
    }
    return std::tie(x.average, y.later, y.earlier) > std::tie(y.average, x.later, x.earlier);
  }

  void Merge(std::uint32_t index) {
    std::uint32_t gone = links_[index].a;
    std::uint32_t stays = links_[index].b;
    links_[index].alive = false;
    clusters_.Unite(unit_[gone], unit_[stays]);
    if (unit_.size() == 2) {
      return;
    }
    if (incident_[gone].size() > incident_[stays].size()) {
      std::swap(gone, stays);
    }
    edge_between_.erase(Key(gone, stays));
    place_[stays] = std::max(place_[stays], place_[gone]);
    present_[stays] |= present_[gone];
    for (std::uint32_t source = 0; source < sources_; ++source) {
      counts_[stays * sources_ + source] += counts_[gone * sources_ + source];
    }
    for (const std::uint32_t moved : incident_[gone]) {
      Edge& edge = links_[moved];
      if (!edge.alive) {
        continue;
      }
      const std::uint32_t other = edge.a == gone ? edge.b : edge.a;
      edge_between_.erase(Key(gone, other));
      edge.a = stays;
      edge.b = other;
      const auto [held, inserted] = edge_between_.try_emplace(Key(stays, other), moved);
      if (!inserted) {
        Edge& parallel = links_[held->second];
        if (!ComesFirst(edge, parallel)) {
          Absorb(&parallel, &edge);
          continue;
        }
        Absorb(&edge, &parallel);
        held->second = moved;
      }
      incident_[stays].push_back(moved);
    }
    incident_[gone].clear();
  }

  const Units& units_;
  std::span<const UnitEdge> edges_;
  const LinkageRules& rules_;
  const Components& components_;
  DisjointSets& clusters_;
  std::uint32_t sources_ = 1;
  std::vector<std::uint32_t> unit_;
  std::vector<std::uint32_t> place_;
  std::vector<SourceSet> present_;
  std::vector<std::uint32_t> counts_;  // by node and source
  std::vector<std::vector<std::uint32_t>> incident_;
  std::vector<Edge> links_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> edge_between_;
  std::vector<Entry> queue_;
};

}  // namespace

std::int64_t AverageLinkage(std::int64_t sum, std::uint64_t scored, std::uint64_t compared, std::int64_t missing) {
  const Int128 total = Int128{sum} + Int128{missing} * (Int128{compared} - Int128{scored});
  const Int128 quotient = total / Int128{compared};
  return static_cast<std::int64_t>(quotient - (total % Int128{compared} < 0 ? 1 : 0));
}

std::uint64_t ComparedPairs(const Units& units, std::uint32_t a, std::uint32_t b, const LinkageRules& rules) {
  if (units.members(a).size() == 1 && units.members(b).size() == 1) {
    return (units.present[b] & rules.compared[units.source_of[units.members(a).front()]]) != 0 ? 1 : 0;
  }
  std::array<std::uint32_t, kMaxSources + 1> counts{};
  for (const std::uint32_t record : units.members(b)) {
    ++counts[units.source_of[record]];
  }
  std::uint64_t compared = 0;
  for (const std::uint32_t record : units.members(a)) {
    ForEachSource(units.present[b] & rules.compared[units.source_of[record]],
                  [&](std::uint32_t source) { compared += counts[source]; });
  }
  return compared;
}

std::vector<std::uint32_t> AgglomerateUnits(const Units& units, std::span<const UnitEdge> edges,
                                            const LinkageRules& rules, const std::stop_token& stop,
                                            AgglomerationStats* stats) {
  std::vector<GraphEdge> graph;
  graph.reserve(edges.size());
  for (const UnitEdge& edge : edges) {
    graph.push_back({edge.a, edge.b});
  }
  const Components components(units.size(), graph);
  graph = {};
  stats->components = components.size();
  DisjointSets clusters(units.size());
  ComponentClusterer clusterer(units, edges, rules, components, &clusters);
  for (std::size_t i = 0; i < components.size() && !stats->cancelled; ++i) {
    stats->largest_component = std::max<std::uint64_t>(stats->largest_component, components.nodes(i).size());
    stats->cancelled = !clusterer.Cluster(i, stop, stats);
  }
  std::vector<std::uint32_t> result(units.size());
  for (std::uint32_t unit = 0; unit < units.size(); ++unit) {
    result[unit] = clusters.Root(unit);
  }
  return result;
}

}  // namespace sluis::linker
