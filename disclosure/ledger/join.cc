#include "disclosure/ledger/join.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

// One response variable of one population, and what became of its cells in the joint system.
struct JoinedPlane {
  std::size_t measure = 0;  // of the own system
  MeasureKind kind = MeasureKind::kCount;
  std::unique_ptr<Plane> plane;
  std::vector<std::uint8_t> fixed;      // per cell: known from earlier releases
  std::vector<PrimaryStatus> status;    // per cell
  std::vector<std::uint8_t> kept;       // per relation
  std::vector<std::int32_t> number;     // per cell: in the joint system, or -1
  std::vector<std::int32_t> component;  // per cell: node of the union-find
};

class Components {
 public:
  std::int32_t Add() {
    parent_.push_back(static_cast<std::int32_t>(parent_.size()));
    return parent_.back();
  }
  std::int32_t Find(std::int32_t node) {
    while (parent_[At(node)] != node) node = parent_[At(node)] = parent_[At(parent_[At(node)])];
    return node;
  }
  void Unite(std::int32_t a, std::int32_t b) { parent_[At(Find(a))] = Find(b); }

 private:
  std::vector<std::int32_t> parent_;
};

absl::Status CheckTable(const LedgerTable& table, bool is_earlier) {
  const auto cells = At(table.Cells());
  bool good = !is_earlier || table.published.size() == cells;
  for (const LedgerMeasure& measure : table.measures) {
    good = good && measure.value.size() == cells &&
           (measure.contributors.empty() || measure.contributors.size() == cells) && measure.top_per_cell >= 0 &&
           measure.top.size() == cells * At(measure.top_per_cell) &&
           measure.lower_level.size() == measure.upper_level.size() &&
           (measure.lower_level.empty() || measure.lower_level.size() == cells);
  }
  if (!good) {
    return absl::InvalidArgumentError(
        is_earlier ? absl::StrCat("release ", table.release, ": a table has not one entry a cell")
                   : "request: a table has not one entry a cell");
  }
  return absl::OkStatus();
}

class Joiner {
 public:
  Joiner(const JoinInput& input, const PlaneLimits& limits) : input_(input), limits_(limits) {}

  absl::StatusOr<JointSystem> Join() {
    SLUIS_RETURN_IF_ERROR(Check());
    std::set<std::string> populations;
    for (const LedgerTable& table : input_.tables) populations.insert(table.population);
    for (const std::string& population : populations) SLUIS_RETURN_IF_ERROR(AddPopulation(population));
    for (JoinedPlane& plane : planes_) {
      FixKnown(plane);
      SLUIS_RETURN_IF_ERROR(Judge(plane));
    }
    KeepWhatMatters();
    return Assemble();
  }

 private:
  absl::Status Check() const {
    if (input_.cell_of.size() != input_.tables.size() || input_.measure_keys.size() != input_.own.measures.size()) {
      return absl::InvalidArgumentError("request: one list of cells a table and one key a measure are expected");
    }
    for (std::size_t t = 0; t < input_.tables.size(); ++t) {
      SLUIS_RETURN_IF_ERROR(CheckTable(input_.tables[t], false));
      bool good = input_.cell_of[t].size() == At(input_.tables[t].Cells());
      for (const std::int32_t cell : input_.cell_of[t]) good = good && cell >= 0 && cell < input_.own.num_cells;
      if (!good) return absl::InvalidArgumentError("request: a table names cells that its system lacks");
    }
    for (const LedgerTable& table : input_.earlier) SLUIS_RETURN_IF_ERROR(CheckTable(table, true));
    return absl::OkStatus();
  }

