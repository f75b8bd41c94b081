#pragma once

#include <cstdint>

// Random numbers of the synthetic country: a pure function of (seed, stream, position), in integer arithmetic only, so
// that every machine, thread count and block order gives the same country. Not for secrets.

namespace sluis::cli {

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): a
// bijection of 64-bit words in which every input bit changes every output bit with probability near one half.
constexpr std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// What a stream is for: streams of different purpose are independent.
enum class Purpose : std::uint64_t {
  kHousehold = 1,
  kOutsider,
  kNumber,
  kVisit,
  kAddress,
  kJobs,
  kBenefits,
  kDiplomas,
  kCivic,
  kTableCodes,
  kTableRecords,
};

// One stream: word n is Mix(key + n * odd constant), n = 0, 1, ...
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b = 0)
      : state_(Mix(Mix(Mix(seed + static_cast<std::uint64_t>(purpose) * kStep) + a) + b * kStep)) {}

  std::uint64_t Next() {
    state_ += kStep;
    return Mix(state_);
  }

  // Returns a number in [0, n), n in 1..2^32; each has a probability within 2^-32 of 1/n.
  std::uint32_t Below(std::uint64_t n) { return static_cast<std::uint32_t>(((Next() >> 32) * n) >> 32); }

  // Returns a number in [low, high].
  int Between(int low, int high) {
    return low + static_cast<int>(Below(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1));
  }

  // Returns a number in [0, n), small ones more often: the density falls as 1/sqrt.
  std::uint32_t Skewed(std::uint64_t n) {
    const std::uint64_t u = Next() >> 32;
    return static_cast<std::uint32_t>((((u * u) >> 32) * n) >> 32);
  }

  // True with probability `of_10000` / 10000.
  bool Chance(std::uint32_t of_10000) { return Below(10000) < of_10000; }

  // Returns i with probability weights[i] / sum of the weights.
  template <typename Weights>
  std::size_t Weighted(const Weights& weights) {
    std::uint64_t total = 0;
    for (const auto weight : weights) {
      total += static_cast<std::uint64_t>(weight);
    }
    std::uint64_t at = Below(total);
    std::size_t i = 0;
    while (at >= static_cast<std::uint64_t>(weights[i])) {
      at -= static_cast<std::uint64_t>(weights[i]);
      ++i;
    }
    return i;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
  std::uint64_t state_;
};

}  // namespace sluis::cli
