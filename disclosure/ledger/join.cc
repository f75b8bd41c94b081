#include "disclosure/ledger/join.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/ledger/joined_plane.h"

namespace sluis::disclosure {
namespace {

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

absl::Status CheckTable(const LedgerTable& table, bool is_earlier) {
  const auto cells = At(table.Cells());
  bool good = true;
  for (const LedgerMeasure& measure : table.measures) {
    good = good && (!is_earlier || measure.published.size() == cells) && measure.value.size() == cells &&
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
      SLUIS_RETURN_IF_ERROR(Judge(input_.rules, plane));
    }
    KeepWhatMatters(input_.own, planes_);
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
      SLUIS_ASSIGN_OR_RETURN(const bool by_suppression, CheckMethod(m, tables));
      if (!by_suppression) continue;
      std::set<Region> published, asked;
      std::int32_t forgotten = -1;
      bool any_earlier = false;
      for (std::size_t t = 0; t < tables.size(); ++t) {
        const LedgerTable& table = *tables[t];
        const auto measure = std::find_if(table.measures.begin(), table.measures.end(),
                                          [&](const LedgerMeasure& one) { return one.key == input_.measure_keys[m]; });
        if (measure == table.measures.end()) continue;
        joined.kind = measure->kind;
        any_earlier = any_earlier || earlier[t] >= 0;
        std::span<const std::int32_t> cells;
        if (own[t] >= 0) cells = input_.cell_of[At(own[t])];
        const absl::Status added = joined.plane->AddTable(t, table, *measure, earlier[t], cells);
        SLUIS_RETURN_IF_ERROR(InTheWay(added, *joined.plane));
        if (earlier[t] >= 0 && !table.values_kept &&
            std::find(measure->published.begin(), measure->published.end(), 0) != measure->published.end()) {
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

  // Returns whether the response variable is protected by suppression in all `tables` of a population.
  absl::StatusOr<bool> CheckMethod(std::size_t m, const std::vector<const LedgerTable*>& tables) const {
    std::string method;
    for (const LedgerTable* table : tables) {  // those of the request first
      for (const LedgerMeasure& measure : table->measures) {
        if (measure.key != input_.measure_keys[m]) continue;
        if (method.empty()) method = measure.method;
        if (measure.method == method) continue;
        return common::WithReason(
            absl::FailedPreconditionError(absl::StrCat("release ", table->release, " used the method ", measure.method,
                                                       " for the same variable: ask for that method")),
            kOtherMethodReleased);
      }
    }
    return method.empty() || method == kBySuppression;
  }

  // True if every cell that the request asks for was published before.
  static bool OnlyRepeats(Plane& plane) {
    return std::all_of(plane.cells().begin(), plane.cells().end(),
                       [](const PlaneCell& cell) { return cell.own < 0 || cell.state == PlaneState::kPublished; });
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
    SetJointUpperBounds(joint.system);
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

void SetJointUpperBounds(CellSystem& system) {
  for (Measure& measure : system.measures) {
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