  absl::Status InTheWay(const absl::Status& status, const Plane& plane) const {
    if (!absl::IsFailedPrecondition(status)) return status;
    const std::string who =
        plane.conflict() < 0 ? "the request's own tables" : "release " + input_.earlier[At(plane.conflict())].release;
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("the request contradicts what is published: see ", who)),
        kContradictsRelease);
  }

  absl::Status AddPopulation(const std::string& population) {
    std::vector<const LedgerTable*> tables;
    std::vector<std::int32_t> own, earlier;  // which it is, or -1
    for (std::size_t t = 0; t < input_.tables.size(); ++t) {
      if (input_.tables[t].population != population) continue;
      tables.push_back(&input_.tables[t]);
      own.push_back(static_cast<std::int32_t>(t));
      earlier.push_back(-1);
    }
    for (std::size_t t = 0; t < input_.earlier.size(); ++t) {
      if (input_.earlier[t].population != population) continue;
      tables.push_back(&input_.earlier[t]);
      own.push_back(-1);
      earlier.push_back(static_cast<std::int32_t>(t));
    }
    spaces_.push_back(std::make_unique<RegionSpace>(tables));
    RegionSpace& space = *spaces_.back();
    const std::int64_t threshold = input_.rules.minimum_frequency ? input_.rules.minimum_frequency->threshold : 0;
    for (std::size_t m = 0; m < input_.measure_keys.size(); ++m) {
      JoinedPlane joined;
      joined.measure = m;
      joined.plane = std::make_unique<Plane>(space, limits_);
      std::set<Region> published, asked;
      std::int32_t forgotten = -1;
      bool any_earlier = false;
      for (std::size_t t = 0; t < tables.size(); ++t) {
        const LedgerTable& table = *tables[t];
        const auto measure = std::find_if(table.measures.begin(), table.measures.end(),
                                          [&](const LedgerMeasure& one) { return one.key == input_.measure_keys[m]; });
        if (measure == table.measures.end()) continue;
        SLUIS_RETURN_IF_ERROR(CheckMethod(table, tables));
        joined.kind = measure->kind;
        any_earlier = any_earlier || earlier[t] >= 0;
        std::span<const std::int32_t> cells;
        if (own[t] >= 0) cells = input_.cell_of[At(own[t])];
        const absl::Status added = joined.plane->AddTable(t, table, *measure, earlier[t], cells);
        SLUIS_RETURN_IF_ERROR(InTheWay(added, *joined.plane));
        if (earlier[t] >= 0 && !table.values_kept &&
            std::find(table.published.begin(), table.published.end(), 0) != table.published.end()) {
          forgotten = earlier[t];
        }
      }
      if (!any_earlier) continue;
      if (forgotten >= 0 && !OnlyRepeats(*joined.plane)) {
        return common::WithReason(
            absl::FailedPreconditionError(absl::StrCat(
                "the values that release ", input_.earlier[At(forgotten)].release,
                " suppressed are destroyed: of the same records, ask only for cells that are published already")),
            kReleaseForgotten);
      }
      SLUIS_RETURN_IF_ERROR(InTheWay(joined.plane->Close(threshold), *joined.plane));
      planes_.push_back(std::move(joined));
    }
    return absl::OkStatus();
  }

  absl::Status CheckMethod(const LedgerTable& table, const std::vector<const LedgerTable*>& tables) const {
    if (table.release.empty() || table.method == tables[0]->method) return absl::OkStatus();
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("release ", table.release, " used the method ", table.method,
                                                   " for the same variable: ask for that method")),
        kOtherMethodReleased);
  }

  // True if every cell that the request asks for was published before.
  static bool OnlyRepeats(Plane& plane) {
    return std::all_of(plane.cells().begin(), plane.cells().end(),
                       [](const PlaneCell& cell) { return cell.own < 0 || cell.state == PlaneState::kPublished; });
  }

  // What the earlier releases give away by addition alone, published or not.
  static void FixKnown(JoinedPlane& joined) {
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

  // Levels: those of earlier releases, and the rules for what was derived.
  absl::Status Judge(JoinedPlane& joined) const {
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
    absl::StatusOr<std::vector<PrimaryStatus>> status = EvaluateRules(derived, joined.kind, input_.rules);
    if (!status.ok()) return common::Annotate(status.status(), "differences between releases");
    for (std::size_t k = 0; k < which.size(); ++k) joined.status[which[k]] = (*status)[k];
    return absl::OkStatus();
  }

  // Drops what says nothing about the request: relations that it has itself, those of known cells alone, and what no
  // chain of unknown cells connects with it.
  void KeepWhatMatters() {
    std::set<std::vector<std::int32_t>> own_relations;
    const Relations& own = input_.own.relations;
    for (std::int64_t r = 0; r < own.size(); ++r) {
      std::vector<std::int32_t> key(own.parts(r).begin(), own.parts(r).end());
      std::sort(key.begin(), key.end());
      key.push_back(own.total[At(r)]);
      own_relations.insert(std::move(key));
    }
    Components components;
    for (std::int32_t i = 0; i < input_.own.num_cells; ++i) (void)components.Add();
    for (std::int64_t r = 0; r < own.size(); ++r) {
      for (const std::int32_t part : own.parts(r)) components.Unite(part, own.total[At(r)]);
    }
    for (JoinedPlane& joined : planes_) {
      const std::vector<PlaneCell>& cells = joined.plane->cells();
      const Relations& relations = joined.plane->relations();
      for (const PlaneCell& cell : cells) joined.component.push_back(cell.own >= 0 ? cell.own : components.Add());
      joined.kept.assign(At(relations.size()), 0);
      for (std::int64_t r = 0; r < relations.size(); ++r) {
        std::vector<std::int32_t> key, unknown;
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
        for (const std::int32_t node : unknown) components.Unite(node, unknown[0]);
      }
    }
    std::set<std::int32_t> of_request;
    for (std::int32_t i = 0; i < input_.own.num_cells; ++i) of_request.insert(components.Find(i));
    for (JoinedPlane& joined : planes_) {
      const std::vector<PlaneCell>& cells = joined.plane->cells();
      const Relations& relations = joined.plane->relations();
      joined.number.assign(cells.size(), -1);
      const auto matters = [&](std::int32_t cell) {
        if (joined.fixed[At(cell)] != 0 && cells[At(cell)].own < 0) return false;
        return of_request.contains(components.Find(joined.component[At(cell)]));
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

  absl::StatusOr<JointSystem> Assemble() {
    JointSystem joint;
    joint.own_cells = input_.own.num_cells;
    std::vector<std::string> names;
    for (const Measure& measure : input_.own.measures) names.push_back(measure.name);
    // Of each own cell: its cells in the planes, and the measures that they leave out.
    std::map<std::int32_t, std::vector<std::int32_t>> ties;
    std::map<std::int32_t, std::set<std::size_t>> tied;
    std::int64_t next = input_.own.num_cells;
    for (JoinedPlane& joined : planes_) {
      const std::vector<PlaneCell>& cells = joined.plane->cells();
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (joined.number[i] < 0) continue;
        joined.number[i] = static_cast<std::int32_t>(next++);
        if (cells[i].own < 0) continue;
        ties[cells[i].own].push_back(joined.number[i]);
        tied[cells[i].own].insert(joined.measure);
      }
    }
    std::map<std::int32_t, std::int32_t> others;
    for (const auto& [own, measures] : tied) {
      if (measures.size() < names.size()) others.emplace(own, static_cast<std::int32_t>(next++));
    }
    if (next > std::numeric_limits<std::int32_t>::max()) {
      return absl::ResourceExhaustedError("the tables and those released before have too many cells together");
    }
    CellSystem further = MakeCellSystem(static_cast<std::int32_t>(next) - joint.own_cells, names);
    for (Measure& measure : further.measures) measure.upper_bound.assign(measure.value.size(), 0);
    std::set<std::string> releases;
    joint.system = input_.own;
    Relations relations;
    for (JoinedPlane& joined : planes_) {
      FillIn(joined, further, relations, releases);
      // An honest 0 that an earlier release protects is not published by rules that would.
      for (std::size_t i = 0; i < joined.status.size(); ++i) {
        const std::int32_t own = joined.plane->cells()[i].own;
        if (own >= 0 && joined.status[i].reason != PrimaryReason::kNone) joint.system.suppressible[At(own)] = 1;
      }
    }
    for (const auto& [own, cell] : others) {
      const std::size_t i = At(cell - joint.own_cells);
      for (std::size_t m = 0; m < names.size(); ++m) {
        if (tied[own].contains(m)) continue;
        further.measures[m].value[i] = input_.own.measures[m].value[At(own)];
        further.measures[m].upper_bound[i] = kNoUpperBound;
      }
      further.suppressible[i] = joint.system.suppressible[At(own)];
      ties[own].push_back(cell);
    }
    SLUIS_RETURN_IF_ERROR(AppendSystem(joint.system, further));
    for (std::int64_t r = 0; r < relations.size(); ++r) {
      joint.system.relations.Add(relations.total[At(r)], relations.parts(r));
    }
    for (const auto& [own, cells] : ties) joint.system.relations.Add(own, cells);
    SetJointUpperBounds(joint);
    joint.releases.assign(releases.begin(), releases.end());
    const absl::Status valid = Validate(joint.system);
    if (!valid.ok()) return absl::InternalError(absl::StrCat("joint system: ", std::string(valid.message())));
    return joint;
  }

  void FillIn(const JoinedPlane& joined, CellSystem& further, Relations& relations, std::set<std::string>& releases) {
    const std::vector<PlaneCell>& cells = joined.plane->cells();
    Measure& measure = further.measures[joined.measure];
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (joined.number[i] < 0) continue;
      const PlaneCell& cell = cells[i];
      const std::size_t at = At(joined.number[i] - input_.own.num_cells);
      measure.value[at] = cell.value;
      measure.upper_bound[at] = kNoUpperBound;
      const bool is_empty = cell.own >= 0 && input_.own.suppressible[At(cell.own)] == 0 &&
                            joined.status[i].reason == PrimaryReason::kNone;
      further.suppressible[at] = joined.fixed[i] == 0 && !is_empty ? 1 : 0;
      if (further.suppressible[at] != 0) {
        measure.reason[at] = joined.status[i].reason;
        measure.lower_level[at] = joined.status[i].lower_level;
        measure.upper_level[at] = joined.status[i].upper_level;
      }
      if (cell.release_of >= 0) releases.insert(input_.earlier[At(cell.release_of)].release);
    }
    std::vector<std::int32_t> parts;
    const Relations& known = joined.plane->relations();
    for (std::int64_t r = 0; r < known.size(); ++r) {
      if (joined.kept[At(r)] == 0) continue;
      parts.clear();
      for (const std::int32_t part : known.parts(r)) parts.push_back(joined.number[At(part)]);
      relations.Add(joined.number[At(known.total[At(r)])], parts);
    }
  }

  const JoinInput& input_;
  const PlaneLimits& limits_;
  std::vector<std::unique_ptr<RegionSpace>> spaces_;
  std::vector<JoinedPlane> planes_;
};

}  // namespace

absl::StatusOr<JointSystem> Join(const JoinInput& input, const PlaneLimits& limits) {
  return Joiner(input, limits).Join();
}

void SetJointUpperBounds(JointSystem& joint) {
  for (Measure& measure : joint.system.measures) {
    std::int64_t bound = 0;
    for (std::size_t i = 0; i < measure.value.size(); ++i) {
      bound = std::max(bound, measure.value[i] + measure.upper_level[i]);
    }
    for (std::int64_t& of_cell : measure.upper_bound) {
      if (of_cell != 0) of_cell = bound;
    }
  }
}

}  // namespace sluis::disclosure
