#include "linker/candidate/bit_sampling.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluis::linker::candidate {
namespace {

constexpr std::size_t kMostCountedRows = 65'536;
constexpr double kWeightOne = 65'536;

// For each bit 4 f (1 - f), 0 if it is constant in the rows that are looked at.
std::vector<double> Spreads(const EncodingTable& table) {
  std::vector<std::size_t> counts(table.bits());
  const std::size_t rows = std::min(table.rows(), kMostCountedRows);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<const std::uint64_t> row = table.row(table.rows() * i / rows);
    for (std::size_t w = 0; w < row.size(); ++w) {
      for (std::uint64_t word = row[w]; word != 0; word &= word - 1) {
        ++counts[64 * w + static_cast<std::size_t>(std::countr_zero(word))];
      }
    }
  }
  std::vector<double> spreads(counts.size());
  for (std::size_t bit = 0; bit < counts.size() && rows > 0; ++bit) {
    const double frequency = static_cast<double>(counts[bit]) / static_cast<double>(rows);
    spreads[bit] = 4 * frequency * (1 - frequency);
  }
  return spreads;
}

}  // namespace

std::vector<std::uint32_t> BitWeights(const EncodingTable& a, const EncodingTable& b) {
  const std::vector<double> spreads_a = Spreads(a);
  const std::vector<double> spreads_b = &a == &b ? spreads_a : Spreads(b);
  std::vector<std::uint32_t> weights(spreads_a.size());
  for (std::size_t bit = 0; bit < weights.size(); ++bit) {
    weights[bit] = static_cast<std::uint32_t>(std::ceil(kWeightOne * std::min(spreads_a[bit], spreads_b[bit])));
  }
  return weights;
}

std::vector<std::uint16_t> DrawBits(std::span<const std::uint32_t> weights, std::uint32_t count, std::uint64_t seed,
                                    std::uint32_t table) {
  std::seed_seq sequence{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), table};
  std::mt19937_64 random(sequence);
  std::vector<std::uint32_t> left(weights.begin(), weights.end());
  std::uint64_t total = 0;
  for (const std::uint32_t weight : left) {
    total += weight;
  }
  std::vector<std::uint16_t> bits;
  while (bits.size() < count && total > 0) {
    std::uint64_t place = Below(total, &random);  // 4,096 bits of weight at most 2^16: total is below 2^32
    std::size_t bit = 0;
    while (place >= left[bit]) {
      place -= left[bit++];
    }
    bits.push_back(static_cast<std::uint16_t>(bit));
    total -= left[bit];
    left[bit] = 0;
  }
  return bits;
}

Agreements::Agreements(std::span<const std::uint32_t> weights) : weights_(weights.begin(), weights.end()) {
  double squares = 0;
  for (const double weight : weights_) {
    total_ += weight;
    squares += weight * weight;
  }
  effective_bits_ = squares > 0 ? total_ * total_ / squares : 0;
}

double Agreements::Of(std::span<const std::uint64_t> row_a, std::span<const std::uint64_t> row_b) const {
  std::uint64_t differing = 0;
  for (std::size_t w = 0; w < row_a.size(); ++w) {
    for (std::uint64_t word = row_a[w] ^ row_b[w]; word != 0; word &= word - 1) {
      differing += weights_[64 * w + static_cast<std::size_t>(std::countr_zero(word))];
    }
  }
  return total_ > 0 ? 1 - static_cast<double>(differing) / total_ : 0;
}

double Agreements::InAll(double agreement, std::uint32_t bits) const {
  double probability = 1;
  for (std::uint32_t i = 0; i < bits && probability > 0; ++i) {
    probability *= effective_bits_ > i ? std::max(0.0, (effective_bits_ * agreement - i) / (effective_bits_ - i)) : 0;
  }
  return probability;
}

double Agreements::InAnyTable(double agreement, std::uint32_t bits, std::uint32_t tables) const {
  return -std::expm1(tables * std::log1p(-std::min(InAll(agreement, bits), 1 - 1e-15)));
}

}  // namespace sluis::linker::candidate
