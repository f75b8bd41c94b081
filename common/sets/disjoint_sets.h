#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace sluis::common {

// A partition of 0..n-1 that only gets coarser. The root of a set is its smallest member, so that it does not depend on
// the order of unions. Finding is amortised O(log n) by path halving.
class DisjointSets {
 public:
  explicit DisjointSets(std::uint32_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0u); }

  std::uint32_t Root(std::uint32_t member) {
    while (parent_[member] != member) {
      parent_[member] = parent_[parent_[member]];
      member = parent_[member];
    }
    return member;
  }

  void Unite(std::uint32_t a, std::uint32_t b) {
    a = Root(a);
    b = Root(b);
    if (a > b) {
      std::swap(a, b);
    }
    parent_[b] = a;
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(parent_.size()); }

 private:
  std::vector<std::uint32_t> parent_;
};

}  // namespace sluis::common
