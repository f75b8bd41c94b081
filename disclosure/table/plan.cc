#include "disclosure/table/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/plan_variables.h"

namespace sluis::disclosure {
namespace {

using common::FieldType;
using common::Permit;
using common::PermitMeasure;
using common::PermitRegister;

constexpr std::size_t kMaxPurposeBytes = 2'000;
constexpr std::size_t kMaxDimensions = 8;

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

class Planner {
 public:
  Planner(const Permit& permit, const std::map<std::string, std::string>& attachments, const PlanLimits& limits)
      : permit_(permit), attachments_(attachments), limits_(limits) {}

  absl::StatusOr<TablePlan> Run(const TableRequest& request) {
    SLUIS_RETURN_IF_ERROR(CheckHead(request));
    plan_.request_id = request.id;
    SLUIS_ASSIGN_OR_RETURN(plan_.variables, PlanVariables(request.variables, permit_, attachments_));
    for (const TableSpec& table : request.tables) {
      SLUIS_RETURN_IF_ERROR(common::Annotate(AddTable(table), "table " + table.name));
    }
    for (const LinkageRateSpec& rate : request.linkage_rates) {
      SLUIS_RETURN_IF_ERROR(common::Annotate(AddLinkageRate(rate), "linkage rate of " + rate.register_name));
    }
    SLUIS_RETURN_IF_ERROR(CheckPopulations());
    if (plan_.count_measure.empty()) plan_.count_measure = "count";
    if (plan_.count_holding < 0) {
      SLUIS_ASSIGN_OR_RETURN(plan_.count_holding, OnlyToken(Backbone(), plan_.count_measure));
    }
    for (PlannedTable& table : plan_.tables) {
      if (table.is_linkage_rate) table.measures = {plan_.count_measure};
    }
    return std::move(plan_);
  }

 private:
  absl::Status CheckHead(const TableRequest& request) const {
    if (!IsName(request.id, true)) return Invalid("id: [a-z][a-z0-9-]{0,62} is expected");
    if (request.permit_id != permit_.id) {
      return absl::PermissionDeniedError("permit_id: the request is for another permit than " + permit_.id);
    }
    if (request.rule_set != permit_.rule_set) {
      return absl::PermissionDeniedError("rule_set: the permit's rule set is " + permit_.rule_set);
    }
    if (!request.replaces.empty() && !permit_.allow_corrections) {
      return absl::PermissionDeniedError("replaces: the permit allows no corrections");
    }
    if (request.replaces.size() > static_cast<std::size_t>(limits_.max_tables)) {
      return absl::ResourceExhaustedError(absl::StrCat("replaces: more than ", limits_.max_tables));
    }
    if (request.purpose.empty() || request.purpose.size() > kMaxPurposeBytes) {
      return Invalid("purpose: say what the tables are for, in at most 2000 bytes");
    }
    if (request.link_set.empty()) return Invalid("link_set: give \"latest\" or the id of a link set");
    if (request.tables.empty() && request.linkage_rates.empty()) return Invalid("tables: the request asks for none");
    if (request.tables.size() + request.linkage_rates.size() > static_cast<std::size_t>(limits_.max_tables)) {
      return absl::ResourceExhaustedError(absl::StrCat("tables: more than ", limits_.max_tables));
    }
    if (request.variables.size() > static_cast<std::size_t>(limits_.max_variables)) {
      return absl::ResourceExhaustedError(absl::StrCat("variables: more than ", limits_.max_variables));
    }
    return absl::OkStatus();
  }

  int Backbone() const {
    for (std::size_t i = 0; i < permit_.registers.size(); ++i) {
      if (permit_.registers[i].backbone) return static_cast<int>(i);
    }
    return -1;
  }

  struct Classified {
    int variable = 0;
    Hierarchy hierarchy;
    std::vector<std::int32_t> leaf_of_code;
    std::int32_t leaf_of_missing = kNoPlace;
    std::vector<std::int32_t> first_leaf;
  };

