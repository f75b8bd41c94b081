#include "disclosure/table/build_system.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/rules/group_disclosure.h"
#include "disclosure/rules/suppressed_sums.h"
#include "disclosure/system/table_shape.h"

namespace sluis::disclosure {
namespace {

void AppendKey(std::int32_t number, std::string& key) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Gives each set of records one cell of the system. A set is: the population, and the leaves in each dimension that is
// narrower than the population, whichever hierarchy they are grouped by.
class CellNumbers {
 public:
  explicit CellNumbers(const TablePlan& plan) : plan_(plan), population_(NumberPopulations(plan)) {}

  absl::StatusOr<std::vector<std::int32_t>> Number(std::size_t t, std::int64_t cells) {
    const PlannedTable& table = plan_.tables[t];
    std::string head;
    AppendKey(population_[t], head);
    // In the order of names, so that two tables with the same dimensions in another order share their cells.
    std::map<std::string, std::size_t> by_name;
    for (std::size_t d = 0; d < table.dimensions.size(); ++d) by_name.emplace(table.dimensions[d].name, d);
    std::vector<std::int64_t> stride(table.dimensions.size(), 1);
    for (std::size_t d = stride.size(); d-- > 1;) stride[d - 1] = stride[d] * table.dimensions[d].hierarchy.size();
    std::vector<std::vector<std::int32_t>> sets;
    for (const PlannedDimension& dimension : table.dimensions) sets.push_back(NumberSets(dimension));
    std::vector<std::int32_t> numbers;
    numbers.reserve(static_cast<std::size_t>(cells));
    for (std::int64_t cell = 0; cell < cells; ++cell) {
      std::string key = head;
      for (const auto& [name, d] : by_name) {
        const std::int32_t set =
            sets[d][static_cast<std::size_t>(cell / stride[d] % table.dimensions[d].hierarchy.size())];
        if (set != kWholePopulation) AppendKey(set, key);
      }
      if (number_.size() == static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        return absl::ResourceExhaustedError("tables: more than 2^31 - 1 cells together");
      }
      numbers.push_back(number_.emplace(std::move(key), static_cast<std::int32_t>(number_.size())).first->second);
    }
    return numbers;
  }

  std::int32_t size() const { return static_cast<std::int32_t>(number_.size()); }

 private:
  static constexpr std::int32_t kWholePopulation = -1;

  // Of each node of a dimension, the number of its set of leaves.
  std::vector<std::int32_t> NumberSets(const PlannedDimension& dimension) {
    std::vector<std::int32_t> numbers;
    for (const Hierarchy::Node& node : dimension.hierarchy.nodes()) {
      if (node.leaf_end - node.leaf_begin == dimension.hierarchy.num_leaves()) {
        numbers.push_back(kWholePopulation);
        continue;
      }
      std::vector<std::int32_t> leaves(dimension.first_leaf.begin() + node.leaf_begin,
                                       dimension.first_leaf.begin() + node.leaf_end);
      std::sort(leaves.begin(), leaves.end());
      const auto next = static_cast<std::int32_t>(set_.size());
      numbers.push_back(set_.emplace(std::pair(dimension.name, std::move(leaves)), next).first->second);
    }
    return numbers;
  }

