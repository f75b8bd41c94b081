#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <vector>

namespace sluis::linker {

// How the scores of one row's non-matches thin out towards the top: the expected number of them above a score, lambda,
// as a function of the distance to a score at which it is known.
//
// In descending order of scores X1 > X2 > ... the spacings j (X_j - X_{j+1}) of an exponential tail have one mean for
// all j (Renyi 1953), whatever the row's own level. Here that mean may change with depth as exp(alpha) lambda^gamma,
// which is the generalised Pareto tail (Pickands 1975) with shape -gamma, and is estimated from the spacings of all
// rows below the places where a match can be. So a row with many similar people and one with none have a null of their
// own, and matches do not disturb it.
struct NullTail {
  double alpha = 0;  // ln of the mean spacing, in score steps, at lambda = 1
  double gamma = 0;  // in [kLeastGamma, kMostGamma]

  // Heavy tails are admitted, lighter ones than exponential not: an endpoint would declare high scores of non-matches
  // impossible.
  static constexpr double kLeastGamma = -0.4;
  static constexpr double kMostGamma = 0;

  // Returns lambda at `distance` above a score where it is `lambda`; distances may be negative. Falls with distance.
  double Intensity(double lambda, double distance) const;
  // Returns the distance from where lambda is `from` up to where it is `to` (negative if `to` > `from`).
  double Distance(double from, double to) const;
  // Changes gamma to `value`, keeping the mean spacing at lambda = `at`, where it is best known.
  void SetGamma(double value, double at);
  // Returns the slope -d ln(lambda) / d score at lambda = 1.
  double Slope() const;
};

// Fits the tail to the mean normalised spacings: `spacings[i]`, not negative, at lambda `lambdas[i]`, positive, with
// positive weights, by the likelihood of exponential spacings. So a spacing of 0 is as good as any other: where most
// records have an exact copy, every second one is 0 and the next ones twice as wide. With fewer than three points gamma
// is 0; with none, or none above 0, the mean spacing is 1.
[[nodiscard]] NullTail FitNullTail(std::span<const double> lambdas, std::span<const double> spacings,
                                   std::span<const double> weights);

// Returns the probability that a Poisson variable of this mean is at least `count`.
[[nodiscard]] double PoissonAtLeast(double count, double mean);

// Draw a Poisson variable of this mean, and a gamma variable of an integer shape and scale 1. The same on every
// machine, which the standard library's are not. Above a mean of 100 the Poisson variable is a rounded normal one.
[[nodiscard]] double DrawPoisson(double mean, std::mt19937_64* random);
[[nodiscard]] double DrawGamma(int shape, std::mt19937_64* random);

}  // namespace sluis::linker
