#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// What is added to a count (or, in units of its own noise, to an amount), and how often: exact probabilities.

namespace sluis::disclosure {

// Probabilities are whole multiples of 1 / kWhole. It is divisible by 1 .. 16, so that distributions over two or three
// values are exact, by 1000, so that variances in thousandths are, and even then, so that all moments can be.
inline constexpr int64_t kWhole = int64_t{720'720} * 25 << 20;

// The distribution of the change of one count.
struct PerturbationRow {
  std::vector<int32_t> change;  // in 1 / steps, ascending
  std::vector<int64_t> units;   // probability in 1 / kWhole, above 0; they add up to kWhole
  bool operator==(const PerturbationRow&) const = default;
};

// What a table is designed for, and checked against.
struct PerturbationDesign {
  int32_t max_change = 0;      // D, 1 .. 20: no change is larger
  int32_t steps = 1;           // 1 .. 20: changes are multiples of 1 / steps; 1 for counts
  int32_t variance_milli = 0;  // V in thousandths, 1 .. D^2 * 1000: of every row but that of 0
  int32_t gap = 0;             // js, 0 .. 15: results of 1 .. gap never occur; needs steps 1
  int32_t stay_milli = 0;      // 0 .. 999: the probability of no change is at least this, where no change is possible
  bool monotone = false;       // a larger change in the same direction is not more likely
  bool operator==(const PerturbationDesign&) const = default;
};

struct PerturbationTable {
  PerturbationDesign design;
  // Row i is for the number i, the last one (max_change, or max_change + gap + 1 with a gap) for all from there on: it
  // is symmetric. Row 0 changes nothing: empty cells stay empty.
  std::vector<PerturbationRow> rows;
  bool operator==(const PerturbationTable&) const = default;
};

// Returns the table of largest entropy that `design` allows: per row p(v) with sum 1, mean 0 and variance V over the
// v for which -D <= v <= D, i + v >= 0, i + v not in 1 .. gap. Without the last two wishes of the design it is
// p(v) proportional to exp(a v + b v^2).
//
// Newton's method on the convex dual (2 unknowns a row, 3 with stay_milli); then the probabilities are made whole
// multiples of 1 / kWhole with exact sums, means and variances. Deterministic on one machine; between machines the last
// units may differ: a table is made once, and kept as a file.
// Errors: INVALID_ARGUMENT if a parameter is out of its range, or no distribution fits a row (the message names the
// row, and the least and largest variance that its changes allow).
// Source: Marley and Leaver, A method for confidentialising user-defined tables (ISI 2011); Giessing, Computational
// issues in the design of transition probabilities (PSD 2016).
[[nodiscard]] absl::StatusOr<PerturbationTable> DesignTable(const PerturbationDesign& design);

// Returns OK if every row of `table` keeps its design, exactly: the changes allowed, the sum, mean and variance, the
// probability of no change, and the order of probabilities.
// Errors: INVALID_ARGUMENT naming the row.
[[nodiscard]] absl::Status CheckTable(const PerturbationTable& table);

// Returns the change (in 1 / steps) that `draw`, uniform over 64 bits, gives to the number `row` of `table`; rows
// beyond the last one are the last one. Precondition: CheckTable(table) is OK, row >= 0.
[[nodiscard]] int32_t LookUpChange(const PerturbationTable& table, int64_t row, uint64_t draw);

// The file of a table, CSV: a line for each parameter of the design, then row,change,units. The table is secret where
// the office keeps D and V secret. Every table has one text.
[[nodiscard]] std::string WriteTable(const PerturbationTable& table);
// Errors: INVALID_ARGUMENT naming the line if `text` is not what WriteTable writes; as CheckTable.
[[nodiscard]] absl::StatusOr<PerturbationTable> ReadTable(std::string_view text);

}  // namespace sluis::disclosure
