#include "cli/protect/suppressed_sums.h"

#include <utility>
#include <vector>

#include "common/status/status.h"
#include "disclosure/rules/suppressed_sums.h"

namespace sluis::cli {
namespace {

constexpr int kMaxRounds = 50;

// What is left of a certificate when cells from `num_cells` on are no part of the system any more: a deviation that
// keeps all relations keeps those of the others.
disclosure::Certificate Restrict(const disclosure::Certificate& certificate, std::int32_t num_cells) {
  disclosure::Certificate result;
  std::vector<std::int32_t> place(certificate.deviations.size(), -1);
  std::vector<std::uint8_t> used(certificate.deviations.size(), 0);
  for (const disclosure::Claim& claim : certificate.claims) {
    if (claim.cell < num_cells) used[static_cast<std::size_t>(claim.deviation)] = 1;
  }
  for (std::size_t d = 0; d < used.size(); ++d) {
    if (used[d] == 0) continue;
    place[d] = static_cast<std::int32_t>(result.deviations.size());
    disclosure::Deviation& deviation = result.deviations.emplace_back(certificate.deviations[d]);
    while (!deviation.cell.empty() && deviation.cell.back() >= num_cells) {
      deviation.cell.pop_back();
      deviation.numerator.pop_back();
    }
  }
  for (disclosure::Claim claim : certificate.claims) {
    if (claim.cell >= num_cells) continue;
    claim.deviation = place[static_cast<std::size_t>(claim.deviation)];
    result.claims.push_back(claim);
  }
  return result;
}

}  // namespace

absl::StatusOr<EngineResult> RunEngineUnderSums(const CellTable& table, const disclosure::CellSystem& system,
                                                const disclosure::MinimumFrequencyRule& rule,
                                                const EngineOptions& options) {
  std::vector<std::int64_t> contributors = table.contributors;
  contributors.resize(static_cast<std::size_t>(table.num_named()));
  disclosure::CellSystem extended = system;
  std::int64_t lower_bound = 0;
  for (int round = 0; round < kMaxRounds; ++round) {
    SLUIS_ASSIGN_OR_RETURN(EngineResult found, RunEngine(extended, options));
    SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int64_t> short_sums,
                           disclosure::FindShortSums(extended.relations, found.pattern, contributors, rule));
    if (round == 0) lower_bound = found.lower_bound;
    if (short_sums.empty()) {
      found.pattern.resize(static_cast<std::size_t>(system.num_cells));
      found.certificate = Restrict(found.certificate, system.num_cells);
      found.lower_bound = lower_bound;
      found.proven_optimal = found.proven_optimal && round == 0;
      found.statistics["rounds_for_sums"] = round;
      return found;
    }
    SLUIS_RETURN_IF_ERROR(
        disclosure::ProtectSums(short_sums, found.pattern, 0, disclosure::MeasureKind::kAmount, rule, extended));
    disclosure::CompleteContributors(extended);
  }
  return absl::FailedPreconditionError(
      "the suppressed parts of some totals have too few contributors, whatever is suppressed beside them: ask for a "
      "coarser table");
}

}  // namespace sluis::cli
