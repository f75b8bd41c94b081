#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

// The other side: what somebody who has the published table can find out about the cells that are missing. Shares no
// code with the engine that chose them, and states its linear programs in another form (values, not deviations).

namespace sluis::disclosure {

// One measure of a table as it was published.
struct PublishedTable {
  Relations relations;
  std::vector<uint8_t> published;    // per cell: 1 published, 0 suppressed
  std::vector<int64_t> value;        // per cell, 0 .. kMaxAmount; not read where suppressed
  std::vector<int64_t> upper_bound;  // per cell: what the attacker knows of a suppressed cell, or kNoUpperBound
};

// Returns what is left of `measure` of `system` when `pattern` (1: suppressed) is applied: suppressed values are 0, and
// the upper bounds are those of the system only if `keep_bounds`, else none (the published bytes alone).
// Precondition: the system is valid, the measure exists and the pattern has one entry per cell.
[[nodiscard]] PublishedTable Publish(const CellSystem& system, int32_t measure, std::span<const uint8_t> pattern,
                                     bool keep_bounds);

// What an attacker knows of a cell beside what is published: a contributor knows that it holds at least the own
// contribution, and one who is alone in it knows its value.
struct KnownRange {
  int32_t cell = 0;
  int64_t low = 0;               // 0 .. kMaxAmount
  int64_t high = kNoUpperBound;  // at least `low`

  [[nodiscard]] bool exact() const { return low == high; }
};

struct AttackOptions {
  // Cells looked at, of all that are to be; called from any thread, by one at a time. May be empty.
  std::function<void(int64_t done, int64_t total)> progress;
  const std::atomic<bool>* cancelled = nullptr;  // when true, the attack returns CANCELLED; may be null
  int threads = 1;                               // 1 .. 1,024; what is found does not depend on it
  // In every measure; each cell once. Contradictions with the table are errors, as those of published values are.
  std::vector<KnownRange> known = {};
};

// How large the attack was.
struct AttackEffort {
  int64_t suppressed_cells = 0;
  int64_t components = 0;         // sets of suppressed cells that tell something about each other
  int64_t largest_component = 0;  // cells
  int64_t linear_programs = 0;
  int64_t iterations = 0;
};

// All values that a suppressed cell may have, given what is published: low <= value <= high.
struct FeasibilityInterval {
  int32_t cell = 0;
  double low = 0;
  double high = 0;  // infinity if nothing bounds the cell
};

struct IntervalReport {
  AttackEffort effort;
  std::vector<FeasibilityInterval> intervals;  // one per suppressed cell, ascending
};

// Returns the feasibility interval of every suppressed cell. Two linear programs per cell at most.
// Errors: INVALID_ARGUMENT if vectors are of unequal length, an index or value is out of range, or the published values
// contradict each other (the message names a relation where there is one); CANCELLED; INTERNAL if the solver failed.
[[nodiscard]] absl::StatusOr<IntervalReport> FindIntervals(const PublishedTable& table, const AttackOptions& options);

struct ExactReport {
  AttackEffort effort;
  std::vector<int32_t> exact_cells;  // ascending: suppressed, yet only one whole number is possible
};

// Returns the suppressed cells that can be recomputed exactly: those whose interval holds one whole number only (all
// values are whole numbers, and attackers know it); those of which options.known says the value are left out. Many
// cells are pushed at once, and every solution of every linear program is used for every cell, so that few cells need
// one of their own. Anyone can run this on published bytes. Errors: as FindIntervals.
[[nodiscard]] absl::StatusOr<ExactReport> FindExact(const PublishedTable& table, const AttackOptions& options);

// A primary cell whose interval does not reach value - lower level (`below`) or value + upper level.
struct Shortfall {
  int32_t measure = 0;
  int32_t cell = 0;
  bool below = false;

  friend bool operator==(const Shortfall&, const Shortfall&) = default;
};

struct LevelReport {
  AttackEffort effort;                // of all measures together
  int64_t levels = 0;                 // protection levels looked at
  std::vector<Shortfall> shortfalls;  // ordered by measure, cell, below first; a published primary cell falls short
};

// Returns the protection levels that `pattern` (1: suppressed) fails to protect in the full system: whether the
// feasibility interval of each primary cell, in each measure, covers [value - lower level, value + upper level]. With
// options.known: as far as a lower end is not below what the attacker's own contributions rule out, and leaving out
// cells that the attacker makes up alone: levels protect the others. Pushes many cells at once, none further than its
// level, and uses each solution for all cells. In floating point, to about 1e-6 of the widest range in a component: the
// proof is the certificate, this is the independent second opinion. Errors: INVALID_ARGUMENT if Validate(system) fails
// or the pattern has another length; CANCELLED; INTERNAL.
[[nodiscard]] absl::StatusOr<LevelReport> VerifyLevels(const CellSystem& system, std::span<const uint8_t> pattern,
                                                       const AttackOptions& options);

}  // namespace sluis::disclosure
