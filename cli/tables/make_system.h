#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

namespace sluis::cli {

// What the suppression of a cell loses. A cost column of the file stands above all of these.
enum class CostKind {
  kValue,      // its value
  kUnit,       // 1, whichever cell
  kFrequency,  // its contributors
  kLog,        // 1000 * ln(1 + value), rounded
};

// Errors: INVALID_ARGUMENT for anything but value, unit, frequency and log.
[[nodiscard]] absl::StatusOr<CostKind> ParseCostKind(std::string_view name);
[[nodiscard]] std::string_view CostKindName(CostKind kind);

struct SystemOptions {
  CostKind cost = CostKind::kValue;
  // Which cells are primary; else the levels that the table declares.
  std::optional<disclosure::RuleSet> rules = std::nullopt;
  // Beside declared levels: against whom they hold. Rules say it themselves.
  std::optional<disclosure::ContributorRule> contributors = std::nullopt;
};

// Returns the system of one measure that `table` describes, ready to be protected or attacked: exactly additive, with
// primary cells and levels from the rules or from the table, costs, empty cells published, and what the attacker knows
// beforehand (0 .. the largest value). A cell that must be suppressed is primary with an upper level of 1.
//
// Errors (INVALID_ARGUMENT, with the coordinates of the first cell concerned, never a value): a value is not known; a
// sum does not add up; neither rules nor declared levels; a rule that is not applied here (group disclosure,
// requests; sums of suppressed cells are a rule for patterns); rules that need contributors or largest contributions
// that the table does not have; contributions that contradict the value; a level at a cell that is not primary, no
// level at one that is, or a lower level above the value; a primary cell that must be published; protection against
// contributors without their numbers, or with names that contradict these.
[[nodiscard]] absl::StatusOr<disclosure::CellSystem> MakeSystem(const CellTable& table, const SystemOptions& options);

// Returns how many of the largest contributions of a cell `rules` look at: at least 2 where they look at any.
[[nodiscard]] std::int32_t ContributionsNeeded(const disclosure::RuleSet& rules);

// Returns what a reader of the published file sees: the values of suppressed cells are not looked at. `pattern`: one
// entry per cell, 1: suppressed.
// Errors: INVALID_ARGUMENT if a cell that is published has no value, or a sum of published cells does not add up.
[[nodiscard]] absl::StatusOr<std::vector<std::int64_t>> PublishedValues(const CellTable& table,
                                                                        std::span<const std::uint8_t> pattern);

// Returns `status` with each "cell N" in its message replaced by what the files call that cell.
[[nodiscard]] absl::Status NameCells(const absl::Status& status, const CellTable& table);

}  // namespace sluis::cli
