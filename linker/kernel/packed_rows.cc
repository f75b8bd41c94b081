#include "linker/kernel/packed_rows.h"

#include <algorithm>
#include <array>

namespace sluis::linker::kernel {

void FoldRow(std::span<const std::uint64_t> row, std::span<std::uint64_t> folded) {
  std::copy_n(row.begin(), folded.size(), folded.begin());
  std::size_t place = 0;
  for (std::size_t w = folded.size(); w < row.size(); ++w) {
    folded[place] ^= row[w];
    place = place + 1 == folded.size() ? 0 : place + 1;
  }
}

AlignedVector<std::uint64_t> PackRows(const EncodingTable& table, std::span<const std::uint32_t> order,
                                      std::size_t words, std::size_t lanes, std::size_t multiple) {
  const std::size_t rows = (order.size() + multiple - 1) / multiple * multiple;
  AlignedVector<std::uint64_t> packed(rows * words);
  std::array<std::uint64_t, kMaxEncodingBits / 64> buffer;
  const std::span<std::uint64_t> folded(buffer.data(), words);
  for (std::size_t r = 0; r < order.size(); ++r) {
    FoldRow(table.row(order[r]), folded);
    for (std::size_t w = 2; w < words; w += 2) {
      folded[w] ^= folded[w - 1] ^ folded[w - 2];
    }
    for (std::size_t w = 0; w < words; ++w) {
      packed[(r / lanes * words + w) * lanes + r % lanes] = folded[w];
    }
  }
  return packed;
}

}  // namespace sluis::linker::kernel
