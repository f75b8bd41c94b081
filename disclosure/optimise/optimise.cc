#include "disclosure/optimise/optimise.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/status/status.h"
#include "disclosure/bound/closing.h"
#include "disclosure/bound/integer_master.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/bound/relaxation.h"
#include "disclosure/optimise/neighbourhoods.h"

namespace sluis::disclosure {
namespace {

using Programs = SeparationRequest::Programs;

// Rounds of cuts go on while three of them raise the bound by this part.
constexpr double kLeastGain = 0.003;
// How roughly integer programs are solved whose patterns only begin a search, and how often.
constexpr double kRoughGap = 0.005;
constexpr double kRoughReduced = 0.01;  // of the bound: cells with more left of their cost are out
constexpr int64_t kRoughIterations = 20'000;
constexpr int64_t kRoughNodes = 2'000;
constexpr int kRoughRounds = 2;
// A gap, as a part of the bound, from which on integer programs over all cells are worth more effort.
constexpr double kSmallGap = 0.08;
// Where integer programs are solved to the end: simplex iterations of each component, while the gap is large and from
// kSmallGap on.
constexpr int64_t kCloseFarIterations = 5'000;
constexpr int64_t kCloseNearIterations = 60'000;
constexpr int64_t kMaxNodes = 50'000;
// Neighbourhoods searched in vain after which there is no further one, and patterns that are no cheaper once they are
// proven, for company or contributors, after which there is none either.
constexpr int kNeighbourhoodPatience = 60;
constexpr int kProofPatience = 3;
// The part of the proven cost from which on what neighbourhoods found is proven.
constexpr double kProveBelow = 0.985;
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
  // The pattern of an integer program that is solved roughly, over the cells that the relaxation thinks of, completed.
  [[nodiscard]] absl::Status TryRoughPattern();
  // Integer programs over all cells, solved to the end, as long as they are not too hard. True if the last one's own
  // pattern protects: then there is nothing better to look for.
  [[nodiscard]] absl::StatusOr<bool> Close();
  // Cheaper patterns near the best one, as long as some are found.
  [[nodiscard]] absl::Status SearchNeighbourhoods();
  [[nodiscard]] absl::Status Improve();

  const CellSystem& system_;
  const OptimiseOptions& options_;
  const ProtectionModel model_;
  int64_t max_steps_ = options_.max_steps;  // of those that the relaxation counts
  std::unique_ptr<Relaxation> relaxation_;
  Closing closing_;
  OptimiseResult result_;
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

absl::Status Search::TryRoughPattern() {
  IntegerMasterOptions integer;
  integer.threads = options_.threads;
  integer.stop = [this] { return Stop(); };
  integer.max_nodes = kRoughNodes;
  integer.max_iterations = kRoughIterations;
  integer.relative_gap = kRoughGap;
  std::vector<uint8_t> pattern;
  int64_t fall_short = 0;
  for (int round = 0; round < kRoughRounds && !Done(); ++round) {
    if (round > 0) SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kNone, kLeastGain));
    integer.max_reduced = static_cast<int64_t>(kRoughReduced * static_cast<double>(relaxation_->bound()));
    ++result_.integer_programs;
    SLUIS_ASSIGN_OR_RETURN(IntegerMasterAnswer answer, relaxation_->SolveInteger(integer));
    if (answer.pattern.empty() || answer.cost >= result_.suppression.secondary_cost) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(fall_short, relaxation_->CutOff(answer.pattern));
    pattern = std::move(answer.pattern);
    if (fall_short == 0) break;
  }
  if (pattern.empty()) return absl::OkStatus();
  if (fall_short > 0) {
    SLUIS_ASSIGN_OR_RETURN(WholePattern whole, relaxation_->Complete(std::move(pattern), integer));
    pattern = std::move(whole.pattern);
  }
  return Try(std::move(pattern)).status();
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

absl::Status Search::SearchNeighbourhoods() {
  closing_.Add(relaxation_->master().cuts());
  Neighbourhoods neighbourhoods(model_, *relaxation_, closing_);
  std::vector<uint8_t> best = result_.suppression.pattern;
  int64_t cost = result_.suppression.secondary_cost;
  const auto stop = [this] { return Stop(); };
  int failed = 0;
  int dearer = 0;
  const auto prove = [&]() -> absl::Status {
    if (cost >= result_.suppression.secondary_cost) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(const bool cheaper, Try(std::move(best)));
    dearer = cheaper ? 0 : dearer + 1;
    best = result_.suppression.pattern;
    cost = result_.suppression.secondary_cost;
    return absl::OkStatus();
  };
  while (failed < kNeighbourhoodPatience && dearer < kProofPatience && cost > 0 && !relaxation_->OutOfSteps()) {
    const int64_t left = max_steps_ - relaxation_->statistics().steps;
    SLUIS_ASSIGN_OR_RETURN(Neighbourhoods::Answer answer,
                           neighbourhoods.Search(best, cost, left, options_.threads, stop));
    relaxation_->Credit(0, answer.work);
    result_.integer_programs += answer.integer_programs;
    if (answer.pattern.empty()) {
      ++failed;
      continue;
    }
    failed = 0;
    best = std::move(answer.pattern);
    cost = answer.cost;
    // What is not proven when the time is up is lost.
    if (static_cast<double>(cost) < kProveBelow * static_cast<double>(result_.suppression.secondary_cost)) {
      SLUIS_RETURN_IF_ERROR(prove());
    }
  }
  return prove();
}

absl::Status Search::Improve() {
  SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kNone, kLeastGain));
  SLUIS_ASSIGN_OR_RETURN(const bool closed, Close());
  if (!closed && !Done()) {
    SLUIS_RETURN_IF_ERROR(relaxation_->Tighten(Programs::kCapped, kLeastGain));
    SLUIS_RETURN_IF_ERROR(TryRoughPattern());
    SLUIS_RETURN_IF_ERROR(SearchNeighbourhoods());
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
