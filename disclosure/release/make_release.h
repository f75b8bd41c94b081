#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/release/perturbed_measure.h"
#include "disclosure/release/released_table.h"
#include "disclosure/table/build_system.h"
#include "disclosure/table/plan.h"

namespace sluis::disclosure {

// Returns the tables of `plan` as they may leave under `pattern` (one entry per cell of request.system; 1: suppressed):
// suppressed values are gone, in every measure that is suppressed, and of the others only the measures that were asked
// for are there. `perturbed`: the values of the other measures, with their methods in `rules`; withheld ones are gone.
//
// Errors: INVALID_ARGUMENT if the pattern has another length; FAILED_PRECONDITION if it leaves a primary cell in sight.
// Does not check that the pattern protects: that is for the certificate and the attack, before this call.
[[nodiscard]] absl::StatusOr<std::vector<ReleasedTable>> MakeReleasedTables(
    const TablePlan& plan, const RequestSystem& request, std::span<const std::uint8_t> pattern,
    std::span<const PerturbedMeasure> perturbed = {}, const RuleSet& rules = {});

// How many records of a register were found on the backbone, of those with one code (or all).
struct LinkageRate {
  std::string code, label;  // of the variable by which the rate is broken down; the total's if it is not
  int level = 0;
  std::optional<std::int64_t> linked, unlinked, records;
  std::optional<std::int64_t> per_mille;  // linked / records, rounded to the nearest; absent unless all three are there
};

// True if `table` has the dimension link_status and so is a linkage rate.
[[nodiscard]] bool IsLinkageRate(const ReleasedTable& table);

// Returns the rates of a linkage-rate table, a row for each code of its other dimension, or one row. Empty if it is
// none.
[[nodiscard]] std::vector<LinkageRate> LinkageRates(const ReleasedTable& table);

}  // namespace sluis::disclosure
