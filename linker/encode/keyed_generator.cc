#include "linker/encode/keyed_generator.h"

#include <algorithm>

#include "common/crypto/crypto.h"
#include "linker/encode/wipe.h"

namespace sluis::linker {

std::uint32_t KeyedGenerator::Below(std::uint32_t bound) {
  const std::uint32_t limit = 65536 / bound * bound;
  for (;;) {
    if (used_ == block_.size()) {
      common::ChaCha20Stream(seed_, next_block_++, block_);
      used_ = 0;
    }
    const std::uint32_t word = block_[used_] | std::uint32_t{block_[used_ + 1]} << 8;
    used_ += 2;
    if (word < limit) {
      return word % bound;
    }
  }
}

void KeyedGenerator::AppendDistinct(std::uint32_t bound, std::size_t count, std::vector<std::uint16_t>& out) {
  const std::size_t begin = out.size();
  out.reserve(begin + count);
  // A bitmap pays only for many draws; few are searched.
  std::vector<std::uint64_t> drawn(count > 64 ? (bound + 63) / 64 : 0);
  while (out.size() - begin < count) {
    const auto position = static_cast<std::uint16_t>(Below(bound));
    if (drawn.empty()) {
      if (std::find(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), position) != out.end()) continue;
    } else {
      std::uint64_t& word = drawn[position / 64];
      const std::uint64_t bit = std::uint64_t{1} << (position % 64);
      if ((word & bit) != 0) continue;
      word |= bit;
    }
    out.push_back(position);
  }
  WipeElements(drawn);
}

common::Hash256 DeriveSeed(const common::Hash256& seed, std::string_view label) {
  common::Sha256Hasher hasher;
  hasher.Update(common::AsChars(seed));
  hasher.Update(label);
  return hasher.Finish();
}

}  // namespace sluis::linker
