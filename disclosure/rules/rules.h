#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

// Primary rules: which cells are sensitive by themselves, and how wide an interval must protect each. Exact integer
// arithmetic; rounding is always outwards, to the wider interval. No rule and no parameter has a default: the permit
// names them.

namespace sluis::disclosure {

// Fewer than `threshold` contributors (but at least one) make a cell sensitive, in every measure.
// Protection: `count_range` units either way in a count, `amount_range_percent` of the total either way in an amount.
struct MinimumFrequencyRule {
  int64_t threshold = 0;             // 2 .. 1'000'000
  int64_t count_range = 0;           // 1 .. 1'000'000
  int32_t amount_range_percent = 0;  // 1 .. 100
};

// The n largest contributions are more than k% of the total.
struct DominanceRule {
  int32_t n = 0;          // 1 .. the contributions kept per cell
  int32_t k_percent = 0;  // 1 .. 99
};

// The second largest contributor can bound the largest to within p%.
struct PPercentRule {
  int32_t p = 0;  // 1 .. 100
};

// The same, where everybody knows everybody's contribution to within q% beforehand. p% is p/q with q = 100.
struct PriorPosteriorRule {
  int32_t p = 0;  // 1 .. q - 1
  int32_t q = 0;  // 2 .. 100
};

struct RuleSet {
  std::optional<MinimumFrequencyRule> minimum_frequency = std::nullopt;
  std::vector<DominanceRule> dominance = {};  // at most 2
  std::optional<PPercentRule> p_percent = std::nullopt;
  std::optional<PriorPosteriorRule> prior_posterior = std::nullopt;
};

// What the rules need to know of each cell. Contributions are per *holding*: the records of one contributor (an
// enterprise group, a person) are one contribution, so that a holding cannot hide behind its own parts.
struct CellContributions {
  std::vector<int64_t> contributors;  // per cell: distinct holdings
  std::vector<int64_t> total;         // per cell: the measure's value, 0 .. kMaxAmount
  int32_t top_per_cell = 0;           // contributions kept per cell, 0 .. 64
  std::vector<int64_t> top;           // cell i: [i * top_per_cell, (i + 1) * top_per_cell), descending, 0 where absent
};

// What kind of response variable a measure is.
enum class MeasureKind {
  kCount,   // number of units; only the minimum frequency rule applies
  kAmount,  // sum of non-negative amounts; all rules apply
};

// One cell's status under the rules.
struct PrimaryStatus {
  PrimaryReason reason = PrimaryReason::kNone;
  int64_t lower_level = 0;
  int64_t upper_level = 0;
};

// Returns OK if every parameter of `rules` is in its range and the set names at least one rule; otherwise
// INVALID_ARGUMENT naming the rule. `top_per_cell`: contributions that will be known per cell.
[[nodiscard]] absl::Status ValidateRules(const RuleSet& rules, int32_t top_per_cell);

// Returns, for each cell, whether it is primary and how far an attacker's interval must reach below and above the
// value.
//
// With X the total, x1 >= x2 >= ... the contributions, n the contributors and R = X - x1 - x2, a cell is sensitive by
//   minimum frequency  if 0 < n < threshold:            width = count_range, or ceil(percent * X / 100)
//   (n,k) dominance    if 100 * (x1 + .. + xn) > k * X: width = ceil(100 * (x1 + .. + xn) / k) - X
//   p%                 if 100 * R < p * x1:             width = ceil(p * x1 / 100) - R
//   p/q                if q * R < p * x1:               width = ceil(p * x1 / q) - R
// The upper level is the largest width of the rules that hold, at least 1; the lower level the same, at most X. The
// reason is the first rule that holds, in the order above. A cell that is sensitive by frequency is so whatever X is, 0
// included. Example: X 1000, x1 600, x2 300, p 20 -> R 100 < 120: width 20, the interval must cover [980, 1020].
//
// Errors (all or nothing; the message names the cell index, never an amount):
//   INVALID_ARGUMENT  the rules are invalid; vectors of unequal length; a negative contributor number; a total or
//                     contribution outside 0 .. 2^50; contributions not descending, adding up to more than the total,
//                     more than there are contributors, or to less than the total though all contributors are shown
//   OUT_OF_RANGE      a protection level is above 2^50
// Does not treat colluding contributors as one, nor a contributor of several cells; group by holding first.
// Pure, thread-safe, O(cells * top_per_cell). Not constant-time.
// Source: Hundepool et al., Statistical Disclosure Control (2012), ch. 4; the levels as in tau-ARGUS.
[[nodiscard]] absl::StatusOr<std::vector<PrimaryStatus>> EvaluateRules(const CellContributions& cells, MeasureKind kind,
                                                                       const RuleSet& rules);

// Writes `status` into measure `measure` of `system`. Errors: INVALID_ARGUMENT if the length is not the number of cells
// or there is no such measure.
[[nodiscard]] absl::Status ApplyStatus(std::span<const PrimaryStatus> status, int32_t measure, CellSystem& system);

}  // namespace sluis::disclosure
