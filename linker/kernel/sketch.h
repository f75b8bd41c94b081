#pragma once

#include <cstdint>
#include <span>

#include "linker/kernel/distance_limit.h"
#include "linker/kernel/encoding_table.h"

namespace sluis::linker::kernel {

// Returns to how many words both tables' rows should be folded for the first comparison; table.words() means that
// folding does not pay and pairs are compared in full at once.
//
// Estimates the cost of each width from a sample of up to 4,096 pairs within the length filter: fewer words are cheaper
// to compare, but let more pairs through that must then be compared in full. The sample is drawn with a fixed seed, so
// the result depends on the arguments only. It affects time, never what is found. `order_a`, `order_b`: the rows that
// take part, sorted by popcount.
[[nodiscard]] std::uint32_t ChooseSketchWords(const EncodingTable& a, const EncodingTable& b,
                                              std::span<const std::uint32_t> order_a,
                                              std::span<const std::uint32_t> order_b, const DistanceLimit& limit);

}  // namespace sluis::linker::kernel
