#include "disclosure/bound/relaxation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

// Cheap cells weigh in descents as if this much of them were suppressed. Below 0.001 cuts are shallow, from 0.2 on
// violated ones are missed.
constexpr double kCheapCellWeight = 0.02;
constexpr double kMinViolation = 1e-3;
constexpr int32_t kPurgeAfter = 10;
constexpr int32_t kRoundsLookedBack = 3;
constexpr int64_t kStepsPerDescent = 5;
// The covering program of a large table would take minutes with one cut for every attacker.
constexpr size_t kMaxCutsPerRound = 4'000;
constexpr int32_t kIdleCompletions = 3;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

std::vector<CapacityCut> CutsOf(Separation separation) {
  if (separation.cuts.size() > kMaxCutsPerRound) {
    std::stable_sort(separation.cuts.begin(), separation.cuts.end(),
                     [](const ViolatedCut& a, const ViolatedCut& b) { return a.efficacy > b.efficacy; });
    separation.cuts.resize(kMaxCutsPerRound);
  }
  std::vector<CapacityCut> cuts;
  for (ViolatedCut& violated : separation.cuts) cuts.push_back(std::move(violated.cut));
  return cuts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Relaxation>> Relaxation::Create(const ProtectionModel& model,
                                                               RelaxationOptions options) {
  std::unique_ptr<Relaxation> self(new Relaxation(model, std::move(options)));
  SLUIS_ASSIGN_OR_RETURN(self->master_, CutMaster::Create(model, self->options_.stop));
  SLUIS_RETURN_IF_ERROR(self->master_->Solve());
  return self;
}

bool Relaxation::OutOfSteps() const {
  return statistics_.steps >= options_.max_steps || (options_.stop && options_.stop());
}

void Relaxation::SetBest(int64_t cost) {
  if (cost >= best_cost_) return;
  best_cost_ = cost;
  master_->FixAgainst(cost);
}

void Relaxation::Raise(int64_t bound) {
  linear_bound_ = std::max(linear_bound_, bound);
  bound_ = std::max(bound_, bound);
}

std::vector<double> Relaxation::DescentWeight(std::span<const double> x) const {
  std::vector<double> weight(x.begin(), x.end());
  double scale = 0;
  int64_t count = 0;
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) != CellState::kFree || x[Index(i)] < 0.01) continue;
    scale += static_cast<double>(model_.system().cost[Index(i)]);
    ++count;
  }
  if (count == 0) {
    for (int32_t i = 0; i < model_.num_cells(); ++i) {
      if (model_.state(i) != CellState::kFree) continue;
      scale += static_cast<double>(model_.system().cost[Index(i)]);
      ++count;
    }
  }
  scale = 1 + scale / static_cast<double>(std::max<int64_t>(1, count));
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) != CellState::kFree || master_->upper()[Index(i)] == 0) continue;
    const auto left = static_cast<double>(std::max<int64_t>(0, master_->reduced()[Index(i)]));
    weight[Index(i)] += kCheapCellWeight * scale / (scale + left);
  }
  return weight;
}

absl::StatusOr<Separation> Relaxation::SeparateAt(std::span<const double> x, SeparationRequest::Programs programs) {
  const std::vector<double> weight = DescentWeight(x);
  SLUIS_ASSIGN_OR_RETURN(
      Separation found,
      separator_.Separate({.x = x,
                           .weight = weight,
                           .programs = programs,
                           .min_violation = kMinViolation,
                           .max_lane_iterations = std::max<int64_t>(1, options_.max_steps - statistics_.steps),
                           .threads = options_.threads,
                           .stop = options_.stop}));
  ++statistics_.rounds;
  statistics_.cuts += static_cast<int64_t>(found.cuts.size());
  statistics_.programs += found.programs;
  statistics_.steps += found.iterations;
  statistics_.steps += kStepsPerDescent * (static_cast<int64_t>(model_.attackers().size()) - found.reached);
  return found;
}

absl::StatusOr<bool> Relaxation::SolveMaster() {
  const int64_t before = master_->iterations();
  const absl::Status solved = master_->Solve();
  statistics_.steps += master_->iterations() - before;
  if (absl::IsFailedPrecondition(solved)) return false;
  SLUIS_RETURN_IF_ERROR(solved);
  return true;
}

absl::StatusOr<bool> Relaxation::Round(SeparationRequest::Programs programs, int64_t& found) {
  SLUIS_ASSIGN_OR_RETURN(Separation separation, SeparateAt(master_->x(), programs));
  found = static_cast<int64_t>(separation.cuts.size());
  if (found == 0) return true;
  SLUIS_RETURN_IF_ERROR(master_->Add(CutsOf(std::move(separation))));
  return SolveMaster();
}

