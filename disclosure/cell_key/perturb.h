#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/cell_key/keys.h"
#include "disclosure/cell_key/perturbation_table.h"

// The cell-key method: every cell is perturbed by itself, the same set of records always in the same way. Perturbed
// tables do not add up, except by chance.

namespace sluis::disclosure {

// Returns each count plus a change drawn from its row of `table`. The result is never negative, and 0 stays 0.
//
// `cell_keys`: one a count. Errors: INVALID_ARGUMENT if the lengths differ, a count is negative or above 2^50, the
// table is for amounts (steps above 1), or CheckTable refuses it. O(cells), some 0.2 microseconds each.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> PerturbCounts(std::span<const int64_t> counts,
                                                                 std::span<const uint64_t> cell_keys,
                                                                 const PerturbationTable& table,
                                                                 const DrawSource& draws);

// How wide the noise of an amount is. A contribution x has the noise width m(x) * x; m falls from `small_milli` for
// contributions up to the flex point f towards `large_milli` for very large ones:
//   m(x) = small                                                            for x <= f
//   m(x) = large * (1 + (small * x - large * f) / (large * f) * (2 f / (f + x))^power)   above
// Without a flex point m is `small_milli` for all.
struct NoiseWidth {
  int32_t small_milli = 0;              // 1 .. 1000
  int32_t large_milli = 0;              // 1 .. small_milli
  std::optional<int64_t> flex_point{};  // 1 .. 2^40
  int32_t flex_power = 3;               // 2 .. 8: with a power of 1 the formula would not fall
};

// Noise of amounts. The j-th largest contribution adds share_milli[j] * m(x_j) * x_j * v_j, where v_j is drawn from the
// table's rows next to 1 / (share * m), linearly between them.
struct AmountNoise {
  std::vector<int32_t> share_milli;  // of the largest contributions, 1 .. 6 of them; the first 1000, not rising, >= 1
  NoiseWidth width{};
  int32_t sensitive_extra_milli = 0;  // mu: added to |v_1| in sensitive cells, 0 .. 20,000

  PerturbationTable table{};  // gap 0
  // With an even number of contributors `table`, with an odd one this: a lone contributor then need not be drawn near
  // 0. One contribution only (share_milli has one entry).
  std::optional<PerturbationTable> odd{};
  // For a cell whose largest contribution is below the separation point sqrt(V of this table) / (small *
  // sqrt(sum of squared shares)): the change of one row for all of it, in units of 1, as for a count.
  std::optional<PerturbationTable> small_cells{};
};

// What the noise needs of each cell.
struct AmountCells {
  std::span<const int64_t> total{};         // -2^50 .. 2^50
  std::span<const int64_t> contributors{};  // >= 0
  int32_t top_per_cell = 0;                 // at least as many as there are shares
  std::span<const int64_t> top{};  // cell i: [i * top_per_cell, ...), absolute values, descending, 0 where absent
  std::span<const uint64_t> key{};
  std::span<const uint8_t> sensitive{};  // empty: none
};

// Draws of one cell: 0, 1, .. for its largest contributions, then these.
inline constexpr uint32_t kSignDraw = 100, kRoundingDraw = 101;

// Returns each total plus its noise, as whole units.
//
// Exactly unbiased, given the table: rows have mean 0, and the fraction is rounded up or down by chance; except in a
// sensitive cell whose extra noise would take a total of at least 0 below 0: it is cut there. Totals of non-negative
// contributions stay non-negative; where contributions differ in sign, the noise is by their absolute values, and the
// total may change its sign. Whole numbers only: the same everywhere. A cell without contributors is unchanged.
// Errors: INVALID_ARGUMENT naming the parameter or the cell's index; as CheckTable.
// Source: Giessing and Tent, Concepts for generalising tools implementing the cell key method to the case of continuous
// variables (2019); there, the key of the j-th contribution is the cell key with its digits turned, v_j = 0 in a
// sensitive cell stays 0 (here it gets the extra noise in either direction), and results are not rounded.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> PerturbAmounts(const AmountCells& cells, const AmountNoise& noise,
                                                                  const DrawSource& draws);

// Returns m(x) in 1 / 2^30, rounded down. Precondition: `width` in its ranges, 0 <= x <= 2^50.
[[nodiscard]] int64_t NoiseWidthAt(const NoiseWidth& width, int64_t x);

}  // namespace sluis::disclosure
