#include "disclosure/attack/shards.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

namespace sluis::disclosure {
namespace {

// Below this many items per thread, copies of a linear program cost more than they save: each begins without what the
// others have seen.
constexpr size_t kMinShardItems = 200;

}  // namespace

std::vector<Shard> MakeShards(const std::vector<size_t>& items, int threads) {
  std::vector<Shard> shards;
  for (size_t c = 0; c < items.size(); ++c) {
    if (items[c] == 0) continue;
    const size_t pieces = std::clamp<size_t>(items[c] / kMinShardItems, 1, static_cast<size_t>(std::max(threads, 1)));
    for (size_t k = 0; k < pieces; ++k) {
      shards.push_back({.component = c, .begin = items[c] * k / pieces, .end = items[c] * (k + 1) / pieces});
    }
  }
  return shards;
}

absl::Status ForEachShard(const std::vector<Shard>& shards, int threads,
                          const std::function<absl::Status(size_t index)>& work) {
  std::vector<size_t> order(shards.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto length = [&shards](size_t i) { return shards[i].end - shards[i].begin; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) > length(b); });
  std::vector<absl::Status> status(shards.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto run = [&] {
    for (size_t k = next++; k < order.size() && !failed; k = next++) {
      status[order[k]] = work(order[k]);
      if (!status[order[k]].ok()) failed = true;
    }
  };
  {
    std::vector<std::jthread> others;
    const size_t helpful = std::min(static_cast<size_t>(std::max(threads, 1)), shards.size());
    for (size_t t = 1; t < helpful; ++t) others.emplace_back(run);
    run();
  }
  const auto first = std::find_if(status.begin(), status.end(), [](const absl::Status& s) { return !s.ok(); });
  return first == status.end() ? absl::OkStatus() : *first;
}

}  // namespace sluis::disclosure
