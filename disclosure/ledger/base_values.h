#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/ledger/value_set.h"
#include "disclosure/table/plan.h"

// The variables of a plan, traced back to the columns of registers, so that variables of different permits and requests
// can be compared: by which values of which column a code stands for.

namespace sluis::disclosure {

// The value of a record of which the column, or the variable, says nothing.
inline constexpr char kMissingValue[] = "?";
inline constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

// A register as the ledger knows it, whatever permit names it.
struct LedgerRegister {
  std::string custodian, name;
  std::string period;  // what its rows are about, as the permit says; empty if it does not say

  friend auto operator<=>(const LedgerRegister&, const LedgerRegister&) = default;
};
[[nodiscard]] LedgerRegister RegisterOf(const common::PermitRegister& reg);
// Returns the text that stands for a register in keys.
[[nodiscard]] std::string KeyOf(const LedgerRegister& reg);

// One variable in terms of a base variable: a column of a register, or its own definition where it is made of several.
struct BaseValues {
  std::string variable;  // these four as in LedgerAxis
  std::vector<std::string> columns;
  std::string refinement, apart;
  std::vector<ValueSet> codes;  // for each of its codes, if it has codes
  ValueSet missing;             // records of which it says nothing
};

// Returns the base values of each variable of `plan`, which was made under `permit` with `attachments`. Errors:
// INVALID_ARGUMENT as PlanTables, for a plan that it cannot have made.
[[nodiscard]] absl::StatusOr<std::vector<BaseValues>> TraceVariables(
    const TablePlan& plan, const common::Permit& permit, const std::map<std::string, std::string>& attachments);

// Returns the union of two sets of one base variable. Of two sets of `others` it keeps those that neither leaves out.
[[nodiscard]] ValueSet Union(const ValueSet& a, const ValueSet& b);

}  // namespace sluis::disclosure
