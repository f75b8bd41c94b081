#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/perturb/method.h"
#include "disclosure/system/system.h"

// Primary rules: which cells are sensitive by themselves, and how wide an interval must protect each. Exact integer
// arithmetic; rounding is always outwards, to the wider interval. No rule and no parameter has a default: the permit
// names them.

namespace sluis::disclosure {

// Fewer than `threshold` contributors (but at least one) make a cell sensitive, in every measure.
// Protection: `count_range` units either way in a count; in an amount the wider of `amount_range_percent` of the total
// and `amount_range` units of the measure, of which one may be 0.
struct MinimumFrequencyRule {
  int64_t threshold = 0;             // 2 .. 1'000'000
  int64_t count_range = 0;           // 1 .. 1'000'000
  int32_t amount_range_percent = 0;  // 0 .. 100
  int64_t amount_range = 0;          // 0 .. 2^50
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

// A contributor who asked for protection holds more than g% of the total. The rule of statistics in which protection is
// given on request only (foreign trade), where it stands instead of the rules above.
struct RequestRule {
  int32_t g_percent = 0;  // 1 .. 99
};

// A cell of value 0 is sensitive, because it says of everybody there (or of everybody: that nobody is there) what they
// contribute. Cells that are structurally empty, so that everybody knows the 0 beforehand, never are.
// Without this rule a 0 is published. Protection is upwards only: by `count_range` in a count, `amount_range` in an
// amount.
struct ZeroCellRule {
  int64_t count_range = 0;   // 1 .. 1'000'000
  int64_t amount_range = 0;  // 1 .. 2^50
};

// One category holds at least `percent` of a total of `from_total` units or more: who is known to belong to the total
// is then known, or nearly, to have the category. See group_disclosure.h.
struct GroupDisclosureRule {
  int32_t percent = 0;     // 51 .. 100; 100: only where all are in one category
  int64_t from_total = 0;  // 1 .. 1'000'000
};

// Contributors are attackers too: one who alone makes up a cell knows it. Who tells each other: coalitions of up to
// `coalition` contributors. See disclosure/system/contributors.h.
struct ContributorRule {
  ContributorProtection protection = ContributorProtection::kNone;  // kExact or kLevel
  int32_t coalition = 0;                                            // 1 .. kMaxCoalition
  // Who contributes at least so much of a cell is taken to use also that the cell is not below the own share; 0:
  // nobody.
  int32_t share_percent = 0;  // 0 .. 100
};

struct RuleSet {
  std::optional<MinimumFrequencyRule> minimum_frequency = std::nullopt;
  std::vector<DominanceRule> dominance = {};  // at most 2
  std::optional<PPercentRule> p_percent = std::nullopt;
  std::optional<PriorPosteriorRule> prior_posterior = std::nullopt;
  std::optional<RequestRule> request = std::nullopt;
  std::optional<ZeroCellRule> zero_cells = std::nullopt;
  std::optional<GroupDisclosureRule> group_disclosure = std::nullopt;
  // The suppressed parts of a published total together have at least `threshold` contributors, because their sum can be
  // had by subtraction; a sum that falls short is protected like a cell. A rule for patterns: see suppressed_sums.h.
  std::optional<MinimumFrequencyRule> suppressed_sum = std::nullopt;
  // Against whom the levels hold beside outsiders. Without: against nobody else.
  std::optional<ContributorRule> contributors = std::nullopt;
  // What a request may choose for a variable instead of suppression, by name. The rules above are for variables that
  // are suppressed; of the others the noise of amounts alone asks which cells are sensitive.
  std::map<std::string, ProtectionMethod> methods = {};
};

// Weights are whole numbers of millionths.
inline constexpr int64_t kWeightOne = 1'000'000;
inline constexpr int64_t kMaxWeight = 1'000'000 * kWeightOne;

// What the rules need to know of each cell. Contributions are per *holding*: the records of one contributor (an
// enterprise group, a person) are one contribution, so that a holding cannot hide behind its own parts.
struct CellContributions {
  std::vector<int64_t> contributors = {};  // per cell: distinct holdings, not weighted
  std::vector<int64_t> total = {};         // per cell: the measure's value, 0 .. kMaxAmount unless there are floors
  int32_t top_per_cell = 0;                // contributions kept per cell, 0 .. 64
  // Cell i: [i * top_per_cell, (i + 1) * top_per_cell): magnitudes of the largest contributions, descending, 0 where
  // absent.
  std::vector<int64_t> top = {};

