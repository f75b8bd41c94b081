#include "linker/fellegi_sunter/em.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "linker/kernel/isotonic.h"

namespace sluis::linker {
namespace {

constexpr double kConverged = 1e-10;
constexpr double kMostLogOdds = 700;  // whose odds are finite
constexpr double kTinyOdds = 1e-9;    // whose logarithm of 1 + odds is the odds
constexpr std::size_t kMaxStartShares = 6;
constexpr double kNoisyDisagree = 1.0 / 3;
constexpr double kNoisyExact = 1.0 / 3;
// The prior of the share of a joint change: the weight of ten matches, one of them changed.
constexpr double kPriorChanged = 1;
constexpr double kPriorUnchanged = 9;

// Tables of log m by level code, with 0 for missing: one addition a field.
std::vector<double> LogTable(const MatchParameters& parameters) {
  std::vector<double> table(parameters.m.size() * 8, 0.0);
  for (std::size_t f = 0; f < parameters.m.size(); ++f) {
    for (std::size_t l = 0; l < parameters.m[f].size(); ++l) {
      table[f * 8 + l + 1] = std::log(parameters.m[f][l]);
    }
  }
  return table;
}

double LogM(PatternCode pattern, std::span<const double> log_m) {
  double sum = 0;
  for (std::size_t f = 0; f < log_m.size() / 8; ++f) {
    sum += log_m[f * 8 + LevelOf(pattern, f)];
  }
  return sum;
}

// log(m / u) of a pattern.
double LogRatio(const EmData& data, std::size_t index, const MatchParameters& parameters,
                std::span<const double> log_m) {
  const PatternCode pattern = data.counts[index].pattern;
  double sum = LogM(pattern, log_m) - data.log_u[index];
  for (std::size_t c = 0; c < parameters.changes.size(); ++c) {
    const JointChange& change = parameters.changes[c];
    sum += LogOfChange(change.share, LogM(pattern & change.fields, log_m), data.log_u_of_change[c][index]);
  }
  return sum;
}

double PriorShare(const EmData& data, double total) { return std::min(0.5, *data.plan->expected_matches / total); }

std::vector<double> Distribution(std::size_t levels, double disagree, double exact) {
  std::vector<double> m(levels, levels > 2 ? (1 - disagree - exact) / static_cast<double>(levels - 2) : 0.0);
  m.front() = disagree;
  m.back() = levels > 2 ? exact : 1 - disagree;
  return m;
}

double TotalPairs(const EmData& data) {
  double total = data.other_pairs;
  for (const PatternCount& entry : data.counts) {
    total += static_cast<double>(entry.pairs);
  }
  return total;
}

}  // namespace

std::vector<double> PriorCounts(const FieldRule& rule) {
  std::vector<double> prior = Distribution(LevelCount(rule), rule.prior_disagree, rule.prior_exact);
  for (double& value : prior) {
    value *= rule.prior_strength;
  }
  return prior;
}

double LogLikelihood(const EmData& data, const MatchParameters& parameters) {
  const std::vector<double> log_m = LogTable(parameters);
  const double share = parameters.match_share;
  double sum = data.other_pairs * std::log1p(-share);
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    const double ratio = std::exp(LogRatio(data, i, parameters, log_m));
    sum += static_cast<double>(data.counts[i].pairs) * std::log1p(share * (ratio - 1));
  }
  return sum;
}

namespace {

// The logarithm of the priors of `parameters`.
double LogPrior(const EmData& data, const MatchParameters& parameters) {
  const double share = parameters.match_share;
  double sum = 0;
  for (std::size_t f = 0; f < parameters.m.size(); ++f) {
    const std::vector<double> prior = PriorCounts(data.plan->fields[f]);
    for (std::size_t l = 0; l < prior.size(); ++l) {
      sum += prior[l] * std::log(parameters.m[f][l]);
    }
  }
  for (const JointChange& change : parameters.changes) {
    sum += kPriorChanged * std::log(change.share) + kPriorUnchanged * std::log1p(-change.share);
  }
  if (data.plan->expected_matches && data.plan->expected_matches_strength > 0) {
    const double strength = data.plan->expected_matches_strength;
    const double pairs = strength / PriorShare(data, TotalPairs(data));
    sum += strength * std::log(share) + (pairs - strength) * std::log1p(-share);
  }
  return sum;
}

}  // namespace

double Objective(const EmData& data, const MatchParameters& parameters) {
  return LogLikelihood(data, parameters) + LogPrior(data, parameters);
}

double LogOfChange(double share, double log_m, double log_u) {
  return std::log(1 - share + share * std::exp(log_u - log_m));
}

