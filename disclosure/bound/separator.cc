#include "disclosure/bound/separator.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <thread>
#include <tuple>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kRemembered = 2;
constexpr size_t kSeeds = 6;
constexpr double kPresent = 1 - 1e-6;
constexpr double kShort = 1e-6;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

int64_t CapFor(int64_t need) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(need))); }

}  // namespace

Separator::Separator(const ProtectionModel& model)
    : model_(model), memory_(model.attackers().size()), lane_of_(model.attackers().size(), 0) {
  // Those with the same cap follow each other, so that their linear programs are warm.
  std::vector<int32_t> order(model.attackers().size());
  for (size_t a = 0; a < order.size(); ++a) order[a] = static_cast<int32_t>(a);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const auto key = [&](int32_t k) {
      const Attacker& attacker = model.attackers()[Index(k)];
      return std::tuple(attacker.measure, CapFor(attacker.need), k);
    };
    return key(a) < key(b);
  });
  for (size_t l = 0; l < kLanes; ++l) {
    lanes_.push_back(std::make_unique<Lane>(model));
    const auto begin = static_cast<std::ptrdiff_t>(order.size() * l / kLanes);
    const auto end = static_cast<std::ptrdiff_t>(order.size() * (l + 1) / kLanes);
    lanes_.back()->attackers.assign(order.begin() + begin, order.begin() + end);
    lanes_.back()->reached.assign(order.size(), 0);
    lanes_.back()->number = static_cast<int32_t>(l);
    for (const int32_t a : lanes_.back()->attackers) lane_of_[Index(a)] = static_cast<int32_t>(l);
  }
}

absl::StatusOr<Separation> Separator::Separate(const SeparationRequest& request) {
  std::vector<uint8_t> present(Index(model_.num_cells()), 0);
  for (size_t i = 0; i < present.size(); ++i) present[i] = request.x[i] >= kPresent;
  std::vector<absl::Status> status(kLanes);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t l = next++; l < kLanes; l = next++) status[l] = RunLane(request, present, *lanes_[l]);
  };
  {
    std::vector<std::jthread> others;
    for (int32_t t = 1; t < request.threads; ++t) others.emplace_back(work);
    work();
  }
  Separation all;
  for (size_t l = 0; l < kLanes; ++l) {
    SLUIS_RETURN_IF_ERROR(status[l]);
    Separation& found = lanes_[l]->found;
    std::move(found.cuts.begin(), found.cuts.end(), std::back_inserter(all.cuts));
    all.reached += found.reached;
    all.programs += found.programs;
    all.iterations += found.iterations;
    all.unknown += found.unknown;
  }
  std::sort(all.cuts.begin(), all.cuts.end(),
            [](const ViolatedCut& a, const ViolatedCut& b) { return a.attacker < b.attacker; });
  return all;
}

double Separator::Fits(int32_t measure, const Moves& moves, double sign, std::span<const double> x) const {
  double fits = lp::kInfinity;
  for (const auto& [cell, amount] : moves) {
    const int64_t reach = model_.Reach(measure, cell, amount * sign > 0);
    if (reach == kNoUpperBound) continue;
    const double part = model_.state(cell) == CellState::kSuppressed ? 1 : x[Index(cell)];
    fits = std::min(fits, static_cast<double>(reach) * part / std::abs(amount));
  }
  return fits;
}

bool Separator::StillReached(const Attacker& attacker, const Memory& memory, std::span<const double> x) const {
  const auto own = std::lower_bound(memory.moves->begin(), memory.moves->end(), attacker.cell,
                                    [](const auto& move, int32_t cell) { return move.first < cell; });
  const double asked = static_cast<double>(attacker.need) * (1 - kShort) / std::abs(own->second);
  return Fits(attacker.measure, *memory.moves, memory.factor, x) >= asked;
}

void Separator::Share(int32_t measure, const std::shared_ptr<const Moves>& moves, std::span<const double> x,
                      Lane& lane) {
  const double forwards = Fits(measure, *moves, 1, x);
  const double backwards = Fits(measure, *moves, -1, x);
  for (const auto& [cell, amount] : *moves) {
    if (model_.state(cell) != CellState::kSuppressed) continue;
    const ProtectionModel::Range range = model_.AttackersOf(measure, cell);
    for (int32_t a = range.begin; a < range.end; ++a) {
      const Attacker& attacker = model_.attackers()[Index(a)];
      if (lane.reached[Index(a)] != 0) continue;
      const bool same = attacker.up == (amount > 0);
      const double moved = std::abs(amount) * (same ? forwards : backwards);
      if (moved < static_cast<double>(attacker.need) * (1 - kShort)) continue;
      lane.reached[Index(a)] = 1;
      // Others' memory is written by their own lane alone.
      if (lane_of_[Index(a)] != lane.number) continue;
      memory_[Index(a)].moves = moves;
      memory_[Index(a)].factor = same ? 1 : -1;
    }
  }
}