  const TablePlan& plan_;
  const std::vector<std::int32_t> population_;
  std::unordered_map<std::string, std::int32_t> number_;
  std::map<std::pair<std::string, std::vector<std::int32_t>>, std::int32_t> set_;  // of leaves of a dimension
};

absl::Status AddRelations(const PlannedTable& table, std::span<const std::int32_t> cell_of, Relations& relations,
                          std::unordered_set<std::string>& seen) {
  std::vector<DimensionTree> trees;
  for (const PlannedDimension& dimension : table.dimensions) {
    DimensionTree& tree = trees.emplace_back();
    for (const Hierarchy::Node& node : dimension.hierarchy.nodes()) tree.parent.push_back(node.parent);
  }
  SLUIS_ASSIGN_OR_RETURN(const TableShape shape, TableShape::Create(std::move(trees)));
  const Relations own = shape.BuildRelations();
  std::vector<std::int32_t> parts;
  for (std::int64_t r = 0; r < own.size(); ++r) {
    const std::int32_t total = cell_of[static_cast<std::size_t>(own.total[static_cast<std::size_t>(r)])];
    parts.clear();
    for (const std::int32_t part : own.parts(r)) parts.push_back(cell_of[static_cast<std::size_t>(part)]);
    if (parts.size() == 1) continue;  // a code and its only child are one cell
    std::sort(parts.begin(), parts.end());
    std::string key;
    AppendKey(total, key);
    for (const std::int32_t part : parts) AppendKey(part, key);
    if (seen.insert(std::move(key)).second) relations.Add(total, parts);
  }
  return absl::OkStatus();
}

// Spreads the values of a cube over the cells of the system.
template <typename T>
void Place(const std::vector<T>& values, std::span<const std::int32_t> cell_of, std::size_t width,
           std::vector<T>& out) {
  for (std::size_t cell = 0; cell < cell_of.size(); ++cell) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(cell * width), width,
                out.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(cell_of[cell]) * width));
  }
}

std::vector<ContributionView> BuildViews(const TablePlan& plan, std::span<const Cube> cubes,
                                         const RequestSystem& request, std::size_t cells) {
  std::vector<ContributionView> views;
  const auto empty_view = [&](std::int32_t measure, MeasureKind kind, bool by_holding, int top) {
    ContributionView view{.measure = measure, .kind = kind, .by_holding = by_holding};
    view.cells.contributors.assign(cells, 0);
    view.cells.total.assign(cells, 0);
    view.cells.top_per_cell = top;
    view.cells.top.assign(cells * static_cast<std::size_t>(top), 0);
    return view;
  };
  ContributionView count = empty_view(0, MeasureKind::kCount, false, 0);
  for (std::size_t t = 0; t < cubes.size(); ++t) {
    Place(cubes[t].count, request.cell_of[t], 1, count.cells.contributors);
  }
  count.cells.total = count.cells.contributors;
  views.push_back(count);
  if (plan.count_holding >= 0) {
    // Records of linkage rates are nobody's household.
    count.by_holding = true;
    for (std::size_t t = 0; t < cubes.size(); ++t) {
      if (plan.tables[t].is_linkage_rate) continue;
      Place(cubes[t].amounts.back().holdings, request.cell_of[t], 1, count.cells.contributors);
    }
    views.push_back(std::move(count));
  }
  const auto add = [&](std::size_t a, bool by_holding, std::size_t in_cube) {
    const int top = cubes.empty() ? 0 : cubes[0].top;
    ContributionView view = empty_view(static_cast<std::int32_t>(a) + 1, MeasureKind::kAmount, by_holding, top);
    for (std::size_t t = 0; t < cubes.size(); ++t) {
      if (plan.tables[t].is_linkage_rate) continue;
      const CubeAmounts& amounts = cubes[t].amounts[in_cube];
      const auto& cell_of = request.cell_of[t];
      Place(amounts.sum, cell_of, 1, view.cells.total);
      if (by_holding && !amounts.has_holdings) continue;  // an empty register: nobody contributes
      Place(by_holding ? amounts.holdings : amounts.persons, cell_of, 1, view.cells.contributors);
      Place(by_holding ? amounts.top_by_holding : amounts.top_by_person, cell_of, static_cast<std::size_t>(top),
            view.cells.top);
    }
    views.push_back(std::move(view));
  };
  for (std::size_t a = 0; a < plan.amounts.size(); ++a) {
    add(a, false, a);
    if (plan.amounts[a].holding >= 0) add(a, true, a);
    if (plan.count_holding >= 0) add(a, true, plan.amounts.size() + a);
  }
  return views;
}

}  // namespace

