#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linker/kernel/encoding_table.h"
#include "linker/kernel/parallel.h"

namespace sluis::linker::candidate {

using kernel::InThreads;
using kernel::PartOf;
using kernel::Range;

// The key of a block above the number of a row.
using KeyedRow = std::uint64_t;
inline KeyedRow MakeKeyedRow(std::uint32_t key, std::uint32_t row) { return std::uint64_t{key} << 32 | row; }
inline std::uint32_t KeyOf(KeyedRow keyed) { return static_cast<std::uint32_t>(keyed >> 32); }
inline std::uint32_t RowOf(KeyedRow keyed) { return static_cast<std::uint32_t>(keyed); }

// Sets `keyed` to the rows r of [0, rows) that has(r) says have a key, in order, with key(r). Both are called for each
// row from any of `threads` threads.
template <typename Has, typename Key>
void KeyRows(std::size_t rows, unsigned threads, const Has& has, const Key& key, AlignedVector<KeyedRow>* keyed) {
  std::vector<std::size_t> begin(threads + 1);
  InThreads(threads, [&](unsigned t) {
    const Range range = PartOf(rows, t, threads);
    std::size_t count = 0;
    for (std::size_t r = range.begin; r < range.end; ++r) {
      count += has(r) ? 1 : 0;
    }
    begin[t + 1] = count;
  });
  for (unsigned t = 0; t < threads; ++t) {
    begin[t + 1] += begin[t];
  }
  keyed->resize(begin[threads]);
  InThreads(threads, [&](unsigned t) {
    const Range range = PartOf(rows, t, threads);
    KeyedRow* out = keyed->data() + begin[t];
    for (std::size_t r = range.begin; r < range.end; ++r) {
      if (has(r)) {
        *out++ = MakeKeyedRow(key(r), static_cast<std::uint32_t>(r));
      }
    }
  });
}

// Sorts by the lowest `key_bits` bits of the key, the only ones that may be set; rows of one key keep their order.
// Radix sort of digits of at most 11 bits. `buffer` is scratch: its contents are lost, its size becomes that of
// `keyed`.
void SortByKey(std::uint32_t key_bits, unsigned threads, AlignedVector<KeyedRow>* keyed,
               AlignedVector<KeyedRow>* buffer);

}  // namespace sluis::linker::candidate
