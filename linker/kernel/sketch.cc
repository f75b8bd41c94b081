#include "linker/kernel/sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "linker/kernel/packed_rows.h"

namespace sluis::linker::kernel {
namespace {

constexpr std::uint64_t kSeed = 0x51a15;
constexpr std::uint64_t kLeastSample = 64;
constexpr std::uint64_t kMostSample = 4096;
constexpr std::uint64_t kPairsPerSample = 256;  // so that sampling never costs more than a small part of the search

// A pair that survives its sketch costs this many vector operations: it waits for memory and for a mispredicted branch.
constexpr double kSurvivorCost = 150;
constexpr double kLanes = 8;

// Vigna's SplitMix64: enough for a sample.
std::uint64_t NextRandom(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

SketchWidths::SketchWidths(const EncodingTable& a, const EncodingTable& b, std::span<const std::uint32_t> order_a,
                           std::span<const std::uint32_t> order_b, const DistanceLimit& limit)
    : table_words_(a.words()), distances_(a.words() + 1) {
  if (order_a.empty() || order_b.empty()) {
    widths_ = {table_words_};
    return;
  }
  std::array<std::uint64_t, kMaxEncodingBits / 64> difference;
  std::array<std::uint64_t, kMaxEncodingBits / 64> folded;
  std::vector<std::int64_t> limits;
  const std::uint64_t wanted =
      std::clamp(std::uint64_t{order_a.size()} * order_b.size() / kPairsPerSample, kLeastSample, kMostSample);
  std::uint64_t state = kSeed;
  // Some draws fall outside the length filter.
  for (std::uint64_t draw = 0; draw < 4 * wanted && limits.size() < wanted; ++draw) {
    const std::uint32_t row_a = order_a[NextRandom(&state) % order_a.size()];
    const std::uint32_t row_b = order_b[NextRandom(&state) % order_b.size()];
    const std::uint64_t bits_a = a.popcount(row_a);
    const std::uint64_t bits_b = b.popcount(row_b);
    if (!limit.Allows(bits_a < bits_b ? bits_b - bits_a : bits_a - bits_b, bits_a, bits_b)) {
      continue;
    }
    limits.push_back(limit.ShareOfA(bits_a) + limit.ShareOfB(bits_b));
    for (std::uint32_t w = 0; w < table_words_; ++w) {
      difference[w] = a.row(row_a)[w] ^ b.row(row_b)[w];
    }
    for (std::uint32_t k = 1; k <= table_words_; ++k) {
      FoldRow(std::span(difference).first(table_words_), std::span(folded).first(k));
      int distance = 0;
      for (std::uint32_t w = 0; w < k; ++w) {
        distance += std::popcount(folded[w]);
      }
      distances_[k].push_back(static_cast<std::uint16_t>(distance));
    }
  }
  for (std::vector<std::uint16_t>& distances : distances_) {
    std::sort(distances.begin(), distances.end());
  }
  std::sort(limits.begin(), limits.end());
  for (std::uint32_t k = 1; k <= table_words_; ++k) {
    widths_.push_back(k);
  }
  if (limits.empty()) {
    widths_ = {table_words_};
    return;
  }
  // The cheapest for low, middling and high limits; more would cost more memory than they gain time.
  std::vector<std::uint32_t> chosen;
  for (const std::size_t tenths : {1, 5, 9}) {
    chosen.push_back(widths_[Cheapest(limits[limits.size() * tenths / 10])]);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  widths_ = std::move(chosen);
}

// In vector operations of the AVX-512 loops per pair: 5 for 2 words, 4.25 for the first word, the sum and the test, and
// 3 for a last word without a partner, for 8 pairs at once. What survives the full width is found at any width.
double SketchWidths::Cost(std::uint32_t words, std::int64_t limit) const {
  const std::uint32_t steps = (words - 1) / 2;
  const double scan = (5.0 * steps + 4.25 + (words % 2 == 0 ? 3 : 0)) / kLanes;
  const std::vector<std::uint16_t>& distances = distances_[words];
  if (words == table_words_ || distances.empty()) {
    return scan;
  }
  const auto survivors = std::upper_bound(distances.begin(), distances.end(), limit) - distances.begin();
  return scan + kSurvivorCost * static_cast<double>(survivors) / static_cast<double>(distances.size());
}

std::size_t SketchWidths::Cheapest(std::int64_t limit) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < widths_.size(); ++i) {
    if (Cost(widths_[i], limit) < Cost(widths_[best], limit)) {
      best = i;
    }
  }
  return best;
}

}  // namespace sluis::linker::kernel