  absl::StatusOr<Hierarchy> ReadHierarchy(const std::string& name) const {
    const auto attachment = attachments_.find(name);
    if (attachment == attachments_.end()) {
      return absl::PermissionDeniedError("hierarchy " + name + ": the permit has no such attachment");
    }
    return Hierarchy::Parse(attachment->second, name);
  }

  // Returns, of each leaf of `grouping`, its number in `first`: both must have the same leaves, and a code that stands
  // in two hierarchies of a dimension must stand for the same of them, because readers tell cells by their codes.
  absl::StatusOr<std::vector<std::int32_t>> MatchLeaves(const std::string& dimension, const std::string& name,
                                                        const Hierarchy& first, const Hierarchy& grouping) {
    std::vector<std::int32_t> first_leaf;
    for (std::int32_t leaf = 0; leaf < grouping.num_leaves(); ++leaf) {
      const std::string& code = grouping.nodes()[static_cast<std::size_t>(grouping.LeafNode(leaf))].code;
      const auto node = first.Find(code);
      if (!node || !first.nodes()[static_cast<std::size_t>(*node)].is_leaf) {
        return Invalid(name + ": code " + code + ": no leaf of the first hierarchy of dimension " + dimension);
      }
      first_leaf.push_back(first.nodes()[static_cast<std::size_t>(*node)].leaf_begin);
    }
    if (grouping.num_leaves() != first.num_leaves()) {
      return Invalid(name + ": lacks a leaf of the first hierarchy of dimension " + dimension);
    }
    for (const Hierarchy::Node& node : grouping.nodes()) {
      std::vector<std::int32_t> leaves(first_leaf.begin() + node.leaf_begin, first_leaf.begin() + node.leaf_end);
      std::sort(leaves.begin(), leaves.end());
      const auto [known, is_new] = leaves_of_.emplace(std::pair(dimension, node.code), leaves);
      if (!is_new && known->second != leaves) {
        return Invalid(name + ": code " + node.code + ": stands for other leaves in another hierarchy of dimension " +
                       dimension);
      }
    }
    return first_leaf;
  }

  // Resolves a dimension of the permit and the variable that fills it.
  absl::StatusOr<Classified> Classify(const std::string& name, const std::string& variable_name,
                                      const std::string& grouping, int scope) {
    const common::PermitDimension* dimension = permit_.FindDimension(name);
    if (dimension == nullptr) return absl::PermissionDeniedError("dimension " + name + ": the permit lacks it");
    Classified result;
    result.variable = -1;
    for (std::size_t i = 0; i < plan_.variables.size(); ++i) {
      if (plan_.variables[i].definition.name == variable_name) result.variable = static_cast<int>(i);
    }
    if (result.variable < 0) return Invalid("dimension " + name + ": no variable " + variable_name + " is declared");
    const PlannedVariable& variable = plan_.variables[static_cast<std::size_t>(result.variable)];
    if (variable.kind != ValueKind::kCode) {
      return Invalid("dimension " + name + ": variable " + variable_name + " is no code; band it first");
    }
    if (variable.scope != scope) {
      return Invalid("dimension " + name + ": variable " + variable_name + " does not describe the rows of register " +
                     permit_.registers[static_cast<std::size_t>(scope)].name);
    }
    for (const std::string& source : variable.sources) {
      if (std::find(dimension->fields.begin(), dimension->fields.end(), source) == dimension->fields.end()) {
        return absl::PermissionDeniedError("dimension " + name + ": the permit does not let it be made from " + source);
      }
    }
    const auto [filled, first] = filled_by_.emplace(std::make_pair(scope, name), result.variable);
    if (!first && filled->second != result.variable) {
      return Invalid("dimension " + name + ": filled by two variables in one request; use one, or two requests");
    }
    const std::string& chosen = grouping.empty() ? dimension->hierarchy : grouping;
    if (chosen != dimension->hierarchy &&
        std::find(dimension->groupings.begin(), dimension->groupings.end(), chosen) == dimension->groupings.end()) {
      return absl::PermissionDeniedError("dimension " + name + ": the permit does not let it be grouped by " + chosen);
    }
    SLUIS_ASSIGN_OR_RETURN(const Hierarchy whole, ReadHierarchy(dimension->hierarchy));
    SLUIS_RETURN_IF_ERROR(MatchLeaves(name, dimension->hierarchy, whole, whole).status());
    SLUIS_ASSIGN_OR_RETURN(result.hierarchy, ReadHierarchy(chosen));
    SLUIS_ASSIGN_OR_RETURN(result.first_leaf, MatchLeaves(name, chosen, whole, result.hierarchy));
    auto leaves = result.hierarchy.LeavesOf(variable.codes, name);
    if (!leaves.ok()) return common::Annotate(leaves.status(), chosen);
    result.leaf_of_code = *std::move(leaves);
    if (const auto unknown = result.hierarchy.Find(kUnknownCode)) {
      const Hierarchy::Node& node = result.hierarchy.nodes()[static_cast<std::size_t>(*unknown)];
      if (!node.is_leaf) return Invalid("dimension " + name + ": code _U of its hierarchy must be a leaf");
      result.leaf_of_missing = node.leaf_begin;
    }
    return result;
  }

