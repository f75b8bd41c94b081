#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sluis::disclosure {

// A fraction in lowest terms, denominator > 0.
struct Fraction {
  int64_t numerator = 0;
  int64_t denominator = 1;

  friend bool operator==(const Fraction&, const Fraction&) = default;
};

// sum of coefficient * unknown = right_side; the unknowns of a row ascend.
struct RationalRow {
  std::vector<std::pair<int32_t, Fraction>> terms;
  Fraction right_side;
};

// Returns the one solution of `rows` in `num_unknowns` unknowns by sparse elimination in exact arithmetic, or nullopt
// if there is none or more than one, a fraction outgrows 62 bits, or the work exceeds `max_steps` (steps, not seconds:
// the result never depends on the machine).
[[nodiscard]] std::optional<std::vector<Fraction>> SolveRational(std::vector<RationalRow> rows, int32_t num_unknowns,
                                                                 int64_t max_steps);

}  // namespace sluis::disclosure
