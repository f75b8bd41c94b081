#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/table/columns.h"
#include "disclosure/table/plan.h"

namespace sluis::disclosure {

// The values of one variable, an entry for each row of its scope's register; one vector is filled, by its kind.
struct DerivedColumn {
  std::vector<std::uint16_t> codes;   // positions in PlannedVariable::codes; common::kMissingCode: missing
  std::vector<std::int64_t> numbers;  // dates (days since 1970-01-01) and integers; common::kMissingInteger: missing
};

// Returns the values of `variables`, in their order. `registers`: the opened registers, in the order of the permit that
// the variables were planned under. Rows that no person was found for do not flow into summaries.
// Errors: INVALID_ARGUMENT if `registers` are not the permit's, or a row names a person whom the backbone lacks;
// OUT_OF_RANGE if a sum over the rows of one person does not fit 64 bits. Messages name variable and register.
// O(rows of all registers * variables); thread-safe.
[[nodiscard]] absl::StatusOr<std::vector<DerivedColumn>> DeriveColumns(std::span<const PlannedVariable> variables,
                                                                       std::span<const RegisterColumns> registers);

// Returns, for each row of `reg`, whether it holds on `date`: start <= date, and date <= end or no end.
// `start`, `end`: indices of date fields.
[[nodiscard]] std::vector<std::uint8_t> RowsCovering(const RegisterColumns& reg, int start, int end, common::Day date);

}  // namespace sluis::disclosure
