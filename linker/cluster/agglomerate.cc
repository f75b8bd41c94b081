#include "linker/cluster/agglomerate.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/sets/disjoint_sets.h"
#include "linker/cluster/components.h"
#include "linker/cluster/source_counts.h"

namespace sluis::linker {
namespace {

__extension__ using Int128 = __int128;  // a compiler extension, as -Wpedantic notes

constexpr std::uint64_t kStepsBetweenStopChecks = 1 << 16;
constexpr std::uint32_t kEnd = std::numeric_limits<std::uint32_t>::max();

// Whether the average of these two units exceeds the threshold and nothing keeps them apart.
bool MayExceed(const Units& units, const SourceCounts& counts, const UnitEdge& edge, const LinkageRules& rules) {
  if (edge.apart || edge.scored == 0 || (units.present[edge.a] & units.present[edge.b] & rules.exclusive) != 0) {
    return false;
  }
  return AverageLinkage(edge.sum, edge.scored, counts.ComparedPairs(edge.a, edge.b, rules), rules.missing) >
         rules.threshold;
}

// Clusters one component. Nodes are units at first, then clusters, which keep the number of one of their units.
class ComponentClusterer {
 public:
  ComponentClusterer(const Units& units, std::span<const UnitEdge> edges, const LinkageRules& rules,
                     const Components& components, common::DisjointSets* clusters)
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
    while (first_ < sorted_.size() || !queue_.empty()) {
      if (++stats->queue_steps % kStepsBetweenStopChecks == 0 && stop.stop_requested()) {
        return false;
      }
      const Entry entry = Pop();
      Edge& edge = links_[entry.edge];
      if (!edge.alive) {
        continue;
      }
      const bool allowed = !edge.apart && (present_[edge.end[0]] & present_[edge.end[1]] & rules_.exclusive) == 0;
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
    std::uint32_t end[2];
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
    head_.assign(nodes.size(), kEnd);
    tail_.assign(nodes.size(), kEnd);
    ends_.assign(nodes.size(), 0);
    next_.clear();
    links_.clear();
    edge_between_.clear();
    queue_.clear();
    sorted_.clear();
    first_ = 0;
    if (nodes.size() > 2) {
      edge_between_.reserve(members.size());
    }
    for (const std::uint32_t member : members) {
      const UnitEdge& edge = edges_[member];
      const auto index = static_cast<std::uint32_t>(links_.size());
      const std::uint32_t a = components_.local(edge.a);
      const std::uint32_t b = components_.local(edge.b);
      links_.push_back({.end = {a, b}, .sum = edge.sum, .scored = edge.scored, .apart = edge.apart});
      next_.resize(2 * links_.size(), kEnd);
      if (nodes.size() > 2) {
        AppendEnd(a, 2 * index);
        AppendEnd(b, 2 * index + 1);
        edge_between_.emplace(Key(a, b), index);
      }
      if (edge.apart || edge.scored == 0) {
        continue;
      }
      if (const Entry entry = EntryOf(index); entry.average > rules_.threshold) {
        Note(index, entry);
        sorted_.push_back(entry);
      }
    }
    std::sort(sorted_.begin(), sorted_.end(), [](const Entry& x, const Entry& y) { return Later(y, x); });
  }

  void AppendEnd(std::uint32_t node, std::uint32_t end) {
    if (head_[node] == kEnd) {
      head_[node] = end;
    } else {
      next_[tail_[node]] = end;
    }
    tail_[node] = end;
    next_[end] = kEnd;
    ++ends_[node];
  }

  Entry EntryOf(std::uint32_t index) const {
    const Edge& edge = links_[index];
    std::uint64_t compared = 0;
    ForEachSource(present_[edge.end[0]], [&](std::uint32_t source_a) {
      ForEachSource(present_[edge.end[1]] & rules_.compared[source_a], [&](std::uint32_t source_b) {
        compared +=
            std::uint64_t{counts_[edge.end[0] * sources_ + source_a]} * counts_[edge.end[1] * sources_ + source_b];
      });
    });
    return {AverageLinkage(edge.sum, edge.scored, compared, rules_.missing),
            std::max(place_[edge.end[0]], place_[edge.end[1]]), std::min(place_[edge.end[0]], place_[edge.end[1]]),
            index};
  }

  void Note(std::uint32_t index, const Entry& entry) {
    Edge& edge = links_[index];
    edge.queued = true;
    edge.average = entry.average;
    edge.later = entry.later;
    edge.earlier = entry.earlier;
  }

  void Push(std::uint32_t index, const Entry& entry) {
    Note(index, entry);
    queue_.push_back(entry);
    std::push_heap(queue_.begin(), queue_.end(), Later);
  }

