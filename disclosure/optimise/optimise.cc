#include "disclosure/optimise/optimise.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "common/status/status.h"
#include "disclosure/bound/closing.h"
#include "disclosure/bound/integer_master.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/bound/relaxation.h"

namespace sluis::disclosure {
namespace {

using Programs = SeparationRequest::Programs;

// Rounds of cuts go on while three of them raise the bound by this part.
constexpr double kLeastGain = 0.003;
// A gap, as a part of the bound, from which on integer programs are solved to the optimum over all cells. Before, they
// are solved roughly, over the cells that the relaxation thinks of, and serve the patterns and the cuts.
constexpr double kSmallGap = 0.08;
constexpr double kRoughGap = 0.005;
constexpr double kRoughReduced = 0.01;  // of the bound
constexpr int64_t kRoughIterations = 20'000;
// An integer program whose pattern costs more than so many times the bound is too hard: dives do better.
constexpr double kHardIntegerProgram = 1.08;
// Where integer programs are solved to the end: simplex iterations of each component, while the gap is large and from
// kSmallGap on.
constexpr int64_t kCloseFarIterations = 5'000;
constexpr int64_t kCloseNearIterations = 60'000;
constexpr int64_t kMaxNodes = 50'000;
// Failed rounds of the search after which it ends: the steps would be spent on nothing.
constexpr int kPatience = 3;
constexpr int kMaxIntegerRounds = 30;
// The last pattern is cleaned up with so much more effort than those on the way.
constexpr int64_t kLastCleanupFactor = 10;
// In dense systems a step takes so many times as long, in the relaxation and in cleanup.
constexpr int64_t kDenseStep = 8;
constexpr int64_t kLastDenseCleanupFactor = 3;

class Search {
 public:
  Search(const CellSystem& system, const OptimiseOptions& options)
      : system_(system), options_(options), model_(system), closing_(model_) {}

  absl::StatusOr<OptimiseResult> Run();

 private:
  [[nodiscard]] bool Cancelled() const { return options_.cancelled != nullptr && options_.cancelled->load(); }
  [[nodiscard]] bool Stop() const { return Cancelled() || (options_.stop && options_.stop()); }
  [[nodiscard]] bool Done() const {
    return relaxation_->bound() >= result_.suppression.secondary_cost || relaxation_->OutOfSteps();
  }
  void Report(OptimisePhase phase, int64_t bound, int64_t steps) const {
    if (!options_.progress) return;
    options_.progress(
        {.phase = phase, .steps = steps, .cost = result_.suppression.secondary_cost, .lower_bound = bound});
  }
  [[nodiscard]] absl::StatusOr<SuppressionResult> Suppressed(Pattern start, int64_t cleanup_factor) const;
  // Completes and proves `start`; keeps it if it is cheaper. True if it is.
  [[nodiscard]] absl::StatusOr<bool> Try(Pattern start, int64_t cleanup_factor = 1);
  // Integer programs and cuts in turn. True if the pattern became cheaper, or the bound was closed.
  [[nodiscard]] absl::StatusOr<bool> SolveIntegers();
  // Integer programs over all cells, solved to the end, as long as they are not too hard. True if the last one's own
  // pattern protects: then there is nothing better to look for.
  [[nodiscard]] absl::StatusOr<bool> Close();
  [[nodiscard]] absl::Status Improve();

