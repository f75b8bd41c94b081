#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluis::linker {

struct GraphEdge {
  std::uint32_t a;
  std::uint32_t b;
};

// The connected components of an undirected graph. Nodes without an edge are in none. Components are numbered by their
// smallest node; within one, nodes and edges ascend.
//
// Memory: 16 bytes a node and 4 bytes an edge, beside the caller's edges. Time: O(nodes + edges).
class Components {
 public:
  // Every endpoint of `edges` must be below `nodes`.
  Components(std::uint32_t nodes, std::span<const GraphEdge> edges);

  std::size_t size() const { return node_start_.size() - 1; }

  std::span<const std::uint32_t> nodes(std::size_t component) const {
    return std::span(nodes_).subspan(node_start_[component], node_start_[component + 1] - node_start_[component]);
  }

  // Positions in the edges given.
  std::span<const std::uint32_t> edges(std::size_t component) const {
    return std::span(edges_).subspan(edge_start_[component], edge_start_[component + 1] - edge_start_[component]);
  }

  // Position of `node` in nodes() of its component; only for nodes with an edge.
  std::uint32_t local(std::uint32_t node) const { return local_[node]; }

 private:
  std::vector<std::uint32_t> local_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> node_start_;
  std::vector<std::uint32_t> edges_;
  std::vector<std::uint32_t> edge_start_;
};

}  // namespace sluis::linker
