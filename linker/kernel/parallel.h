#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace sluis::linker::kernel {

// Calls work(0) to work(threads - 1), each in a thread of its own, the first in the caller's; returns when all have
// returned.
template <typename Work>
void InThreads(unsigned threads, const Work& work) {
  std::vector<std::jthread> others;
  others.reserve(threads - 1);
  for (unsigned t = 1; t < threads; ++t) {
    others.emplace_back([&work, t] { work(t); });
  }
  work(0);
}

// Part `part` of `parts` of [0, size): consecutive, of nearly equal size.
struct Range {
  std::size_t begin;
  std::size_t end;
};
inline Range PartOf(std::size_t size, unsigned part, unsigned parts) {
  return {size * part / parts, size * (part + 1) / parts};
}

}  // namespace sluis::linker::kernel
