#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

// The transformations that make encodings harder to read, each a pure function of bits and a key. Bit i of an encoding
// is bit i % 64 of word i / 64. Salting is in the tokens' inputs (token_seeds.h). What each withstands and costs:
// README.md. None of them withstands graph matching by who knows most of the population.

namespace sluis::linker {

// XORs the halves of `encoding`, `folds` times; the result stands in its first size >> folds words, which are returned.
// Precondition: 2^folds divides the number of words. Source: Schnell and Borgs (2016), XOR-folding for Bloom filters.
std::span<std::uint64_t> XorFold(std::span<std::uint64_t> encoding, int folds);

// The noise of one record: words of the ChaCha20 stream under its seed, eight bytes each, little-endian.
class NoiseStream {
 public:
  explicit NoiseStream(const common::Hash256& seed) : seed_(seed) {}
  ~NoiseStream();
  NoiseStream(const NoiseStream&) = delete;
  NoiseStream& operator=(const NoiseStream&) = delete;

  std::uint64_t Next();

 private:
  common::Hash256 seed_;
  std::array<std::uint8_t, 512> blocks_{};  // as many as are computed at once
  std::uint32_t next_block_ = 0;
  std::size_t used_ = 512;  // bytes of blocks_
};

// Flips each bit independently with probability threshold / 2^32, exactly. Each bit compares a uniform number with that
// probability, digit by binary digit after the point, the highest first: bit j's digits are the bits j of successive
// words of `noise`. A word of the encoding takes words of noise until all of its bits are decided, seven on average,
// and at most 32. The encodings of one record take from one stream, one after the other. Source: Schnell and Borgs
// (2016), BLIP.
void FlipBits(std::span<std::uint64_t> encoding, std::uint32_t threshold, NoiseStream& noise);

// Returns the seed of one record's noise: HMAC(custodian's key, plan digest || encodings), big-endian words. The
// same record gets the same noise each time, so that delivering it often does not average the noise away; without the
// custodian's key nobody can take it off. `encodings`: all of the record, unhardened.
[[nodiscard]] common::Hash256 NoiseSeed(const common::HmacSha256& custodian, const common::Hash256& plan_digest,
                                        std::span<const std::uint64_t> encodings);

// Returns, for each of `bits` output bits, `taps` distinct input positions, row after row, drawn by `seed`.
// Preconditions: 1 <= taps <= bits <= 65536.
[[nodiscard]] std::vector<std::uint16_t> DiffusionPositions(const common::Hash256& seed, std::uint32_t bits, int taps);

// Writes to output bit i the XOR of the input bits at row i of `positions`. Source: Armknecht, Heng and Schnell (2023),
// Strengthening privacy-preserving record linkage using diffusion, PoPETs 2023(2). Preconditions: same size, no
// overlap; positions from DiffusionPositions of that many bits and `taps`.
void Diffuse(std::span<const std::uint64_t> input, std::span<const std::uint16_t> positions, int taps,
             std::span<std::uint64_t> output);

// Returns a permutation of 0 .. size-1 drawn by `seed` (Fisher-Yates, unbiased). Precondition: 1 <= size <= 65536.
[[nodiscard]] std::vector<std::uint16_t> KeyedPermutation(const common::Hash256& seed, std::uint32_t size);

// Writes input and its complement, bit i of the two together to bit permutation[i]: exactly half of the bits are set,
// so that their number tells nothing. Source: Schnell and Borgs (2016), balanced Bloom filters. Preconditions: output
// has twice the size of input and does not overlap; permutation of as many entries as output has bits.
void Balance(std::span<const std::uint64_t> input, std::span<const std::uint16_t> permutation,
             std::span<std::uint64_t> output);

}  // namespace sluis::linker
