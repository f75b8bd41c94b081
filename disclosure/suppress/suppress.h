#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

enum class SuppressPhase {
  kConstruct,  // protection levels reached, of all
  kCleanup,    // secondary cells tried, of all
  kConceal,    // suppressed cells looked at, of all
};

struct SuppressOptions {
  // How much work may go into removing secondary cells that turned out not to be needed: linear programs solved, and
  // the simplex iterations in them, for a pattern of up to some 2,000 secondary cells. For larger ones (but not in
  // dense systems, whose programs are slow) so much for every 300 cells: enough to try them all. More gives fewer
  // secondary cells, never another degree of safety; 0 removes only what costs nothing to remove. Counted in steps,
  // never in seconds: the result is the same on every machine.
  int64_t max_cleanup_lps = 5'000;
  int64_t max_cleanup_iterations = 60'000;
  // Per cell, a factor >= 0 by which construction multiplies what it charges for suppressing the cell, for instance 1 -
  // x where a linear relaxation suppresses the fraction x. Steers the search and nothing else: costs are compared and
  // reported without it. Empty: 1 for every cell.
  std::vector<double> guide;
  // Cells that are suppressed from the beginning, for instance another method's pattern. Construction adds what is
  // still missing, cleanup removes what is not needed. Cells that are not suppressible are left out. Empty: none.
  Pattern start;
  // The system is known to be dense, from an earlier result (SuppressionResult::dense): no long programs to find out.
  bool dense = false;
  // Threads to work on, at least 1. The result does not depend on it.
  int threads = 1;
  // Called now and then, from the calling thread. May be empty.
  std::function<void(SuppressPhase phase, int64_t done, int64_t total)> progress;
  // Asked between batches of work, from the calling thread. Once it has answered true, construction goes on with the
  // quickest search that still ends in a safe pattern, and no cell is tried for removal any more: the pattern is safe
  // as ever, but dearer. May be empty; then the result does not depend on the speed of the machine.
  std::function<bool()> stop;
  // For callers who have a safe pattern already: once `stop` has answered true before this one is safe, Suppress
  // returns CANCELLED.
  bool give_up = false;
  // When it becomes true, Suppress returns CANCELLED after the linear program at hand. May be null.
  const std::atomic<bool>* cancelled = nullptr;
};

struct SuppressionResult {
  Pattern pattern;
  Certificate certificate;
  int64_t primary_cells = 0;    // suppressed, and primary in at least one measure
  int64_t secondary_cells = 0;  // the other suppressed cells
  int64_t secondary_cost = 0;   // the sum of CellSystem::cost over secondary_cells, at most 2^63 - 1
  // Suppressed cells, not primary in the measure concerned, whose value there can be recomputed exactly all the same,
  // and for which no other cell can be suppressed to prevent it. Nothing sensitive; counted per measure.
  int64_t recomputable = 0;
  int64_t construct_lps = 0;
  int64_t construct_iterations = 0;
  int64_t cleanup_lps = 0;
  int64_t cleanup_iterations = 0;
  int64_t conceal_lps = 0;
  bool cleanup_complete = true;  // false: a limit on cleanup was reached, or options.stop
  bool stopped = false;          // options.stop cut the effort short
  bool dense = false;            // its linear programs are long: each simplex iteration stands for many elsewhere
};

// Returns a suppression pattern, common to all measures, under which an attacker who knows all published cells, all
// relations and the bounds 0 .. upper_bound cannot narrow any primary cell, in any measure, to less than
// [value - lower level, value + upper level]; and the exact proof of it. The proof has passed CheckCertificate.
//
// Method: for each level not yet reached, linear programs over growing neighbourhoods find cheap cells whose joint
// deviation reaches it; every deviation found, and every multiple of it that the bounds allow, backwards and in other
// measures too, serves all levels that it reaches.
// Then secondary cells are removed again, dearest first, as long as all levels that used them can be reached without.
// Last, secondary cells that could still be recomputed exactly get company. A cell that is suppressed for one measure
// costs nothing in the others. The pattern is a heuristic one: safe, not the optimum; if cleanup_complete and no
// component of suppressed cells is larger than some 2,000, also inclusion-minimal (but for the last step).
//
// Errors:
//   INVALID_ARGUMENT     Validate(system) fails; guide or start is neither empty nor of one entry per cell, or a factor
//                        is negative or no number; threads below 1
//   FAILED_PRECONDITION  some primary cells cannot be protected even if everything suppressible is suppressed; the
//                        message says how many. Ask for a coarser table, or fewer published cells.
//   CANCELLED            options.cancelled, or options.give_up
//   INTERNAL             a deviation could not be made exact, or the solver failed
// Deterministic, on any number of threads, unless options.stop ever answers true. Thread-safe for different results.
// Does not know contributors: one who alone makes up a suppressed cell knows that cell, and is a stronger attacker.
// Cost: one to three linear programs of some hundred cells per level that no earlier deviation reached, larger ones for
// what is dear, and the cleanup as limited. Memory: 169 MB in all were measured for
// 224,400 cells, 17,194 of them primary, on two threads.
// Source: the attacker's problem is that of Fischetti and Salazar, Management Science 47 (2001).
[[nodiscard]] absl::StatusOr<SuppressionResult> Suppress(const CellSystem& system, const SuppressOptions& options);

}  // namespace sluis::disclosure
