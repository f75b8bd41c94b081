#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "linker/kernel/encoding_table.h"

// Which bits of the encodings make the keys of LSH tables, and how probably two encodings get the same key.
//
// Source: Indyk & Motwani, Approximate nearest neighbors (STOC 1998): bit sampling is locality-sensitive for the
// Hamming distance. Weights for the bits: see BitWeights.

namespace sluis::linker::candidate {

// Uniform in [0, size), the same on every machine (unlike std::uniform_int_distribution). `size` at most 2^32.
inline std::uint64_t Below(std::uint64_t size, std::mt19937_64* random) { return ((*random)() >> 32) * size >> 32; }

// Returns the weight of each bit, see CandidatePlan::bit_weights, from up to 65,536 rows of each table, evenly spaced.
// A bit near frequency 1/2 splits blocks most evenly; one that is constant in a source splits nothing.
[[nodiscard]] std::vector<std::uint32_t> BitWeights(const EncodingTable& a, const EncodingTable& b);

// Returns up to `count` different bits, drawn one after the other with probability proportional to their weights; fewer
// if no more have a weight. The draw depends on weights, seed and `table`; a larger count continues it.
[[nodiscard]] std::vector<std::uint16_t> DrawBits(std::span<const std::uint32_t> weights, std::uint32_t count,
                                                  std::uint64_t seed, std::uint32_t table);

// Returns the values of up to 64 `bits` in `row`, the first in the highest place.
inline std::uint64_t SampledBits(std::span<const std::uint64_t> row, std::span<const std::uint16_t> bits) {
  std::uint64_t sampled = 0;
  for (const std::uint16_t bit : bits) {
    sampled = sampled << 1 | ((row[bit / 64] >> (bit % 64)) & 1);
  }
  return sampled;
}

// How alike two encodings are to an LSH table, and what follows from it.
class Agreements {
 public:
  explicit Agreements(std::span<const std::uint32_t> weights);

  // Returns the share of the bits, by weight, in which the rows agree: the probability of agreement in one bit drawn.
  double Of(std::span<const std::uint64_t> row_a, std::span<const std::uint64_t> row_b) const;

  // Returns the probability h(s, k) of agreement in k = `bits` bits, given the `agreement` s: the product over i < k of
  // (n s - i) / (n - i), at least 0. n is the effective number of bits, (sum w)^2 / (sum w^2). Exact (hypergeometric)
  // for equal weights; close to s^k for k far below n.
  double InAll(double agreement, std::uint32_t bits) const;

  // Returns 1 - (1 - h(s, k))^L: the probability to meet in at least one of L = `tables` tables, which are drawn
  // independently of each other.
  double InAnyTable(double agreement, std::uint32_t bits, std::uint32_t tables) const;

  double effective_bits() const { return effective_bits_; }  // 0 if no bit has a weight

 private:
  std::vector<std::uint32_t> weights_;
  double total_ = 0;
  double effective_bits_ = 0;
};

}  // namespace sluis::linker::candidate