  absl::StatusOr<PlannedFilter> PlanFilter(const PopulationTerm& term) {
    SLUIS_ASSIGN_OR_RETURN(Classified by, Classify(term.dimension, term.variable, term.hierarchy, Backbone()));
    const auto in_first = [&by](std::int32_t leaf) {
      return leaf < 0 ? leaf : by.first_leaf[static_cast<std::size_t>(leaf)];
    };
    PlannedFilter filter{.dimension = term.dimension,
                         .variable = by.variable,
                         .leaves = std::vector<bool>(static_cast<std::size_t>(by.hierarchy.num_leaves()), false),
                         .leaf_of_code = {},
                         .leaf_of_missing = in_first(by.leaf_of_missing)};
    for (const std::int32_t leaf : by.leaf_of_code) filter.leaf_of_code.push_back(in_first(leaf));
    if (term.codes.empty()) return Invalid("population, dimension " + term.dimension + ": names no code");
    for (const std::string& code : term.codes) {
      const auto found = by.hierarchy.Find(code);
      if (!found) return Invalid("population, dimension " + term.dimension + ": its hierarchy lacks code " + code);
      const Hierarchy::Node& node = by.hierarchy.nodes()[static_cast<std::size_t>(*found)];
      for (auto leaf = node.leaf_begin; leaf < node.leaf_end; ++leaf) {
        filter.leaves[static_cast<std::size_t>(in_first(leaf))] = true;
      }
    }
    return filter;
  }

  static PlannedDimension Restricted(const std::string& name, Classified by, const std::vector<bool>* in_population) {
    PlannedDimension dimension{.name = name,
                               .variable = by.variable,
                               .hierarchy = std::move(by.hierarchy),
                               .leaf_of_code = std::move(by.leaf_of_code),
                               .leaf_of_missing = by.leaf_of_missing,
                               .first_leaf = std::move(by.first_leaf)};
    if (in_population == nullptr) return dimension;
    std::vector<bool> kept;  // of the leaves of this hierarchy
    for (const std::int32_t leaf : dimension.first_leaf) {
      kept.push_back((*in_population)[static_cast<std::size_t>(leaf)]);
    }
    std::vector<std::int32_t> renumbered, first_leaf;
    std::int32_t next = 0;
    for (std::size_t leaf = 0; leaf < kept.size(); ++leaf) {
      renumbered.push_back(kept[leaf] ? next++ : kOutsidePopulation);
      if (kept[leaf]) first_leaf.push_back(dimension.first_leaf[leaf]);
    }
    dimension.first_leaf = std::move(first_leaf);
    for (std::int32_t& leaf : dimension.leaf_of_code) leaf = renumbered[static_cast<std::size_t>(leaf)];
    if (dimension.leaf_of_missing >= 0) {
      dimension.leaf_of_missing = renumbered[static_cast<std::size_t>(dimension.leaf_of_missing)];
    }
    dimension.hierarchy = dimension.hierarchy.Restrict(kept);
    return dimension;
  }

