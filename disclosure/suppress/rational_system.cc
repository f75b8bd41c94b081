#include "disclosure/suppress/rational_system.h"

#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

constexpr Int128 kLimit = Int128{1} << 62;

Int128 Gcd(Int128 a, Int128 b) {
  if (a < 0) a = -a;
  while (b != 0) {
    const Int128 r = a % b;
    a = b;
    b = r;
  }
  return a;
}

// Fraction arithmetic that remembers whether a number outgrew 62 bits.
class Arithmetic {
 public:
  // a - b * c
  Fraction SubtractProduct(const Fraction& a, const Fraction& b, const Fraction& c) {
    const Fraction product = Make(Int128{b.numerator} * c.numerator, Int128{b.denominator} * c.denominator);
    return Make(Int128{a.numerator} * product.denominator - Int128{product.numerator} * a.denominator,
                Int128{a.denominator} * product.denominator);
  }
  Fraction Divide(const Fraction& a, const Fraction& b) {
    return Make(Int128{a.numerator} * b.denominator, Int128{a.denominator} * b.numerator);
  }
  bool overflowed() const { return overflowed_; }

 private:
  Fraction Make(Int128 numerator, Int128 denominator) {
    if (denominator < 0) {
      numerator = -numerator;
      denominator = -denominator;
    }
    const Int128 gcd = Gcd(numerator, denominator);
    numerator /= gcd;
    denominator /= gcd;
    if (numerator >= kLimit || numerator <= -kLimit || denominator >= kLimit) {
      overflowed_ = true;
      return {};
    }
    return {static_cast<int64_t>(numerator), static_cast<int64_t>(denominator)};
  }

  bool overflowed_ = false;
};

// row -= factor * pivot, dropping terms that vanish.
void Subtract(Arithmetic& arithmetic, RationalRow& row, const Fraction& factor, const RationalRow& pivot) {
  std::vector<std::pair<int32_t, Fraction>> merged;
  merged.reserve(row.terms.size() + pivot.terms.size());
  auto a = row.terms.begin();
  auto b = pivot.terms.begin();
  while (a != row.terms.end() || b != pivot.terms.end()) {
    if (b == pivot.terms.end() || (a != row.terms.end() && a->first < b->first)) {
      merged.push_back(*a++);
      continue;
    }
    Fraction old;
    if (a != row.terms.end() && a->first == b->first) old = (a++)->second;
    const Fraction value = arithmetic.SubtractProduct(old, factor, b->second);
    if (value.numerator != 0) merged.emplace_back(b->first, value);
    ++b;
  }
  row.terms = std::move(merged);
  row.right_side = arithmetic.SubtractProduct(row.right_side, factor, pivot.right_side);
}

Fraction CoefficientOf(const RationalRow& row, int32_t unknown) {
  for (const auto& [column, value] : row.terms) {
    if (column == unknown) return value;
  }
  return {};
}

}  // namespace

std::optional<std::vector<Fraction>> SolveRational(std::vector<RationalRow> rows, int32_t num_unknowns,
                                                   int64_t max_steps) {
  Arithmetic arithmetic;
  std::vector<size_t> open;
  std::vector<std::vector<size_t>> rows_of(static_cast<size_t>(num_unknowns));  // may name rows that lost the unknown
  for (size_t r = 0; r < rows.size(); ++r) {
    open.push_back(r);
    for (const auto& [column, value] : rows[r].terms) rows_of[static_cast<size_t>(column)].push_back(r);
  }
  std::vector<uint8_t> done(rows.size(), 0);
  std::vector<std::pair<int32_t, size_t>> pivots;
  int64_t steps = 0;
  while (!open.empty()) {
    // The shortest row first: rows of one unknown peel the system, and fill-in stays small.
    size_t best = 0;
    for (size_t k = 1; k < open.size() && rows[open[best]].terms.size() > 1; ++k) {
      if (rows[open[k]].terms.size() < rows[open[best]].terms.size()) best = k;
    }
    steps += static_cast<int64_t>(open.size());
    const size_t r = open[best];
    open[best] = open.back();
    open.pop_back();
    done[r] = 1;
    if (rows[r].terms.empty()) {
      if (rows[r].right_side.numerator != 0) return std::nullopt;
      continue;
    }
    int32_t pivot = rows[r].terms.front().first;
    for (const auto& [column, value] : rows[r].terms) {
      if (rows_of[static_cast<size_t>(column)].size() < rows_of[static_cast<size_t>(pivot)].size()) pivot = column;
    }
    const Fraction pivot_value = CoefficientOf(rows[r], pivot);
    pivots.emplace_back(pivot, r);
    for (const size_t other : rows_of[static_cast<size_t>(pivot)]) {
      if (done[other] != 0) continue;
      const Fraction value = CoefficientOf(rows[other], pivot);
      if (value.numerator == 0) continue;
      Subtract(arithmetic, rows[other], arithmetic.Divide(value, pivot_value), rows[r]);
      for (const auto& [column, unused] : rows[r].terms) {
        auto& list = rows_of[static_cast<size_t>(column)];
        if (column != pivot && (list.empty() || list.back() != other)) list.push_back(other);
      }
      steps += static_cast<int64_t>(rows[other].terms.size() + rows[r].terms.size());
      if (steps > max_steps || arithmetic.overflowed()) return std::nullopt;
    }
  }
  if (pivots.size() != static_cast<size_t>(num_unknowns)) return std::nullopt;
  std::vector<Fraction> solution(static_cast<size_t>(num_unknowns));
  for (auto it = pivots.rbegin(); it != pivots.rend(); ++it) {
    const RationalRow& row = rows[it->second];
    Fraction value = row.right_side;
    for (const auto& [column, coefficient] : row.terms) {
      if (column != it->first) {
        value = arithmetic.SubtractProduct(value, coefficient, solution[static_cast<size_t>(column)]);
      }
    }
    solution[static_cast<size_t>(it->first)] = arithmetic.Divide(value, CoefficientOf(row, it->first));
  }
  if (arithmetic.overflowed()) return std::nullopt;
  return solution;
}

}  // namespace sluis::disclosure
