#include "linker/fellegi_sunter/quality.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace sluis::linker {
namespace {

constexpr double kNormal90 = 1.6448536;  // two-sided 90 %

IntervalEstimate Within01(double value, double deviation) {
  return {value, std::max(0.0, value - kNormal90 * deviation), std::min(1.0, value + kNormal90 * deviation)};
}

struct Sums {
  std::uint64_t links = 0;
  double right = 0;     // expected number of right links
  double variance = 0;  // of that number
};

// recall = T / (T + F) with T right links and F matches not linked; by the delta method its variance is
// (F^2 var T + T^2 var F) / (T + F)^4.
PassQuality Quality(const std::string& name, const Sums& sums, double matches, double other_variance) {
  PassQuality quality{name, sums.links, {1, 1, 1}, {0, 0, 1}};
  if (sums.links > 0) {
    const auto links = static_cast<double>(sums.links);
    quality.precision = Within01(sums.right / links, std::sqrt(sums.variance) / links);
  }
  if (matches > 0) {
    const double missed = std::max(0.0, matches - sums.right);
    const double variance = (missed * missed * sums.variance + sums.right * sums.right * other_variance) /
                            (matches * matches * matches * matches);
    quality.recall = Within01(sums.right / matches, std::sqrt(variance));
  }
  return quality;
}

}  // namespace

absl::StatusOr<QualityReport> EstimateQuality(std::span<const PassLinks> passes, const FitCredibility& fit,
                                              double blocking_recall) {
  if (!(blocking_recall > 0 && blocking_recall <= 1)) {
    return absl::InvalidArgumentError("blocking_recall: must be above 0 and at most 1");
  }
  if (!fit.credible) {
    return absl::FailedPreconditionError(absl::StrCat("the fit is not credible: ", fit.why_not));
  }
  std::vector<Sums> by_pass;
  Sums total;
  for (const PassLinks& pass : passes) {
    Sums& sums = by_pass.emplace_back();
    for (const ScoredPair& link : pass.links) {
      const double p = 1 / (1 + std::exp(-static_cast<double>(link.log_odds)));
      ++sums.links;
      sums.right += p;
      sums.variance += p * (1 - p);
    }
    total.links += sums.links;
    total.right += sums.right;
    total.variance += sums.variance;
  }
  QualityReport report;
  const double candidates = std::max(fit.expected_matches, total.right);
  report.matches = candidates / blocking_recall;
  // What blocking missed is known only as a number: Poisson.
  const double beyond = report.matches - candidates;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    const double others = std::max(0.0, fit.match_variance - by_pass[i].variance);
    report.passes.push_back(Quality(passes[i].pass, by_pass[i], report.matches, others + beyond));
  }
  report.total = Quality("total", total, report.matches, std::max(0.0, fit.match_variance - total.variance) + beyond);
  return report;
}

}  // namespace sluis::linker
