#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/ledger/plane.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One response variable of one population, and what became of its cells in the joint system.
struct JoinedPlane {
  std::size_t measure = 0;  // of the own system
  MeasureKind kind = MeasureKind::kCount;
  std::unique_ptr<Plane> plane;
  std::vector<std::uint8_t> fixed;       // per cell: known from earlier releases
  std::vector<PrimaryStatus> status;     // per cell
  std::vector<std::uint8_t> kept;        // per relation
  std::vector<std::int32_t> number;      // per cell: in the joint system, or -1
  std::vector<std::uint32_t> component;  // per cell: node among those of all planes; own cells first
};

// Marks what the earlier releases give away by addition alone, published or not.
void FixKnown(JoinedPlane& joined);

// Sets levels: those of earlier releases, and by `rules` those of what was derived. After FixKnown. Errors: as
// EvaluateRules.
[[nodiscard]] absl::Status Judge(const RuleSet& rules, JoinedPlane& joined);

// Chooses the cells and relations that say something about the request `own`: drops relations that it has itself,
// those of known cells alone, and what no chain of unknown cells connects with it. Sets `number` to 0 for what is kept.
void KeepWhatMatters(const CellSystem& own, std::span<JoinedPlane> planes);

}  // namespace sluis::disclosure