  const CellSystem& system_;
  const OptimiseOptions& options_;
  const ProtectionModel model_;
  int64_t max_steps_ = options_.max_steps;  // of those that the relaxation counts
  std::unique_ptr<Relaxation> relaxation_;
  Closing closing_;
  OptimiseResult result_;
  bool integers_pay_ = true;  // the last integer program's pattern cost little more than the bound
};

absl::StatusOr<SuppressionResult> Search::Suppressed(Pattern start, int64_t cleanup_factor) const {
  SuppressOptions options;
  if (start.empty()) options.progress = options_.suppress_progress;
  options.max_cleanup_lps = options_.max_cleanup_lps * cleanup_factor;
  options.max_cleanup_iterations = options_.max_cleanup_iterations * cleanup_factor;
  options.start = std::move(start);
  options.dense = result_.suppression.dense;
  options.threads = options_.threads;
  options.stop = options_.stop;
  options.give_up = !options.start.empty();
  options.cancelled = options_.cancelled;
  return Suppress(system_, options);
}

absl::StatusOr<bool> Search::Try(Pattern start, int64_t cleanup_factor) {
  absl::StatusOr<SuppressionResult> found = Suppressed(std::move(start), cleanup_factor);
  // The first pattern stands; that another one could not be made exact, or in time, is no reason to fail.
  if (absl::IsInternal(found.status()) || (absl::IsCancelled(found.status()) && !Cancelled())) return false;
  SLUIS_RETURN_IF_ERROR(found.status());
  const bool cheaper = found->secondary_cost < result_.suppression.secondary_cost;
  if (cheaper) result_.suppression = *std::move(found);
  relaxation_->SetBest(result_.suppression.secondary_cost);
  Report(OptimisePhase::kSearch, relaxation_->bound(), relaxation_->statistics().steps);
  return cheaper;
}

absl::StatusOr<bool> Search::SolveIntegers() {
  bool gained = false;
  int64_t fewest_short = std::numeric_limits<int64_t>::max();
  for (int round = 0; round < kMaxIntegerRounds && !Done(); ++round) {
    const auto bound = static_cast<double>(relaxation_->bound());
    const auto gap = static_cast<double>(result_.suppression.secondary_cost) - bound;
    const bool exactly = gap <= kSmallGap * bound;
    const int64_t left = max_steps_ - relaxation_->statistics().steps;
    IntegerMasterOptions integer;
    integer.threads = options_.threads;
    integer.stop = [this] { return Stop(); };
    integer.max_nodes = exactly ? 5'000 : 2'000;
    integer.max_iterations = std::max<int64_t>(1, exactly ? left / 4 : std::min(left / 4, kRoughIterations));
    integer.relative_gap = exactly ? 0 : kRoughGap;
    integer.max_reduced = exactly ? -1 : static_cast<int64_t>(kRoughReduced * bound);
    ++result_.integer_programs;
    SLUIS_ASSIGN_OR_RETURN(const IntegerMasterAnswer answer, relaxation_->SolveInteger(integer));
    if (answer.pattern.empty() || answer.cost >= result_.suppression.secondary_cost) return gained;
    SLUIS_ASSIGN_OR_RETURN(const int64_t fall_short, relaxation_->CutOff(answer.pattern));
    // To complete and prove a pattern takes as long as some rounds: only if it is much nearer than the last tried.
    const bool given_up = static_cast<double>(answer.cost) > kHardIntegerProgram * bound;
    if (fall_short <= fewest_short / 2 || given_up) {
      fewest_short = fall_short;
      WholePattern whole{.pattern = answer.pattern};
      if (fall_short > 0) {
        integer.max_iterations = std::min(integer.max_iterations, kRoughIterations);
        SLUIS_ASSIGN_OR_RETURN(whole, relaxation_->Complete(std::move(whole.pattern), integer));
      }
      SLUIS_ASSIGN_OR_RETURN(const bool cheaper, Try(std::move(whole.pattern)));
      gained = gained || cheaper;
      integers_pay_ = cheaper || !given_up;
    }
    if (fall_short == 0 || given_up || Done()) return gained;
    SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kNone, kLeastGain));
  }
  return gained;
}

absl::StatusOr<bool> Search::Close() {
  closing_.Add(relaxation_->master().cuts());
  closing_.Add(relaxation_->master().set_aside());
  while (!Done()) {
    const auto bound = static_cast<double>(relaxation_->bound());
    const bool near = static_cast<double>(result_.suppression.secondary_cost) <= (1 + kSmallGap) * bound;
    const int64_t left = (max_steps_ - relaxation_->statistics().steps) / kStepsPerIntegerIteration;
    const CoveringOptions options{
        .max_nodes = kMaxNodes,
        .max_iterations = std::clamp<int64_t>(left, 1, near ? kCloseNearIterations : kCloseFarIterations),
        .threads = options_.threads,
        .stop = [this] { return Stop(); }};
    const CutMaster& master = relaxation_->master();
    SLUIS_ASSIGN_OR_RETURN(ClosingRound round, closing_.Round(master.lower(), master.upper(), options));
    result_.integer_programs += round.integer_programs;
    const int64_t proven = !round.complete ? 0 : round.none ? result_.suppression.secondary_cost : round.bound;
    relaxation_->Credit(proven,
                        {.rounds = 1,
                         .cuts = round.cuts,
                         .programs = round.linear_programs,
                         .steps = round.simplex_iterations + kStepsPerIntegerIteration * round.integer_iterations});
    Report(OptimisePhase::kSearch, relaxation_->bound(), relaxation_->statistics().steps);
    if (!round.complete) return false;
    const bool cheaper = !round.pattern.empty() && round.cost < result_.suppression.secondary_cost;
    if (cheaper) SLUIS_RETURN_IF_ERROR(Try(std::move(round.pattern)).status());
    if (round.none || round.fall_short == 0) return true;
    if (round.cuts == 0) return false;
  }
  return false;
}

