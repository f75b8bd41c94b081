#include "disclosure/suppress/deviation.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Where `cell` stands in `deviation`, or its number of cells.
size_t PlaceOf(const Deviation& deviation, int32_t cell) {
  const auto at = std::lower_bound(deviation.cell.begin(), deviation.cell.end(), cell);
  if (at == deviation.cell.end() || *at != cell) return deviation.cell.size();
  return static_cast<size_t>(at - deviation.cell.begin());
}

}  // namespace

bool operator<(const Ratio& a, const Ratio& b) {
  return Int128{a.numerator} * b.denominator < Int128{b.numerator} * a.denominator;
}

bool Serves(const Deviation& deviation, const Target& target) {
  if (deviation.measure != target.measure) return false;
  const size_t place = PlaceOf(deviation, target.cell);
  if (place == deviation.cell.size()) return false;
  const Int128 numerator = deviation.numerator[place];
  const Int128 asked = Int128{target.level} * deviation.denominator;
  return (target.direction == Direction::kUpper ? numerator : -numerator) >= asked;
}

Ratio MostTimes(const Measure& measure, const Deviation& shape, bool backwards) {
  std::optional<Ratio> most;
  for (size_t k = 0; k < shape.cell.size(); ++k) {
    const size_t cell = Index(shape.cell[k]);
    const int64_t value = measure.value[cell];
    const bool up = (shape.numerator[k] > 0) != backwards;
    if (up && measure.upper_bound[cell] == kNoUpperBound) continue;
    const Ratio times{up ? measure.upper_bound[cell] - value : value, std::abs(shape.numerator[k])};
    if (!most || times < *most) most = times;
  }
  return most.value_or(Ratio{kMaxAmount, 1});
}

std::optional<Deviation> Times(const Deviation& shape, int32_t measure, bool backwards, Ratio ratio) {
  const int64_t gcd = std::gcd(ratio.numerator, ratio.denominator);
  ratio.numerator /= gcd;
  ratio.denominator /= gcd;
  Deviation result{.measure = measure, .denominator = ratio.denominator, .cell = shape.cell, .numerator = {}};
  result.numerator.reserve(shape.cell.size());
  for (const int64_t numerator : shape.numerator) {
    int64_t product = 0;
    if (__builtin_mul_overflow(backwards ? -numerator : numerator, ratio.numerator, &product)) return std::nullopt;
    result.numerator.push_back(product);
  }
  return result;
}

std::optional<Deviation> MultipleFor(const CellSystem& system, const Deviation& shape, const Target& target) {
  const size_t place = PlaceOf(shape, target.cell);
  if (place == shape.cell.size()) return std::nullopt;
  const bool backwards = (shape.numerator[place] > 0) != (target.direction == Direction::kUpper);
  const Ratio asked{target.level, std::abs(shape.numerator[place])};
  if (MostTimes(system.measures[Index(target.measure)], shape, backwards) < asked) return std::nullopt;
  return Times(shape, target.measure, backwards, asked);
}

}  // namespace sluis::disclosure
