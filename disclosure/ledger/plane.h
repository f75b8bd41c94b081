#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/ledger/ledger_table.h"
#include "disclosure/ledger/line.h"
#include "disclosure/ledger/region_space.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// What of one response variable of one population can be known: the cells of all tables, new and released, the cells
// that subtraction gives, and how they add up.

enum class PlaneState : std::uint8_t {
  kPublished,  // in an earlier release
  kWithheld,   // suppressed in all earlier releases that have it
  kAsked,      // in the new request only
  kDerived,    // in no table
};

struct PlaneCell {
  PlaneState state = PlaneState::kDerived;
  std::int64_t value = 0;
  std::int64_t contributors = -1;   // at least so many; -1: not known
  std::vector<std::int64_t> top{};  // no contribution is larger
  std::int64_t lower_level = 0, upper_level = 0;
  std::int32_t own = -1;           // cell of the new request
  std::int32_t release_of = -1;    // an earlier table that has it, or that it was derived from
  bool can_be_empty_only = false;  // nobody can be there: its 0 is no news
};

struct PlaneLimits {
  LineLimits line{};
  std::size_t max_cells = std::size_t{1} << 23;
};

class Plane {
 public:
  // `space` outlives the plane.
  Plane(RegionSpace& space, const PlaneLimits& limits) : space_(space), limits_(limits) {}

  // Adds a table, `earlier` its number if it was released, else -1. `own_cells`: of the new request, one a cell.
  // Errors: FAILED_PRECONDITION if two tables have different values for the same records. The message names nothing;
  // conflict() then tells the earlier table.
  [[nodiscard]] absl::Status AddTable(std::size_t in_space, const LedgerTable& table, const LedgerMeasure& measure,
                                      std::int32_t earlier, std::span<const std::int32_t> own_cells);

  // Adds all differences and sums. Call once, after the tables. `threshold`: two cells of different tables, one within
  // the other, that differ by fewer contributors (and at least one) have a difference of their own, also where it is a
  // union of others that are each protected. 0: no such differences. Errors: as AddTable, if a difference is negative;
  // RESOURCE_EXHAUSTED as CloseLine, or above max_cells.
  [[nodiscard]] absl::Status Close(std::int64_t threshold);

  [[nodiscard]] std::vector<PlaneCell>& cells() { return cells_; }
  [[nodiscard]] const Relations& relations() const { return relations_; }
  // An earlier table that took part in the last error; -1 if unknown.
  [[nodiscard]] std::int32_t conflict() const { return conflict_; }

 private:
  struct Line {
    std::map<std::int32_t, std::int32_t> members;  // set -> cell
    std::size_t variable = 0;
    bool queued = false;
  };
  struct Shown {                                  // a table, for AddCrossings
    std::vector<std::vector<std::int32_t>> sets;  // per variable, distinct, ascending
    std::vector<std::int32_t> cells;              // distinct
    std::int32_t earlier = -1;
  };

  [[nodiscard]] absl::StatusOr<std::int32_t> AddCell(const Region& region, PlaneCell cell);
  [[nodiscard]] absl::StatusOr<const LinePlan*> PlanOf(const Line& line);
  [[nodiscard]] absl::Status CloseLineOf(std::int32_t line);
  [[nodiscard]] absl::Status AddLineSums();
  [[nodiscard]] absl::Status AddCrossings();
  [[nodiscard]] absl::Status AddNear(std::int64_t threshold);
  [[nodiscard]] absl::Status AddRest(std::int32_t whole, std::vector<std::int32_t> parts);
  [[nodiscard]] std::vector<std::int32_t> CellsWithin(std::int32_t whole);
  [[nodiscard]] const std::vector<std::int32_t>& StrictSubsets(std::size_t variable, std::int32_t set);
  [[nodiscard]] absl::Status Cross(const Shown& outer, const Shown& inner);
  [[nodiscard]] absl::StatusOr<PlaneCell> Derive(std::span<const std::pair<std::int32_t, std::int64_t>> terms);
  [[nodiscard]] std::vector<std::int32_t> LargestWithin(std::size_t variable, std::int32_t set,
                                                        const std::vector<std::int32_t>& sets) const;

  RegionSpace& space_;
  const PlaneLimits& limits_;
  MeasureKind kind_ = MeasureKind::kCount;
  std::vector<PlaneCell> cells_;
  std::vector<Region> regions_;  // of product cells; those of differences across variables have none
  absl::flat_hash_map<Region, std::int32_t> by_region_;
  std::vector<Line> lines_;
  absl::flat_hash_map<Region, std::int32_t> by_line_;  // the region with -1 in the line's variable
  std::deque<std::int32_t> queue_;
  std::map<std::pair<std::size_t, std::vector<std::int32_t>>, LinePlan> plans_;
  std::set<std::vector<std::int32_t>> rests_;                         // parts, then whole
  std::map<std::int32_t, std::vector<std::int32_t>> crossing_parts_;  // of each whole
  std::map<std::pair<std::size_t, std::int32_t>, std::vector<std::int32_t>> subsets_;
  std::vector<Shown> shown_;
  Relations relations_;
  std::int32_t conflict_ = -1;
};

}  // namespace sluis::disclosure
