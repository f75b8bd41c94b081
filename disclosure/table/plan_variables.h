#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/table/plan.h"
#include "disclosure/table/request.h"

namespace sluis::disclosure {

// True if `name` is [a-z][a-z0-9_]{0,62}; with `dash`, '-' instead of '_'.
[[nodiscard]] bool IsName(const std::string& name, bool dash = false);

// Returns the index of the register, or of its field. Errors: PERMISSION_DENIED naming what the permit lacks.
[[nodiscard]] absl::StatusOr<int> RegisterIndex(const common::Permit& permit, const std::string& name);
[[nodiscard]] absl::StatusOr<int> FieldIndex(const common::Permit& permit, int register_index, const std::string& field,
                                             common::FieldType type, const char* expected);

// Returns the variables of a request with names resolved, types checked and code sets worked out. Errors: as
// PlanTables.
[[nodiscard]] absl::StatusOr<std::vector<PlannedVariable>> PlanVariables(
    const std::vector<DerivedVariable>& variables, const common::Permit& permit,
    const std::map<std::string, std::string>& attachments);

}  // namespace sluis::disclosure
