#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/bytes/secret.h"

namespace sluis::linker {

// Unbiased draws from the ChaCha20 stream under a seed. The i-th draw depends on the seed and the draws before it only,
// so that asking for more never changes the first ones.
class KeyedGenerator {
 public:
  explicit KeyedGenerator(const common::Hash256& seed) : seed_(seed) {}
  ~KeyedGenerator() {
    common::Wipe(seed_);
    common::Wipe(block_);
  }
  KeyedGenerator(const KeyedGenerator&) = delete;
  KeyedGenerator& operator=(const KeyedGenerator&) = delete;

  // Returns a number in 0 .. bound-1: 16 bits of the stream modulo `bound`, those above the largest multiple of `bound`
  // thrown away. Precondition: 1 <= bound <= 65536.
  std::uint32_t Below(std::uint32_t bound);

  // Appends `count` distinct draws of Below(bound) to `out`. Precondition: count <= bound.
  void AppendDistinct(std::uint32_t bound, std::size_t count, std::vector<std::uint16_t>& out);

 private:
  common::Hash256 seed_;
  std::array<std::uint8_t, 64> block_{};
  std::uint32_t next_block_ = 0;
  std::size_t used_ = 64;  // bytes of block_
};

// Returns a seed for the use named by `label`: SHA-256(seed || label).
[[nodiscard]] common::Hash256 DeriveSeed(const common::Hash256& seed, std::string_view label);

}  // namespace sluis::linker
