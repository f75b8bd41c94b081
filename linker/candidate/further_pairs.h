#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/candidate/nearest_lists.h"

namespace sluis::linker {

// The candidate pairs that stand in the list of one side only: for each row of a, in ascending order, the rows of b
// that have it in their lists without being in its own. Immutable, thread-safe.
class FurtherPairs {
 public:
  FurtherPairs() = default;

  // `of_a`, `of_b`: finished lists. Without rows in `of_b`, those of duplicates: `of_a` then serves for both sides, and
  // a pair belongs to the smaller of its rows. The result does not depend on `threads`. Memory: 8 bytes a row of a and
  // 4 a pair.
  FurtherPairs(const NearestLists& of_a, const NearestLists& of_b, unsigned threads);

  std::span<const std::uint32_t> of(std::size_t row) const {
    return {rows_.data() + begin_[row], static_cast<std::size_t>(begin_[row + 1] - begin_[row])};
  }

 private:
  std::vector<std::uint64_t> begin_;  // of each row of a in rows_, and the end
  std::vector<std::uint32_t> rows_;
};

}  // namespace sluis::linker
