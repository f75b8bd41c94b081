#include "disclosure/suppress/refine_deviation.h"

#include <algorithm>
#include <cmath>

#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

constexpr int kMaxRounds = 4;
constexpr int64_t kDenominators[] = {1, 2, 3, 4, 5, 6, 8, 12, 24, 60};
constexpr double kRoundingTolerance = 1e-3;
// What moves already may move on for this share of its price.
constexpr double kMovingShare = 0.01;
// As in CheapestDeviationLp: objective coefficients stay within this ratio of each other.
constexpr double kLeastPart = 1e-4;
constexpr double kLargestExact = 9e15;  // whole numbers up to here are exact in double precision

size_t Index(int64_t i) { return static_cast<size_t>(i); }

class Refinement {
 public:
  Refinement(const CellSystem& system, const Target& target, std::span<const int32_t> cells, CellPrice price)
      : measure_(system.measures[Index(target.measure)]),
        target_(target),
        cells_(cells),
        price_(price),
        low_(cells.size(), 0),
        high_(cells.size(), 0),
        moved_(cells.size(), 0) {}

  // Columns of the relations, which are numbered as they are met.
  void SetRelations(const Incidence& incidence, std::vector<int32_t>& scratch) {
    std::vector<int32_t> touched;
    for (const int32_t cell : cells_) {
      for (size_t e = Index(incidence.begin[Index(cell)]); e < Index(incidence.begin[Index(cell) + 1]); ++e) {
        int32_t& row = scratch[Index(incidence.relation[e])];
        if (row < 0) {
          row = static_cast<int32_t>(touched.size());
          touched.push_back(incidence.relation[e]);
        }
        row_.push_back(row);
        sign_.push_back(incidence.sign[e]);
      }
      begin_.push_back(static_cast<int64_t>(row_.size()));
    }
    for (const int32_t relation : touched) scratch[Index(relation)] = -1;
    num_rows_ = touched.size();
  }

  // Takes the rounded vertex, within bounds. kInfeasible if the target's cell has not the room, else kOptimal; kFailed
  // for a vertex of other cells, or too large for double precision.
  lp::Outcome Start(std::span<const ApproximateEntry> vertex) {
    for (size_t j = 0; j < cells_.size(); ++j) {
      if (price_(cells_[j]) == kForbidden) continue;
      const size_t cell = Index(cells_[j]);
      const int64_t bound = measure_.upper_bound[cell];
      low_[j] = LeastOf(cells_[j]) - measure_.value[cell];
      high_[j] = bound == kNoUpperBound ? kMaxAmount : bound - measure_.value[cell];
    }
    for (const ApproximateEntry& entry : vertex) {
      const auto at = std::lower_bound(cells_.begin(), cells_.end(), entry.cell);
      if (at == cells_.end() || *at != entry.cell || std::abs(entry.approximate) > kLargestExact) {
        return lp::Outcome::kFailed;
      }
      const size_t j = Index(at - cells_.begin());
      const int64_t near = entry.at_bound ? entry.exact : std::llround(entry.approximate);
      moved_[j] = std::clamp(near, low_[j], high_[j]);
    }
    const auto at = std::lower_bound(cells_.begin(), cells_.end(), target_.cell);
    if (at == cells_.end() || *at != target_.cell) return lp::Outcome::kFailed;
    const size_t j = Index(at - cells_.begin());
    const int64_t asked = target_.direction == Direction::kUpper ? target_.level : -target_.level;
    if (asked < low_[j] || asked > high_[j]) return lp::Outcome::kInfeasible;
    low_[j] = high_[j] = moved_[j] = asked;
    return lp::Outcome::kOptimal;
  }

  // What each relation lacks if the cells move by `numerator`.
  std::vector<Int128> Lacking(const std::vector<int64_t>& numerator) const {
    std::vector<Int128> lacking(num_rows_, 0);
    for (size_t j = 0; j < cells_.size(); ++j) {
      for (size_t e = Index(begin_[j]); e < Index(begin_[j + 1]); ++e) {
        lacking[Index(row_[e])] -= Int128{sign_[e]} * numerator[j];
      }
    }
    return lacking;
  }

  // One round: kOptimal and nothing kept if another one is needed.
  lp::Outcome Improve(RefinedDeviation& result) {
    const std::vector<Int128> lacking = Lacking(moved_);
    Int128 most = 0;
    for (const Int128 one : lacking) most = std::max(most, one < 0 ? -one : one);
    if (most == 0) {
      Keep(moved_, 1, result);
      return lp::Outcome::kOptimal;
    }
    const double unit = static_cast<double>(most);
    if (unit > kLargestExact) return lp::Outcome::kFailed;
    const auto solver = lp::MakeSolver();
    if (!solver->Load(Program(lacking, unit)).ok()) return lp::Outcome::kFailed;
    const lp::Outcome outcome = solver->SolveFromSlack();
    ++result.lps;
    result.iterations += solver->Iterations();
    if (outcome != lp::Outcome::kOptimal) return outcome;
    const std::span<const double> x = solver->Solution();
    const size_t n = cells_.size();
    std::vector<double> step(n);
    for (size_t j = 0; j < n; ++j) step[j] = (x[j] - x[n + j]) * unit;
    for (const int64_t denominator : kDenominators) {
      if (Round(step, denominator, result)) return lp::Outcome::kOptimal;
    }
    for (size_t j = 0; j < n; ++j) {
      const double to = std::clamp(static_cast<double>(moved_[j]) + step[j], -kLargestExact, kLargestExact);
      moved_[j] = std::clamp(static_cast<int64_t>(std::llround(to)), low_[j], high_[j]);
    }
    return lp::Outcome::kOptimal;
  }

