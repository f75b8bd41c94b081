#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/ledger/base_values.h"
#include "disclosure/ledger/ledger_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/table/plan.h"

namespace sluis::disclosure {

// What tables say about whom, whatever their permit calls it: all that the ledger needs to know of a release besides
// its numbers.
struct LedgerDescription {
  LedgerRegister backbone;
  std::vector<LedgerRegister> registers;  // all that the tables are made of, the backbone too; ascending
  std::vector<LedgerTable> tables;        // of the plan, in its order, without numbers
  std::vector<std::string> measure_keys;  // of the count and of each amount of the plan: LedgerMeasure::key
};

// What decides on the values of variables with another method than suppression.
struct MethodSource {
  const RuleSet& rules;         // name the methods of the plan
  std::string rule_set_sha256;  // two rule sets may give one name to different methods
  std::string draws;            // equal where the same records have the same draws: the project and its link set
};

// Returns the description of `plan`, which was made under `permit` with `attachments`. Errors: INVALID_ARGUMENT for a
// plan that PlanTables cannot have made.
[[nodiscard]] absl::StatusOr<LedgerDescription> Describe(const TablePlan& plan, const common::Permit& permit,
                                                         const std::map<std::string, std::string>& attachments,
                                                         const MethodSource& methods);

}  // namespace sluis::disclosure
