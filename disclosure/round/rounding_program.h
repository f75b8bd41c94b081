#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "disclosure/lp/lp.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// Controlled rounding as a program of columns that are 0 or 1. A value of base * u + r, 0 <= r < base, becomes
// base * (u + z): one column moves z from 0 to 1 (if r > 0), `steps` columns each move it one further up or down.
class RoundingProgram {
 public:
  // Preconditions: `values` are 0 .. 2^50 and keep `relations`; base >= 2; steps >= 0. Zeros stay.
  RoundingProgram(const Relations& relations, std::span<const int64_t> values, int64_t base, int32_t steps);

  [[nodiscard]] const lp::Problem& problem() const { return problem_; }
  // What the objective leaves out: the distance of all values with every column at 0.
  [[nodiscard]] int64_t constant() const { return constant_; }
  // Returns, for each cell, 1 where `solution` moves it up by half a multiple or more.
  [[nodiscard]] std::vector<uint8_t> CellsUp(std::span<const double> solution) const;
  // The rounded values of a solution; `column`: one entry a column, 0 or 1.
  [[nodiscard]] std::vector<int64_t> Values(std::span<const uint8_t> column) const;

 private:
  void AddColumn(const Incidence& incidence, size_t cell, int direction, int64_t cost);

  std::span<const int64_t> values_;
  int64_t base_;
  int64_t constant_ = 0;
  lp::Problem problem_;
  std::vector<int32_t> cell_;  // of each column
  std::vector<int8_t> direction_;
};

}  // namespace sluis::disclosure
