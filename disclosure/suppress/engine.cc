#include "disclosure/suppress/engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// What the linear programs charge for a cell that is suppressed already, where others cost their cost + 1. At 0 a
// deviation wanders through all suppressed cells, which takes four times as long and makes the certificate as much
// larger; the cost of the pattern rises by some percent where costs are that small, and hardly where they are amounts.
constexpr double kStandbyWeight = 4;

absl::Status CheckOptions(const CellSystem& system, const SuppressOptions& options) {
  const size_t n = Index(system.num_cells);
  if ((!options.guide.empty() && options.guide.size() != n) || (!options.start.empty() && options.start.size() != n)) {
    return absl::InvalidArgumentError("suppression: guide and start need one entry per cell, or none");
  }
  for (size_t i = 0; i < options.guide.size(); ++i) {
    if (!std::isfinite(options.guide[i]) || options.guide[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("suppression: the guide's factor of cell ", i, " is below 0"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

SuppressionEngine::SuppressionEngine(const CellSystem& system, const SuppressOptions& options)
    : system_(system),
      options_(options),
      incidence_(BuildIncidence(system.relations, system.num_cells)),
      exact_(system, incidence_),
      row_scratch_(Index(system.relations.size()), -1),
      full_lp_(system.measures.size()),
      users_(Index(system.num_cells)),
      weight_(Index(system.num_cells), kForbidden) {
  result_.pattern.assign(Index(system.num_cells), 0);
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (system.IsPrimary(i)) {
      result_.pattern[Index(i)] = 1;
      ++result_.primary_cells;
    } else if (!options.start.empty() && options.start[Index(i)] != 0) {
      result_.pattern[Index(i)] = system.suppressible[Index(i)];
    }
  }
  CollectTargets();
}

void SuppressionEngine::CollectTargets() {
  for (size_t m = 0; m < system_.measures.size(); ++m) {
    const Measure& measure = system_.measures[m];
    for (int32_t i = 0; i < system_.num_cells; ++i) {
      for (const Direction direction : {Direction::kLower, Direction::kUpper}) {
        const int64_t level = (direction == Direction::kUpper ? measure.upper_level : measure.lower_level)[Index(i)];
        if (level == 0) continue;
        targets_.push_back(
            {.measure = static_cast<int32_t>(m), .cell = i, .direction = direction, .level = level, .witness = -1});
      }
    }
  }
}

absl::Status SuppressionEngine::Checkpoint(SuppressPhase phase, int64_t done, int64_t total) const {
  if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
    return absl::CancelledError("suppression: cancelled");
  }
  if (options_.progress) options_.progress(phase, done, total);
  return absl::OkStatus();
}

// The targets stand in the order of measure, cell and direction: those of one cell are neighbours.
int64_t SuppressionEngine::FirstTarget(int32_t measure, int32_t cell) const {
  const auto at = std::lower_bound(targets_.begin(), targets_.end(), std::pair(measure, cell),
                                   [](const Target& target, const std::pair<int32_t, int32_t>& key) {
                                     return std::pair(target.measure, target.cell) < key;
                                   });
  return at - targets_.begin();
}

bool SuppressionEngine::Serves(const Deviation& deviation, const Target& target) const {
  const auto at = std::lower_bound(deviation.cell.begin(), deviation.cell.end(), target.cell);
  if (deviation.measure != target.measure || at == deviation.cell.end() || *at != target.cell) return false;
  const Int128 numerator = deviation.numerator[Index(at - deviation.cell.begin())];
  const Int128 asked = Int128{target.level} * deviation.denominator;
  return (target.direction == Direction::kUpper ? numerator : -numerator) >= asked;
}

int64_t SuppressionEngine::Keep(Deviation deviation) {
  witnesses_.push_back(std::move(deviation));
  witness_uses_.push_back(0);
  return static_cast<int64_t>(witnesses_.size()) - 1;
}

void SuppressionEngine::Assign(int64_t target, int64_t witness) {
  const int64_t old = std::exchange(targets_[Index(target)].witness, witness);
  ++witness_uses_[Index(witness)];
  for (const int32_t cell : witnesses_[Index(witness)].cell) users_[Index(cell)].push_back(target);
  if (old >= 0 && --witness_uses_[Index(old)] == 0) witnesses_[Index(old)] = {};
}

void SuppressionEngine::Absorb(Deviation deviation) {
  const int64_t kept = Keep(std::move(deviation));
  const Deviation& witness = witnesses_[Index(kept)];
  for (const int32_t cell : witness.cell) {
    result_.pattern[Index(cell)] = 1;
    for (int64_t t = FirstTarget(witness.measure, cell); t < static_cast<int64_t>(targets_.size()); ++t) {
      const Target& target = targets_[Index(t)];
      if (target.cell != cell || target.measure != witness.measure) break;
      if (target.witness < 0 && Serves(witness, target)) Assign(t, kept);
    }
  }
}

std::vector<int64_t> SuppressionEngine::UsersOf(int32_t cell) {
  std::vector<int64_t>& users = users_[Index(cell)];
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  std::erase_if(users, [&](int64_t t) {
    const std::vector<int32_t>& cells = witnesses_[Index(targets_[Index(t)].witness)].cell;
    return !std::binary_search(cells.begin(), cells.end(), cell);
  });
  return users;
}

absl::StatusOr<CheapestDeviationLp*> SuppressionEngine::FullLp(int32_t measure) {
  std::unique_ptr<CheapestDeviationLp>& lp = full_lp_[Index(measure)];
  if (lp == nullptr) {
    std::vector<int32_t> cells;
    for (int32_t i = 0; i < system_.num_cells; ++i) {
      if (system_.suppressible[Index(i)] != 0) cells.push_back(i);
    }
    SLUIS_ASSIGN_OR_RETURN(lp,
                           CheapestDeviationLp::Create(system_, incidence_, measure, std::move(cells), row_scratch_));
  }
  return lp.get();
}

double SuppressionEngine::Weight(int32_t cell) const {
  if (result_.pattern[Index(cell)] != 0) return kStandbyWeight;
  const double factor = options_.guide.empty() ? 1 : options_.guide[Index(cell)];
  return (static_cast<double>(system_.cost[Index(cell)]) + 1) * factor;
}

absl::Status SuppressionEngine::Construct() {
  // One measure after the other: what serves the first stretches to most levels of the next. Within a measure the
  // widest needs first: what they suppress serves many others.
  std::vector<int64_t> order(targets_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [this](int64_t a, int64_t b) {
    const auto key = [this](int64_t t) {
      const Target& target = targets_[Index(t)];
      return std::pair(target.measure, -system_.measures[Index(target.measure)].upper_level[Index(target.cell)]);
    };
    return key(a) < key(b);
  });

  for (int32_t i = 0; i < system_.num_cells; ++i) {
    weight_[Index(i)] = Weight(i);
  }
  std::vector<uint8_t> hopeless(Index(system_.num_cells), 0);
  int64_t inexact = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    const int64_t t = order[k];
    const Target& target = targets_[Index(t)];
    if (target.witness >= 0) continue;
    SLUIS_RETURN_IF_ERROR(
        Checkpoint(SuppressPhase::kConstruct, static_cast<int64_t>(k), static_cast<int64_t>(order.size())));
    SLUIS_ASSIGN_OR_RETURN(CheapestDeviationLp* const lp, FullLp(target.measure));
    ++result_.construct_lps;
    const lp::Outcome outcome = lp->Solve(target.cell, target.direction, target.level, weight_);
    if (outcome == lp::Outcome::kInfeasible) {
      hopeless[Index(target.cell)] = 1;
      continue;
    }
    if (outcome != lp::Outcome::kOptimal) return absl::InternalError("suppression: the linear program failed");
    std::optional<Deviation> deviation = exact_.Find(target.measure, lp->vertex());
    if (!deviation || !Serves(*deviation, target)) {
      ++inexact;
      continue;
    }
    const std::vector<int32_t> moved = deviation->cell;
    Absorb(*std::move(deviation));
    for (const int32_t cell : moved) weight_[Index(cell)] = Weight(cell);
    Stretch(static_cast<int64_t>(witnesses_.size()) - 1);
  }
  if (const auto count = std::count(hopeless.begin(), hopeless.end(), 1); count > 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "suppression: ", count, " primary cells cannot be protected even with everything else suppressed; ",
        "ask for a coarser table or for fewer cells that must be published"));
  }
  if (inexact > 0) {
    return absl::InternalError(absl::StrCat("suppression: ", inexact, " deviations could not be made exact"));
  }
  return Checkpoint(SuppressPhase::kConstruct, static_cast<int64_t>(order.size()), static_cast<int64_t>(order.size()));
}

