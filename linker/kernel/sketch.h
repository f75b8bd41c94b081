#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/kernel/distance_limit.h"
#include "linker/kernel/encoding_table.h"

namespace sluis::linker::kernel {

// To how many words rows are folded for their first comparison, tile by tile.
//
// The fewer words, the cheaper the comparison, but the more pairs it lets through to be compared in full; how many
// depends on the distance allowed, so a tile of sparse rows needs fewer words than one of dense rows. The cost of each
// width is estimated from up to 4,096 pairs within the length filter, drawn with a fixed seed: the choice depends on
// the arguments only. It affects time, never what is found.
class SketchWidths {
 public:
  // `order_a`, `order_b`: the rows that take part.
  SketchWidths(const EncodingTable& a, const EncodingTable& b, std::span<const std::uint32_t> order_a,
               std::span<const std::uint32_t> order_b, const DistanceLimit& limit);

  // The widths in use, one to three; table.words() means comparing in full at once, without folding.
  const std::vector<std::uint32_t>& widths() const { return widths_; }

  // Returns the index in widths() of the cheapest for pairs whose distance may be at most `limit`.
  std::size_t Cheapest(std::int64_t limit) const;

 private:
  double Cost(std::uint32_t words, std::int64_t limit) const;

  std::uint32_t table_words_;
  std::vector<std::vector<std::uint16_t>> distances_;  // of the sampled pairs, ascending, by words of the sketch
  std::vector<std::uint32_t> widths_;
};

}  // namespace sluis::linker::kernel
