#pragma once

#include <cstdint>

namespace sluis::linker::kernel {

// The largest Hamming distance at which a pair counts, as a function of its popcounts:
// floor(numerator * (bits_a + bits_b) / denominator) + constant.
//
// Dice >= p/q is this with numerator q - p and denominator q, since 2 common = bits_a + bits_b - distance. With 32-bit
// terms and popcounts up to 4,096 nothing overflows 64 bits.
struct DistanceLimit {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  std::uint64_t constant = 0;

  // Whether a pair at this distance counts. Exact.
  bool Allows(std::uint64_t distance, std::uint64_t bits_a, std::uint64_t bits_b) const {
    return distance <= constant || denominator * (distance - constant) <= numerator * (bits_a + bits_b);
  }
  // Two shares whose sum is at least the limit, and at most 1 more: floor(x + y) <= floor(x) + floor(y) + 1.
  std::int64_t ShareOfA(std::uint64_t bits_a) const {
    return static_cast<std::int64_t>(numerator * bits_a / denominator + constant + 1);
  }
  std::int64_t ShareOfB(std::uint64_t bits_b) const {
    return static_cast<std::int64_t>(numerator * bits_b / denominator);
  }
};

}  // namespace sluis::linker::kernel