  // The first entry of the two parts of the queue.
  Entry Pop() {
    if (queue_.empty() || (first_ < sorted_.size() && !Later(sorted_[first_], queue_.front()))) {
      return sorted_[first_++];
    }
    std::pop_heap(queue_.begin(), queue_.end(), Later);
    const Entry entry = queue_.back();
    queue_.pop_back();
    return entry;
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
    std::uint32_t gone = links_[index].end[0];
    std::uint32_t stays = links_[index].end[1];
    links_[index].alive = false;
    clusters_.Unite(unit_[gone], unit_[stays]);
    if (unit_.size() == 2) {
      return;
    }
    if (ends_[gone] > ends_[stays]) {
      std::swap(gone, stays);
    }
    edge_between_.erase(Key(gone, stays));
    place_[stays] = std::max(place_[stays], place_[gone]);
    present_[stays] |= present_[gone];
    for (std::uint32_t source = 0; source < sources_; ++source) {
      counts_[stays * sources_ + source] += counts_[gone * sources_ + source];
    }
    for (std::uint32_t end = head_[gone]; end != kEnd;) {
      const std::uint32_t moved = end / 2;
      const std::uint32_t side = end % 2;
      const std::uint32_t following = next_[end];
      if (links_[moved].alive) {
        Move(moved, side, gone, stays);
      }
      end = following;
    }
    head_[gone] = kEnd;
  }

  // Makes an edge of cluster `gone` one of `stays`, which may have one with the same neighbour.
  void Move(std::uint32_t moved, std::uint32_t side, std::uint32_t gone, std::uint32_t stays) {
    Edge& edge = links_[moved];
    const std::uint32_t other = edge.end[1 - side];
    edge_between_.erase(Key(gone, other));
    edge.end[side] = stays;
    const auto [held, inserted] = edge_between_.try_emplace(Key(stays, other), moved);
    if (!inserted) {
      Edge& parallel = links_[held->second];
      if (!ComesFirst(edge, parallel)) {
        Absorb(&parallel, &edge);
        return;
      }
      Absorb(&edge, &parallel);
      held->second = moved;
    }
    AppendEnd(stays, 2 * moved + side);
  }

  const Units& units_;
  std::span<const UnitEdge> edges_;
  const LinkageRules& rules_;
  const Components& components_;
  common::DisjointSets& clusters_;
  std::uint32_t sources_ = 1;
  std::vector<std::uint32_t> unit_;
  std::vector<std::uint32_t> place_;
  std::vector<SourceSet> present_;
  std::vector<std::uint32_t> counts_;  // by node and source
  // The ends of edges at each cluster, in linked lists: end 2 e + s is links_[e].end[s]. Dead edges linger.
  std::vector<std::uint32_t> head_;
  std::vector<std::uint32_t> tail_;
  std::vector<std::uint32_t> ends_;  // lengths
  std::vector<std::uint32_t> next_;  // by end
  std::vector<Edge> links_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> edge_between_;
  // The queue: what it started with, sorted, from first_ on, and a heap of the entries that were put right.
  std::vector<Entry> sorted_;
  std::size_t first_ = 0;
  std::vector<Entry> queue_;
};

}  // namespace

std::int64_t AverageLinkage(std::int64_t sum, std::uint64_t scored, std::uint64_t compared, std::int64_t missing) {
  const Int128 total = Int128{sum} + Int128{missing} * (Int128{compared} - Int128{scored});
  const Int128 quotient = total / Int128{compared};
  return static_cast<std::int64_t>(quotient - (total % Int128{compared} < 0 ? 1 : 0));
}

std::vector<std::uint32_t> AgglomerateUnits(const Units& units, std::span<const UnitEdge> edges,
                                            const LinkageRules& rules, const std::stop_token& stop,
                                            AgglomerationStats* stats) {
  // An average exceeds the threshold only if some pair's log odds do, since a missing pair's do not. So clusters grow
  // within components of such edges, and what lies between these does not matter.
  common::DisjointSets reach(units.size());
  const SourceCounts counts(units);
  for (const UnitEdge& edge : edges) {
    if (MayExceed(units, counts, edge, rules)) {
      reach.Unite(edge.a, edge.b);
    }
  }
  std::vector<UnitEdge> inner;
  std::vector<GraphEdge> graph;
  for (const UnitEdge& edge : edges) {
    if (reach.Root(edge.a) == reach.Root(edge.b)) {
      inner.push_back(edge);
      graph.push_back({edge.a, edge.b});
    }
  }
  reach = common::DisjointSets(0);
  const Components components(units.size(), graph);
  graph = {};
  stats->components = components.size();
  common::DisjointSets clusters(units.size());
  ComponentClusterer clusterer(units, inner, rules, components, &clusters);
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
