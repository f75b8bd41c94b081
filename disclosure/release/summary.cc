#include "disclosure/release/summary.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace sluis::disclosure {

std::string SuppressionBand(std::int64_t cells) {
  if (cells == 0) return "none";
  if (cells < 10) return "1-9";
  std::int64_t power = 10;
  while (cells / power >= 10) power *= 10;
  const std::int64_t tenfold =
      power > std::numeric_limits<std::int64_t>::max() / 10 ? std::numeric_limits<std::int64_t>::max() : power * 10;
  if (cells < power / 10 * 25) return absl::StrCat(power, "-", power / 10 * 25 - 1);
  if (cells < power * 5) return absl::StrCat(power / 10 * 25, "-", power * 5 - 1);
  return absl::StrCat(power * 5, "-", tenfold - 1);
}

RequesterSummary SummariseForRequester(std::span<const ReleasedTable> tables) {
  RequesterSummary summary;
  for (const ReleasedTable& table : tables) {
    std::int64_t suppressed = 0;
    const std::size_t measures = table.measures.size();
    for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
      const auto first = table.values.begin() + cell * static_cast<std::int64_t>(measures);
      suppressed += std::find(first, first + static_cast<std::int64_t>(measures), std::nullopt) !=
                    first + static_cast<std::int64_t>(measures);
    }
    summary.tables.push_back({table.name, table.Cells(), SuppressionBand(suppressed)});
  }
  return summary;
}

std::string ConfStatusOf(PrimaryReason reason, const RuleSet& rules) {
  switch (reason) {
    case PrimaryReason::kNone:
      return "D";
    case PrimaryReason::kFrequency:
    case PrimaryReason::kZero:
      return "A";
    case PrimaryReason::kDominance: {
      bool one = false, two = false, more = false;
      for (const DominanceRule& rule : rules.dominance) {
        one = one || rule.n == 1;
        two = two || rule.n == 2;
        more = more || rule.n > 2;
      }
      if (more) return "M";
      return one && two ? "G" : one ? "O" : "T";
    }
    case PrimaryReason::kPPercent:
    case PrimaryReason::kPriorPosterior:
    case PrimaryReason::kRequest:
      return "M";
    case PrimaryReason::kDeclared:
    case PrimaryReason::kGroup:
      return "N";
  }
  return "N";
}

AuditorSummary SummariseForAuditor(const CellSystem& system, std::span<const std::uint8_t> pattern,
                                   const RuleSet& rules) {
  AuditorSummary summary;
  summary.cells = system.num_cells;
  for (const Measure& measure : system.measures)
    summary.measures.push_back({.name = measure.name, .cells_by_reason = {}});
  for (std::int32_t cell = 0; cell < system.num_cells; ++cell) {
    const auto c = static_cast<std::size_t>(cell);
    if (pattern[c] == 0) continue;
    ++summary.suppressed;
    ++(system.IsPrimary(cell) ? summary.primary : summary.secondary);
    for (std::size_t m = 0; m < system.measures.size(); ++m) {
      ++summary.measures[m].cells_by_reason[ConfStatusOf(system.measures[m].reason[c], rules)];
    }
  }
  return summary;
}

}  // namespace sluis::disclosure