  absl::Status AddTable(const TableSpec& spec) {
    PlannedTable table{.name = spec.name, .unit_register = Backbone()};
    if (!IsName(spec.name)) return Invalid("a name is [a-z][a-z0-9_]{0,62}");
    if (spec.dimensions.empty() || spec.dimensions.size() > kMaxDimensions) {
      return Invalid(absl::StrCat("dimensions: 1 .. ", kMaxDimensions, " are expected"));
    }
    for (const PopulationTerm& term : spec.population) {
      for (const PlannedFilter& other : table.population) {
        if (other.dimension == term.dimension) return Invalid("population: dimension " + term.dimension + " twice");
      }
      SLUIS_ASSIGN_OR_RETURN(PlannedFilter filter, PlanFilter(term));
      table.population.push_back(std::move(filter));
    }
    for (const TableDimension& dimension : spec.dimensions) {
      const std::vector<bool>* kept = nullptr;
      for (const PlannedFilter& filter : table.population) {
        if (filter.dimension == dimension.dimension) kept = &filter.leaves;
      }
      for (const PlannedDimension& other : table.dimensions) {
        if (other.name == dimension.dimension) return Invalid("dimension " + other.name + ": stands twice");
      }
      SLUIS_ASSIGN_OR_RETURN(Classified by,
                             Classify(dimension.dimension, dimension.variable, dimension.hierarchy, Backbone()));
      table.dimensions.push_back(Restricted(dimension.dimension, std::move(by), kept));
    }
    if (spec.measures.empty()) return Invalid("measures: name at least one");
    for (const TableMeasure& measure : spec.measures) SLUIS_RETURN_IF_ERROR(AddMeasure(measure, table));
    return Keep(std::move(table));
  }

  absl::Status AddMeasure(const TableMeasure& measure, PlannedTable& table) {
    const PermitMeasure* permitted = permit_.FindMeasure(measure.measure);
    if (permitted == nullptr) {
      return absl::PermissionDeniedError("measure " + measure.measure + ": the permit lacks it");
    }
    if (std::find(table.measures.begin(), table.measures.end(), measure.measure) != table.measures.end()) {
      return Invalid("measure " + measure.measure + ": stands twice");
    }
    table.measures.push_back(measure.measure);
    if (permitted->field.empty()) {
      if (measure.covering) {
        return Invalid("measure " + measure.measure + ": counts persons; filter them by the population");
      }
      if (!measure.holding.empty()) {
        SLUIS_ASSIGN_OR_RETURN(const int holding,
                               FieldIndex(permit_, Backbone(), measure.holding, FieldType::kToken, "a token"));
        if (plan_.count_holding >= 0 && plan_.count_holding != holding) {
          return Invalid("measure " + measure.measure + ": counted by two holdings in one request; use two requests");
        }
        plan_.count_holding = holding;
      }
      if (!plan_.count_measure.empty() && plan_.count_measure != measure.measure) {
        return Invalid("measure " + measure.measure + ": persons are already counted as " + plan_.count_measure);
      }
      if (!plan_.count_measure.empty() && plan_.count_method != measure.method) return TwoMethods(measure.measure);
      plan_.count_measure = measure.measure;
      plan_.count_method = measure.method;
      plan_.count_unit = permitted->unit;
      return absl::OkStatus();
    }
    SLUIS_ASSIGN_OR_RETURN(PlannedAmount amount, PlanAmount(measure, *permitted));
    for (const PlannedAmount& other : plan_.amounts) {
      if (other.name != amount.name) continue;
      if (other.method != amount.method) return TwoMethods(measure.measure);
      if (other.start != amount.start || other.end != amount.end || other.date != amount.date ||
          other.holding != amount.holding) {
        return Invalid("measure " + measure.measure + ": summed over different rows in one request; use two requests");
      }
      return absl::OkStatus();
    }
    plan_.amounts.push_back(std::move(amount));
    return absl::OkStatus();
  }