absl::StatusOr<int64_t> Relaxation::AddCutsAgainst(std::span<const double> x) {
  SLUIS_ASSIGN_OR_RETURN(Separation separation, SeparateAt(x, SeparationRequest::Programs::kExact));
  const int64_t fall_short = static_cast<int64_t>(model_.attackers().size()) - separation.reached;
  SLUIS_RETURN_IF_ERROR(master_->Add(CutsOf(std::move(separation)), /*against_whole=*/true));
  return fall_short;
}

absl::StatusOr<int64_t> Relaxation::CutOff(std::span<const uint8_t> pattern) {
  const std::vector<double> x(pattern.begin(), pattern.end());
  SLUIS_ASSIGN_OR_RETURN(const int64_t fall_short, AddCutsAgainst(x));
  SLUIS_ASSIGN_OR_RETURN(const bool cheaper, SolveMaster());
  Raise(cheaper ? master_->bound() : best_cost_);
  return fall_short;
}

absl::StatusOr<IntegerMasterAnswer> Relaxation::SolveInteger(const IntegerMasterOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(IntegerMasterAnswer answer, SolveIntegerMaster(model_, *master_, options));
  statistics_.steps += kStepsPerIntegerIteration * answer.iterations;
  if (answer.optimal) bound_ = std::max(bound_, answer.pattern.empty() ? best_cost_ : answer.cost);
  return answer;
}

void Relaxation::Credit(int64_t bound, const RelaxationStatistics& work) {
  bound_ = std::max(bound_, bound);
  statistics_.rounds += work.rounds;
  statistics_.cuts += work.cuts;
  statistics_.programs += work.programs;
  statistics_.steps += work.steps;
}

absl::Status Relaxation::Tighten(SeparationRequest::Programs programs, double least_gain) {
  std::vector<int64_t> bounds = {bound_};
  while (!OutOfSteps()) {
    int64_t found = 0;
    SLUIS_ASSIGN_OR_RETURN(const bool cheaper, Round(programs, found));
    if (!cheaper) {
      Raise(best_cost_);
      return absl::OkStatus();
    }
    Raise(master_->bound());
    if (best_cost_ != kNoCost) master_->FixAgainst(best_cost_);
    master_->Purge(kPurgeAfter);
    if (options_.progress) options_.progress(bound(), statistics_.steps);
    if (found == 0 || bound_ >= best_cost_) break;
    bounds.push_back(bound_);
    if (bounds.size() <= kRoundsLookedBack) continue;
    const auto earlier = static_cast<double>(bounds[bounds.size() - 1 - kRoundsLookedBack]);
    if (static_cast<double>(bound_) - earlier < least_gain * static_cast<double>(bound_)) break;
  }
  return absl::OkStatus();
}

absl::Status Relaxation::ReleaseAndSolve(std::span<const int32_t> cells) {
  for (const int32_t cell : cells) master_->Release(cell);
  const absl::Status solved = master_->Solve();
  if (absl::IsFailedPrecondition(solved)) {
    Raise(best_cost_);
    return absl::OkStatus();
  }
  SLUIS_RETURN_IF_ERROR(solved);
  Raise(master_->bound());
  return absl::OkStatus();
}

absl::StatusOr<WholePattern> Relaxation::Complete(std::vector<uint8_t> pattern, IntegerMasterOptions options) {
  options.max_reduced = -1;  // what is left of the costs is not about patterns that hold this one
  WholePattern whole{.pattern = std::move(pattern)};
  int64_t fewest_short = std::numeric_limits<int64_t>::max();
  std::vector<int32_t> fixed;
  for (int32_t round = 0, idle = 0; idle < kIdleCompletions && !OutOfSteps(); ++round) {
    // Every other round the cells added last may go again, if later cuts are satisfied more cheaply.
    for (int32_t i = 0; i < model_.num_cells() && round % 2 == 0; ++i) {
      if (model_.state(i) != CellState::kFree || whole.pattern[Index(i)] == 0) continue;
      if (master_->lower()[Index(i)] == master_->upper()[Index(i)]) continue;
      master_->Fix(i, true);
      fixed.push_back(i);
    }
    const absl::Status solved = master_->Solve();
    if (absl::IsFailedPrecondition(solved)) break;
    SLUIS_RETURN_IF_ERROR(solved);
    SLUIS_ASSIGN_OR_RETURN(IntegerMasterAnswer answer, SolveIntegerMaster(model_, *master_, options));
    statistics_.steps += kStepsPerIntegerIteration * answer.iterations;
    if (answer.pattern.empty()) break;
    whole.pattern = std::move(answer.pattern);
    const std::vector<double> x(whole.pattern.begin(), whole.pattern.end());
    SLUIS_ASSIGN_OR_RETURN(whole.fall_short, AddCutsAgainst(x));
    if (whole.fall_short == 0) break;
    idle = whole.fall_short < fewest_short ? 0 : idle + 1;
    fewest_short = std::min(fewest_short, whole.fall_short);
  }
  SLUIS_RETURN_IF_ERROR(ReleaseAndSolve(fixed));
  return whole;
}

}  // namespace sluis::disclosure
