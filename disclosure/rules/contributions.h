#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/rules/rules.h"

// From records to what the rules need to know of a cell: holdings as one contributor, sampling weights, negative
// amounts, and those who asked for protection.

namespace sluis::disclosure {

// What one record adds to a cell.
struct Contribution {
  uint64_t holding = 0;         // records of one holding are one contributor; any number
  int64_t amount = 0;           // -2^50 .. 2^50, not weighted
  int64_t weight = kWeightOne;  // kWeightOne .. kMaxWeight
  bool asks = false;            // for protection
};

// Which optional columns of CellContributions are filled in; each costs memory for every cell.
struct ContributionOptions {
  int32_t top = 2;           // largest contributions kept per cell, 0 .. 64
  bool weights = false;      // else every weight must be kWeightOne
  bool negative = false;     // else an amount below 0 is an error
  bool requests = false;     // else `asks` is not looked at
  int64_t least_amount = 0;  // with `negative`: what everybody knows no record's amount to be below; -2^50 .. 0
};

// Adds cells to a CellContributions, one after the other.
class ContributionCollector {
 public:
  explicit ContributionCollector(const ContributionOptions& options);

  // Appends a cell made of `records`, in any order, and returns its number.
  //
  // The total is the sum of amount * weight over the records, each rounded to the nearest whole unit, halves away from
  // 0: so totals of totals add up. A holding is one contributor. Its weight is the smallest among its records, and its
  // amount their weighted sum divided by that weight, rounded up, but not above what the holding adds to the total: it
  // stands for no more units than its least weighted part. Magnitude is the sum of the holdings' |contributions|, a
  // holding's own records being set off against each other first. Floor is the sum of least_amount * weight, each
  // rounded down.
  //
  // Errors (nothing is appended; the message names the record's place, never an amount):
  //   INVALID_ARGUMENT  options.top or least_amount out of range; an amount or a weight that the options do not allow
  //   OUT_OF_RANGE      a total, magnitude or floor outside -2^50 .. 2^50; declare a larger unit
  // Cost: O(records * log(records)).
  // Sources: weights of single records as in Hundepool et al., Statistical Disclosure Control (2012), p. 151; summing a
  // holding before taking magnitudes as in GaussSuppression 1.2 (apply_abs_directly = FALSE); weights of holdings own.
  [[nodiscard]] absl::StatusOr<size_t> Add(std::span<const Contribution> records);

  [[nodiscard]] const CellContributions& cells() const { return cells_; }
  [[nodiscard]] CellContributions Take() && { return std::move(cells_); }

 private:
  const ContributionOptions options_;
  CellContributions cells_;
};

// Returns the weight that `text` writes as a decimal, such as "1", "2.75" or "12.000001": 1 .. 1,000,000 with at most
// six decimals after a point. Exact. Errors: INVALID_ARGUMENT for anything else, a sign or an exponent included.
[[nodiscard]] absl::StatusOr<int64_t> ParseWeight(std::string_view text);

// Returns amount * weight in whole units, rounded to the nearest, halves away from 0. Preconditions: the ranges of
// Contribution.
[[nodiscard]] int64_t WeightedAmount(int64_t amount, int64_t weight);

// Returns total - floor of each cell: never negative, and additive where totals and floors are. This is what a
// CellSystem holds of a measure that may be negative. Protection levels stay as they are, because an alternative table
// differs by the same amounts; the attacker's bound "not below 0" then says "not below the floor", and an interval
// [a, b] of such a cell is [a + floor, b + floor] of the total. Errors: INVALID_ARGUMENT if the lengths differ or a
// floor is above its total; OUT_OF_RANGE if a difference is above 2^50: declare a larger unit.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> ShiftToNonNegative(const CellContributions& cells);

// Returns the floors of cells of which only the number of records is known: records * least_amount. Numbers of records
// add up, and so do these. Errors: INVALID_ARGUMENT if least_amount is above 0 or below -2^50, or a number is negative;
// OUT_OF_RANGE if a floor is below -2^50.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> FloorsFromCounts(std::span<const int64_t> records,
                                                                    int64_t least_amount);

}  // namespace sluis::disclosure