std::vector<double> MonotoneDistribution(std::span<const double> counts, std::span<const double> u, double max_first) {
  std::vector<double> m(counts.size());
  std::transform(counts.begin(), counts.end(), u.begin(), m.begin(), std::divides<>());
  MakeNonDecreasing(m, u);
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  for (std::size_t l = 0; l < m.size(); ++l) {
    m[l] *= u[l] / total;
  }
  if (m[0] > max_first) {
    const double scale = (1 - max_first) / (1 - m[0]);
    for (double& value : m) {
      value *= scale;
    }
    m[0] = max_first;
  }
  return m;
}

namespace {

struct Step {
  MatchParameters next;
  double objective = 0;  // before the step; what it takes is at hand anyway
};

Step TakeStep(const EmData& data, const MatchParameters& parameters) {
  const std::vector<double> log_m = LogTable(parameters);
  const double prior_odds = std::log(parameters.match_share) - std::log1p(-parameters.match_share);
  std::vector<double> level_sums(parameters.m.size() * 8, 0.0);
  std::vector<double> changed(parameters.changes.size(), 0.0);
  double matches = 0;
  double total = data.other_pairs;
  double log_likelihood = 0;
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    const PatternCode pattern = data.counts[i].pattern;
    const auto pairs = static_cast<double>(data.counts[i].pairs);
    const double odds = std::exp(std::min(kMostLogOdds, LogRatio(data, i, parameters, log_m) + prior_odds));
    const double expected = pairs * odds / (1 + odds);
    log_likelihood += pairs * (odds < kTinyOdds ? odds : std::log1p(odds));
    matches += expected;
    total += pairs;
    for (std::size_t f = 0; f < parameters.m.size(); ++f) {
      level_sums[f * 8 + LevelOf(pattern, f)] += expected;
    }
    for (std::size_t c = 0; c < changed.size(); ++c) {
      const JointChange& change = parameters.changes[c];
      const double log_ratio = data.log_u_of_change[c][i] - LogM(pattern & change.fields, log_m);
      const double replaced = expected / (1 + (1 - change.share) / change.share * std::exp(-log_ratio));
      changed[c] += replaced;
      for (std::size_t f = 0; f < parameters.m.size(); ++f) {
        const AgreementLevel level = LevelOf(pattern & change.fields, f);
        level_sums[f * 8 + level] -= level == kMissingLevel ? 0 : replaced;
      }
    }
  }
  Step step;
  step.objective = log_likelihood + total * std::log1p(-parameters.match_share) + LogPrior(data, parameters);
  MatchParameters& next = step.next;
  for (std::size_t c = 0; c < changed.size(); ++c) {
    const double share = (changed[c] + kPriorChanged) / (matches + kPriorChanged + kPriorUnchanged);
    next.changes.push_back({parameters.changes[c].fields, share});
  }
  if (data.plan->expected_matches && data.plan->expected_matches_strength > 0) {
    const double prior_share = PriorShare(data, total);
    matches += data.plan->expected_matches_strength;
    total += data.plan->expected_matches_strength / prior_share;
  }
  next.match_share = std::clamp(matches / total, data.min_share, data.max_share);
  for (std::size_t f = 0; f < parameters.m.size(); ++f) {
    std::vector<double> counts = PriorCounts(data.plan->fields[f]);
    for (std::size_t l = 0; l < counts.size(); ++l) {
      counts[l] += std::max(0.0, level_sums[f * 8 + l + 1]);  // what changes took out leaves rounding errors
    }
    next.m.push_back(MonotoneDistribution(counts, data.u[f], data.plan->fields[f].max_disagree));
  }
  return step;
}

}  // namespace

MatchParameters EmStep(const EmData& data, const MatchParameters& parameters) {
  return TakeStep(data, parameters).next;
}

EmRun RunEm(const EmData& data, MatchParameters start, std::size_t max_iterations) {
  Step step = TakeStep(data, start);
  EmRun run{std::move(start), step.objective, 0, false};
  while (run.iterations < max_iterations && !run.converged) {
    run.parameters = std::move(step.next);
    step = TakeStep(data, run.parameters);
    run.converged = std::abs(step.objective - run.objective) <= kConverged * (1 + std::abs(step.objective));
    run.objective = step.objective;
    ++run.iterations;
  }
  return run;
}

std::vector<MatchParameters> Starts(const EmData& data) {
  std::vector<MatchParameters> starts;
  double share = data.max_share;
  for (std::size_t s = 0; s < kMaxStartShares && share >= data.min_share; ++s, share /= 10) {
    MatchParameters prior{share, {}};
    MatchParameters noisy{share, {}};
    for (const FieldRule& rule : data.plan->fields) {
      prior.m.push_back(Distribution(LevelCount(rule), rule.prior_disagree, rule.prior_exact));
      noisy.m.push_back(Distribution(LevelCount(rule), kNoisyDisagree, kNoisyExact));
    }
    starts.push_back(std::move(prior));
    starts.push_back(std::move(noisy));
  }
  return starts;
}

}  // namespace sluis::linker
