#include "linker/kernel/sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "linker/kernel/packed_rows.h"

namespace sluis::linker::kernel {
namespace {

constexpr std::uint64_t kSeed = 0x51a15;
constexpr std::uint64_t kLeastSample = 64;
constexpr std::uint64_t kMostSample = 4096;
constexpr std::uint64_t kPairsPerSample = 256;  // so that sampling never costs more than a small part of the search

// Costs in vector operations per pair of the AVX-512 loops: 5 operations on 2 words and 4 to add up and test, for 8
// pairs at once; a survivor waits for memory and for a mispredicted branch.
constexpr double kWordCost = 5.0 / 2 / 8;
constexpr double kTestCost = 4.0 / 8;
constexpr double kSurvivorCost = 150;

// Vigna's SplitMix64: enough for a sample.
std::uint64_t NextRandom(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::uint32_t ChooseSketchWords(const EncodingTable& a, const EncodingTable& b, std::span<const std::uint32_t> order_a,
                                std::span<const std::uint32_t> order_b, const DistanceLimit& limit) {
  const std::uint32_t words = a.words();
  if (order_a.empty() || order_b.empty()) {
    return words;
  }
  std::array<std::uint32_t, kMaxEncodingBits / 64 + 1> survivors{};  // by words of the sketch
  std::array<std::uint64_t, kMaxEncodingBits / 64> difference;
  std::array<std::uint64_t, kMaxEncodingBits / 64> folded;
  const std::uint64_t wanted =
      std::clamp(std::uint64_t{order_a.size()} * order_b.size() / kPairsPerSample, kLeastSample, kMostSample);
  std::uint64_t sampled = 0;
  std::uint64_t state = kSeed;
  // Some draws fall outside the length filter.
  for (std::uint64_t draw = 0; draw < 4 * wanted && sampled < wanted; ++draw) {
    const std::uint32_t row_a = order_a[NextRandom(&state) % order_a.size()];
    const std::uint32_t row_b = order_b[NextRandom(&state) % order_b.size()];
    const std::uint64_t bits_a = a.popcount(row_a);
    const std::uint64_t bits_b = b.popcount(row_b);
    if (!limit.Allows(bits_a < bits_b ? bits_b - bits_a : bits_a - bits_b, bits_a, bits_b)) {
      continue;
    }
    ++sampled;
    for (std::uint32_t w = 0; w < words; ++w) {
      difference[w] = a.row(row_a)[w] ^ b.row(row_b)[w];
    }
    for (std::uint32_t k = 1; k <= words; ++k) {
      FoldRow(std::span(difference).first(words), std::span(folded).first(k));
      std::uint64_t distance = 0;
      for (std::uint32_t w = 0; w < k; ++w) {
        distance += static_cast<std::uint64_t>(std::popcount(folded[w]));
      }
      survivors[k] += limit.Allows(distance, bits_a, bits_b) ? 1 : 0;
    }
  }
  if (sampled == 0) {
    return words;
  }
  std::uint32_t best = words;
  double best_cost = words * kWordCost + kTestCost;  // what survives the full comparison is found at any width
  for (std::uint32_t k = 1; k < words; ++k) {
    const double cost = k * kWordCost + kTestCost + kSurvivorCost * survivors[k] / static_cast<double>(sampled);
    if (cost < best_cost) {
      best = k;
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace sluis::linker::kernel
