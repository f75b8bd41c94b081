#include "linker/fellegi_sunter/level_rule.h"

namespace sluis::linker {

LevelRule::LevelRule(std::span<const Ratio> cuts, std::uint32_t bits)
    : cuts_(cuts.size()), exact_(static_cast<AgreementLevel>(cuts.size() + 2)) {
  static_assert(kMaxEncodingBits <= UINT16_MAX);
  for (std::uint64_t sum = 0; sum <= std::uint64_t{2} * bits; ++sum) {
    for (const Ratio& cut : cuts) {
      // 2 common / sum >= numerator / denominator
      const std::uint64_t divisor = std::uint64_t{2} * cut.denominator;
      needed_.push_back(static_cast<std::uint16_t>((cut.numerator * sum + divisor - 1) / divisor));
    }
  }
}

}  // namespace sluis::linker