SuppressionResult SuppressionEngine::TakeResult() {
  Certificate& certificate = result_.certificate;
  std::vector<int32_t> place(witnesses_.size(), -1);
  for (const Target& target : targets_) {
    int32_t& at = place[Index(target.witness)];
    if (at < 0) {
      at = static_cast<int32_t>(certificate.deviations.size());
      certificate.deviations.push_back(std::move(witnesses_[Index(target.witness)]));
    }
    certificate.claims.push_back(
        {.measure = target.measure, .cell = target.cell, .direction = target.direction, .deviation = at});
  }
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (result_.pattern[Index(i)] == 0 || system_.IsPrimary(i)) continue;
    ++result_.secondary_cells;
    if (__builtin_add_overflow(result_.secondary_cost, system_.cost[Index(i)], &result_.secondary_cost)) {
      result_.secondary_cost = std::numeric_limits<int64_t>::max();
    }
  }
  return std::move(result_);
}

absl::StatusOr<SuppressionResult> Suppress(const CellSystem& system, const SuppressOptions& options) {
  SLUIS_RETURN_IF_ERROR(Validate(system));
  SLUIS_RETURN_IF_ERROR(CheckOptions(system, options));
  SuppressionEngine engine(system, options);
  SLUIS_RETURN_IF_ERROR(engine.Construct());
  SLUIS_RETURN_IF_ERROR(engine.Cleanup());
  SLUIS_RETURN_IF_ERROR(engine.Conceal());
  SuppressionResult result = engine.TakeResult();
  if (const absl::Status status = CheckCertificate(system, result.pattern, result.certificate); !status.ok()) {
    return absl::InternalError(absl::StrCat("suppression: the certificate fails: ", std::string(status.message())));
  }
  return result;
}

}  // namespace sluis::disclosure
