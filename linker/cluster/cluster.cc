#include "linker/cluster/cluster.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "common/sets/disjoint_sets.h"
#include "common/status/status.h"
#include "linker/cluster/agglomerate.h"
#include "linker/cluster/entities.h"
#include "linker/cluster/fixed.h"
#include "linker/cluster/log_odds.h"
#include "linker/cluster/matching.h"
#include "linker/cluster/prepare.h"
#include "linker/cluster/source_counts.h"

namespace sluis::linker {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr SourceSet kExisting = SourceSet{1} << kMaxSources;

// One run: the state that its steps share.
struct Run {
  NumberedInput numbered;
  std::vector<FixedPair> fixed;  // those of the input, then those that were refused before
  const Clustering* existing = nullptr;
  std::vector<std::uint32_t> old_entity;  // by record, kNone for new ones; empty without `existing`
  common::DisjointSets sets{0};           // records merged before the scores are looked at
  std::vector<SourceSet> present;         // by root of `sets`
  Clustering result;

  bool IsOld(std::uint32_t record) const { return existing != nullptr && old_entity[record] != kNone; }
};

absl::Status NotAClustering() {
  return absl::InvalidArgumentError("existing: not the result of a clustering of the same sources");
}

// Brings the records of every existing entity together.
absl::Status LoadExisting(const Clustering& existing, Run* run) {
  const NumberedInput& numbered = run->numbered;
  const std::size_t sources = numbered.first.size() - 1;
  if (existing.entity_of.size() > sources) {
    return absl::InvalidArgumentError("sources: fewer than before; new ones are added at the end");
  }
  if (existing.status.size() != existing.entity_of.size()) {
    return NotAClustering();
  }
  run->existing = &existing;
  run->old_entity.assign(numbered.records(), kNone);
  std::vector<std::uint32_t> first_of(existing.entities.size(), kNone);
  std::vector<std::uint32_t> records_of(existing.entities.size(), 0);
  for (std::size_t source = 0; source < existing.entity_of.size(); ++source) {
    const std::vector<std::uint32_t>& entities = existing.entity_of[source];
    if (entities.size() > numbered.first[source + 1] - numbered.first[source]) {
      return absl::InvalidArgumentError("sources: fewer records than before; new rows come after the old ones");
    }
    if (existing.status[source].size() != entities.size()) {
      return NotAClustering();
    }
    for (std::uint32_t row = 0; row < entities.size(); ++row) {
      const std::uint32_t entity = entities[row];
      if (entity >= existing.entities.size()) {
        return NotAClustering();
      }
      const std::uint32_t record = numbered.first[source] + row;
      run->old_entity[record] = entity;
      if (first_of[entity] == kNone) {
        first_of[entity] = record;
      }
      ++records_of[entity];
      run->sets.Unite(first_of[entity], record);
      const SourceSet here = run->present[record];
      run->present[first_of[entity]] |= here | kExisting;
    }
  }
  for (std::size_t entity = 0; entity < existing.entities.size(); ++entity) {
    if (records_of[entity] == 0 || records_of[entity] != existing.entities[entity].records) {
      return NotAClustering();
    }
  }
  for (const Conflict& conflict : existing.conflicts) {
    NumberedPair pair{0, 0, 0, true};
    for (const auto& [record, number] : {std::pair(conflict.pair.a, &pair.a), std::pair(conflict.pair.b, &pair.b)}) {
      if (record.source >= existing.entity_of.size() || record.row >= existing.entity_of[record.source].size()) {
        return NotAClustering();
      }
      *number = numbered.first[record.source] + record.row;
    }
    run->fixed.push_back(conflict.pair);
    run->numbered.fixed.push_back(pair);
  }
  for (const NumberedPair& apart : numbered.apart) {
    if (run->IsOld(apart.a) && run->old_entity[apart.a] == run->old_entity[apart.b]) {
      return absl::InvalidArgumentError(
          "apart: a pair lies in one existing entity, and these are not split: cluster all records again");
    }
  }
  const auto both_old = [&](const NumberedPair& pair) { return run->IsOld(pair.a) && run->IsOld(pair.b); };
  run->result.stats.ignored_pairs = std::erase_if(run->numbered.scored, both_old);
  return absl::OkStatus();
}

// Merges fixed pairs and adds those that are not refused to the scored ones, for the entities' confidence. Pairs that
// were refused before take part, so that a new record cannot join half of a contradictory group; they are refused
// again, since their records are in existing entities.
void ApplyFixed(std::size_t input_pairs, SourceSet exclusive, Run* run) {
  NumberedInput& numbered = run->numbered;
  const FixedOutcome outcome = MergeFixedPairs(numbered, run->fixed, exclusive, &run->sets, &run->present);
  if (run->existing != nullptr) {
    run->result.conflicts = run->existing->conflicts;
  }
  for (std::size_t i = 0; i < input_pairs; ++i) {
    const NumberedPair& pair = numbered.fixed[i];
    if (outcome.refused[i].has_value()) {
      run->result.conflicts.push_back({run->fixed[i], *outcome.refused[i]});
    } else if (!run->IsOld(pair.a) || !run->IsOld(pair.b)) {
      numbered.scored.push_back(pair);
    }
  }
  run->result.stats.fixed_merges = outcome.merges;
  SortAndDeduplicate(&numbered.scored);
}

// Makes units of the sets and numbers them by first record. `unit_of`: by record.
Units MakeUnits(Run* run, std::vector<std::uint32_t>* unit_of) {
  const std::uint32_t records = run->numbered.records();
  Units units;
  unit_of->resize(records);
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t record = 0; record < records; ++record) {
    const std::uint32_t root = run->sets.Root(record);
    if (root == record) {
      (*unit_of)[record] = static_cast<std::uint32_t>(sizes.size());
      sizes.push_back(0);
      units.present.push_back(run->present[record]);
    } else {
      (*unit_of)[record] = (*unit_of)[root];
    }
    ++sizes[(*unit_of)[record]];
  }
  units.start.assign(sizes.size() + 1, 0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    units.start[i + 1] = units.start[i] + sizes[i];
    sizes[i] = units.start[i];
  }
  units.records.resize(records);
  for (std::uint32_t record = 0; record < records; ++record) {
    units.records[sizes[(*unit_of)[record]]++] = record;
  }
  units.source_of = std::move(run->numbered.source_of);
  return units;
}

