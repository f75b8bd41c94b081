#include "disclosure/ledger/describe.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

// The values of a variable that stand at leaves for which `is_in` holds.
template <typename Leaves>
ValueSet AtLeaves(const BaseValues& values, const std::vector<std::int32_t>& leaf_of_code, std::int32_t leaf_of_missing,
                  const Leaves& is_in) {
  ValueSet set;
  for (std::size_t code = 0; code < leaf_of_code.size() && code < values.codes.size(); ++code) {
    if (leaf_of_code[code] >= 0 && is_in(leaf_of_code[code])) set = Union(set, values.codes[code]);
  }
  if (leaf_of_missing >= 0 && is_in(leaf_of_missing)) set = Union(set, values.missing);
  return set;
}

LedgerAxis AxisOver(const BaseValues& values) {
  return {.variable = values.variable,
          .codes = {},
          .columns = values.columns,
          .refinement = values.refinement,
          .apart = values.apart};
}

class Describer {
 public:
  Describer(const TablePlan& plan, const common::Permit& permit, const MethodSource& methods)
      : plan_(plan), permit_(permit), methods_(methods) {}

  absl::StatusOr<LedgerDescription> Run(const std::map<std::string, std::string>& attachments) {
    SLUIS_ASSIGN_OR_RETURN(values_, TraceVariables(plan_, permit_, attachments));
    description_.backbone = RegisterOf(permit_.Backbone());
    std::set<LedgerRegister> registers = {description_.backbone};
    const auto uses = [&](int index) { registers.insert(RegisterOf(Register(index))); };
    for (const PlannedVariable& variable : plan_.variables) {
      uses(variable.scope);
      for (const VariableInput& input : variable.inputs) {
        if (input.register_index >= 0) uses(input.register_index);
      }
    }
    for (const PlannedAmount& amount : plan_.amounts) uses(amount.register_index);
    for (const PlannedTable& table : plan_.tables) uses(table.unit_register);
    description_.registers.assign(registers.begin(), registers.end());

    SetMethod(plan_.count_method, measures_.emplace_back(LedgerMeasure{.key = "count"}));
    for (const PlannedAmount& amount : plan_.amounts) measures_.push_back(Amount(amount));
    for (const LedgerMeasure& measure : measures_) description_.measure_keys.push_back(measure.key);
    for (const PlannedTable& table : plan_.tables) description_.tables.push_back(Table(table));
    return std::move(description_);
  }

 private:
  const common::PermitRegister& Register(int index) const { return permit_.registers[static_cast<std::size_t>(index)]; }

  void SetMethod(const std::string& name, LedgerMeasure& measure) const {
    measure.method = name;
    if (name == kBySuppression) return;
    absl::StrAppend(&measure.method, " of rule set ", methods_.rule_set_sha256);
    const auto method = methods_.rules.methods.find(name);
    measure.once = method == methods_.rules.methods.end() || !NeedsDraws(method->second);
    if (!measure.once) absl::StrAppend(&measure.method, ", drawn in ", methods_.draws);
  }

  LedgerMeasure Amount(const PlannedAmount& amount) const {
    const common::PermitRegister& reg = Register(amount.register_index);
    const auto source = [&reg](int field) {
      const common::PermitField& of = reg.fields[static_cast<std::size_t>(field)];
      return of.source.empty() ? of.name : of.source;
    };
    const common::PermitField& field = reg.fields[static_cast<std::size_t>(amount.field)];
    LedgerMeasure measure{.kind = MeasureKind::kAmount};
    SetMethod(amount.method, measure);
    measure.column = absl::StrCat(KeyOf(RegisterOf(reg)), " ", source(amount.field));
    measure.key = absl::StrCat("sum of ", measure.column);
    if (field.coarsening == common::Coarsening::kRoundDown) absl::StrAppend(&measure.key, " by ", field.round_to);
    if (amount.start < 0) return measure;
    absl::StrAppend(&measure.key, ", from ", source(amount.start), " to ", source(amount.end));
    measure.apart = measure.key;
    absl::StrAppend(&measure.key, " on ", common::FormatDay(amount.date));
    return measure;
  }

  LedgerTable Table(const PlannedTable& planned) const {
    const LedgerRegister unit = RegisterOf(Register(planned.unit_register));
    LedgerTable table;
    table.population = absl::StrCat(planned.is_linkage_rate ? "records of " : "units of ", KeyOf(unit));
    for (const PlannedDimension& dimension : planned.dimensions) table.axes.push_back(Axis(planned, dimension));
    for (const PlannedFilter& filter : planned.population) {
      const bool all = std::find(filter.leaves.begin(), filter.leaves.end(), false) == filter.leaves.end();
      const bool is_dimension = std::any_of(planned.dimensions.begin(), planned.dimensions.end(),
                                            [&](const PlannedDimension& d) { return d.name == filter.dimension; });
      if (all || is_dimension) continue;
      const BaseValues& values = values_[static_cast<std::size_t>(filter.variable)];
      LedgerAxis& axis = table.axes.emplace_back(AxisOver(values));
      axis.codes.push_back(AtLeaves(values, filter.leaf_of_code, filter.leaf_of_missing,
                                    [&](std::int32_t leaf) { return filter.leaves[static_cast<std::size_t>(leaf)]; }));
    }
    for (std::size_t m = 0; m < measures_.size(); ++m) {
      const std::string& name = m == 0 ? plan_.count_measure : plan_.amounts[m - 1].name;
      const auto& shown = planned.measures;
      if (std::find(shown.begin(), shown.end(), name) != shown.end()) table.measures.push_back(measures_[m]);
    }
    return table;
  }

  LedgerAxis Axis(const PlannedTable& planned, const PlannedDimension& dimension) const {
    if (dimension.variable < 0) return LinkStatus(dimension);
    const BaseValues& values = values_[static_cast<std::size_t>(dimension.variable)];
    LedgerAxis axis = AxisOver(values);
    const bool restricted = std::any_of(planned.population.begin(), planned.population.end(), [&](const auto& filter) {
      return filter.dimension == dimension.name &&
             std::find(filter.leaves.begin(), filter.leaves.end(), false) != filter.leaves.end();
    });
    for (const Hierarchy::Node& node : dimension.hierarchy.nodes()) {
      if (node.parent < 0 && !restricted) {
        axis.codes.push_back({.everything = true});  // who has no value for it is counted too, or there is nobody
        continue;
      }
      axis.codes.push_back(AtLeaves(values, dimension.leaf_of_code, dimension.leaf_of_missing, [&](std::int32_t leaf) {
        return node.leaf_begin <= leaf && leaf < node.leaf_end;
      }));
    }
    return axis;
  }

  LedgerAxis LinkStatus(const PlannedDimension& dimension) const {
    LedgerAxis axis{.variable = "found in " + KeyOf(RegisterOf(permit_.Backbone()))};
    for (const Hierarchy::Node& node : dimension.hierarchy.nodes()) {
      axis.codes.push_back(node.parent < 0 ? ValueSet{.everything = true} : ValueSet{.codes = {node.code}});
    }
    return axis;
  }

  const TablePlan& plan_;
  const common::Permit& permit_;
  const MethodSource& methods_;
  std::vector<BaseValues> values_;
  std::vector<LedgerMeasure> measures_;
  LedgerDescription description_;
};

}  // namespace

absl::StatusOr<LedgerDescription> Describe(const TablePlan& plan, const common::Permit& permit,
                                           const std::map<std::string, std::string>& attachments,
                                           const MethodSource& methods) {
  return Describer(plan, permit, methods).Run(attachments);
}

}  // namespace sluis::disclosure
