#include "linker/encode/hardening.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "linker/encode/keyed_generator.h"

namespace sluis::linker {
namespace {

std::uint64_t BitAt(std::span<const std::uint64_t> words, std::size_t bit) { return words[bit / 64] >> (bit % 64) & 1; }

}  // namespace

std::span<std::uint64_t> XorFold(std::span<std::uint64_t> encoding, int folds) {
  for (int fold = 0; fold < folds; ++fold) {
    const std::size_t half = encoding.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
      encoding[i] ^= encoding[half + i];
    }
    encoding = encoding.first(half);
  }
  return encoding;
}

NoiseStream::~NoiseStream() {
  common::Wipe(seed_);
  common::Wipe(blocks_);
}

std::uint64_t NoiseStream::Next() {
  if (used_ == blocks_.size()) {
    common::ChaCha20Stream(seed_, next_block_, blocks_);
    next_block_ += blocks_.size() / 64;
    used_ = 0;
  }
  const std::uint8_t* bytes = blocks_.data() + used_;
  used_ += 8;
  return std::uint64_t{bytes[0]} | std::uint64_t{bytes[1]} << 8 | std::uint64_t{bytes[2]} << 16 |
         std::uint64_t{bytes[3]} << 24 | std::uint64_t{bytes[4]} << 32 | std::uint64_t{bytes[5]} << 40 |
         std::uint64_t{bytes[6]} << 48 | std::uint64_t{bytes[7]} << 56;
}

void FlipBits(std::span<std::uint64_t> encoding, std::uint32_t threshold, NoiseStream& noise) {
  for (std::uint64_t& word : encoding) {
    std::uint64_t flips = 0;
    // Bits whose number equals the probability so far. Once the rest of the probability is zero, none can be below it.
    std::uint64_t undecided = ~std::uint64_t{0};
    for (std::uint32_t rest = threshold; rest != 0 && undecided != 0; rest <<= 1) {
      const std::uint64_t digits = noise.Next();
      if ((rest >> 31) != 0) {
        flips |= undecided & ~digits;
        undecided &= digits;
      } else {
        undecided &= ~digits;
      }
    }
    word ^= flips;
  }
}

common::Hash256 NoiseSeed(const common::HmacSha256& custodian, const common::Hash256& plan_digest,
                          std::span<const std::uint64_t> encodings) {
  std::string bits(encodings.size() * 8, '\0');
  for (std::size_t i = 0; i < bits.size(); ++i) {
    bits[i] = static_cast<char>(encodings[i / 8] >> (56 - 8 * (i % 8)) & 0xFF);
  }
  const common::Hash256 seed = custodian.Compute(common::AsChars(plan_digest), bits);
  common::Wipe(bits);
  return seed;
}

std::vector<std::uint16_t> DiffusionPositions(const common::Hash256& seed, std::uint32_t bits, int taps) {
  KeyedGenerator generator(DeriveSeed(seed, "diffusion"));
  std::vector<std::uint16_t> positions;
  positions.reserve(static_cast<std::size_t>(bits) * static_cast<std::size_t>(taps));
  for (std::uint32_t bit = 0; bit < bits; ++bit) {
    generator.AppendDistinct(bits, static_cast<std::size_t>(taps), positions);
  }
  return positions;
}

void Diffuse(std::span<const std::uint64_t> input, std::span<const std::uint16_t> positions, int taps,
             std::span<std::uint64_t> output) {
  const std::uint16_t* position = positions.data();
  for (std::uint64_t& word : output) {
    word = 0;
    for (int bit = 0; bit < 64; ++bit) {
      std::uint64_t sum = 0;
      for (int tap = 0; tap < taps; ++tap) {
        sum ^= BitAt(input, *position++);
      }
      word |= sum << bit;
    }
  }
}

std::vector<std::uint16_t> KeyedPermutation(const common::Hash256& seed, std::uint32_t size) {
  KeyedGenerator generator(DeriveSeed(seed, "permutation"));
  std::vector<std::uint16_t> permutation(size);
  std::iota(permutation.begin(), permutation.end(), std::uint16_t{0});
  for (std::uint32_t left = size; left > 1; --left) {
    std::swap(permutation[left - 1], permutation[generator.Below(left)]);
  }
  return permutation;
}

void Balance(std::span<const std::uint64_t> input, std::span<const std::uint16_t> permutation,
             std::span<std::uint64_t> output) {
  std::ranges::fill(output, 0);
  const std::size_t bits = input.size() * 64;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    // One of the two bits is set, whatever the input.
    const std::uint16_t target = permutation[BitAt(input, bit) != 0 ? bit : bits + bit];
    output[target / 64] |= std::uint64_t{1} << (target % 64);
  }
}

}  // namespace sluis::linker
