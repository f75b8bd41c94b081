#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "disclosure/release/released_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// What the requester is told about a release: nothing that the tables do not show anyway, and not how much is primary.
struct RequesterSummary {
  struct Table {
    std::string name;
    std::int64_t cells = 0;
    std::string suppressed_cells;  // a band, as SuppressionBand makes it
  };
  std::vector<Table> tables;
};

// Returns "none", or the band that `cells` falls into: "1-9", "10-24", "25-49", "50-99", "100-249", "250-499", and so
// on by powers of ten. Precondition: cells >= 0.
[[nodiscard]] std::string SuppressionBand(std::int64_t cells);

[[nodiscard]] RequesterSummary SummariseForRequester(std::span<const ReleasedTable> tables);

// What an auditor is told. Reasons are those of SDMX CL_CONF_STATUS: A small counts, O dominance by one unit, T by two,
// G by one or two, M another concentration rule (p%, p/q, more than two units), N by decision of the data owner, D
// secondary.
struct AuditorSummary {
  std::int64_t cells = 0;
  std::int64_t suppressed = 0;
  std::int64_t primary = 0;    // in any measure
  std::int64_t secondary = 0;  // the other suppressed cells
  struct ByMeasure {
    std::string name;
    std::map<std::string, std::int64_t> cells_by_reason;  // of the suppressed cells of the system
  };
  std::vector<ByMeasure> measures;
};

// `pattern`: one entry per cell of `system`; 1: suppressed.
[[nodiscard]] AuditorSummary SummariseForAuditor(const CellSystem& system, std::span<const std::uint8_t> pattern,
                                                 const RuleSet& rules);

// Returns the CL_CONF_STATUS code of a reason under `rules`; "D" for none.
[[nodiscard]] std::string ConfStatusOf(PrimaryReason reason, const RuleSet& rules);

}  // namespace sluis::disclosure
