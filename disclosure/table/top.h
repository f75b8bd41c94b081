#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluis::disclosure {

// Puts `amount` in its place in `top` (descending) if it is larger than the last.
inline void InsertTop(std::int64_t amount, std::span<std::int64_t> top) {
  if (top.empty() || amount <= top.back()) return;
  std::size_t at = top.size() - 1;
  for (; at > 0 && top[at - 1] < amount; --at) top[at] = top[at - 1];
  top[at] = amount;
}

}  // namespace sluis::disclosure
