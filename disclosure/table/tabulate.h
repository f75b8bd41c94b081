#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::disclosure {

// A classification of persons: for each, the leaf number it belongs to.
struct Classification {
  std::variant<std::span<const std::uint8_t>, std::span<const std::uint16_t>> leaf_of_person{};
  std::int32_t leaves = 0;  // 1 .. 65,535
};

// Amounts to add up. A person may have several rows, and a row belongs to one holding (an employer): who contributes is
// once the person, once the holding.
struct AmountRows {
  std::span<const std::int32_t> person{};    // of each row; -1: nobody, passed over. Empty: row i is person i's
  std::span<const std::int64_t> amount{};    // of each row, >= 0; common::kMissingInteger: passed over
  std::span<const std::uint64_t> holding{};  // of each row; 0: none, the person is its own holding. Empty: no holdings
};

struct TabulateInput {
  std::int64_t persons = 0;
  std::span<const std::uint8_t> selected{};  // of each person: 0 is outside the population. Empty: everybody
  std::vector<Classification> by{};
  std::vector<AmountRows> amounts{};
};

struct TabulateOptions {
  int threads = 2;                                      // 1 .. 64
  int top = 2;                                          // largest contributions kept per cell, 0 .. 64
  std::int64_t max_leaf_cells = std::int64_t{1} << 24;  // accumulators are dense: 16 bytes a cell, thread and amount
};

struct HoldingSum {
  std::uint64_t holding = 0;
  std::int64_t sum = 0;
};

// One amount per leaf cell.
struct LeafAmounts {
  std::vector<std::int64_t> sum{};
  std::vector<std::int64_t> persons{};  // distinct persons with an amount, 0 included
  std::vector<std::int64_t> top{};      // cell * TabulateOptions::top: largest per person, descending, 0 where absent
  // With holdings: what each holding adds to a cell, by ascending holding within the cell; cell c owns
  // by_holding[begin[c] .. end[c]). A holding of number person + 1 is a person without one: tokens are random 64-bit
  // numbers, so that the two meet with a probability below 10^-9.
  bool has_holdings = false;
  std::vector<HoldingSum> by_holding{};
  std::vector<std::int64_t> begin{}, end{};
};

// Leaf cells: the mixed-radix number of the leaf codes, the last classification running fastest.
struct LeafTable {
  std::vector<std::int32_t> leaves{};  // of each classification
  std::vector<std::int64_t> count{};   // persons
  std::vector<LeafAmounts> amounts{};  // in the order of the input
  int top = 0;
};

// Returns the counts, sums and contributions of all leaf cells, empty ones included.
//
// Cost: O(persons * classifications + rows * log(rows per cell)), in blocks through the columns; each thread has
// accumulators of its own. Exact: 64-bit sums, checked. The result does not depend on the number of threads.
// Errors (messages name the index of classification or amount, never a value):
//   INVALID_ARGUMENT    spans of the wrong length; a leaf number or person outside its range; a negative amount
//   RESOURCE_EXHAUSTED  more leaf cells than max_leaf_cells
//   OUT_OF_RANGE        a sum above 2^63 - 1
[[nodiscard]] absl::StatusOr<LeafTable> Tabulate(const TabulateInput& input, const TabulateOptions& options);

}  // namespace sluis::disclosure
