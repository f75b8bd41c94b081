#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/fellegi_sunter/pattern.h"
#include "linker/kernel/similarity.h"

namespace sluis::linker {

// How two encodings of a field agree, from the bits that they have in common: what Overlap::DiceAtLeast says of each
// cut, looked up. Thread-safe for reading.
class LevelRule {
 public:
  // `cuts`: where the similarity levels begin, ascending; `bits`: of an encoding. Memory: 4 bytes a cut and bit.
  LevelRule(std::span<const Ratio> cuts, std::uint32_t bits);

  // The level of two encodings: kDisagreeLevel, a level of similarity, or the exact one.
  AgreementLevel Level(std::uint32_t common, std::uint32_t bits_a, std::uint32_t bits_b) const {
    if (common == bits_a && common == bits_b) return exact_;
    const std::uint16_t* needed = needed_.data() + (bits_a + bits_b) * cuts_;
    AgreementLevel level = kDisagreeLevel;
    for (std::size_t cut = 0; cut < cuts_; ++cut) level = static_cast<AgreementLevel>(level + (common >= needed[cut]));
    return level;
  }

 private:
  std::size_t cuts_;
  AgreementLevel exact_;
  std::vector<std::uint16_t> needed_;  // common bits, by the sum of the set bits and by cut
};

}  // namespace sluis::linker