std::vector<std::int32_t> NumberPopulations(const TablePlan& plan) {
  // Planning let populations be equal or disjoint only.
  std::map<std::pair<int, std::map<std::string, std::vector<bool>>>, std::int32_t> known;
  std::vector<std::int32_t> numbers;
  for (const PlannedTable& table : plan.tables) {
    std::map<std::string, std::vector<bool>> terms;
    for (const PlannedFilter& filter : table.population) {
      const bool all = std::find(filter.leaves.begin(), filter.leaves.end(), false) == filter.leaves.end();
      if (!all) terms.emplace(filter.dimension, filter.leaves);
    }
    numbers.push_back(
        known.emplace(std::pair(table.unit_register, terms), static_cast<std::int32_t>(known.size())).first->second);
  }
  return numbers;
}

int TopNeeded(const RuleSet& rules) {
  int top = rules.p_percent || rules.prior_posterior ? 2 : 1;
  for (const DominanceRule& rule : rules.dominance) top = std::max(top, static_cast<int>(rule.n));
  for (const auto& [name, method] : rules.methods) top = std::max(top, ContributionsNeeded(method));
  return top;
}

std::span<const ContributionView> RequestSystem::SuppressedViews() const {
  std::size_t own = 0;
  while (own < views.size() && (perturbed.empty() || perturbed[static_cast<std::size_t>(views[own].measure)] == 0)) {
    ++own;
  }
  return std::span(views).first(own);
}

std::vector<std::uint8_t> PerturbedMeasures(const TablePlan& plan) {
  std::vector<std::uint8_t> marks = {plan.count_method != kSuppressionMethod};
  for (const PlannedAmount& amount : plan.amounts) marks.push_back(amount.method != kSuppressionMethod);
  return marks;
}

absl::StatusOr<std::vector<PrimaryStatus>> EvaluateViews(std::span<const ContributionView> views, std::int32_t measure,
                                                         std::int32_t num_cells, const RuleSet& rules) {
  std::vector<PrimaryStatus> result(static_cast<std::size_t>(num_cells));
  for (const ContributionView& view : views) {
    if (view.measure != measure) continue;
    SLUIS_ASSIGN_OR_RETURN(const std::vector<PrimaryStatus> status, EvaluateRules(view.cells, view.kind, rules));
    if (status.size() != result.size()) return absl::InvalidArgumentError("views: one entry a cell is expected");
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = MergeStatus(result[i], status[i]);
  }
  return result;
}

absl::Status ApplyRules(std::span<const ContributionView> views, std::span<const std::uint8_t> exempt,
                        const RuleSet& rules, CellSystem& system) {
  for (std::size_t m = 0; m < system.measures.size(); ++m) {
    const auto measure = static_cast<std::int32_t>(m);
    absl::StatusOr<std::vector<PrimaryStatus>> status = EvaluateViews(views, measure, system.num_cells, rules);
    if (!status.ok()) return common::Annotate(status.status(), "measure " + system.measures[m].name);
    // Linkage rates have no amounts: their zeros there are everybody's knowledge.
    for (std::size_t i = 0; m > 0 && i < status->size(); ++i) {
      if (!exempt.empty() && exempt[i] != 0) (*status)[i] = {};
    }
    SLUIS_RETURN_IF_ERROR(ApplyStatus(*status, measure, system));
  }
  MarkEmptyCells(system);
  if (rules.group_disclosure) {
    std::vector<GroupFinding> findings;  // by persons and by households, of the same relations
    for (const ContributionView& view : views) {
      if (view.kind != MeasureKind::kCount) continue;
      SLUIS_ASSIGN_OR_RETURN(
          const std::vector<GroupFinding> found,
          FindGroupDisclosure(system.relations, view.cells.contributors, exempt, {}, *rules.group_disclosure));
      findings.insert(findings.end(), found.begin(), found.end());
    }
    SLUIS_RETURN_IF_ERROR(ProtectGroups(findings, 0, {}, system));
  }
  SetUpperBounds(system);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ShortSums>> FindShortSumsInViews(std::span<const ContributionView> views,
                                                            const Relations& relations,
                                                            std::span<const std::uint8_t> pattern,
                                                            const RuleSet& rules) {
  std::vector<ShortSums> result;
  if (!rules.suppressed_sum) return result;
  std::map<std::int32_t, std::set<std::int64_t>> by_measure;
  std::map<std::int32_t, MeasureKind> kind;
  for (const ContributionView& view : views) {
    SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int64_t> found,
                           FindShortSums(relations, pattern, view.cells.contributors, *rules.suppressed_sum));
    by_measure[view.measure].insert(found.begin(), found.end());
    kind[view.measure] = view.kind;
  }
  for (const auto& [measure, found] : by_measure) {
    if (!found.empty()) result.push_back({measure, kind[measure], {found.begin(), found.end()}});
  }
  return result;
}