  static absl::Status TwoMethods(const std::string& measure) {
    return Invalid("measure " + measure + ": by two methods in one request; a variable has one");
  }

  absl::StatusOr<PlannedAmount> PlanAmount(const TableMeasure& measure, const PermitMeasure& permitted) const {
    PlannedAmount amount{.name = permitted.name, .unit = permitted.unit, .method = measure.method};
    const std::size_t dot = permitted.field.find('.');
    SLUIS_ASSIGN_OR_RETURN(amount.register_index, RegisterIndex(permit_, permitted.field.substr(0, dot)));
    SLUIS_ASSIGN_OR_RETURN(amount.field, FieldIndex(permit_, amount.register_index,
                                                    dot == std::string::npos ? "" : permitted.field.substr(dot + 1),
                                                    FieldType::kInteger, "an integer"));
    const PermitRegister& reg = permit_.registers[static_cast<std::size_t>(amount.register_index)];
    if (reg.fields[static_cast<std::size_t>(amount.field)].minimum < 0) {
      return Invalid("measure " + permitted.name +
                     ": the permit allows negative amounts; set the field's minimum to 0");
    }
    if (measure.covering) {
      SLUIS_ASSIGN_OR_RETURN(amount.start, FieldIndex(permit_, amount.register_index, measure.covering->start,
                                                      FieldType::kDate, "a date"));
      SLUIS_ASSIGN_OR_RETURN(
          amount.end, FieldIndex(permit_, amount.register_index, measure.covering->end, FieldType::kDate, "a date"));
      amount.date = measure.covering->date;
    }
    if (!measure.holding.empty()) {
      SLUIS_ASSIGN_OR_RETURN(amount.holding,
                             FieldIndex(permit_, amount.register_index, measure.holding, FieldType::kToken, "a token"));
      return amount;
    }
    SLUIS_ASSIGN_OR_RETURN(amount.holding, OnlyToken(amount.register_index, permitted.name));
    return amount;
  }

  // The token field of a register, or -1 if it has none. With several the request must choose: it cannot do without.
  absl::StatusOr<int> OnlyToken(int register_index, const std::string& measure) const {
    int token = -1;
    if (register_index < 0) return token;
    const PermitRegister& reg = permit_.registers[static_cast<std::size_t>(register_index)];
    for (std::size_t f = 0; f < reg.fields.size(); ++f) {
      if (reg.fields[f].type != FieldType::kToken) continue;
      if (token >= 0) return Invalid("measure " + measure + ": name its holding, one of the tokens");
      token = static_cast<int>(f);
    }
    return token;
  }

  absl::Status AddLinkageRate(const LinkageRateSpec& spec) {
    SLUIS_ASSIGN_OR_RETURN(const int reg, RegisterIndex(permit_, spec.register_name));
    if (reg == Backbone()) return Invalid("the backbone is what others are linked to");
    PlannedTable table{.name = "linkage_" + spec.register_name, .is_linkage_rate = true, .unit_register = reg};
    SLUIS_ASSIGN_OR_RETURN(
        Hierarchy status,
        Hierarchy::Parse("code,parent,label\n_T,,Records\nlinked,_T,Found on the backbone\nunlinked,_T,Not found\n",
                         kLinkStatusDimension));
    if (spec.by) {
      if (spec.by->dimension == kLinkStatusDimension) return Invalid("dimension link_status: is always there");
      SLUIS_ASSIGN_OR_RETURN(Classified by, Classify(spec.by->dimension, spec.by->variable, spec.by->hierarchy, reg));
      table.name += "_by_" + spec.by->dimension;
      table.dimensions.push_back(Restricted(spec.by->dimension, std::move(by), nullptr));
    }
    table.dimensions.push_back(
        {.name = kLinkStatusDimension, .variable = -1, .hierarchy = std::move(status), .first_leaf = {0, 1}});
    return Keep(std::move(table));
  }

