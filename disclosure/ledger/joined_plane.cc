#include "disclosure/ledger/joined_plane.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/sets/disjoint_sets.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

void FixKnown(JoinedPlane& joined) {
  const std::vector<PlaneCell>& cells = joined.plane->cells();
  const Relations& relations = joined.plane->relations();
  joined.fixed.assign(cells.size(), 0);
  std::vector<std::int32_t> unknown(At(relations.size()), 0);
  const Incidence incidence = BuildIncidence(relations, static_cast<std::int32_t>(cells.size()));
  std::vector<std::int32_t> queue;
  const auto fix = [&](std::int32_t cell) {
    if (joined.fixed[At(cell)] != 0) return;
    joined.fixed[At(cell)] = 1;
    queue.push_back(cell);
  };
  for (std::int64_t r = 0; r < relations.size(); ++r) {
    unknown[At(r)] = static_cast<std::int32_t>(relations.parts(r).size()) + 1;
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].state == PlaneState::kPublished || cells[i].can_be_empty_only) fix(static_cast<std::int32_t>(i));
  }
  while (!queue.empty()) {
    const std::int32_t cell = queue.back();
    queue.pop_back();
    for (std::int64_t k = incidence.begin[At(cell)]; k < incidence.begin[At(cell) + 1]; ++k) {
      const std::int32_t r = incidence.relation[At(k)];
      if (--unknown[At(r)] != 1) continue;
      fix(relations.total[At(r)]);
      for (const std::int32_t part : relations.parts(r)) fix(part);
    }
  }
}

absl::Status Judge(const RuleSet& rules, JoinedPlane& joined) {
  const std::vector<PlaneCell>& cells = joined.plane->cells();
  joined.status.assign(cells.size(), {});
  CellContributions derived;
  std::vector<std::size_t> which;
  for (const PlaneCell& cell : cells) {
    derived.top_per_cell = std::max(derived.top_per_cell, static_cast<std::int32_t>(cell.top.size()));
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const PlaneCell& cell = cells[i];
    if (joined.fixed[i] != 0) continue;
    if (cell.state == PlaneState::kWithheld && cell.lower_level + cell.upper_level > 0) {
      joined.status[i] = {PrimaryReason::kDeclared, cell.lower_level, cell.upper_level};
    }
    if (cell.state != PlaneState::kDerived) continue;
    which.push_back(i);
    derived.structural.push_back(cell.can_be_empty_only ? 1 : 0);
    derived.total.push_back(cell.value);
    // As few contributors as can be, with contributions as large as can be. What the largest possible ones do not
    // make up proves that there are more.
    std::int64_t rest = cell.value, shown = 0;
    for (std::int32_t k = 0; k < derived.top_per_cell; ++k) {
      const bool known = At(k) < cell.top.size();
      const std::int64_t one = std::min(rest, known ? cell.top[At(k)] : rest);
      derived.top.push_back(one);
      rest -= one;
      shown += one > 0 ? 1 : 0;
    }
    std::int64_t contributors = std::max(cell.contributors, shown);
    if (joined.kind == MeasureKind::kCount && derived.top_per_cell == 0) contributors = cell.value;
    if (rest > 0) contributors = std::max<std::int64_t>(contributors, derived.top_per_cell + 1);
    derived.contributors.push_back(contributors);
  }
  absl::StatusOr<std::vector<PrimaryStatus>> status = EvaluateRules(derived, joined.kind, rules);
  if (!status.ok()) return common::Annotate(status.status(), "differences between releases");
  for (std::size_t k = 0; k < which.size(); ++k) joined.status[which[k]] = (*status)[k];
  return absl::OkStatus();
}

void KeepWhatMatters(const CellSystem& own_system, std::span<JoinedPlane> planes) {
  std::set<std::vector<std::int32_t>> own_relations;
  const Relations& own = own_system.relations;
  for (std::int64_t r = 0; r < own.size(); ++r) {
    std::vector<std::int32_t> key(own.parts(r).begin(), own.parts(r).end());
    std::sort(key.begin(), key.end());
    key.push_back(own.total[At(r)]);
    own_relations.insert(std::move(key));
  }
  std::size_t nodes = At(own_system.num_cells);
  for (const JoinedPlane& joined : planes) nodes += joined.plane->cells().size();
  common::DisjointSets components(static_cast<std::uint32_t>(nodes));
  std::uint32_t next = static_cast<std::uint32_t>(own_system.num_cells);
  for (std::int64_t r = 0; r < own.size(); ++r) {
    for (const std::int32_t part : own.parts(r))
      components.Unite(static_cast<std::uint32_t>(part), static_cast<std::uint32_t>(own.total[At(r)]));
  }
  for (JoinedPlane& joined : planes) {
    const std::vector<PlaneCell>& cells = joined.plane->cells();
    const Relations& relations = joined.plane->relations();
    for (const PlaneCell& cell : cells)
      joined.component.push_back(cell.own >= 0 ? static_cast<std::uint32_t>(cell.own) : next++);
    joined.kept.assign(At(relations.size()), 0);
    for (std::int64_t r = 0; r < relations.size(); ++r) {
      std::vector<std::int32_t> key;
      std::vector<std::uint32_t> unknown;
      bool is_own = true;
      const auto visit = [&](std::int32_t cell) {
        const PlaneCell& at = cells[At(cell)];
        is_own = is_own && at.own >= 0 && at.state == PlaneState::kAsked;
        key.push_back(at.own);
        // A cell of the request is not known as long as the tie to what is fixed is not made.
        if (joined.fixed[At(cell)] == 0 || at.own >= 0) unknown.push_back(joined.component[At(cell)]);
      };
      for (const std::int32_t part : relations.parts(r)) visit(part);
      std::sort(key.begin(), key.end());
      visit(relations.total[At(r)]);
      if (unknown.empty() || (is_own && own_relations.contains(key))) continue;
      joined.kept[At(r)] = 1;
      for (const std::uint32_t node : unknown) components.Unite(node, unknown[0]);
    }
  }
  std::set<std::uint32_t> of_request;
  for (std::int32_t i = 0; i < own_system.num_cells; ++i)
    of_request.insert(components.Root(static_cast<std::uint32_t>(i)));
  for (JoinedPlane& joined : planes) {
    const std::vector<PlaneCell>& cells = joined.plane->cells();
    const Relations& relations = joined.plane->relations();
    joined.number.assign(cells.size(), -1);
    const auto matters = [&](std::int32_t cell) {
      if (joined.fixed[At(cell)] != 0 && cells[At(cell)].own < 0) return false;
      return of_request.contains(components.Root(joined.component[At(cell)]));
    };
    for (std::int64_t r = 0; r < relations.size(); ++r) {
      if (joined.kept[At(r)] == 0) continue;
      bool any = matters(relations.total[At(r)]);
      for (const std::int32_t part : relations.parts(r)) any = any || matters(part);
      joined.kept[At(r)] = any ? 1 : 0;
      if (!any) continue;
      joined.number[At(relations.total[At(r)])] = 0;
      for (const std::int32_t part : relations.parts(r)) joined.number[At(part)] = 0;
    }
    // The same records as a cell of an earlier release: tied although no relation says more.
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].own >= 0 && cells[i].release_of >= 0) joined.number[i] = 0;
    }
  }
}

}  // namespace sluis::disclosure