absl::StatusOr<RequestSystem> BuildSystem(const TablePlan& plan, std::span<const Cube> cubes, const RuleSet& rules) {
  if (cubes.size() != plan.tables.size()) {
    return absl::InvalidArgumentError("cubes: one for each table of the plan is expected");
  }
  if (rules.contributors) {
    return absl::InvalidArgumentError(
        "rule set: contributors: is kept by `sluis protect` only; the gate does not know who is behind cells of "
        "several "
        "tables");
  }
  RequestSystem result;
  CellNumbers numbers(plan);
  for (std::size_t t = 0; t < cubes.size(); ++t) {
    SLUIS_ASSIGN_OR_RETURN(std::vector<std::int32_t> cell_of,
                           numbers.Number(t, static_cast<std::int64_t>(cubes[t].count.size())));
    result.cell_of.push_back(std::move(cell_of));
  }
  std::vector<std::string> names = {plan.count_measure};
  for (const PlannedAmount& amount : plan.amounts) names.push_back(amount.name);
  result.system = MakeCellSystem(numbers.size(), names);
  std::unordered_set<std::string> seen;
  for (std::size_t t = 0; t < cubes.size(); ++t) {
    SLUIS_RETURN_IF_ERROR(AddRelations(plan.tables[t], result.cell_of[t], result.system.relations, seen));
  }
  result.views = BuildViews(plan, cubes, result, static_cast<std::size_t>(numbers.size()));
  result.perturbed = PerturbedMeasures(plan);
  std::stable_partition(result.views.begin(), result.views.end(), [&](const ContributionView& view) {
    return result.perturbed[static_cast<std::size_t>(view.measure)] == 0;
  });
  if (!cubes.empty() && !cubes[0].key.empty()) {
    result.cell_key.resize(static_cast<std::size_t>(numbers.size()));
    for (std::size_t t = 0; t < cubes.size(); ++t) Place(cubes[t].key, result.cell_of[t], 1, result.cell_key);
  }
  for (const ContributionView& view : result.views) {
    result.system.measures[static_cast<std::size_t>(view.measure)].value = view.cells.total;
  }
  std::vector<std::uint8_t> exempt(static_cast<std::size_t>(numbers.size()), 0);
  for (std::size_t t = 0; t < cubes.size(); ++t) {
    if (!plan.tables[t].is_linkage_rate) continue;
    for (const std::int32_t cell : result.cell_of[t]) exempt[static_cast<std::size_t>(cell)] = 1;
  }
  const std::vector<std::int64_t>& count = result.system.measures[0].value;
  for (std::size_t i = 0; i < count.size(); ++i) result.system.cost[i] = count[i] + 1;
  SLUIS_RETURN_IF_ERROR(ApplyRules(result.SuppressedViews(), exempt, rules, result.system));
  SLUIS_RETURN_IF_ERROR(Validate(result.system));
  return result;
}

DryRunFigures SummariseDryRun(const TablePlan& plan, std::span<const Cube> cubes) {
  DryRunFigures figures;
  for (std::size_t t = 0; t < cubes.size(); ++t) {
    const auto cells = static_cast<std::int64_t>(cubes[t].count.size());
    const auto empty = std::count(cubes[t].count.begin(), cubes[t].count.end(), 0);
    const auto fifths = static_cast<int>((40 * empty + cells) / (2 * cells));  // of 20, to the nearest
    figures.tables.push_back({plan.tables[t].name, cells, 5 * fifths});
  }
  return figures;
}

}  // namespace sluis::disclosure
