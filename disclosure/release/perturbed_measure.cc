#include "disclosure/release/perturbed_measure.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

// The lists that MeasureToPerturb points to.
struct Lists {
  Relations relations;
  std::vector<std::int64_t> value;
  std::vector<std::int64_t> contributors;
  std::int32_t top_per_cell = 0;
  std::vector<std::int64_t> top;
  std::vector<std::uint8_t> sensitive;

  [[nodiscard]] MeasureToPerturb View() const {
    return {.relations = relations,
            .value = value,
            .contributors = contributors,
            .top_per_cell = top_per_cell,
            .top = top,
            .sensitive = sensitive};
  }
};

// Of the views of an amount (persons, holdings), in each cell the one with the largest contribution: noise is in
// proportion to it.
void TakeLargestContributions(const RequestSystem& request, std::int32_t measure, Lists& lists) {
  for (const ContributionView& view : request.views) {
    if (view.measure != measure) continue;
    const CellContributions& cells = view.cells;
    if (lists.contributors.empty()) {
      lists.contributors = cells.contributors;
      lists.top_per_cell = cells.top_per_cell;
      lists.top = cells.top;
      continue;
    }
    const auto kept = static_cast<std::size_t>(cells.top_per_cell);
    for (std::size_t i = 0; kept > 0 && i < cells.contributors.size(); ++i) {
      if (cells.top[i * kept] <= lists.top[i * kept]) continue;
      lists.contributors[i] = cells.contributors[i];
      std::copy_n(cells.top.begin() + static_cast<std::ptrdiff_t>(i * kept), kept,
                  lists.top.begin() + static_cast<std::ptrdiff_t>(i * kept));
    }
  }
}

