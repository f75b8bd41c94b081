#include "disclosure/release/evidence.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/table_shape.h"

namespace sluis::disclosure {
namespace {

absl::Status Disagrees(const std::string& what) { return absl::FailedPreconditionError("evidence: " + what); }
absl::Status Malformed(const std::string& what) { return absl::InvalidArgumentError("evidence: " + what); }

const std::string& MeasureName(const Evidence& evidence, std::int32_t measure) {
  return evidence.request_system.system.measures[static_cast<std::size_t>(measure)].name;
}

// Views of suppressed measures come first, and every other measure says what it was given instead.
absl::Status CheckPerturbedForm(const Evidence& evidence) {
  const RequestSystem& request = evidence.request_system;
  std::vector<std::uint8_t> marks(request.system.measures.size(), 0);
  std::int32_t last = -1;
  for (const PerturbedMeasure& perturbed : evidence.perturbed) {
    if (perturbed.measure <= last || static_cast<std::size_t>(perturbed.measure) >= marks.size() ||
        perturbed.values.value.size() != request.TableCells() || perturbed.withheld.size() != request.TableCells()) {
      return Malformed("values of another measure, or of another length than the tables");
    }
    last = perturbed.measure;
    marks[static_cast<std::size_t>(last)] = 1;
  }
  if (request.perturbed != marks &&
      !(request.perturbed.empty() && std::find(marks.begin(), marks.end(), 1) == marks.end())) {
    return Malformed("not every measure has its method");
  }
  const std::size_t suppressed = request.SuppressedViews().size();
  for (std::size_t v = suppressed; v < request.views.size(); ++v) {
    if (marks[static_cast<std::size_t>(request.views[v].measure)] == 0) return Malformed("views out of order");
  }
  return absl::OkStatus();
}

absl::Status CheckForm(const Evidence& evidence) {
  const CellSystem& system = evidence.request_system.system;
  if (absl::Status valid = Validate(system); !valid.ok()) return common::Annotate(valid, "evidence");
  if (evidence.pattern.size() != static_cast<std::size_t>(system.num_cells)) {
    return Malformed("the pattern has another length than the system");
  }
  for (const ContributionView& view : evidence.request_system.views) {
    if (view.measure < 0 || view.measure >= static_cast<std::int32_t>(system.measures.size()) ||
        view.cells.total.size() != evidence.request_system.views[0].cells.total.size() ||
        view.cells.total.size() > evidence.pattern.size()) {
      return Malformed("contributions of another measure, or of another length than the system");
    }
  }
  SLUIS_RETURN_IF_ERROR(CheckPerturbedForm(evidence));
  for (const EvidenceTable& table : evidence.tables) {
    ReleasedTable shape{.name = table.name, .dimensions = table.dimensions, .measures = {}, .values = {}};
    for (const std::string& measure : table.measures) shape.measures.push_back({.name = measure, .unit = ""});
    shape.values.resize(table.cell_of.size() * table.measures.size());
    if (absl::Status valid = ValidateReleasedTable(shape); !valid.ok()) {
      return common::Annotate(valid, "evidence: table " + table.name);
    }
    for (const std::int32_t cell : table.cell_of) {
      if (cell < 0 || static_cast<std::size_t>(cell) >= evidence.request_system.TableCells())
        return Malformed("table " + table.name + ": a cell is out of range");
    }
  }
  return absl::OkStatus();
}

// The relations that the hierarchies imply must be among those that were protected.
absl::Status CheckRelations(const Evidence& evidence) {
  const Relations& relations = evidence.request_system.system.relations;
  std::set<std::vector<std::int32_t>> known;  // total, then parts in ascending order
  for (std::int64_t r = 0; r < relations.size(); ++r) {
    std::vector<std::int32_t> relation(relations.parts(r).begin(), relations.parts(r).end());
    std::sort(relation.begin(), relation.end());
    relation.insert(relation.begin(), relations.total[static_cast<std::size_t>(r)]);
    known.insert(std::move(relation));
  }
  for (const EvidenceTable& table : evidence.tables) {
    std::vector<DimensionTree> trees;
    ReleasedTable shape{.name = table.name, .dimensions = table.dimensions, .measures = {}, .values = {}};
    for (std::size_t d = 0; d < table.dimensions.size(); ++d) trees.push_back({.parent = shape.Parents(d)});
    SLUIS_ASSIGN_OR_RETURN(const TableShape tree_shape, TableShape::Create(std::move(trees)));
    const Relations implied = tree_shape.BuildRelations();
    for (std::int64_t r = 0; r < implied.size(); ++r) {
      std::vector<std::int32_t> relation;
      for (const std::int32_t part : implied.parts(r)) {
        relation.push_back(table.cell_of[static_cast<std::size_t>(part)]);
      }
      std::sort(relation.begin(), relation.end());
      const std::int32_t total_there = implied.total[static_cast<std::size_t>(r)];
      const std::int32_t total = table.cell_of[static_cast<std::size_t>(total_there)];
      if (relation.size() == 1 && relation[0] == total) continue;  // one cell shown under two codes
      relation.insert(relation.begin(), total);
      if (known.count(relation) == 0) {
        return Disagrees(absl::StrCat("table ", table.name, ": the sum at cell ", total_there, " was not protected"));
      }
    }
  }
  return absl::OkStatus();
}

// The cells of the tables alone, without statuses: what the rules were applied to.
CellSystem TableCells(const CellSystem& system, std::size_t cells) {
  std::vector<std::string> names;
  for (const Measure& measure : system.measures) names.push_back(measure.name);
  CellSystem result = MakeCellSystem(static_cast<std::int32_t>(cells), names);
  for (std::size_t m = 0; m < names.size(); ++m) {
    std::copy_n(system.measures[m].value.begin(), cells, result.measures[m].value.begin());
  }
  const auto in_tables = [&](std::int32_t cell) { return static_cast<std::size_t>(cell) < cells; };
  for (std::int64_t r = 0; r < system.relations.size(); ++r) {
    const std::int32_t total = system.relations.total[static_cast<std::size_t>(r)];
    const std::span<const std::int32_t> parts = system.relations.parts(r);
    if (in_tables(total) && std::all_of(parts.begin(), parts.end(), in_tables)) result.relations.Add(total, parts);
  }
  return result;
}

// Cells of linkage rates, about which the rule of groups says nothing.
std::vector<std::uint8_t> LinkageRateCells(const Evidence& evidence, std::size_t cells) {
  std::vector<std::uint8_t> marks(cells, 0);
  for (const EvidenceTable& table : evidence.tables) {
    if (table.dimensions.empty() || table.dimensions.back().name != kLinkStatusDimension) continue;
    for (const std::int32_t cell : table.cell_of) {
      if (static_cast<std::size_t>(cell) < cells) marks[static_cast<std::size_t>(cell)] = 1;
    }
  }
  return marks;
}

absl::Status CheckViews(const Evidence& evidence) {
  const CellSystem& system = evidence.request_system.system;
  for (std::size_t m = 0; m < system.measures.size(); ++m) {
    const Measure& measure = system.measures[m];
    bool seen = false;
    for (const ContributionView& view : evidence.request_system.views) {
      if (view.measure != static_cast<std::int32_t>(m)) continue;
      seen = true;
      if (!std::equal(view.cells.total.begin(), view.cells.total.end(), measure.value.begin())) {
        return Disagrees("measure " + measure.name + ": contributions add up to other totals");
      }
    }
    if (!seen) return Disagrees("measure " + measure.name + ": no contributions");
  }
  return absl::OkStatus();
}

// Cells and relations that the rules add to those of the tables come right after them, in one order. What else is
// there only binds the pattern more.
absl::Status CheckAddedRelations(const CellSystem& due, const CellSystem& system) {
  const auto begins_with = [](const auto& whole, const auto& part) {
    return whole.size() >= part.size() && std::equal(part.begin(), part.end(), whole.begin());
  };
  if (system.num_cells < due.num_cells || !begins_with(system.relations.total, due.relations.total) ||
      !begins_with(system.relations.part_begin, due.relations.part_begin) ||
      !begins_with(system.relations.part, due.relations.part)) {
    return Disagrees("groups that hold (nearly) all of a total are not protected as the rules say");
  }
  return absl::OkStatus();
}

absl::Status CheckRules(const Evidence& evidence, const RuleSet& rules) {
  const CellSystem& system = evidence.request_system.system;
  const std::span<const ContributionView> views = evidence.request_system.SuppressedViews();
  SLUIS_RETURN_IF_ERROR(CheckViews(evidence));
  const std::size_t cells = evidence.request_system.TableCells();
  CellSystem due = TableCells(system, cells);
  if (absl::Status applied = ApplyRules(views, LinkageRateCells(evidence, cells), rules, due); !applied.ok()) {
    return common::Annotate(applied, "evidence");
  }
  SLUIS_RETURN_IF_ERROR(CheckAddedRelations(due, system));
  for (std::size_t m = 0; m < system.measures.size(); ++m) {
    const Measure &measure = system.measures[m], &expected = due.measures[m];
    for (std::size_t cell = 0; cell < expected.value.size(); ++cell) {
      if (measure.reason[cell] != expected.reason[cell] || measure.lower_level[cell] != expected.lower_level[cell] ||
          measure.upper_level[cell] != expected.upper_level[cell]) {
        return Disagrees(absl::StrCat("measure ", measure.name, ", cell ", cell,
                                      ": reason or protection level are not what the rules give"));
      }
      if (expected.reason[cell] != PrimaryReason::kNone && evidence.pattern[cell] == 0) {
        return Disagrees(absl::StrCat("measure ", measure.name, ", cell ", cell, ": primary, and published"));
      }
    }
  }
  SLUIS_ASSIGN_OR_RETURN(const std::vector<ShortSums> short_sums,
                         FindShortSumsInViews(views, due.relations, evidence.pattern, rules));
  if (!short_sums.empty()) {
    const ShortSums& first = short_sums.front();
    return Disagrees(absl::StrCat("measure ", system.measures[static_cast<std::size_t>(first.measure)].name,
                                  ", relation ", first.relations.front(),
                                  ": its suppressed cells together have too few contributors"));
  }
  return absl::OkStatus();
}

}  // namespace

Evidence MakeEvidence(const TablePlan& plan, RequestSystem request, std::span<const std::uint8_t> pattern,
                      std::vector<PerturbedMeasure> perturbed) {
  Evidence evidence;
  evidence.request_id = plan.request_id;
  for (std::size_t t = 0; t < plan.tables.size(); ++t) {
    EvidenceTable& table = evidence.tables.emplace_back();
    table.name = plan.tables[t].name;
    for (const PlannedDimension& planned : plan.tables[t].dimensions) {
      ReleasedDimension& dimension = table.dimensions.emplace_back();
      dimension.name = planned.name;
      for (const Hierarchy::Node& node : planned.hierarchy.nodes()) {
        dimension.codes.push_back({.code = node.code, .label = node.label, .level = node.depth});
      }
    }
    table.measures = plan.tables[t].measures;
    table.cell_of = std::move(request.cell_of[t]);
  }
  request.cell_of.clear();
  request.cell_key.clear();  // keys of records stay at the gate
  evidence.request_system = std::move(request);
  evidence.pattern.assign(pattern.begin(), pattern.end());
  evidence.perturbed = std::move(perturbed);
  return evidence;
}

absl::Status VerifyEvidence(const Evidence& evidence, const RuleSet& rules) {
  SLUIS_RETURN_IF_ERROR(CheckForm(evidence));
  SLUIS_RETURN_IF_ERROR(CheckRelations(evidence));
  SLUIS_RETURN_IF_ERROR(CheckRules(evidence, rules));
  for (const PerturbedMeasure& perturbed : evidence.perturbed) {
    absl::Status verified = VerifyPerturbed(evidence.request_system, rules, perturbed);
    if (!verified.ok()) {
      return common::Annotate(verified, "evidence: measure " + MeasureName(evidence, perturbed.measure));
    }
  }
  return absl::OkStatus();
}

absl::Status CompareWithReleased(const Evidence& evidence, const ReleasedTable& table) {
  SLUIS_RETURN_IF_ERROR(CheckForm(evidence));
  SLUIS_RETURN_IF_ERROR(ValidateReleasedTable(table));
  const auto found = std::find_if(evidence.tables.begin(), evidence.tables.end(),
                                  [&](const EvidenceTable& other) { return other.name == table.name; });
  if (found == evidence.tables.end()) return absl::NotFoundError("evidence: no table " + table.name);
  ReleasedTable expected{
      .name = table.name, .dimensions = found->dimensions, .measures = table.measures, .values = table.values};
  if (table.measures.size() != found->measures.size() || !(expected == table)) {
    return Disagrees("table " + table.name + ": other codes or measures were published");
  }
  const CellSystem& system = evidence.request_system.system;
  for (std::size_t m = 0; m < found->measures.size(); ++m) {
    const auto measure = std::find_if(system.measures.begin(), system.measures.end(),
                                      [&](const Measure& other) { return other.name == found->measures[m]; });
    if (measure == system.measures.end() || table.measures[m].name != measure->name) {
      return Disagrees("table " + table.name + ": another measure was published");
    }
    const PerturbedMeasure* own = nullptr;
    for (const PerturbedMeasure& perturbed : evidence.perturbed) {
      if (perturbed.measure == measure - system.measures.begin()) own = &perturbed;
    }
    if ((own != nullptr) == table.measures[m].method.empty()) {
      return Disagrees("table " + table.name + ", measure " + measure->name + ": another method was published");
    }
    for (std::size_t cell = 0; cell < found->cell_of.size(); ++cell) {
      const auto c = static_cast<std::size_t>(found->cell_of[cell]);
      const std::optional<std::int64_t>& value = table.values[cell * found->measures.size() + m];
      const bool gone = own == nullptr ? evidence.pattern[c] != 0 : own->withheld[c] != 0;
      const std::int64_t due = own == nullptr ? measure->value[c] : own->values.value[c];
      if (value.has_value() == gone || (value && *value != due)) {
        return Disagrees(absl::StrCat("table ", table.name, ", measure ", measure->name, ", cell ", cell,
                                      ": published otherwise than decided"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
