#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace sluis::linker {

// Replaces values by the non-decreasing sequence nearest to them in weighted squares (pool adjacent violators; Barlow
// et al., Statistical Inference under Order Restrictions, 1972). `weights`: as many, positive. The weighted sum stays.
// O(values).
inline void MakeNonDecreasing(std::span<double> values, std::span<const double> weights) {
  struct Block {
    double sum, weight;
    std::size_t size;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    blocks.push_back({values[i] * weights[i], weights[i], 1});
    while (blocks.size() > 1) {
      const Block& last = blocks.back();
      Block& before = blocks[blocks.size() - 2];
      if (before.sum * last.weight <= last.sum * before.weight) {
        break;
      }
      before = {before.sum + last.sum, before.weight + last.weight, before.size + last.size};
      blocks.pop_back();
    }
  }
  std::size_t i = 0;
  for (const Block& block : blocks) {
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(i), block.size, block.sum / block.weight);
    i += block.size;
  }
}

}  // namespace sluis::linker
