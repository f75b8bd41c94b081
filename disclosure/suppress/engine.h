#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/suppress/coalitions.h"
#include "disclosure/suppress/deviation_search.h"
#include "disclosure/suppress/protection_state.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One run of Suppress. Work is cut into tasks. A batch of tasks reads the same state, on several threads; then their
// results are applied one after the other, each only if it still holds. The size of a batch never depends on the number
// of threads, and so neither does the result.
class SuppressionEngine {
 public:
  SuppressionEngine(const CellSystem& system, const SuppressOptions& options);

  // The steps, in this order.
  [[nodiscard]] absl::Status Construct();
  [[nodiscard]] absl::Status ProtectAgainstContributors();
  [[nodiscard]] absl::Status Cleanup();
  [[nodiscard]] absl::Status Conceal();

  // Pattern, certificate and counts of work; the counts of cells are left to the caller.
  [[nodiscard]] SuppressionResult TakeResult();
  // (measure, cell) of suppressed cells that can be recomputed and for which there is no company.
  [[nodiscard]] const std::vector<std::pair<int32_t, int32_t>>& recomputable() const { return recomputable_; }

 private:
  // Levels reached by a deviation that avoids one cell, to be adopted if all of them can.
  struct Replacement {
    Deviation deviation;
    std::vector<int64_t> targets;
  };
  // What it takes to publish `cell` again.
  struct Removal {
    int32_t cell = 0;
    bool possible = false;
    std::vector<Replacement> replacements;
    std::vector<Replacement> further;  // for contributors to whom the others prove nothing
    int64_t lps = 0;
    int64_t iterations = 0;
    bool out_of_effort = false;
  };

  [[nodiscard]] absl::Status Checkpoint(SuppressPhase phase, int64_t done, int64_t total) const;
  // True from the first time on that options.stop says so. From the calling thread; others look at stopped_.
  [[nodiscard]] bool Stopped();
  [[nodiscard]] DeviationSearch& Searcher(int worker);

  // What construction charges for `cell`.
  [[nodiscard]] double Price(int32_t cell) const;
  // What it costs to suppress `cell` under the pattern as it is; 0 if it is suppressed.
  [[nodiscard]] double EntryPrice(int32_t cell) const;
  [[nodiscard]] absl::Status ConstructInOrder(const std::vector<int64_t>& order, bool pattern_only);

  // How often the limits on cleanup may be spent: they are for a small pattern, and grow with what there is to remove.
  [[nodiscard]] int64_t CleanupFactor(int64_t secondary_cells) const;
  // Where cleanup looks for another way to a level.
  [[nodiscard]] SearchEffort CleanupSearch() const;
  // Without changing anything: whether and how `cell` can be published again, within the effort given.
  [[nodiscard]] Removal ProposeRemoval(int worker, int32_t cell, int64_t max_lps, int64_t max_iterations);
  // Applies `removal` if it is possible and still valid.
  bool Apply(const Removal& removal);

  // Proofs against contributors (against_contributors.cc). Levels are looked at in *groups*, each named by any of its
  // levels: those of one cell and measure where one is enough (kExact), else single ones.
  static constexpr int64_t kNoTarget = -1;
  struct Further {
    SearchResult found;
    int64_t target = kNoTarget;  // the level that it is for
  };
  [[nodiscard]] std::pair<int64_t, int64_t> GroupOf(int64_t target) const;
  // The deviations that the levels of a group rest on; after `removal`, if it is not null.
  [[nodiscard]] std::vector<Offer> OffersOf(int64_t group, const Removal* removal) const;
  // A deviation that proves to `members` what they are owed.
  [[nodiscard]] Further FindFurther(int worker, int64_t group, const Coalitions::Members& members, CellPrice price,
                                    CellPrice entry, const SearchEffort& effort);
  // Adds to `removal` what contributors need besides; false if there is none, or not within the effort.
  [[nodiscard]] bool ServeContributors(int worker, const std::vector<int64_t>& users, CellPrice price, CellPrice entry,
                                       const SearchEffort& effort, int64_t max_lps, int64_t max_iterations,
                                       Removal& removal);
  [[nodiscard]] bool ContributorsAreServed(const Removal& removal, const std::vector<int64_t>& users) const;

  // Per cell: 1 if the value in `measure` is seen to move by a whole unit under the pattern, or is not suppressed.
  [[nodiscard]] absl::StatusOr<std::vector<uint8_t>> FindConcealed(int32_t measure);
  // Suppresses the cheapest cells that let `cell` move by one unit; false if there are none.
  [[nodiscard]] bool GiveCompany(int32_t measure, int32_t cell);

  const CellSystem& system_;
  const SuppressOptions& options_;
  ProtectionState state_;
  const Coalitions coalitions_;
  std::vector<std::unique_ptr<DeviationSearch>> searchers_;  // per worker
  std::atomic<bool> stopped_ = false;
  bool flat_prices_ = options_.dense;  // every cell costs the same: programs would take too long otherwise
  SuppressionResult result_;
  std::vector<std::pair<int32_t, int32_t>> recomputable_;
};

}  // namespace sluis::disclosure
