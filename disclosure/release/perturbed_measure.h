#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "disclosure/perturb/perturb.h"
#include "disclosure/rules/rules.h"
#include "disclosure/table/build_system.h"

namespace sluis::disclosure {

// A response variable of a request that another method than suppression protects.
struct PerturbedMeasure {
  std::int32_t measure = 0;          // in the request's system
  std::string method;                // its name in the rule set
  PerturbedValues values;            // of the cells of the tables
  std::vector<std::uint64_t> draws;  // as MakeDraws; they reveal neither secret nor keys
  std::string table;                 // of probabilities, as WriteTable writes it; empty: the method has none
  // Per cell: 1 if its value is not published, because from it with others a true value could be told.
  std::vector<std::uint8_t> withheld;
};

// Returns the perturbed measures of `plan`, in the order of the system's, nothing withheld.
//
// `request`: as BuildSystem made it of `plan` and `rules`; with cell keys if NeedsRecordKeys. `secret`: the gate's for
// draws, at least 16 bytes; may be null if no method needs it. A draw depends on it, on the variable (what is counted
// or summed, over which rows) and on the set of records in the cell. Errors: as CheckMethods and Perturb;
// INVALID_ARGUMENT if keys or the secret are missing.
[[nodiscard]] absl::StatusOr<std::vector<PerturbedMeasure>> PerturbMeasures(const TablePlan& plan,
                                                                            const RequestSystem& request,
                                                                            const RuleSet& rules,
                                                                            const common::SecretBytes* secret);

// Whether any variable of `plan` needs draws, and so the tables need record keys. Precondition: CheckMethods is OK.
[[nodiscard]] bool NeedsRecordKeys(const TablePlan& plan, const RuleSet& rules);

// Returns OK if `perturbed` is what `rules` make of the true values in `request`. For auditors: see CheckPerturbed.
// Errors: FAILED_PRECONDITION; INVALID_ARGUMENT if it is malformed.
[[nodiscard]] absl::Status VerifyPerturbed(const RequestSystem& request, const RuleSet& rules,
                                           const PerturbedMeasure& perturbed);

}  // namespace sluis::disclosure
