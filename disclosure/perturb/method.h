#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/cell_key/perturb.h"
#include "disclosure/cell_key/perturbation_table.h"
#include "disclosure/round/random_rounding.h"

// The methods by which a response variable is protected, as a rule set allows them and a request chooses them.

namespace sluis::disclosure {

// The name of the method that a request gets for a variable for which it names none. No rule set's method has it.
inline constexpr char kSuppressionMethod[] = "suppression";

// Every value to a multiple of `base`, and the table still adds up. Counts, or amounts.
struct ControlledRoundingMethod {
  int64_t base = 0;       // 2 .. 2^40
  int32_t max_steps = 0;  // 0 .. 3: multiples beyond the nearest two, where no table stays within them
  // For amounts instead of counts: a base that hides a count would publish an amount as it is.
  bool amounts = false;
};
// Only what makes a published count small; the table still adds up. Counts.
struct SmallCountMethod {
  int64_t base = 0;  // 2 .. 1,000
};
// Each value by itself to a multiple of the base of its range. Counts.
struct RandomRoundingMethod {
  std::vector<RoundingRange> ranges;  // 1 .. 16, ascending, the first from 0
};
// Noise by a table of probabilities. Counts.
struct CellKeyCountMethod {
  PerturbationDesign design;  // steps 1
};
// Noise in proportion to the largest contributions. Amounts.
struct CellKeyAmountMethod {
  PerturbationDesign design;  // gap 0
  std::vector<int32_t> share_milli;
  NoiseWidth width;
  int32_t sensitive_extra_milli = 0;
};

using ProtectionMethod = std::variant<ControlledRoundingMethod, SmallCountMethod, RandomRoundingMethod,
                                      CellKeyCountMethod, CellKeyAmountMethod>;

// Errors: INVALID_ARGUMENT naming the parameter and its range.
[[nodiscard]] absl::Status ValidateMethod(const ProtectionMethod& method);

// Returns the noise of amounts with its table made. Errors: as DesignTable.
[[nodiscard]] absl::StatusOr<AmountNoise> NoiseOf(const CellKeyAmountMethod& method);

// Whether the method is for counts, and whether it is for amounts.
[[nodiscard]] bool IsForCounts(const ProtectionMethod& method);
[[nodiscard]] bool IsForAmounts(const ProtectionMethod& method);
// Whether the value of a cell hangs on a draw: on a secret and the set of records in it. The same records then have the
// same value in every table and release; with the other methods only within one table.
[[nodiscard]] bool NeedsDraws(const ProtectionMethod& method);
// Whether perturbed tables add up.
[[nodiscard]] bool AddsUp(const ProtectionMethod& method);
// Largest contributions of a cell that the method looks at; 0: none.
[[nodiscard]] int32_t ContributionsNeeded(const ProtectionMethod& method);

// What a method says of a table to its readers. One text for each method and result; `steps`: multiples beyond the
// nearest two that controlled rounding went, at most.
[[nodiscard]] std::string DescribeMethod(const ProtectionMethod& method, int32_t steps);

// All values that a cell may have truly, as far as anyone can tell who knows the method and the cell's published value
// alone.
struct ValueRange {
  int64_t low = 0;
  std::optional<int64_t> high = {};  // nothing: no bound
};
// `is_leaf`: small-count rounding bounds nothing but leaves. Precondition: ValidateMethod(method) is OK, published >=
// 0.
[[nodiscard]] ValueRange RangeOfTrueValue(const ProtectionMethod& method, int32_t steps, int64_t published,
                                          bool is_leaf);

}  // namespace sluis::disclosure
