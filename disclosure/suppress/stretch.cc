#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// A number of times; Int128 keeps products of two amounts.
struct Ratio {
  int64_t numerator = 0;
  int64_t denominator = 1;

  friend bool operator<(const Ratio& a, const Ratio& b) {
    return Int128{a.numerator} * b.denominator < Int128{b.numerator} * a.denominator;
  }
};

// How often `shape` (backwards: its opposite) can be added to the true values of `measure` within the bounds.
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

// `shape` times `ratio`, or nothing if its numbers grow too long.
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

}  // namespace

void SuppressionEngine::Stretch(int64_t kept) {
  const Deviation shape = witnesses_[Index(kept)];  // a copy: witnesses_ grows
  for (int32_t m = 0; m < static_cast<int32_t>(system_.measures.size()); ++m) {
    for (const bool backwards : {false, true}) {
      const Ratio most = MostTimes(system_.measures[Index(m)], shape, backwards);
      std::vector<int64_t> reached;
      Ratio least;
      for (size_t k = 0; k < shape.cell.size(); ++k) {
        const Direction moves = (shape.numerator[k] > 0) != backwards ? Direction::kUpper : Direction::kLower;
        for (int64_t t = FirstTarget(m, shape.cell[k]); t < static_cast<int64_t>(targets_.size()); ++t) {
          const Target& target = targets_[Index(t)];
          if (target.cell != shape.cell[k] || target.measure != m) break;
          const Ratio asked{target.level, std::abs(shape.numerator[k])};
          if (target.witness >= 0 || target.direction != moves || most < asked) continue;
          reached.push_back(t);
          if (least < asked) least = asked;
        }
      }
      if (reached.empty()) continue;
      std::optional<Deviation> multiple = Times(shape, m, backwards, least);
      if (!multiple) continue;
      const int64_t witness = Keep(*std::move(multiple));
      for (const int64_t t : reached) Assign(t, witness);
    }
  }
}

}  // namespace sluis::disclosure
