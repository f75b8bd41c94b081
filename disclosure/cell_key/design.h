#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/cell_key/perturbation_table.h"

// What a design demands of each row; shared by the design of tables and their check.

namespace sluis::disclosure {

// Errors: INVALID_ARGUMENT naming the parameter and its range.
[[nodiscard]] absl::Status CheckDesign(const PerturbationDesign& design);

// Rows from 0 to the first number whose changes are not limited by 0 or the gap.
[[nodiscard]] inline int32_t NumRows(const PerturbationDesign& design) {
  return design.max_change + (design.gap > 0 ? design.gap + 1 : 0) + 1;
}

// Returns the changes that the design allows to the number `row`, in 1 / steps, ascending.
[[nodiscard]] std::vector<int32_t> AllowedChanges(const PerturbationDesign& design, int32_t row);

// The variance in 1 / steps^2 and 1 / kWhole.
[[nodiscard]] int64_t SecondMomentUnits(const PerturbationDesign& design);

// Returns whether no change is as likely, and probabilities fall as monotonely, as the design demands. `allowed`: of
// this row; changes that `row` does not name have probability 0.
[[nodiscard]] bool KeepsShape(const PerturbationDesign& design, const std::vector<int32_t>& allowed,
                              const PerturbationRow& row);

}  // namespace sluis::disclosure
