#include "linker/fellegi_sunter/kinship.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluis::linker {
namespace {

constexpr std::size_t kMostKinships = 3;
constexpr int kSteps = 40;
constexpr double kMinGain = 20;       // natural logarithm: a kind has some 30 parameters, most of little weight
constexpr double kMinExcess = 3;      // a kind begins with patterns that are so many times as frequent as explained
constexpr double kSmoothing = 2;      // pairs of strangers' levels in each field of a kind
constexpr double kLeastLevel = 0.05;  // and pairs in each level

double LogOfKind(const Kinship& kinship, PatternCode pattern) {
  double sum = kinship.log_share;
  for (std::size_t f = 0; f < kinship.u.size(); ++f) sum += kinship.log_u[f * 8 + LevelOf(pattern, f)];
  return sum;
}

double LogSum(double x, double y) { return std::max(x, y) + std::log1p(std::exp(-std::abs(x - y))); }

// The kind that these pairs make up, weights[i] of sample[i].
Kinship Make(std::span<const WeightedPattern> sample, std::span<const double> weights, double total,
             const std::vector<std::vector<double>>& u) {
  Kinship kinship{std::accumulate(weights.begin(), weights.end(), 0.0) / total, {}, 0, {}};
  for (std::size_t f = 0; f < u.size(); ++f) {
    std::vector<double> counts;
    for (const double value : u[f]) counts.push_back(kSmoothing * value + kLeastLevel);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const AgreementLevel level = LevelOf(sample[i].pattern, f);
      if (level != kMissingLevel) counts[level - 1u] += weights[i];
    }
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (double& count : counts) count /= sum;
    kinship.u.push_back(std::move(counts));
  }
  kinship.log_share = std::log(kinship.share);
  kinship.log_u.assign(u.size() * 8, 0.0);
  for (std::size_t f = 0; f < u.size(); ++f) {
    for (std::size_t l = 0; l < u[f].size(); ++l) kinship.log_u[f * 8 + l + 1] = std::log(kinship.u[f][l]);
  }
  return kinship;
}

}  // namespace

double LogWithKin(std::span<const Kinship> kinships, PatternCode pattern, double log_strangers) {
  double strangers = 1;
  for (const Kinship& kinship : kinships) strangers -= kinship.share;
  double sum = log_strangers + std::log(strangers);
  for (const Kinship& kinship : kinships) sum = LogSum(sum, LogOfKind(kinship, pattern));
  return sum;
}

std::vector<Kinship> FindKinships(std::span<const WeightedPattern> sample, std::span<const double> log_strangers,
                                  const std::vector<std::vector<double>>& u) {
  double total = 0;
  for (const WeightedPattern& entry : sample) total += entry.weight;
  const auto log_likelihood = [&](std::span<const Kinship> kinships) {
    double sum = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      sum += sample[i].weight * LogWithKin(kinships, sample[i].pattern, log_strangers[i]);
    }
    return sum;
  };
  std::vector<Kinship> found;
  double before = log_likelihood(found);
  while (found.size() < kMostKinships) {
    std::vector<double> excess(sample.size(), 0.0);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const double expected = total * std::exp(LogWithKin(found, sample[i].pattern, log_strangers[i]));
      if (sample[i].weight > kMinExcess * expected) excess[i] = sample[i].weight - expected;
    }
    std::vector<Kinship> kinships = found;
    kinships.push_back(Make(sample, excess, total, u));
    if (kinships.back().share <= 0 || kinships.back().share > 0.5) break;
    for (int step = 0; step < kSteps; ++step) {
      std::vector<std::vector<double>> weights(kinships.size(), std::vector<double>(sample.size()));
      for (std::size_t i = 0; i < sample.size(); ++i) {
        const double log_sum = LogWithKin(kinships, sample[i].pattern, log_strangers[i]);
        for (std::size_t k = 0; k < kinships.size(); ++k) {
          weights[k][i] = sample[i].weight * std::exp(LogOfKind(kinships[k], sample[i].pattern) - log_sum);
        }
      }
      for (std::size_t k = 0; k < kinships.size(); ++k) kinships[k] = Make(sample, weights[k], total, u);
    }
    const double after = log_likelihood(kinships);
    if (!(after > before + kMinGain)) break;
    before = after;
    found = std::move(kinships);
  }
  return found;
}

}  // namespace sluis::linker
