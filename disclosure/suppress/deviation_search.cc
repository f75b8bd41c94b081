#include "disclosure/suppress/deviation_search.h"

#include <algorithm>
#include <utility>

#include "disclosure/suppress/refine_deviation.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Narrow blocks first: nine in ten levels are reached there.
constexpr CrossingSize kCrossings[] = {{.first_fan = 8, .fan = 3, .max_cells = 600},
                                       {.first_fan = 32, .fan = 12, .max_cells = 2'400}};
constexpr int64_t kBallGrowth = 4;
// Where a wider look made a deviation cheaper by this factor, a still wider one may do so again.
constexpr double kSuspicious = 0.5;
// Balls of more cells are for what is dear, and balls of still more for nothing.
constexpr int64_t kLargestLook = 8'000;
constexpr int64_t kLargestDearLook = 64'000;
// A cell that can move by a hundredth of the level only is taken to be this far away at most: small cells are needed
// too.
constexpr double kLeastPart = 1e-2;

}  // namespace

DeviationSearch::DeviationSearch(const CellSystem& system, const Incidence& incidence)
    : system_(system),
      incidence_(incidence),
      neighbourhood_(system, incidence),
      exact_(system, incidence),
      row_scratch_(Index(system.relations.size()), -1) {}

lp::Outcome DeviationSearch::Try(const Target& target, std::vector<int32_t> cells, CellPrice price, CellPrice entry,
                                 SearchResult& best) {
  if (cells.empty()) return lp::Outcome::kInfeasible;
  auto lp = CheapestDeviationLp::Create(system_, incidence_, target.measure, std::move(cells), row_scratch_);
  if (!lp.ok()) return lp::Outcome::kFailed;
  ++best.lps;
  const lp::Outcome outcome = (*lp)->Solve(target, price);
  best.iterations += (*lp)->iterations();
  if (outcome != lp::Outcome::kOptimal) return outcome;
  std::optional<Deviation> deviation = exact_.Find(target.measure, (*lp)->vertex());
  if (!deviation || !Serves(*deviation, target)) {
    RefinedDeviation refined =
        RefineDeviation(system_, incidence_, target, (*lp)->cells(), (*lp)->vertex(), price, row_scratch_);
    best.lps += refined.lps;
    best.iterations += refined.iterations;
    if (refined.outcome == lp::Outcome::kInfeasible) return refined.outcome;
    if (!refined.deviation) {
      if (best.outcome != SearchOutcome::kFound) best.outcome = SearchOutcome::kInexact;
      return outcome;
    }
    deviation = std::move(refined.deviation);
  }
  double sum = 0;
  for (const int32_t cell : deviation->cell) sum += entry(cell);
  if (best.outcome == SearchOutcome::kFound && sum >= best.price) return outcome;
  best.outcome = SearchOutcome::kFound;
  best.deviation = *std::move(deviation);
  best.price = sum;
  return outcome;
}

void DeviationSearch::LookAgain(const Target& target, CellPrice price, CellPrice entry, CellPrice distance,
                                const SearchEffort& effort, SearchResult& best) {
  for (int64_t size = effort.second_look; size > 0 && size <= kLargestDearLook && best.price > 0; size *= kBallGrowth) {
    if (size > kLargestLook && best.price <= effort.dear) return;
    const double before = best.price;
    Neighbourhood near = neighbourhood_.FindBall(target.cell, size, distance);
    const lp::Outcome outcome = Try(target, std::move(near.cells), price, entry, best);
    if (near.complete || (outcome == lp::Outcome::kOptimal && best.price > kSuspicious * before)) return;
  }
}

SearchResult DeviationSearch::Find(const Target& target, CellPrice price, CellPrice entry, const SearchEffort& effort) {
  SearchResult best;
  const std::vector<int64_t>& value = system_.measures[Index(target.measure)].value;
  // As in the linear program: a cell that can move by less than the level is worth that much less.
  const auto distance = [&](int32_t cell) {
    const double charged = price(cell);
    if (charged < 0) return charged;
    return charged /
           std::clamp(static_cast<double>(value[Index(cell)]) / static_cast<double>(target.level), kLeastPart, 1.0);
  };
  const auto ball = [&](int64_t size) { return neighbourhood_.FindBall(target.cell, size, distance); };
  if (effort.crossing) {
    for (const CrossingSize& size : kCrossings) {
      Try(target, neighbourhood_.FindCrossing(target.cell, size, distance, entry), price, entry, best);
      if (best.outcome == SearchOutcome::kFound) break;
    }
    if (best.outcome == SearchOutcome::kFound) {
      LookAgain(target, price, entry, distance, effort, best);
      return best;
    }
  }
  for (int64_t size = effort.ball; size > 0; size *= kBallGrowth) {
    Neighbourhood near = ball(size);
    const lp::Outcome outcome = Try(target, std::move(near.cells), price, entry, best);
    if (best.outcome == SearchOutcome::kFound) return best;
    if (outcome == lp::Outcome::kInfeasible && near.complete) {
      best.outcome = SearchOutcome::kNone;
      return best;
    }
    if (outcome == lp::Outcome::kFailed || outcome == lp::Outcome::kUnbounded) best.outcome = SearchOutcome::kFailed;
    if (near.complete || size > effort.largest_ball / kBallGrowth) break;
  }
  return best;
}

}  // namespace sluis::disclosure