absl::Status Search::Improve() {
  SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kNone, kLeastGain));
  SLUIS_ASSIGN_OR_RETURN(const bool closed, Close());
  for (int failed = closed ? kPatience : 0; failed < kPatience && !Done();) {
    const int64_t bound = relaxation_->bound();
    bool gained = false;
    if (integers_pay_) {
      SLUIS_ASSIGN_OR_RETURN(gained, SolveIntegers());
      if (Done()) break;
    }
    SLUIS_ASSIGN_OR_RETURN(WholePattern whole, relaxation_->Dive());
    if (!whole.pattern.empty() && !Stop()) {
      SLUIS_ASSIGN_OR_RETURN(const bool cheaper, Try(std::move(whole.pattern)));
      gained = gained || cheaper;
    }
    if (Done()) break;
    SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kCapped, kLeastGain));
    const bool raised = static_cast<double>(relaxation_->bound() - bound) > kLeastGain * static_cast<double>(bound);
    failed = gained || raised ? 0 : failed + 1;
  }
  if (result_.suppression.cleanup_complete || Stop() || relaxation_->bound() >= result_.suppression.secondary_cost) {
    return absl::OkStatus();
  }
  const bool dense = result_.suppression.dense;
  return Try(result_.suppression.pattern, dense ? kLastDenseCleanupFactor : kLastCleanupFactor).status();
}

absl::StatusOr<OptimiseResult> Search::Run() {
  SLUIS_ASSIGN_OR_RETURN(result_.suppression, Suppressed({}, 1));
  result_.first_cost = result_.suppression.secondary_cost;
  if (result_.suppression.dense) max_steps_ = (max_steps_ + kDenseStep - 1) / kDenseStep;
  Report(OptimisePhase::kFirst, 0, 0);
  if (options_.max_steps > 0) {
    SLUIS_ASSIGN_OR_RETURN(relaxation_, Relaxation::Create(model_, {.threads = options_.threads,
                                                                    .max_steps = max_steps_,
                                                                    .stop = [this] { return Stop(); },
                                                                    .progress =
                                                                        [this](int64_t bound, int64_t steps) {
                                                                          Report(OptimisePhase::kBound, bound, steps);
                                                                        }}));
    relaxation_->SetBest(result_.first_cost);
    // A solver that fails ends the search; what was found and proven until then stands.
    if (const absl::Status status = Improve(); !status.ok() && !absl::IsInternal(status)) return status;
    const RelaxationStatistics& statistics = relaxation_->statistics();
    result_.lower_bound = relaxation_->bound();
    result_.relaxation_bound = relaxation_->linear_bound();
    result_.stopped = options_.stop && options_.stop() && statistics.steps < max_steps_;
    result_.steps = statistics.steps;
    result_.rounds = statistics.rounds;
    result_.cuts = statistics.cuts;
    result_.linear_programs = statistics.programs;
  }
  if (Cancelled()) return absl::CancelledError("optimisation: cancelled");
  result_.lower_bound = std::min(result_.lower_bound, result_.suppression.secondary_cost);
  result_.proven_optimal = result_.lower_bound == result_.suppression.secondary_cost;
  return std::move(result_);
}

}  // namespace

absl::StatusOr<OptimiseResult> Optimise(const CellSystem& system, const OptimiseOptions& options) {
  SLUIS_RETURN_IF_ERROR(Validate(system));
  return Search(system, options).Run();
}

}  // namespace sluis::disclosure
