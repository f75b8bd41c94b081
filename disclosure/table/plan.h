#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/rules/rules.h"
#include "disclosure/table/hierarchy.h"
#include "disclosure/table/request.h"

// A table request checked against the permit, with every name resolved. Planning looks at the permit and the request
// only, never at data, so that its errors say nothing about anybody.

namespace sluis::disclosure {

enum class ValueKind { kCode, kDate, kInteger };

// Where a variable takes its values from: a field of a register, or a variable before it.
struct VariableInput {
  int register_index = -1;
  int field = -1;
  int variable = -1;  // >= 0: that variable, and `field` is -1
};

struct PlannedVariable {
  DerivedVariable definition{};
  int scope = 0;  // index in Permit::registers: whose rows it describes
  ValueKind kind = ValueKind::kCode;
  std::vector<std::string> codes{};     // kCode: what it may be, besides missing
  std::set<std::string> sources{};      // "register.field" of everything that flows into it
  std::vector<VariableInput> inputs{};  // in the order of the rule's inputs, then its register fields
  std::vector<std::uint16_t> mapped{};  // CodeMapping: for each code of the input, the position in `codes`
};

// Codes of a variable as leaves of a tree. kOutsidePopulation: such a record is not in the table.
inline constexpr std::int32_t kOutsidePopulation = -1;
inline constexpr std::int32_t kNoPlace = -2;  // the hierarchy has no "_U": a missing value is an error

struct PlannedDimension {
  std::string name{};
  int variable = -1;      // -1: the link status of a record
  Hierarchy hierarchy{};  // restricted to the population
  std::vector<std::int32_t> leaf_of_code{};
  std::int32_t leaf_of_missing = kNoPlace;
  // Of each leaf, its number in the dimension's first hierarchy as a whole: what tells leaves of two groupings apart.
  std::vector<std::int32_t> first_leaf{};
};

struct PlannedFilter {
  std::string dimension{};
  int variable = 0;
  std::vector<bool> leaves{};                // of the dimension's whole first hierarchy; true: in the population
  std::vector<std::int32_t> leaf_of_code{};  // in the same
  std::int32_t leaf_of_missing = kNoPlace;
};

// A sum over the rows of one register; the count of persons is not among these.
struct PlannedAmount {
  std::string name{}, unit{};
  int register_index = 0;
  int field = 0;
  int start = -1, end = -1;  // date fields; -1: all rows
  common::Day date = 0;
  int holding = -1;                         // token field; -1: each person is a contributor of its own
  std::string method = kSuppressionMethod;  // by which the variable is protected, wherever it stands
};

struct PlannedTable {
  std::string name{};
  bool is_linkage_rate = false;
  int unit_register = 0;  // whose rows are counted; the backbone unless it is a linkage rate
  std::vector<PlannedFilter> population{};
  std::vector<PlannedDimension> dimensions{};
  std::vector<std::string> measures{};  // asked for: names among count_measure and amounts

  // The number of cells: the product of the nodes of all dimensions.
  [[nodiscard]] std::int64_t Cells() const;
};

struct TablePlan {
  std::string request_id{};
  std::vector<PlannedVariable> variables{};
  std::vector<PlannedTable> tables{};  // the tables asked for, then the linkage rates in the order of the request
  std::string count_measure{}, count_unit{};      // name under which persons and records are counted
  int count_holding = -1;                         // token field of the backbone, such as the household; -1: none
  std::string count_method = kSuppressionMethod;  // also of the linkage rates
  std::vector<PlannedAmount> amounts{};  // of all tables: they are protected together in every cell of the request
};

struct PlanLimits {
  std::int64_t max_cells = std::int64_t{1} << 22;  // of one table, totals included
  int max_variables = 200;
  int max_tables = 50;
};

// Names of the built-in dimension of linkage-rate tables and its codes.
inline constexpr char kLinkStatusDimension[] = "link_status";
inline constexpr char kLinkedCode[] = "linked";
inline constexpr char kUnlinkedCode[] = "unlinked";
inline constexpr char kTotalCode[] = "_T";

// Returns the plan of `request` under `permit`. `attachments`: name -> bytes of all attachments of the permit.
//
// Errors (the message names the item of the request):
//   PERMISSION_DENIED  another permit or rule set; a register, field, dimension, measure or attachment that the permit
//                      lacks; a dimension made from a field, or broken down by a grouping, that the permit does not
//                      list for it
//   INVALID_ARGUMENT   malformed or repeated names; a variable used before it is declared; inputs of the wrong type or
//                      of different scopes; a code that its hierarchy lacks or that is an inner node; groupings of
//                      other leaves, or with one code for different leaves; no table; two
//                      variables for one dimension, or one sum over different rows, in the tables of a request; tables
//                      whose populations overlap without being equal (their difference would be a cell that nobody
//                      protects: ask for one table with that variable as a dimension)
//   RESOURCE_EXHAUSTED more than the limits
[[nodiscard]] absl::StatusOr<TablePlan> PlanTables(const TableRequest& request, const common::Permit& permit,
                                                   const std::map<std::string, std::string>& attachments,
                                                   const PlanLimits& limits = {});

// Returns OK if `rules`, the permit's rule set, allow the method of every variable of `plan`: suppression where they
// have a primary rule, others by name where they are for counts or amounts, whichever the variable is. Errors:
// PERMISSION_DENIED if the rule set lacks a method; INVALID_ARGUMENT if it is not for such a variable.
[[nodiscard]] absl::Status CheckMethods(const TablePlan& plan, const RuleSet& rules);

}  // namespace sluis::disclosure
