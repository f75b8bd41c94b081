#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"
#include "disclosure/table/columns.h"
#include "disclosure/table/derive.h"
#include "disclosure/table/plan.h"
#include "disclosure/table/rollup.h"

namespace sluis::disclosure {

// Returns the cubes of all tables of `plan`, in its order: every cell, with the count and all amounts of the request,
// also those that a table did not ask for (they are protected together). With plan.count_holding all amounts follow
// once more with households as holdings, and last one for each person. Linkage rates count records and have no amounts.
// `registers`: in the order of the permit; `columns`: of plan.variables; `options.top`: TopNeeded(rules).
// `record_keys`: of each register the keys of its rows, for methods that need draws; empty: cubes have no keys.
//
// Errors: INVALID_ARGUMENT naming the dimension if a record has no value and its hierarchy no code "_U"; as Tabulate
// and RollUp, with the table's name.
[[nodiscard]] absl::StatusOr<std::vector<Cube>> TabulatePlan(
    const TablePlan& plan, std::span<const RegisterColumns> registers, std::span<const DerivedColumn> columns,
    const TabulateOptions& options, std::span<const std::vector<std::uint64_t>> record_keys = {});

// Returns how many of the largest contributions the rules look at, at least 1.
[[nodiscard]] int TopNeeded(const RuleSet& rules);

// Everybody who contributes to one measure, seen one way: each person as a contributor, or each holding. Both must be
// safe: a person with two jobs is two holdings' part, a holding many persons' sum, a household several persons.
struct ContributionView {
  std::int32_t measure = 0;  // in the cell system
  MeasureKind kind = MeasureKind::kCount;
  bool by_holding = false;
  CellContributions cells{};
};

// The cells of all tables of one request, protected as one system.
struct RequestSystem {
  // Measure 0: the count; then the amounts of the plan. After the cells of the tables it may hold cells that nobody
  // publishes and that a rule protects all the same: see disclosure/rules/group_disclosure.h and suppressed_sums.h.
  CellSystem system{};
  bool is_joint = false;  // the system has cells of earlier releases too (disclosure/protect/joint.h)
  // Of each table, of each cell of its cube: the cell of the system. Cells that are the same set of records (in two
  // tables, or a code and its only child) are one cell there.
  std::vector<std::vector<std::int32_t>> cell_of{};
  // Of the cells of the tables; first those of measures that are suppressed.
  std::vector<ContributionView> views{};
  // Per measure: 1 if a method other than suppression protects it. It then has no primary cells, and what of it is
  // published follows from the method (disclosure/release/perturbed_measure.h). Empty: none.
  std::vector<std::uint8_t> perturbed{};
  std::vector<std::uint64_t> cell_key{};  // of the cells of the tables; empty: the cubes had none

  // The number of cells of the tables; the system may hold more.
  [[nodiscard]] std::size_t TableCells() const { return views.empty() ? 0 : views[0].cells.total.size(); }
  // Views of the measures that are suppressed.
  [[nodiscard]] std::span<const ContributionView> SuppressedViews() const;
};

// Per measure of the request's system, 1 if the plan names a method other than suppression for it.
[[nodiscard]] std::vector<std::uint8_t> PerturbedMeasures(const TablePlan& plan);

// Returns the system of `cubes` (as TabulatePlan returned them for `plan`): values, all additive relations, primary
// cells and protection levels under `rules`, bounds, and as cost of a suppressed cell its number of records plus 1.
//
// Errors: INVALID_ARGUMENT on invalid rules or values above 2^50; RESOURCE_EXHAUSTED above 2^31 - 1 cells.
// Does not relate tables whose dimensions only overlap in what they classify (age in classes here, the same ages
// by another variable there): planning refuses two variables for one dimension.
[[nodiscard]] absl::StatusOr<RequestSystem> BuildSystem(const TablePlan& plan, std::span<const Cube> cubes,
                                                        const RuleSet& rules);

// Returns for each table of `plan` the number of its population: the same for tables of the same records, whose totals
// are thus the same cells.
[[nodiscard]] std::vector<std::int32_t> NumberPopulations(const TablePlan& plan);

// Returns the status of each cell in measure `measure` under all of its views: the first reason in the order of
// PrimaryReason, the widest levels. `num_cells`: cells of the system. Errors: as EvaluateRules.
[[nodiscard]] absl::StatusOr<std::vector<PrimaryStatus>> EvaluateViews(std::span<const ContributionView> views,
                                                                       std::int32_t measure, std::int32_t num_cells,
                                                                       const RuleSet& rules);

// Applies `rules` to `system`, whose cells are those of `views`: statuses and levels of all measures, which cells are
// published because they are empty, protection of groups (which may append cells and relations), and upper bounds.
// `exempt`: per cell, 1 in tables of linkage rates, where there are no amounts and no groups. Empty: none.
// Errors: INVALID_ARGUMENT naming the measure, as EvaluateRules; as FindGroupDisclosure and ProtectGroups.
[[nodiscard]] absl::Status ApplyRules(std::span<const ContributionView> views, std::span<const std::uint8_t> exempt,
                                      const RuleSet& rules, CellSystem& system);

// Sums of suppressed cells that have too few contributors in one view.
struct ShortSums {
  std::int32_t measure = 0;
  MeasureKind kind = MeasureKind::kCount;
  std::vector<std::int64_t> relations{};  // ascending, at least one
};

// Returns, for each measure in which rules.suppressed_sum finds any under `pattern`, the relations in which it does by
// any of the measure's views; none without that rule. Errors: as FindShortSums.
[[nodiscard]] absl::StatusOr<std::vector<ShortSums>> FindShortSumsInViews(std::span<const ContributionView> views,
                                                                          const Relations& relations,
                                                                          std::span<const std::uint8_t> pattern,
                                                                          const RuleSet& rules);

// What a requester may know before anything is released.
struct DryRunFigures {
  struct Table {
    std::string name{};
    std::int64_t cells = 0;
    int empty_percent = 0;  // share of empty cells, to the nearest multiple of 5
  };
  std::vector<Table> tables{};
};
[[nodiscard]] DryRunFigures SummariseDryRun(const TablePlan& plan, std::span<const Cube> cubes);

}  // namespace sluis::disclosure
