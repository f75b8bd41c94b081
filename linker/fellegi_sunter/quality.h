#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/fit.h"

namespace sluis::linker {

// An estimate with its 90 % interval. The interval is that of which pairs happen to be matches, given the model; that
// the model itself may be wrong is not in it.
struct IntervalEstimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

// The links that one pass made.
struct PassLinks {
  std::string pass;
  std::span<const ScoredPair> links;
};

struct PassQuality {
  std::string pass;
  std::uint64_t links = 0;
  IntervalEstimate precision;  // 1 if there are no links
  IntervalEstimate recall;     // the share of all matches that this pass linked rightly; passes add up
};

struct QualityReport {
  std::vector<PassQuality> passes;  // in the order given
  PassQuality total;                // named "total"
  double matches = 0;               // estimated number of all matches, those that blocking missed included
};

// Returns the estimated precision and recall of `passes`, each pair linked at most once. A link of log odds w is right
// with probability p = 1 / (1 + exp(-w)), independently; precision is the mean of p. All matches: those expected among
// the candidates (at least the sum of p) divided by `blocking_recall`, the share of matches that are candidates.
// Errors: INVALID_ARGUMENT if blocking_recall is not in (0, 1]; FAILED_PRECONDITION if the fit is not credible. That
// each record is linked at most once is not used and makes the estimate of precision slightly too low (see README).
[[nodiscard]] absl::StatusOr<QualityReport> EstimateQuality(std::span<const PassLinks> passes,
                                                            const FitCredibility& fit, double blocking_recall);

}  // namespace sluis::linker
