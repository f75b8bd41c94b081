#include "disclosure/suppress/neighbourhood.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace sluis::disclosure {
namespace {

constexpr double kNotReached = std::numeric_limits<double>::infinity();

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

NeighbourhoodFinder::NeighbourhoodFinder(const CellSystem& system, const Incidence& incidence)
    : system_(system),
      incidence_(incidence),
      distance_(Index(system.num_cells), kNotReached),
      taken_(Index(system.num_cells), 0),
      relation_cells_(Index(system.relations.size()), -1),
      cheapest_at_(Index(system.relations.size()), -1) {}

std::span<const int32_t> NeighbourhoodFinder::RelationsOf(int32_t cell) const {
  const size_t begin = Index(incidence_.begin[Index(cell)]);
  return std::span(incidence_.relation).subspan(begin, Index(incidence_.begin[Index(cell) + 1]) - begin);
}

template <typename Visit>
void NeighbourhoodFinder::ForEachCell(int32_t relation, Visit visit) const {
  visit(system_.relations.total[Index(relation)]);
  for (const int32_t cell : system_.relations.parts(relation)) visit(cell);
}

void NeighbourhoodFinder::Reach(int32_t cell, double distance) {
  double& best = distance_[Index(cell)];
  if (distance >= best) return;
  if (best == kNotReached) reached_.push_back(cell);
  best = distance;
  heap_.emplace_back(distance, cell);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

Neighbourhood NeighbourhoodFinder::FindBall(int32_t centre, int64_t max_cells, CellPrice price) {
  Neighbourhood result;
  heap_.clear();
  Reach(centre, 0);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const auto [from, cell] = heap_.back();
    heap_.pop_back();
    if (taken_[Index(cell)] != 0) continue;
    if (static_cast<int64_t>(cells_.size()) >= max_cells) {
      result.complete = false;
      break;
    }
    // Whoever walks a relation first is nearest, and what is added is the price of the cell reached: once is enough.
    const size_t walked = walked_.size();
    Take(cell);
    for (size_t next = walked; next < walked_.size(); ++next) {
      ForEachCell(walked_[next], [&](int32_t other) {
        if (taken_[Index(other)] != 0 || distance_[Index(other)] <= from) return;
        const double charged = price(other);
        if (charged >= 0) Reach(other, from + charged);
      });
    }
  }
  result.cells = Finish(centre);
  return result;
}

void NeighbourhoodFinder::Take(int32_t cell) {
  taken_[Index(cell)] = 1;
  cells_.push_back(cell);
  for (const int32_t relation : RelationsOf(cell)) {
    int32_t& count = relation_cells_[Index(relation)];
    if (count < 0) {
      count = 0;
      walked_.push_back(relation);
    }
    ++count;
  }
}

const NeighbourhoodFinder::Cheapest& NeighbourhoodFinder::CheapestOf(int32_t relation, CellPrice price) {
  int32_t& at = cheapest_at_[Index(relation)];
  if (at < 0) {
    at = static_cast<int32_t>(cheapest_.size());
    looked_at_.push_back(relation);
    Cheapest found{.cell = -1, .price = kNotReached, .next = kNotReached};
    ForEachCell(relation, [&](int32_t cell) {
      const double charged = price(cell);
      if (charged < 0 || charged >= found.next) return;
      if (charged < found.price) {
        found = {.cell = cell, .price = charged, .next = found.price};
      } else {
        found.next = charged;
      }
    });
    cheapest_.push_back(found);
  }
  return cheapest_[Index(at)];
}

double NeighbourhoodFinder::CrossingPrice(int32_t cell, CellPrice price) {
  double sum = price(cell);
  if (sum < 0) return kNotReached;
  for (const int32_t relation : RelationsOf(cell)) {
    if (relation_cells_[Index(relation)] >= 0) continue;
    const Cheapest& cheapest = CheapestOf(relation, price);
    sum += cheapest.cell == cell ? cheapest.next : cheapest.price;
  }
  return sum;
}

std::vector<int32_t> NeighbourhoodFinder::FindCrossing(int32_t centre, const CrossingSize& size, CellPrice price,
                                                       CellPrice entry) {
  Take(centre);
  const size_t own = walked_.size();
  for (size_t next = 0; next < walked_.size() && static_cast<int64_t>(cells_.size()) < size.max_cells; ++next) {
    const int32_t relation = walked_[next];
    if (next >= own && relation_cells_[Index(relation)] > 1) continue;
    heap_.clear();
    ForEachCell(relation, [&](int32_t cell) {
      if (taken_[Index(cell)] != 0) return;
      if (entry(cell) == 0 && price(cell) >= 0) {
        Take(cell);
      } else if (const double charged = CrossingPrice(cell, price); charged < kNotReached) {
        heap_.emplace_back(charged, cell);
      }
    });
    const auto wanted = static_cast<size_t>(next < own ? size.first_fan : size.fan);
    if (heap_.size() > wanted) {
      std::nth_element(heap_.begin(), heap_.begin() + static_cast<std::ptrdiff_t>(wanted), heap_.end());
      heap_.resize(wanted);
    }
    std::sort(heap_.begin(), heap_.end());
    for (const auto& [charged, cell] : heap_) Take(cell);
  }
  for (const int32_t relation : looked_at_) cheapest_at_[Index(relation)] = -1;
  cheapest_.clear();
  looked_at_.clear();
  return Finish(centre);
}

void NeighbourhoodFinder::Peel() {
  for (const int32_t relation : walked_) {
    if (relation_cells_[Index(relation)] == 1) alone_.push_back(relation);
  }
  while (!alone_.empty()) {
    const int32_t relation = alone_.back();
    alone_.pop_back();
    if (relation_cells_[Index(relation)] != 1) continue;
    int32_t cell = system_.relations.total[Index(relation)];
    if (taken_[Index(cell)] == 0) {
      const std::span<const int32_t> parts = system_.relations.parts(relation);
      cell = *std::find_if(parts.begin(), parts.end(), [this](int32_t part) { return taken_[Index(part)] != 0; });
    }
    taken_[Index(cell)] = 0;
    for (const int32_t other : RelationsOf(cell)) {
      if (--relation_cells_[Index(other)] == 1) alone_.push_back(other);
    }
  }
}

std::vector<int32_t> NeighbourhoodFinder::Finish(int32_t centre) {
  Peel();
  std::vector<int32_t> result;
  if (taken_[Index(centre)] != 0) {
    for (const int32_t cell : cells_) {
      if (taken_[Index(cell)] != 0) result.push_back(cell);
    }
    std::sort(result.begin(), result.end());
  }
  for (const int32_t cell : cells_) taken_[Index(cell)] = 0;
  for (const int32_t cell : reached_) distance_[Index(cell)] = kNotReached;
  for (const int32_t relation : walked_) relation_cells_[Index(relation)] = -1;
  for (std::vector<int32_t>* const list : {&cells_, &reached_, &walked_}) list->clear();
  return result;
}

}  // namespace sluis::disclosure
