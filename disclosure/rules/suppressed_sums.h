#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

// The sum of the suppressed parts of a published total can be had by subtraction: together they are one cell that is
// published after all, and must have enough contributors like any other.

namespace sluis::disclosure {

// Returns the relations, ascending, whose total is published and whose suppressed parts together have at least one
// contributor, but fewer than rule.threshold. `pattern`: 1 suppressed; `contributors`: per cell, as they
// count for the minimum frequency. A contributor of several parts counts in each: group by holding and leave no part to
// such contributors alone, or use numbers of records. Cells after the last entry of `contributors` are nobody's table
// (see AppendUnpublishedCell), and their relations are passed over.
// Errors: INVALID_ARGUMENT if the rule is out of range or the pattern is shorter than `contributors`.
// Pure; O(entries of the relations).
// Source: github.com/sdcTools/UserSupport, issue 307: tau-ARGUS' Optimal looks at this sum, its Modular does not.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> FindShortSums(const Relations& relations,
                                                                 std::span<const uint8_t> pattern,
                                                                 std::span<const int64_t> contributors,
                                                                 const MinimumFrequencyRule& rule);

// Adds to `system`, for each of `short_sums`, a cell that is the sum of the parts that `pattern` suppresses there, with
// the relation that says so, primary in `measure` by frequency with the rule's width either way (downwards at most the
// sum). Under a pattern that protects the new system the sum is no longer known: something else in that relation is
// suppressed as well. Repeat with FindShortSums until it finds nothing: each round makes the sets of suppressed parts
// larger, so that it ends.
// Call SetUpperBounds after. Errors: INVALID_ARGUMENT if a relation or the measure does not exist, or the pattern
// suppresses none of its parts; RESOURCE_EXHAUSTED above 2^31 - 1 cells.
[[nodiscard]] absl::Status ProtectSums(std::span<const int64_t> short_sums, std::span<const uint8_t> pattern,
                                       int32_t measure, MeasureKind kind, const MinimumFrequencyRule& rule,
                                       CellSystem& system);

}  // namespace sluis::disclosure