  // Each of the following is empty, or as long as said. `contributions.h` fills in those that are needed.
  std::vector<int64_t> top_weight = {};  // as `top`: kWeightOne .. kMaxWeight where there is one. Empty: no weights
  std::vector<int64_t> magnitude = {};  // per cell: sum of |contribution|. Empty: none is negative, and it is the total
  std::vector<int64_t> floor = {};      // per cell: what everybody knows the total not to be below. Empty: 0
  std::vector<int64_t> largest_asking =
      {};                                // per cell: largest magnitude of a contributor who asked for protection, or 0
  std::vector<uint8_t> structural = {};  // per cell: 1 if everybody knows that nobody can contribute. Empty: none
};

// What kind of response variable a measure is.
enum class MeasureKind {
  kCount,   // number of units; the rules of minimum frequency and of zero cells apply
  kAmount,  // sum of amounts; all rules apply
};

// One cell's status under the rules.
struct PrimaryStatus {
  PrimaryReason reason = PrimaryReason::kNone;
  int64_t lower_level = 0;
  int64_t upper_level = 0;
};

// Whether the set names a rule that makes cells sensitive. One that names methods only allows no suppression.
[[nodiscard]] bool HasPrimaryRule(const RuleSet& rules);

// Returns OK if every parameter of `rules` is in its range and the set names at least one rule for cells; otherwise
// INVALID_ARGUMENT naming the rule. `top_per_cell`: contributions that will be known per cell.
[[nodiscard]] absl::Status ValidateRules(const RuleSet& rules, int32_t top_per_cell);

// Returns, for each cell, whether it is primary and how far an attacker's interval must reach below and above the
// value.
//
// With X the sum of the magnitudes of all contributions (the total, where none is negative), x1 >= x2 >= ... their
// magnitudes, n the contributors and R = X - x1 - x2, a cell is sensitive by
//   minimum frequency  if 0 < n < threshold:            width = count_range, or max(ceil(percent * X / 100),
//   amount_range) (n,k) dominance    if 100 * (x1 + .. + xn) > k * X: width = ceil(100 * (x1 + .. + xn) / k) - X p% if
//   100 * R < p * x1:             width = ceil(p * x1 / 100) - R p/q                if q * R < p * x1: width = ceil(p *
//   x1 / q) - R request            if 100 * xa > g * X, xa the largest who asks:  width = ceil(100 * xa / g) - X zero
//   cell          if X = 0 and not structural:     width = count_range, or amount_range
// The upper level is the largest width of the rules that hold, at least 1; the lower level the same, at most the total
// less its floor. The reason is the first rule that holds, in the order above. A cell that is sensitive by frequency is
// so whatever X is, 0 included. Example: X 1000, x1 600, x2 300, p 20 -> R 100 < 120: width 20, the interval must cover
// [980, 1020]. Group disclosure and the rule of suppressed sums are about relations and are not looked at here.
//
// Weights: a contributor of weight w counts as w contributors of its value, side by side in the order of size. x1 is
// what the first of them contribute, up to a weight of 1; x2 what those from 1 to 2 contribute, a broken weight giving
// the broken part: weight 1.4 at 100, then 60 -> x1 = 100, x2 = 0.4 * 100 + 0.6 * 60 = 76. X is the weighted total, n
// is not weighted. All in exact fractions; R is taken as 0 where rounding of X made it negative.
// Negative contributions count by their magnitude: whoever knows each of the others to within q% of its magnitude knows
// their sum to within q% of R, whatever the signs.
//
// Errors (all or nothing; the message names the cell index, never an amount):
//   INVALID_ARGUMENT  the rules are invalid; vectors of unequal length; a negative contributor number; a total,
//                     magnitude or contribution outside its range; contributions not descending, adding up to more than
//                     X, more than there are contributors, or (unweighted) to less than X though all contributors are
//                     shown; a weight outside its range; a floor above the total, a magnitude below it; a structurally
//                     empty cell with contributors; the request rule without largest_asking
//   OUT_OF_RANGE      a protection level is above 2^50
// Does not treat colluding contributors as one, nor a contributor of several cells; group by holding first.
// Pure, thread-safe, O(cells * top_per_cell). Not constant-time.
// Sources: Hundepool et al., Statistical Disclosure Control (2012), ch. 4, weights p. 151; the levels and the request
// rule as in tau-ARGUS.
[[nodiscard]] absl::StatusOr<std::vector<PrimaryStatus>> EvaluateRules(const CellContributions& cells, MeasureKind kind,
                                                                       const RuleSet& rules);

// Returns the width that `rule` gives a cell with too few contributors, at least 1. `magnitude`: 0 .. 2^50.
[[nodiscard]] int64_t FrequencyWidth(const MinimumFrequencyRule& rule, MeasureKind kind, int64_t magnitude);

// Returns the wider of two statuses of one cell: the reason that comes first in PrimaryReason, the larger levels.
[[nodiscard]] PrimaryStatus MergeStatus(const PrimaryStatus& a, const PrimaryStatus& b);

// Returns the status of a cell whose owner declared it primary, with protection levels of its own.
//
// `sliding`: the width that the attacker's interval must have in all, wherever it lies; 0 if that does not matter. What
// is missing to it after `lower` and `upper` is added to the upper level, which can always be asked for. An interval
// that reaches both levels is then at least as wide; one that is as wide but lies elsewhere is refused, so that sliding
// protection may cost more than it had to, and is never weaker. `lower` counts up to the value.
// Errors: INVALID_ARGUMENT if a level or the value is outside 0 .. 2^50, or all levels are 0.
[[nodiscard]] absl::StatusOr<PrimaryStatus> DeclaredStatus(int64_t value, int64_t lower, int64_t upper,
                                                           int64_t sliding);

// Writes `status` into measure `measure` of `system`. Errors: INVALID_ARGUMENT if the length is not the number of cells
// or there is no such measure.
[[nodiscard]] absl::Status ApplyStatus(std::span<const PrimaryStatus> status, int32_t measure, CellSystem& system);

}  // namespace sluis::disclosure
