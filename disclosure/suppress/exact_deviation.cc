#include "disclosure/suppress/exact_deviation.h"

#include <cmath>
#include <numeric>

#include "disclosure/suppress/rational_system.h"

namespace sluis::disclosure {
namespace {

// Vertices of two-dimensional tables are integers; in more dimensions small denominators are the rule.
constexpr int64_t kDenominators[] = {1, 2, 3, 4, 5, 6, 8, 12, 24, 60};
constexpr double kRoundingTolerance = 1e-3;
constexpr double kZeroTolerance = 1e-7;  // the solver's own feasibility tolerance
constexpr int64_t kMaxEliminationSteps = 4'000'000;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

ExactDeviationFinder::ExactDeviationFinder(const CellSystem& system, const Incidence& incidence)
    : system_(system),
      incidence_(incidence),
      sum_(Index(system.relations.size()), 0),
      local_row_(Index(system.relations.size()), -1) {}

std::optional<Deviation> ExactDeviationFinder::Find(int32_t measure, std::span<const ApproximateEntry> vertex) {
  if (auto deviation = FindByRounding(measure, vertex)) return deviation;
  if (auto deviation = FindByElimination(measure, vertex, /*zeros_are_free=*/false)) return deviation;
  return FindByElimination(measure, vertex, /*zeros_are_free=*/true);
}

std::optional<Deviation> ExactDeviationFinder::FindByRounding(int32_t measure,
                                                              std::span<const ApproximateEntry> vertex) {
  for (const int64_t denominator : kDenominators) {
    Deviation deviation{.measure = measure, .denominator = denominator, .cell = {}, .numerator = {}};
    bool near = true;
    for (const ApproximateEntry& entry : vertex) {
      int64_t numerator = 0;
      if (entry.at_bound) {
        near = !__builtin_mul_overflow(entry.exact, denominator, &numerator);
      } else {
        const double scaled = entry.approximate * static_cast<double>(denominator);
        const double rounded = std::nearbyint(scaled);
        near = std::abs(scaled - rounded) <= kRoundingTolerance && std::abs(rounded) < 9e15;
        if (near) numerator = static_cast<int64_t>(rounded);
      }
      if (!near) break;
      if (numerator == 0) continue;
      deviation.cell.push_back(entry.cell);
      deviation.numerator.push_back(numerator);
    }
    if (near && Holds(deviation)) return deviation;
  }
  return std::nullopt;
}

std::optional<Deviation> ExactDeviationFinder::FindByElimination(int32_t measure,
                                                                 std::span<const ApproximateEntry> vertex,
                                                                 bool zeros_are_free) {
  std::vector<int32_t> unknown_of(vertex.size(), -1);
  int32_t unknowns = 0;
  for (size_t k = 0; k < vertex.size(); ++k) {
    if (vertex[k].at_bound) continue;
    if (zeros_are_free || std::abs(vertex[k].approximate) > kZeroTolerance) unknown_of[k] = unknowns++;
  }
  std::vector<RationalRow> rows;
  std::vector<int32_t> touched;
  bool fits = true;
  for (size_t k = 0; k < vertex.size(); ++k) {
    if (unknown_of[k] < 0 && (!vertex[k].at_bound || vertex[k].exact == 0)) continue;
    const size_t cell = Index(vertex[k].cell);
    for (size_t e = Index(incidence_.begin[cell]); e < Index(incidence_.begin[cell + 1]); ++e) {
      int32_t& row = local_row_[Index(incidence_.relation[e])];
      if (row < 0) {
        row = static_cast<int32_t>(rows.size());
        rows.emplace_back();
        touched.push_back(incidence_.relation[e]);
      }
      RationalRow& target = rows[Index(row)];
      if (unknown_of[k] >= 0) {
        target.terms.emplace_back(unknown_of[k], Fraction{incidence_.sign[e], 1});
      } else if (__builtin_sub_overflow(target.right_side.numerator, incidence_.sign[e] * vertex[k].exact,
                                        &target.right_side.numerator)) {
        fits = false;
      }
    }
  }
  for (const int32_t relation : touched) local_row_[Index(relation)] = -1;
  if (!fits) return std::nullopt;
  const auto solution = SolveRational(std::move(rows), unknowns, kMaxEliminationSteps);
  if (!solution) return std::nullopt;

  Deviation deviation{.measure = measure, .denominator = 1, .cell = {}, .numerator = {}};
  for (const Fraction& value : *solution) {
    const int64_t gcd = std::gcd(deviation.denominator, value.denominator);
    if (__builtin_mul_overflow(deviation.denominator, value.denominator / gcd, &deviation.denominator)) {
      return std::nullopt;
    }
  }
  for (size_t k = 0; k < vertex.size(); ++k) {
    Fraction value;
    if (unknown_of[k] >= 0) {
      value = (*solution)[Index(unknown_of[k])];
    } else if (vertex[k].at_bound) {
      value.numerator = vertex[k].exact;
    }
    int64_t numerator = 0;
    if (__builtin_mul_overflow(value.numerator, deviation.denominator / value.denominator, &numerator)) {
      return std::nullopt;
    }
    if (numerator == 0) continue;
    deviation.cell.push_back(vertex[k].cell);
    deviation.numerator.push_back(numerator);
  }
  if (!Holds(deviation)) return std::nullopt;
  return deviation;
}

bool ExactDeviationFinder::Holds(const Deviation& deviation) {
  const Measure& measure = system_.measures[Index(deviation.measure)];
  for (size_t k = 0; k < deviation.cell.size(); ++k) {
    const size_t cell = Index(deviation.cell[k]);
    const Int128 moved = Int128{measure.value[cell]} * deviation.denominator + deviation.numerator[k];
    if (moved < 0) return false;
    if (measure.upper_bound[cell] != kNoUpperBound &&
        moved > Int128{measure.upper_bound[cell]} * deviation.denominator) {
      return false;
    }
  }
  bool holds = true;
  for (const bool adding : {true, false}) {
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      const size_t cell = Index(deviation.cell[k]);
      for (size_t e = Index(incidence_.begin[cell]); e < Index(incidence_.begin[cell + 1]); ++e) {
        Int128& sum = sum_[Index(incidence_.relation[e])];
        if (adding) {
          sum += Int128{incidence_.sign[e]} * deviation.numerator[k];
        } else {
          holds = holds && sum == 0;
          sum = 0;
        }
      }
    }
  }
  return holds;
}

}  // namespace sluis::disclosure