// The pairs between different units, added up by pair of units.
std::vector<UnitEdge> MakeEdges(const NumberedInput& numbered, std::span<const std::uint32_t> unit_of,
                                double max_log_odds) {
  std::vector<UnitEdge> edges;
  edges.reserve(numbered.scored.size() + numbered.apart.size());
  const auto add = [&](const NumberedPair& pair, bool apart) {
    const auto [a, b] = std::minmax(unit_of[pair.a], unit_of[pair.b]);
    if (a != b) {
      edges.push_back({a, b, apart ? 0u : 1u, apart, apart ? 0 : LimitedUnits(pair, max_log_odds)});
    }
  };
  for (const NumberedPair& pair : numbered.scored) {
    add(pair, false);
  }
  for (const NumberedPair& pair : numbered.apart) {
    add(pair, true);
  }
  const auto before = [](const UnitEdge& x, const UnitEdge& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); };
  if (!std::is_sorted(edges.begin(), edges.end(), before)) {
    std::sort(edges.begin(), edges.end(), before);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (kept > 0 && edges[kept - 1].a == edges[i].a && edges[kept - 1].b == edges[i].b) {
      edges[kept - 1].scored += edges[i].scored;
      edges[kept - 1].apart |= edges[i].apart;
      edges[kept - 1].sum += edges[i].sum;
    } else {
      edges[kept++] = edges[i];
    }
  }
  edges.resize(kept);
  return edges;
}

// Whether kAssignment applies.
bool IsTwoSided(const ClusterInput& input, const NumberedInput& numbered) {
  if (input.sources.size() != 2 || numbered.within_source) {
    return false;
  }
  const bool first = input.sources[0].one_per_person;
  const bool second = input.sources[1].one_per_person;
  return (first && second) || ((first || second) && input.apart.empty());
}

