#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"

namespace sluis::disclosure {

// Some of what there is to do in one component, for one thread with a linear program of its own.
struct Shard {
  size_t component = 0;
  size_t begin = 0;  // numbers of the component's items
  size_t end = 0;
};

// Returns one shard for each component with anything to do, or `threads` of about the same length where there is so
// much to do that a second copy of the linear program pays. `items`: how much there is to do, per component. Ordered by
// component, then item.
[[nodiscard]] std::vector<Shard> MakeShards(const std::vector<size_t>& items, int threads);

// Calls work(index) for the index of each shard, the largest first, on up to `threads` threads, and returns when all
// have ended. Returns the error of the shard with the lowest index that failed; after an error no further shard begins.
// `work` must not throw, and must keep what it finds apart for each shard.
[[nodiscard]] absl::Status ForEachShard(const std::vector<Shard>& shards, int threads,
                                        const std::function<absl::Status(size_t index)>& work);

}  // namespace sluis::disclosure
