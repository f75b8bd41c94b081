#include "linker/fellegi_sunter/em.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluis::linker {
namespace {

constexpr double kConverged = 1e-10;
constexpr std::size_t kMaxStartShares = 6;
constexpr double kNoisyDisagree = 1.0 / 3;
constexpr double kNoisyExact = 1.0 / 3;

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

double LogRatio(PatternCode pattern, double log_u, std::span<const double> log_m) {
  double sum = -log_u;
  for (std::size_t f = 0; f < log_m.size() / 8; ++f) {
    sum += log_m[f * 8 + LevelOf(pattern, f)];
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

double Objective(const EmData& data, const MatchParameters& parameters) {
  const std::vector<double> log_m = LogTable(parameters);
  const double share = parameters.match_share;
  double sum = data.other_pairs * std::log1p(-share);
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    const double ratio = std::exp(LogRatio(data.counts[i].pattern, data.log_u[i], log_m));
    sum += static_cast<double>(data.counts[i].pairs) * std::log1p(share * (ratio - 1));
  }
  for (std::size_t f = 0; f < parameters.m.size(); ++f) {
    const std::vector<double> prior = PriorCounts(data.plan->fields[f]);
    for (std::size_t l = 0; l < prior.size(); ++l) {
      sum += prior[l] * std::log(parameters.m[f][l]);
    }
  }
  if (data.plan->expected_matches && data.plan->expected_matches_strength > 0) {
    const double strength = data.plan->expected_matches_strength;
    const double pairs = strength / PriorShare(data, TotalPairs(data));
    sum += strength * std::log(share) + (pairs - strength) * std::log1p(-share);
  }
  return sum;
}

double Posterior(PatternCode pattern, double log_u, const MatchParameters& parameters) {
  const double log_odds = LogRatio(pattern, log_u, LogTable(parameters)) + std::log(parameters.match_share) -
                          std::log1p(-parameters.match_share);
  return 1 / (1 + std::exp(-log_odds));
}

std::vector<double> MonotoneDistribution(std::span<const double> counts, std::span<const double> u, double max_first) {
  struct Block {
    double count;
    double weight;
    std::size_t levels;
  };
  std::vector<Block> blocks;
  for (std::size_t l = 0; l < counts.size(); ++l) {
    blocks.push_back({counts[l], u[l], 1});
    while (blocks.size() > 1) {
      const Block& last = blocks.back();
      Block& before = blocks[blocks.size() - 2];
      if (before.count / before.weight <= last.count / last.weight) {
        break;
      }
      before = {before.count + last.count, before.weight + last.weight, before.levels + last.levels};
      blocks.pop_back();
    }
  }
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> m;
  for (const Block& block : blocks) {
    for (std::size_t l = 0; l < block.levels; ++l) {
      m.push_back(block.count / block.weight * u[m.size()] / total);
    }
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

MatchParameters EmStep(const EmData& data, const MatchParameters& parameters) {
  const std::vector<double> log_m = LogTable(parameters);
  const double prior_odds = std::log(parameters.match_share) - std::log1p(-parameters.match_share);
  std::vector<double> level_sums(parameters.m.size() * 8, 0.0);
  double matches = 0;
  double total = data.other_pairs;
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    const PatternCode pattern = data.counts[i].pattern;
    const auto pairs = static_cast<double>(data.counts[i].pairs);
    const double expected = pairs / (1 + std::exp(-LogRatio(pattern, data.log_u[i], log_m) - prior_odds));
    matches += expected;
    total += pairs;
    for (std::size_t f = 0; f < parameters.m.size(); ++f) {
      level_sums[f * 8 + LevelOf(pattern, f)] += expected;
    }
  }
  MatchParameters next;
  if (data.plan->expected_matches && data.plan->expected_matches_strength > 0) {
    const double prior_share = PriorShare(data, total);
    matches += data.plan->expected_matches_strength;
    total += data.plan->expected_matches_strength / prior_share;
  }
  next.match_share = std::clamp(matches / total, data.min_share, data.max_share);
  for (std::size_t f = 0; f < parameters.m.size(); ++f) {
    std::vector<double> counts = PriorCounts(data.plan->fields[f]);
    for (std::size_t l = 0; l < counts.size(); ++l) {
      counts[l] += level_sums[f * 8 + l + 1];
    }
    next.m.push_back(MonotoneDistribution(counts, data.u[f], data.plan->fields[f].max_disagree));
  }
  return next;
}

EmRun RunEm(const EmData& data, MatchParameters start, std::size_t max_iterations) {
  EmRun run{std::move(start), 0, 0, false};
  run.objective = Objective(data, run.parameters);
  while (run.iterations < max_iterations && !run.converged) {
    run.parameters = EmStep(data, run.parameters);
    const double objective = Objective(data, run.parameters);
    run.converged = std::abs(objective - run.objective) <= kConverged * (1 + std::abs(objective));
    run.objective = objective;
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
