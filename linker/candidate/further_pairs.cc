#include "linker/candidate/further_pairs.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "linker/kernel/parallel.h"

namespace sluis::linker {
namespace {

using kernel::InThreads;
using kernel::PartOf;
using kernel::Range;

// Calls use(a, b) for the pairs that stand in the list of b only, b in `range`.
template <typename Use>
void VisitFurther(const NearestLists& of_a, const NearestLists& of_b, bool within, Range range, const Use& use) {
  for (std::size_t row = range.begin; row < range.end; ++row) {
    const auto b = static_cast<std::uint32_t>(row);
    const std::span<const Neighbour> list = of_b.of(b);
    for (const Neighbour neighbour : list) {
      of_a.PrefetchFarthest(neighbour.row());
    }
    for (const Neighbour neighbour : list) {
      const std::uint32_t a = neighbour.row();
      if ((!within || a < b) && !of_a.WouldHold(a, Neighbour(b, neighbour.dice_units()))) {
        use(a, b);
      }
    }
  }
}

}  // namespace

FurtherPairs::FurtherPairs(const NearestLists& of_a, const NearestLists& of_b, unsigned threads)
    : begin_(of_a.rows() + 1) {
  const bool within = of_b.rows() == 0;
  const NearestLists& others = within ? of_a : of_b;
  const auto in_parts = [&](const auto& use) {
    InThreads(threads, [&](unsigned t) { VisitFurther(of_a, others, within, PartOf(others.rows(), t, threads), use); });
  };
  in_parts([&](std::uint32_t a, std::uint32_t) { std::atomic_ref(begin_[a]).fetch_add(1, std::memory_order_relaxed); });
  // Each entry is the end of its row now, and moves down to the beginning as the row is filled.
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  rows_.resize(begin_.back());
  in_parts([&](std::uint32_t a, std::uint32_t b) {
    rows_[std::atomic_ref(begin_[a]).fetch_sub(1, std::memory_order_relaxed) - 1] = b;
  });
  InThreads(threads, [&](unsigned t) {
    const Range range = PartOf(of_a.rows(), t, threads);
    for (std::size_t row = range.begin; row < range.end; ++row) {
      std::sort(rows_.begin() + static_cast<std::ptrdiff_t>(begin_[row]),
                rows_.begin() + static_cast<std::ptrdiff_t>(begin_[row + 1]));
    }
  });
}

}  // namespace sluis::linker
