#include "disclosure/round/rounding_program.h"

#include <algorithm>

namespace sluis::disclosure {

RoundingProgram::RoundingProgram(const Relations& relations, std::span<const int64_t> values, int64_t base,
                                 int32_t steps)
    : values_(values), base_(base) {
  const Incidence incidence = BuildIncidence(relations, static_cast<int32_t>(values.size()));
  problem_.num_rows = static_cast<int32_t>(relations.size());
  for (int64_t r = 0; r < relations.size(); ++r) {
    // sum of z over the parts - z of the total = u of the total - sum of u over the parts
    int64_t carry = values[static_cast<size_t>(relations.total[static_cast<size_t>(r)])] / base;
    for (const int32_t part : relations.parts(r)) carry -= values[static_cast<size_t>(part)] / base;
    problem_.row_lower.push_back(static_cast<double>(carry));
    problem_.row_upper.push_back(static_cast<double>(carry));
  }
  for (size_t cell = 0; cell < values.size(); ++cell) {
    if (values[cell] == 0) continue;
    const int64_t rest = values[cell] % base;
    constant_ += rest;
    if (rest > 0) AddColumn(incidence, cell, 1, base - 2 * rest);
    const int64_t down = std::min<int64_t>(steps, values[cell] / base);
    for (int64_t k = 0; k < down; ++k) AddColumn(incidence, cell, -1, base);
    for (int32_t k = 0; k < steps; ++k) AddColumn(incidence, cell, 1, base);
  }
}

void RoundingProgram::AddColumn(const Incidence& incidence, size_t cell, int direction, int64_t cost) {
  for (int64_t k = incidence.begin[cell]; k < incidence.begin[cell + 1]; ++k) {
    problem_.row.push_back(incidence.relation[static_cast<size_t>(k)]);
    problem_.coefficient.push_back(incidence.sign[static_cast<size_t>(k)] * direction);
  }
  problem_.begin.push_back(static_cast<int64_t>(problem_.row.size()));
  problem_.column_lower.push_back(0);
  problem_.column_upper.push_back(1);
  problem_.objective.push_back(static_cast<double>(cost));
  cell_.push_back(static_cast<int32_t>(cell));
  direction_.push_back(static_cast<int8_t>(direction));
}

std::vector<uint8_t> RoundingProgram::CellsUp(std::span<const double> solution) const {
  std::vector<double> moved(values_.size(), 0);
  for (size_t j = 0; j < solution.size(); ++j) moved[static_cast<size_t>(cell_[j])] += direction_[j] * solution[j];
  std::vector<uint8_t> up;
  up.reserve(moved.size());
  for (const double z : moved) up.push_back(z >= 0.5 ? 1 : 0);
  return up;
}

std::vector<int64_t> RoundingProgram::Values(std::span<const uint8_t> column) const {
  std::vector<int64_t> result;
  result.reserve(values_.size());
  for (const int64_t value : values_) result.push_back(value / base_ * base_);
  for (size_t j = 0; j < column.size(); ++j) {
    if (column[j] != 0) result[static_cast<size_t>(cell_[j])] += base_ * direction_[j];
  }
  return result;
}

}  // namespace sluis::disclosure
