#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace sluis::disclosure {

// Calls work(0) .. work(threads - 1) at the same time and returns when all have ended. `work` must not throw.
inline void RunThreads(int threads, const std::function<void(int)>& work) {
  std::vector<std::jthread> others;
  others.reserve(static_cast<std::size_t>(threads) - 1);
  for (int t = 1; t < threads; ++t) others.emplace_back([&work, t] { work(t); });
  work(0);
}

}  // namespace sluis::disclosure