// Merges units by optimal assignment; returns by unit the smallest unit of its cluster.
absl::StatusOr<std::vector<std::uint32_t>> AssignUnits(const ClusterInput& input, const Units& units,
                                                       std::span<const UnitEdge> edges, const LinkageRules& rules,
                                                       const std::stop_token& stop, ClusterStats* stats) {
  const bool one_to_one = input.sources[0].one_per_person && input.sources[1].one_per_person;
  const std::uint32_t single = input.sources[0].one_per_person ? 0 : 1;
  // Left: units with a record of the one-per-person source (the first of two); a pair of two such is never allowed.
  std::vector<WeightedEdge> allowed;
  const SourceCounts counts(units);
  for (const UnitEdge& edge : edges) {
    const SourceSet both = units.present[edge.a] & units.present[edge.b];
    if (edge.apart || (both & rules.exclusive) != 0) {
      continue;
    }
    const std::int64_t average =
        AverageLinkage(edge.sum, edge.scored, counts.ComparedPairs(edge.a, edge.b, rules), rules.missing);
    if (average <= rules.threshold) {
      continue;
    }
    const bool a_is_left = (units.present[edge.a] >> single & 1) != 0;
    allowed.push_back({a_is_left ? edge.a : edge.b, a_is_left ? edge.b : edge.a, average - rules.threshold});
  }
  std::sort(allowed.begin(), allowed.end(), [](const WeightedEdge& x, const WeightedEdge& y) {
    return std::tie(x.left, x.right) < std::tie(y.left, y.right);
  });
  common::DisjointSets clusters(units.size());
  if (one_to_one) {
    MatchingStats matching;
    const std::vector<std::uint32_t> matched =
        MaximumWeightMatching(units.size(), units.size(), allowed, stop, &matching);
    if (matching.cancelled) {
      return absl::CancelledError("clustering was stopped");
    }
    stats->components = matching.components;
    stats->largest_component = matching.largest_component;
    for (std::uint32_t left = 0; left < matched.size(); ++left) {
      if (matched[left] != kUnmatched) {
        clusters.Unite(left, matched[left]);
        ++stats->merges;
      }
    }
  } else {
    // Each unit on the right takes its best partner, the first of equals.
    std::vector<const WeightedEdge*> best(units.size(), nullptr);
    for (const WeightedEdge& edge : allowed) {
      if (best[edge.right] == nullptr || edge.weight > best[edge.right]->weight) {
        best[edge.right] = &edge;
      }
    }
    for (const WeightedEdge* edge : best) {
      if (edge != nullptr) {
        clusters.Unite(edge->left, edge->right);
        ++stats->merges;
      }
    }
  }
  stats->assigned = true;
  std::vector<std::uint32_t> cluster_of(units.size());
  for (std::uint32_t unit = 0; unit < units.size(); ++unit) {
    cluster_of[unit] = clusters.Root(unit);
  }
  return cluster_of;
}

// Numbers the clusters as entities: existing ones keep theirs, new ones follow by first record.
std::vector<std::uint32_t> NumberEntities(const Run& run, std::span<const std::uint32_t> unit_of,
                                          std::span<const std::uint32_t> cluster_of, std::size_t* entities) {
  std::vector<std::uint32_t> entity_of_cluster(cluster_of.size(), kNone);
  std::size_t next = 0;
  if (run.existing != nullptr) {
    next = run.existing->entities.size();
    for (std::size_t record = 0; record < unit_of.size(); ++record) {
      if (run.old_entity[record] != kNone) {
        entity_of_cluster[cluster_of[unit_of[record]]] = run.old_entity[record];
      }
    }
  }
  std::vector<std::uint32_t> entity_of(unit_of.size());
  for (std::size_t record = 0; record < unit_of.size(); ++record) {
    std::uint32_t& entity = entity_of_cluster[cluster_of[unit_of[record]]];
    if (entity == kNone) {
      entity = static_cast<std::uint32_t>(next++);
    }
    entity_of[record] = entity;
  }
  *entities = next;
  return entity_of;
}

