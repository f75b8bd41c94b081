#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linker/kernel/encoding_table.h"

namespace sluis::linker::kernel {

// Folds `row` into folded.size() words, at most row.size(): word w of the row is XORed into word w % folded.size().
//
// The distance of two folded rows never exceeds that of the rows: XOR commutes with folding, so a folded difference bit
// is the parity of a set of difference bits, and is 1 only if at least one of them is; the sets are disjoint.
void FoldRow(std::span<const std::uint64_t> row, std::span<std::uint64_t> folded);

// Returns the rows order[0], order[1], ... of `table`, each folded to `words` words (table.words(): not folded), in the
// form that the inner loops read:
//
// - The words 0, 2, 4, ... are replaced by the XOR of all words up to there. The difference of two such words is then
// the
//   sum bit of a chain of full adders, each of which adds the differences of two words more. The loops so get a sum and
//   one input for one XOR each and the carry for one operation more, and count the bits of the carries, which weigh 2,
//   and of the last sum: 8 words instead of 15.
// - `lanes` consecutive rows are interleaved word by word: word w of row r is at
//   (r / lanes * words + w) * lanes + r % lanes.
// - Zero rows follow until their number is a multiple of `multiple` (itself a multiple of `lanes`).
[[nodiscard]] AlignedVector<std::uint64_t> PackRows(const EncodingTable& table, std::span<const std::uint32_t> order,
                                                    std::size_t words, std::size_t lanes, std::size_t multiple);

}  // namespace sluis::linker::kernel
