#include "linker/candidate/keyed_rows.h"

namespace sluis::linker::candidate {
namespace {

constexpr std::uint32_t kMostDigitBits = 11;  // 2,048 open cache lines: what a core's L1 and its TLB bear

}  // namespace

void SortByKey(std::uint32_t key_bits, unsigned threads, AlignedVector<KeyedRow>* keyed,
               AlignedVector<KeyedRow>* buffer) {
  const std::uint32_t digits = (key_bits + kMostDigitBits - 1) / kMostDigitBits;
  buffer->resize(keyed->size());
  std::vector<std::vector<std::size_t>> places(threads);
  for (std::uint32_t digit = 0; digit < digits; ++digit) {
    const std::uint32_t low = key_bits * digit / digits;
    const std::uint32_t high = key_bits * (digit + 1) / digits;
    const std::uint32_t shift = 32 + low;
    const std::uint64_t mask = (std::uint64_t{1} << (high - low)) - 1;
    InThreads(threads, [&](unsigned t) {
      places[t].assign(mask + 1, 0);
      const Range range = PartOf(keyed->size(), t, threads);
      for (std::size_t i = range.begin; i < range.end; ++i) {
        ++places[t][((*keyed)[i] >> shift) & mask];
      }
    });
    std::size_t place = 0;
    for (std::size_t value = 0; value <= mask; ++value) {
      for (unsigned t = 0; t < threads; ++t) {
        const std::size_t count = places[t][value];
        places[t][value] = place;
        place += count;
      }
    }
    InThreads(threads, [&](unsigned t) {
      const Range range = PartOf(keyed->size(), t, threads);
      for (std::size_t i = range.begin; i < range.end; ++i) {
        (*buffer)[places[t][((*keyed)[i] >> shift) & mask]++] = (*keyed)[i];
      }
    });
    keyed->swap(*buffer);
  }
}

}  // namespace sluis::linker::candidate
