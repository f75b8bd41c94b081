#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace sluis::disclosure {

// Calls work(worker, k) for k = 0 .. size - 1, each once, on up to `workers` threads, and returns when all have ended.
// `worker`: 0 .. workers - 1, never the same at the same time. Which worker gets which k is not determined: the work
// must not depend on it. `work` must not throw.
template <typename Work>
void RunBatch(int workers, int64_t size, Work work) {
  std::atomic<int64_t> next = 0;
  const auto run = [&](int worker) {
    for (int64_t k = next++; k < size; k = next++) work(worker, k);
  };
  std::vector<std::jthread> others;
  const int needed = static_cast<int>(std::min<int64_t>(workers, size));
  for (int worker = 1; worker < needed; ++worker) others.emplace_back([&run, worker] { run(worker); });
  run(0);
}

}  // namespace sluis::disclosure