// A rounded amount is less than the base away from the true one: no level of the base or more can be kept.
absl::Status CheckBase(const RequestSystem& request, std::int32_t measure, std::int64_t base, const RuleSet& rules) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<PrimaryStatus> status,
                         EvaluateViews(request.views, measure, static_cast<std::int32_t>(request.TableCells()), rules));
  for (const PrimaryStatus& one : status) {
    if (std::max(one.lower_level, one.upper_level) >= base) {
      return absl::FailedPreconditionError("a protection level is not below the base of rounding");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Lists> ListsOf(const RequestSystem& request, std::int32_t measure, const ProtectionMethod& method,
                              const RuleSet& rules) {
  const std::size_t cells = request.TableCells();
  Lists lists;
  const std::vector<std::int64_t>& value = request.system.measures[static_cast<std::size_t>(measure)].value;
  if (value.size() < cells) return absl::InvalidArgumentError("perturbed measure: fewer values than cells");
  lists.value.assign(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(cells));
  const Relations& all = request.system.relations;
  const auto in_tables = [&](std::int32_t cell) { return static_cast<std::size_t>(cell) < cells; };
  for (std::int64_t r = 0; r < all.size(); ++r) {
    const std::int32_t total = all.total[static_cast<std::size_t>(r)];
    const std::span<const std::int32_t> parts = all.parts(r);
    if (in_tables(total) && std::all_of(parts.begin(), parts.end(), in_tables)) lists.relations.Add(total, parts);
  }
  if (const auto* rounding = std::get_if<ControlledRoundingMethod>(&method);
      rounding != nullptr && rounding->amounts && HasPrimaryRule(rules)) {
    SLUIS_RETURN_IF_ERROR(CheckBase(request, measure, rounding->base, rules));
  }
  if (!std::holds_alternative<CellKeyAmountMethod>(method)) return lists;
  TakeLargestContributions(request, measure, lists);
  if (std::get<CellKeyAmountMethod>(method).sensitive_extra_milli > 0 && HasPrimaryRule(rules)) {
    SLUIS_ASSIGN_OR_RETURN(const std::vector<PrimaryStatus> status,
                           EvaluateViews(request.views, measure, static_cast<std::int32_t>(cells), rules));
    for (const PrimaryStatus& one : status) lists.sensitive.push_back(one.reason != PrimaryReason::kNone);
  }
  return lists;
}

struct NamedVariable {
  std::string method;
  std::string draws;  // what a draw of it depends on besides secret and records
};

// Of each measure of the plan's system.
std::vector<NamedVariable> VariablesOf(const TablePlan& plan) {
  std::vector<NamedVariable> variables = {{plan.count_method, "count"}};
  for (const PlannedAmount& amount : plan.amounts) {
    variables.push_back({amount.method, absl::StrCat("sum of ", amount.name, " ", amount.start, " ", amount.end, " ",
                                                     amount.start < 0 ? 0 : amount.date)});
  }
  return variables;
}

}  // namespace

bool NeedsRecordKeys(const TablePlan& plan, const RuleSet& rules) {
  const std::vector<NamedVariable> variables = VariablesOf(plan);
  return std::any_of(variables.begin(), variables.end(), [&rules](const NamedVariable& variable) {
    return variable.method != kSuppressionMethod && NeedsDraws(rules.methods.at(variable.method));
  });
}

absl::StatusOr<std::vector<PerturbedMeasure>> PerturbMeasures(const TablePlan& plan, const RequestSystem& request,
                                                              const RuleSet& rules, const common::SecretBytes* secret) {
  SLUIS_RETURN_IF_ERROR(CheckMethods(plan, rules));
  std::vector<PerturbedMeasure> result;
  const std::vector<NamedVariable> variables = VariablesOf(plan);
  for (std::size_t m = 0; m < variables.size(); ++m) {
    if (variables[m].method == kSuppressionMethod) continue;
    const ProtectionMethod& method = rules.methods.at(variables[m].method);
    PerturbedMeasure& own = result.emplace_back();
    own.measure = static_cast<std::int32_t>(m);
    own.method = variables[m].method;
    own.withheld.assign(request.TableCells(), 0);
    if (NeedsDraws(method)) {
      if (request.cell_key.size() != request.TableCells() || secret == nullptr) {
        return absl::InvalidArgumentError("method " + own.method + ": needs keys of the records and a secret");
      }
      own.draws = MakeDraws(method, request.cell_key, CellDraws(*secret, variables[m].draws));
    }
    SLUIS_ASSIGN_OR_RETURN(const std::optional<PerturbationTable> table, TableOf(method));
    if (table) own.table = WriteTable(*table);
    SLUIS_ASSIGN_OR_RETURN(const Lists lists, ListsOf(request, own.measure, method, rules));
    SLUIS_ASSIGN_OR_RETURN(own.values, Perturb(lists.View(), method, own.draws, table));
  }
  return result;
}

absl::Status VerifyPerturbed(const RequestSystem& request, const RuleSet& rules, const PerturbedMeasure& perturbed) {
  const auto found = rules.methods.find(perturbed.method);
  if (found == rules.methods.end()) {
    return absl::FailedPreconditionError("perturbed measure: the rule set has no method " + perturbed.method);
  }
  const std::size_t cells = request.TableCells();
  if (perturbed.measure < 0 || static_cast<std::size_t>(perturbed.measure) >= request.system.measures.size() ||
      perturbed.values.value.size() != cells || perturbed.withheld.size() != cells) {
    return absl::InvalidArgumentError("perturbed measure: another measure, or of another length than the tables");
  }
  const bool is_count = perturbed.measure == 0;
  if (is_count ? !IsForCounts(found->second) : !IsForAmounts(found->second)) {
    return absl::FailedPreconditionError("perturbed measure: method " + perturbed.method + " is not for it");
  }
  std::optional<PerturbationTable> table;
  if (!perturbed.table.empty()) {
    SLUIS_ASSIGN_OR_RETURN(table, ReadTable(perturbed.table));
  }
  SLUIS_ASSIGN_OR_RETURN(const Lists lists, ListsOf(request, perturbed.measure, found->second, rules));
  return CheckPerturbed(lists.View(), found->second, perturbed.draws, table, perturbed.values);
}

}  // namespace sluis::disclosure
