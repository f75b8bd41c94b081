#include "linker/score/null_tail.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sluis::linker {
namespace {

constexpr double kFlat = 1e-6;  // |gamma| below this is exponential
constexpr int kHalvings = 40;   // of the interval that gamma is in

double Uniform(std::mt19937_64* random) { return (static_cast<double>((*random)() >> 11) + 0.5) * 0x1p-53; }

}  // namespace

double NullTail::Intensity(double lambda, double distance) const {
  if (std::abs(gamma) < kFlat) {
    return lambda * std::exp(-distance / std::exp(alpha));
  }
  const double power = std::pow(lambda, gamma) - gamma * distance / std::exp(alpha);
  if (power <= 0) {
    return gamma > 0 ? 0 : 1e9;  // beyond the upper end, or below the lower end of a heavy tail
  }
  return std::min(std::pow(power, 1 / gamma), 1e9);
}

double NullTail::Distance(double from, double to) const {
  if (std::abs(gamma) < kFlat) {
    return std::exp(alpha) * std::log(from / to);
  }
  return std::exp(alpha) * (std::pow(from, gamma) - std::pow(to, gamma)) / gamma;
}

void NullTail::SetGamma(double value, double at) {
  alpha += (gamma - value) * std::log(at);
  gamma = value;
}

double NullTail::Slope() const { return std::exp(-alpha); }

NullTail FitNullTail(std::span<const double> lambdas, std::span<const double> spacings,
                     std::span<const double> weights) {
  std::vector<double> logs;
  for (const double lambda : lambdas) logs.push_back(std::log(lambda));
  // The mean spacing at lambda = 1 that is likeliest with this gamma.
  const auto scale = [&](double gamma) {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      sum += weights[i] * spacings[i] * std::exp(-gamma * logs[i]);
      total += weights[i];
    }
    return total > 0 ? sum / total : 0;
  };
  if (scale(0) <= 0) {
    return {};
  }
  // The derivative of the log-likelihood by gamma there, which falls with gamma.
  const auto derivative = [&](double gamma) {
    const double mean = scale(gamma);
    double sum = 0;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      sum += weights[i] * logs[i] * (spacings[i] * std::exp(-gamma * logs[i]) / mean - 1);
    }
    return sum;
  };
  NullTail tail;
  if (lambdas.size() >= 3) {
    double low = NullTail::kLeastGamma;
    double high = NullTail::kMostGamma;
    for (int halving = 0; halving < kHalvings; ++halving) {
      const double middle = (low + high) / 2;
      (derivative(middle) > 0 ? low : high) = middle;
    }
    tail.gamma = high;
  }
  tail.alpha = std::log(scale(tail.gamma));
  return tail;
}

double PoissonAtLeast(double count, double mean) {
  if (count <= 0) {
    return 1;
  }
  if (mean > 1000) {
    return 0.5 * std::erfc((count - 0.5 - mean) / std::sqrt(2 * mean));
  }
  // From the term at `count`, by logarithms, since exp(-mean) is 0 from 746 on. Terms fall from there on upwards if
  // `count` is above the mean, else downwards: the smaller part is summed, as 1 less the rest would keep no digit of
  // it.
  const double first = std::ceil(count);
  double log_term = -mean;
  for (double i = 1; i <= first; ++i) {
    log_term += std::log(mean / i);
  }
  if (first > mean) {
    double above = 0;
    double term = std::exp(log_term);
    for (double i = first; term > 1e-17 * above; ++i) {
      above += term;
      term *= mean / (i + 1);
    }
    return above;
  }
  double below = 0;
  double term = std::exp(log_term) * first / mean;
  for (double i = first - 1; i >= 0 && term > 1e-17 * below; --i) {
    below += term;
    term *= i / mean;
  }
  return std::max(0.0, 1 - below);
}

double DrawPoisson(double mean, std::mt19937_64* random) {
  if (mean > 100) {
    const double radius = std::sqrt(-2 * std::log(Uniform(random)));
    const double normal = radius * std::cos(2 * std::numbers::pi * Uniform(random));
    return std::max(0.0, std::round(mean + std::sqrt(mean) * normal));
  }
  const double least = std::exp(-mean);
  double count = 0;
  for (double product = Uniform(random); product > least; product *= Uniform(random)) {
    ++count;
  }
  return count;
}

double DrawGamma(int shape, std::mt19937_64* random) {
  double sum = 0;
  for (int i = 0; i < shape; ++i) {
    sum -= std::log(Uniform(random));
  }
  return sum;
}

}  // namespace sluis::linker