// Splits entities and statuses by source.
void FillRecords(std::span<const std::uint32_t> entity_of, Run* run) {
  Clustering& result = run->result;
  const std::vector<std::uint32_t>& first = run->numbered.first;
  const std::size_t sources = first.size() - 1;
  result.entity_of.resize(sources);
  result.status.resize(sources);
  for (std::size_t source = 0; source < sources; ++source) {
    result.entity_of[source].assign(entity_of.begin() + first[source], entity_of.begin() + first[source + 1]);
    for (const std::uint32_t entity : result.entity_of[source]) {
      result.status[source].push_back(result.entities[entity].records > 1 ? LinkStatus::kLinked : LinkStatus::kSingle);
    }
  }
  for (const Conflict& conflict : result.conflicts) {
    for (const RecordRef& record : {conflict.pair.a, conflict.pair.b}) {
      result.status[record.source][record.row] = LinkStatus::kConflict;
    }
  }
}

absl::StatusOr<Clustering> Cluster(const ClusterInput& input, const ClusterOptions& options,
                                   const Clustering* existing) {
  Run run;
  SLUIS_ASSIGN_OR_RETURN(run.numbered, NumberRecords(input, options));
  const bool two_sided = IsTwoSided(input, run.numbered);
  if (options.method == ClusterMethod::kAssignment && !two_sided) {
    return absl::InvalidArgumentError(
        "method: assignment takes two sources, one of them one-per-person, without pairs within a source, and apart "
        "pairs only if both are one-per-person");
  }
  const bool assign = two_sided && options.method != ClusterMethod::kAverageLinkage;
  run.fixed.assign(input.fixed.begin(), input.fixed.end());
  run.sets = common::DisjointSets(run.numbered.records());
  for (const std::uint8_t source : run.numbered.source_of) {
    run.present.push_back(SourceSet{1} << source);
  }
  LinkageRules rules = run.numbered.rules;
  if (existing != nullptr) {
    SLUIS_RETURN_IF_ERROR(LoadExisting(*existing, &run));
    rules.exclusive |= kExisting;
  }
  ApplyFixed(input.fixed.size(), rules.exclusive, &run);
  std::vector<std::uint32_t> unit_of;
  Units units = MakeUnits(&run, &unit_of);
  run.sets = common::DisjointSets(0);
  run.present = {};
  const std::vector<UnitEdge> edges = MakeEdges(run.numbered, unit_of, assign ? kMaxLogOdds : options.max_log_odds);
  ClusterStats& stats = run.result.stats;
  for (const UnitEdge& edge : edges) {
    stats.pairs += edge.scored;
  }
  std::vector<std::uint32_t> cluster_of;
  if (assign) {
    SLUIS_ASSIGN_OR_RETURN(cluster_of, AssignUnits(input, units, edges, rules, options.stop, &stats));
  } else {
    AgglomerationStats agglomeration;
    cluster_of = AgglomerateUnits(units, edges, rules, options.stop, &agglomeration);
    if (agglomeration.cancelled) {
      return absl::CancelledError("clustering was stopped");
    }
    stats.components = agglomeration.components;
    stats.largest_component = agglomeration.largest_component;
    stats.merges = agglomeration.merges;
  }
  run.numbered.source_of = std::move(units.source_of);
  std::size_t entities = 0;
  const std::vector<std::uint32_t> entity_of = NumberEntities(run, unit_of, cluster_of, &entities);
  std::vector<bool> is_old;
  if (existing != nullptr) {
    run.result.entities = existing->entities;
    for (const std::uint32_t entity : run.old_entity) {
      is_old.push_back(entity != kNone);
    }
  }
  run.result.entities.resize(entities);
  SummariseEntities(run.numbered, run.numbered.scored, entity_of, is_old, options, &run.result.entities);
  FillRecords(entity_of, &run);
  return std::move(run.result);
}

}  // namespace

std::string_view LinkStatusName(LinkStatus status) {
  switch (status) {
    case LinkStatus::kSingle:
      return "single";
    case LinkStatus::kLinked:
      return "linked";
    case LinkStatus::kConflict:
      return "conflict";
  }
  return "";
}

absl::StatusOr<Clustering> ClusterRecords(const ClusterInput& input, const ClusterOptions& options) {
  return Cluster(input, options, nullptr);
}

absl::StatusOr<Clustering> ClusterInto(const Clustering& existing, const ClusterInput& input,
                                       const ClusterOptions& options) {
  return Cluster(input, options, &existing);
}

}  // namespace sluis::linker
