#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/cut_master.h"
#include "disclosure/bound/integer_master.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/bound/separator.h"

namespace sluis::disclosure {

// No pattern is known yet.
inline constexpr int64_t kNoCost = std::numeric_limits<int64_t>::max();

// What an iteration inside an integer program counts for, with cuts and heuristics at the nodes.
inline constexpr int64_t kStepsPerIntegerIteration = 5;

struct RelaxationOptions {
  int32_t threads = 1;
  // Simplex iterations, of attackers and of the covering program, after which no further round is begun; a descent
  // counts for some. Counted in steps, never in seconds.
  int64_t max_steps = 2'000'000;
  // When it returns true, the round at hand is the last. May be empty.
  std::function<bool()> stop;
  // Called after each round with the proven bound. May be empty.
  std::function<void(int64_t bound, int64_t steps)> progress;
};

struct RelaxationStatistics {
  int64_t rounds = 0;
  int64_t cuts = 0;
  int64_t programs = 0;  // linear programs of attackers
  int64_t steps = 0;
};

struct WholePattern {
  std::vector<uint8_t> pattern;  // per cell, primary ones included. Empty: it would be no cheaper than the best known
  int64_t fall_short = 0;        // attackers who have not been shown to reach their level under it
};

// The linear relaxation of cell suppression with capacity cuts, tightened in rounds: a lower bound on the cost of every
// pattern that protects, and a fractional pattern that guides the search for good ones. Not thread-safe; deterministic
// for any number of threads, as long as `stop` is.
class Relaxation {
 public:
  // `model` must outlive the object. Errors: INTERNAL if the solver fails.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Relaxation>> Create(const ProtectionModel& model,
                                                                          RelaxationOptions options);

  // A pattern that protects is known, at this cost of secondary cells. From then on only cheaper ones are looked for:
  // cells that those suppress or publish for certain are fixed.
  void SetBest(int64_t cost);

  // Adds cuts in rounds until the bound stands still: `programs` says how far each round looks for them. Returns when
  // the gain over the last few rounds is below `least_gain` (a part of the bound), no cut is found, the steps are used
  // up, or stop. Errors: INTERNAL if the solver fails.
  [[nodiscard]] absl::Status Tighten(SeparationRequest::Programs programs, double least_gain);

  // Looks for attackers who fall short under a whole pattern, and adds the cuts. Returns how many fall short: 0 only if
  // each has been shown to reach his level (in floating point). `pattern`: per cell, primary cells suppressed.
  [[nodiscard]] absl::StatusOr<int64_t> CutOff(std::span<const uint8_t> pattern);

  // The cheapest whole pattern under the cuts so far, or a good one; an empty pattern if none was found. If it is the
  // cheapest of all, its cost is a bound, and counts as one from then on: that the search of the integer program left
  // nothing out is the solver's word.
  [[nodiscard]] absl::StatusOr<IntegerMasterAnswer> SolveInteger(const IntegerMasterOptions& options);

  // Adds cells to a whole pattern under which some attackers fall short: in rounds, cuts for these attackers and the
  // cheapest further cells that satisfy all cuts, until nobody falls short or the number of those who do stands still
  // (the last few are a matter of many small cells, one cut at a time). `options`: of the integer programs.
  [[nodiscard]] absl::StatusOr<WholePattern> Complete(std::vector<uint8_t> pattern, IntegerMasterOptions options);

  // Counts work that was done elsewhere on the same program, and takes over the bound that it gave (0: none), which
  // then stands as those of SolveInteger do.
  void Credit(int64_t bound, const RelaxationStatistics& work);

  // A proven lower bound on the cost of the secondary cells of any pattern that protects; at most SetBest's cost.
  [[nodiscard]] int64_t bound() const { return std::min(bound_, best_cost_); }
  // The same without the bounds of integer programs: exact arithmetic alone.
  [[nodiscard]] int64_t linear_bound() const { return std::min(linear_bound_, best_cost_); }
  [[nodiscard]] bool OutOfSteps() const;
  [[nodiscard]] const RelaxationStatistics& statistics() const { return statistics_; }
  // The fractional pattern of the best bound: per cell.
  [[nodiscard]] std::span<const double> x() const { return master_->x(); }
  [[nodiscard]] const CutMaster& master() const { return *master_; }

 private:
  Relaxation(const ProtectionModel& model, RelaxationOptions options)
      : model_(model), options_(std::move(options)), separator_(model) {}
  // One separation at the master's x and one solve; `found`: cuts added. False: nothing cheaper than the best exists.
  [[nodiscard]] absl::StatusOr<bool> Round(SeparationRequest::Programs programs, int64_t& found);
  // Ends a Fix of each of `cells` and solves; the bound then counts again.
  [[nodiscard]] absl::Status ReleaseAndSolve(std::span<const int32_t> cells);
  // Solves the covering program, and counts its steps. False: nothing cheaper than the best exists.
  [[nodiscard]] absl::StatusOr<bool> SolveMaster();
  // Separates a whole pattern exactly and adds the cuts, without a solve. Returns how many attackers fall short.
  [[nodiscard]] absl::StatusOr<int64_t> AddCutsAgainst(std::span<const double> x);
  void Raise(int64_t bound);
  // Per cell: x, and a little more for cells that are cheap to suppress.
  [[nodiscard]] std::vector<double> DescentWeight(std::span<const double> x) const;
  [[nodiscard]] absl::StatusOr<Separation> SeparateAt(std::span<const double> x, SeparationRequest::Programs programs);

  const ProtectionModel& model_;
  const RelaxationOptions options_;
  Separator separator_;
  std::unique_ptr<CutMaster> master_;
  int64_t bound_ = 0;
  int64_t linear_bound_ = 0;
  int64_t best_cost_ = kNoCost;
  RelaxationStatistics statistics_;
};

}  // namespace sluis::disclosure
