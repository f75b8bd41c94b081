#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/ledger/ledger_table.h"
#include "disclosure/ledger/plane.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

// The tables of a request together with all that was released before and says something about them.

namespace sluis::disclosure {

// The reasons (common::ReasonOf) of refusals that earlier releases cause.
inline constexpr char kContradictsRelease[] = "CONTRADICTS_RELEASE";
inline constexpr char kOtherMethodReleased[] = "OTHER_METHOD_RELEASED";
inline constexpr char kReleaseForgotten[] = "RELEASE_FORGOTTEN";

struct JoinInput {
  const CellSystem& own;                               // of the request
  std::span<const std::string> measure_keys;           // of each measure of `own`, its LedgerMeasure::key
  std::span<const LedgerTable> tables;                 // of the request; `published` and levels are not read
  std::span<const std::vector<std::int32_t>> cell_of;  // of each table, of each cell: the cell of `own`
  std::span<const LedgerTable> earlier;                // released before, in any project
  const RuleSet& rules;                                // what a difference of two tables must obey
};

struct JointSystem {
  // The cells of the request first, with their numbers and all that is theirs. Then, for each response variable apart,
  // the cells of earlier releases and the differences between tables: never shown, cost 0. What was published is not
  // suppressible. A further cell takes part in one measure; in the others it is 0 and everybody knows it.
  CellSystem system;
  std::int32_t own_cells = 0;
  std::vector<std::string> releases;  // that the request must be protected against; sorted, distinct
};

// Returns the joint system. A pattern that protects it, restricted to the first `own_cells` cells, protects all cells
// of the request and of earlier releases, and the differences that README.md names, against somebody who has all of it.
// It is not enough for sets that take three or more cells of different tables to single out ("Not covered" there).
//
// Differences (see CloseLine and Plane) obey `rules` as tables do: frequency by a number of contributors that is not
// above the true one, concentration by contributions that are not below the true ones. A difference that the earlier
// releases alone give away is not asked for again: what is published stays known.
//
// Errors; the message names an earlier release, never a cell:
//   INVALID_ARGUMENT     tables that are not as their headers say
//   FAILED_PRECONDITION  CONTRADICTS_RELEASE: an earlier release has other values for the same records
//                        OTHER_METHOD_RELEASED: a response variable was released by another method
//                        RELEASE_FORGOTTEN: the suppressed values of an overlapping release are destroyed, so that
//                        nobody can tell what the request would add; only cells that it published may be asked for
//   RESOURCE_EXHAUSTED   too many cells, or sets too tangled
// Deterministic. Cost: see README.md.
[[nodiscard]] absl::StatusOr<JointSystem> Join(const JoinInput& input, const PlaneLimits& limits);

// Sets upper bounds as SetUpperBounds does, but leaves cells at 0 that take no part in a measure. After cells were
// appended to the system of a JointSystem.
void SetJointUpperBounds(CellSystem& system);

}  // namespace sluis::disclosure