  absl::Status Keep(PlannedTable table) {
    std::int64_t cells = 1;
    for (const PlannedDimension& dimension : table.dimensions) {
      cells *= dimension.hierarchy.size();
      if (cells > limits_.max_cells) {
        return absl::ResourceExhaustedError(
            absl::StrCat("more than ", limits_.max_cells, " cells; leave out a dimension or use a coarser hierarchy"));
      }
    }
    for (const PlannedTable& other : plan_.tables) {
      if (other.name == table.name) return Invalid("the name " + table.name + " stands twice");
    }
    plan_.tables.push_back(std::move(table));
    return absl::OkStatus();
  }

  // Two populations must be equal, or disjoint in some dimension.
  absl::Status CheckPopulations() const {
    for (std::size_t a = 0; a < plan_.tables.size(); ++a) {
      for (std::size_t b = a + 1; b < plan_.tables.size(); ++b) {
        const PlannedTable& one = plan_.tables[a];
        const PlannedTable& two = plan_.tables[b];
        if (one.is_linkage_rate || two.is_linkage_rate) continue;
        std::string differs;
        bool disjoint = false;
        for (const auto& [first, second] : {std::pair(&one, &two), std::pair(&two, &one)}) {
          for (const PlannedFilter& filter : first->population) {
            const auto match = std::find_if(second->population.begin(), second->population.end(),
                                            [&](const PlannedFilter& f) { return f.dimension == filter.dimension; });
            if (match == second->population.end()) {
              if (std::find(filter.leaves.begin(), filter.leaves.end(), false) != filter.leaves.end()) {
                differs = filter.dimension;
              }
              continue;
            }
            if (match->leaves == filter.leaves) continue;
            differs = filter.dimension;
            bool overlap = false;
            for (std::size_t i = 0; i < filter.leaves.size(); ++i) {
              overlap = overlap || (filter.leaves[i] && match->leaves[i]);
            }
            disjoint = disjoint || !overlap;
          }
        }
        if (!differs.empty() && !disjoint) {
          return Invalid("tables " + one.name + " and " + two.name +
                         ": their populations overlap without being equal; ask for one table with dimension " +
                         differs);
        }
      }
    }
    return absl::OkStatus();
  }

  const Permit& permit_;
  const std::map<std::string, std::string>& attachments_;
  const PlanLimits& limits_;
  TablePlan plan_;
  std::map<std::pair<int, std::string>, int> filled_by_;
  std::map<std::pair<std::string, std::string>, std::vector<std::int32_t>> leaves_of_;  // by dimension and code
};

}  // namespace

std::int64_t PlannedTable::Cells() const {
  std::int64_t cells = 1;
  for (const PlannedDimension& dimension : dimensions) cells *= dimension.hierarchy.size();
  return cells;
}

absl::StatusOr<TablePlan> PlanTables(const TableRequest& request, const Permit& permit,
                                     const std::map<std::string, std::string>& attachments, const PlanLimits& limits) {
  return Planner(permit, attachments, limits).Run(request);
}

absl::Status CheckMethods(const TablePlan& plan, const RuleSet& rules) {
  const auto check = [&rules](const std::string& measure, const std::string& method, bool is_count) -> absl::Status {
    if (method == kSuppressionMethod) {
      if (HasPrimaryRule(rules)) return absl::OkStatus();
      return absl::PermissionDeniedError("measure " + measure +
                                         ": the rule set allows no suppression; name one of its methods");
    }
    const auto found = rules.methods.find(method);
    if (found == rules.methods.end()) {
      return absl::PermissionDeniedError("measure " + measure + ": the rule set has no method " + method);
    }
    if (is_count ? IsForCounts(found->second) : IsForAmounts(found->second)) return absl::OkStatus();
    return Invalid("measure " + measure + ": method " + method + (is_count ? " is for amounts" : " is for counts"));
  };
  SLUIS_RETURN_IF_ERROR(check(plan.count_measure, plan.count_method, true));
  for (const PlannedAmount& amount : plan.amounts) {
    SLUIS_RETURN_IF_ERROR(check(amount.name, amount.method, false));
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