void Separator::Consider(const SeparationRequest& request, std::span<const uint8_t> present, int32_t attacker,
                         const Aggregate& aggregate, Lane& lane, std::optional<ViolatedCut>& best) const {
  const std::vector<CutMaker::Coefficient> expanded = lane.cuts.Expand(aggregate);
  for (const std::span<const uint8_t> given : {std::span<const uint8_t>{}, present}) {
    std::optional<CapacityCut> cut = lane.cuts.MakeExpanded(model_.attackers()[Index(attacker)], expanded, given);
    if (!cut) continue;
    double left = 1;
    double square = 0;
    for (size_t k = 0; k < cut->cell.size(); ++k) {
      const double c = static_cast<double>(cut->coefficient[k]) / static_cast<double>(cut->need);
      left -= c * request.x[Index(cut->cell[k])];
      square += c * c;
    }
    if (left < request.min_violation || square == 0) continue;
    const double efficacy = left / std::sqrt(square);
    if (best && best->efficacy >= efficacy) continue;
    best = {.cut = *std::move(cut), .attacker = attacker, .violation = left, .efficacy = efficacy};
  }
}

absl::Status Separator::RunLane(const SeparationRequest& request, std::span<const uint8_t> present, Lane& lane) {
  lane.found = {};
  std::fill(lane.reached.begin(), lane.reached.end(), 0);
  lane.lp.clear();
  lane.lp.resize(model_.system().measures.size());
  for (const int32_t a : lane.attackers) {
    const Attacker& attacker = model_.attackers()[Index(a)];
    Memory& memory = memory_[Index(a)];
    if (lane.reached[Index(a)] != 0 || (memory.moves != nullptr && StillReached(attacker, memory, request.x))) {
      ++lane.found.reached;
      continue;
    }
    if (request.stop && request.stop()) {
      ++lane.found.unknown;
      continue;
    }
    std::optional<ViolatedCut> best;
    std::optional<Aggregate> made_by;
    const auto consider = [&](Aggregate aggregate) {
      const double before = best ? best->efficacy : 0;
      Consider(request, present, a, aggregate, lane, best);
      if (best && best->efficacy > before) made_by = std::move(aggregate);
    };
    for (size_t k = 0; k < memory.aggregates.size(); ++k) {
      consider(lane.descent.Run(attacker, memory.aggregates[k], request.weight));
    }
    const auto own = model_.RelationsOf(attacker.cell);
    for (size_t k = 0; k < std::min(kSeeds, own.size()); ++k) {
      consider(lane.descent.Run(attacker, CutDescent::Seed(attacker, own[k]), request.weight));
    }
    bool reached = false;
    const auto ask = [&](std::optional<int64_t> cap) -> absl::Status {
      std::unique_ptr<AttackerLp>& lp = lane.lp[Index(attacker.measure)];
      if (lp == nullptr) {
        SLUIS_ASSIGN_OR_RETURN(lp, AttackerLp::Create(model_, attacker.measure, request.x));
      }
      const int64_t iterations = lp->iterations();
      const AttackerLp::Answer answer = lp->Solve(attacker, cap);
      ++lane.found.programs;
      lane.found.iterations += lp->iterations() - iterations;
      reached = answer.reached;
      if (answer.outcome == lp::Outcome::kOptimal) {
        Share(attacker.measure, std::make_shared<const Moves>(lp->Deviations()), request.x, lane);
      }
      for (const Aggregate& aggregate : answer.cuts) {
        consider(aggregate);
        consider(lane.descent.Run(attacker, aggregate, request.weight));
      }
      return absl::OkStatus();
    };
    const bool asked = request.programs != SeparationRequest::Programs::kNone;
    if (!best && asked && lane.found.iterations < request.max_lane_iterations) {
      SLUIS_RETURN_IF_ERROR(ask(CapFor(attacker.need)));
      if (!reached && !best && request.programs == SeparationRequest::Programs::kExact) {
        SLUIS_RETURN_IF_ERROR(ask(std::nullopt));
      }
    }
    if (best) {
      lane.found.cuts.push_back(*std::move(best));
      memory.aggregates.insert(memory.aggregates.begin(), *std::move(made_by));
      if (memory.aggregates.size() > kRemembered) memory.aggregates.pop_back();
    } else if (reached) {
      ++lane.found.reached;
    } else {
      ++lane.found.unknown;
    }
  }
  lane.lp.clear();
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
