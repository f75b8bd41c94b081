#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <type_traits>

#include "common/bytes/secret.h"

namespace sluis::linker {

// Overwrites the elements of `range` with zeros. Of a vector only those up to its size: wipe before it shrinks, and
// reserve before it grows, since what a growing vector leaves behind is not wiped.
template <std::ranges::contiguous_range Range>
void WipeElements(Range& range) {
  using Element = std::ranges::range_value_t<Range>;
  static_assert(std::is_trivially_copyable_v<Element>);
  if (std::ranges::empty(range)) return;
  common::Wipe({reinterpret_cast<std::uint8_t*>(std::ranges::data(range)), std::ranges::size(range) * sizeof(Element)});
}

// Wipes a seed when it leaves its scope.
class SeedWiper {
 public:
  explicit SeedWiper(common::Hash256& seed) : seed_(seed) {}
  ~SeedWiper() { common::Wipe(seed_); }
  SeedWiper(const SeedWiper&) = delete;
  SeedWiper& operator=(const SeedWiper&) = delete;

 private:
  common::Hash256& seed_;
};

}  // namespace sluis::linker
