#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

enum class OptimisePhase {
  kFirst,   // the first safe pattern
  kBound,   // the lower bound rises
  kSearch,  // better patterns are looked for
};

struct OptimiseProgress {
  OptimisePhase phase = OptimisePhase::kFirst;
  int64_t steps = 0;        // of max_steps
  int64_t cost = 0;         // of the best pattern so far; 0 while there is none
  int64_t lower_bound = 0;  // so far
};

struct OptimiseOptions {
  // How much work may go into the bound and into better patterns, in simplex iterations (other work is counted as so
  // many of them). Counted in steps, never in seconds: same input and steps, same pattern, on every machine and for any
  // number of threads. In dense systems (SuppressionResult::dense) each step counts for eight. 0: the pattern of
  // Suppress, and a lower bound of 0. The round at hand is always finished, and the last cleanup comes on top.
  int64_t max_steps = 1'000'000;
  // Cleanup of each pattern found: see SuppressOptions.
  int64_t max_cleanup_lps = 5'000;
  int64_t max_cleanup_iterations = 60'000;
  int32_t threads = 1;
  // A time limit, say: when it returns true, no new work is begun and the best pattern so far is the result, which then
  // depends on when that was. The first safe pattern is always waited for. Called from any thread; may be empty.
  std::function<bool()> stop;
  // Called now and then, from the calling thread. May be empty.
  std::function<void(const OptimiseProgress&)> progress;
  // As SuppressOptions::progress, for the first pattern. May be empty.
  std::function<void(SuppressPhase phase, int64_t done, int64_t total)> suppress_progress;
  // When it becomes true, Optimise returns CANCELLED soon. May be null.
  const std::atomic<bool>* cancelled = nullptr;
};

struct OptimiseResult {
  SuppressionResult suppression;  // the best pattern found, with its certificate
  // No pattern that protects costs less in secondary cells.
  int64_t lower_bound = 0;
  // The pattern's cost is the lower bound. That the search in whole numbers left nothing out is then Cbc's word, unless
  // the relaxation alone gives the bound, which is exact.
  bool proven_optimal = false;
  bool stopped = false;          // by `stop`, before the steps were used up
  int64_t first_cost = 0;        // of the pattern that Suppress found alone
  int64_t relaxation_bound = 0;  // what the linear relaxation proves by itself, in exact arithmetic
  int64_t steps = 0;
  int64_t rounds = 0;  // of cuts
  int64_t cuts = 0;
  int64_t linear_programs = 0;  // attackers', of the bound; those of Suppress are counted there
  int64_t integer_programs = 0;
};

// Returns a suppression pattern as Suppress does, cheaper where the steps allow, and a lower bound on what any pattern
// costs.
//
// Method: Suppress gives a first pattern. The linear relaxation with capacity cuts bounds the cost from below
// (disclosure/bound). Where it can be, the integer program over the cuts is solved, attackers who fall short under its
// pattern add cuts, and so on until none does: then the pattern is the optimum. Else a large neighbourhood search goes
// from the best pattern to cheaper ones, each the solution of such a program with most cells held. Patterns are given
// to Suppress to be proven. Cells that the gap between pattern and bound decides are fixed.
//
// The certificate is checked as in Suppress: whatever goes wrong in the search can cost money, never safety.
//
// Errors: those of Suppress.
// Deterministic unless `stop` ends it. Thread-safe for different results.
// Source: Fischetti and Salazar, Management Science 47 (2001), for the cuts; Shaw, CP 1998, for the search;
// Salazar-Gonzalez, Computers & Operations Research 35 (2008), for cutting first and branching after.
[[nodiscard]] absl::StatusOr<OptimiseResult> Optimise(const CellSystem& system, const OptimiseOptions& options);

}  // namespace sluis::disclosure