 private:
  int64_t LeastOf(int32_t cell) const {
    if (target_.least == nullptr) return 0;
    const auto at = std::lower_bound(target_.least->begin(), target_.least->end(), std::pair(cell, int64_t{0}));
    return at == target_.least->end() || at->first != cell ? 0 : at->second;
  }

  // Further steps up and down from `moved_`, in units.
  lp::Problem Program(const std::vector<Int128>& lacking, double unit) const {
    lp::Problem problem;
    problem.num_rows = static_cast<int32_t>(num_rows_);
    for (const int side : {1, -1}) {
      for (size_t j = 0; j < cells_.size(); ++j) {
        for (size_t e = Index(begin_[j]); e < Index(begin_[j + 1]); ++e) {
          problem.row.push_back(row_[e]);
          problem.coefficient.push_back(side * sign_[e]);
        }
        problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
        const int64_t room = side > 0 ? high_[j] - moved_[j] : moved_[j] - low_[j];
        problem.column_lower.push_back(0);
        problem.column_upper.push_back(static_cast<double>(room) / unit);
        const double part = std::clamp(static_cast<double>(measure_.value[Index(cells_[j])]) / unit, kLeastPart, 1.0);
        const double charged = room == 0 ? 0 : price_(cells_[j]) / part;
        problem.objective.push_back(moved_[j] != 0 ? charged * kMovingShare : charged);
      }
    }
    for (const Int128 one : lacking) problem.row_lower.push_back(static_cast<double>(one) / unit);
    problem.row_upper = problem.row_lower;
    return problem;
  }

  // Keeps the deviation after `step` if it holds exactly in multiples of 1 / denominator.
  bool Round(const std::vector<double>& step, int64_t denominator, RefinedDeviation& result) const {
    std::vector<int64_t> numerator(cells_.size());
    for (size_t j = 0; j < cells_.size(); ++j) {
      const double scaled = step[j] * static_cast<double>(denominator);
      const double rounded = std::nearbyint(scaled);
      if (std::abs(scaled - rounded) > kRoundingTolerance || std::abs(rounded) > kLargestExact) return false;
      const Int128 sum = Int128{moved_[j]} * denominator + static_cast<int64_t>(rounded);
      if (sum < Int128{low_[j]} * denominator || sum > Int128{high_[j]} * denominator) return false;
      numerator[j] = static_cast<int64_t>(sum);  // within 2^51 * 60
    }
    const std::vector<Int128> lacking = Lacking(numerator);
    if (std::any_of(lacking.begin(), lacking.end(), [](Int128 one) { return one != 0; })) return false;
    Keep(numerator, denominator, result);
    return true;
  }

  void Keep(const std::vector<int64_t>& numerator, int64_t denominator, RefinedDeviation& result) const {
    Deviation deviation{.measure = target_.measure, .denominator = denominator, .cell = {}, .numerator = {}};
    for (size_t j = 0; j < cells_.size(); ++j) {
      if (numerator[j] == 0) continue;
      deviation.cell.push_back(cells_[j]);
      deviation.numerator.push_back(numerator[j]);
    }
    result.deviation = std::move(deviation);
  }

  const Measure& measure_;
  const Target& target_;
  const std::span<const int32_t> cells_;
  const CellPrice price_;
  std::vector<int64_t> low_, high_;  // how far each cell may move
  std::vector<int64_t> moved_;
  std::vector<int64_t> begin_ = {0};  // relations of each cell, in compressed columns
  std::vector<int32_t> row_;
  std::vector<int8_t> sign_;
  size_t num_rows_ = 0;
};

}  // namespace

RefinedDeviation RefineDeviation(const CellSystem& system, const Incidence& incidence, const Target& target,
                                 std::span<const int32_t> cells, std::span<const ApproximateEntry> vertex,
                                 CellPrice price, std::vector<int32_t>& scratch) {
  RefinedDeviation result;
  Refinement refinement(system, target, cells, price);
  result.outcome = refinement.Start(vertex);
  if (result.outcome != lp::Outcome::kOptimal) return result;
  refinement.SetRelations(incidence, scratch);
  for (int round = 0; round < kMaxRounds && !result.deviation; ++round) {
    result.outcome = refinement.Improve(result);
    if (result.outcome != lp::Outcome::kOptimal) return result;
  }
  if (!result.deviation) result.outcome = lp::Outcome::kFailed;
  return result;
}

}  // namespace sluis::disclosure
