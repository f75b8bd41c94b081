#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <stop_token>
#include <vector>

namespace sluis::linker {

// An edge of a bipartite graph.
struct WeightedEdge {
  std::uint32_t left;
  std::uint32_t right;
  std::int64_t weight;  // > 0
};

struct MatchingStats {
  std::uint64_t components = 0;
  std::uint64_t largest_component = 0;  // nodes of both sides
  std::uint64_t edges_scanned = 0;
  bool cancelled = false;  // a stop was requested; the result is not complete
};

inline constexpr std::uint32_t kUnmatched = std::numeric_limits<std::uint32_t>::max();

// Returns, for every left node, the right node that it is matched with, or kUnmatched, such that the sum of weights is
// largest. `edges`: ascending by (left, right), each pair once; fewer than 2^32 - 1; weights at most 2^42. The core of
// AssignPairs, which says more.
[[nodiscard]] std::vector<std::uint32_t> MaximumWeightMatching(std::uint32_t left, std::uint32_t right,
                                                               std::span<const WeightedEdge> edges,
                                                               const std::stop_token& stop, MatchingStats* stats);

}  // namespace sluis::linker
