#include "linker/cluster/components.h"

#include <limits>

#include "common/sets/disjoint_sets.h"

namespace sluis::linker {

Components::Components(std::uint32_t nodes, std::span<const GraphEdge> edges) : local_(nodes) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  common::DisjointSets sets(nodes);
  for (const GraphEdge& edge : edges) {
    sets.Unite(edge.a, edge.b);
  }
  std::vector<bool> touched(nodes, false);
  for (const GraphEdge& edge : edges) {
    touched[edge.a] = true;
    touched[edge.b] = true;
  }
  // Roots are smallest members, so counting nodes upwards meets every component at its root.
  std::vector<std::uint32_t> component_of(nodes, kNone);
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (!touched[node]) {
      continue;
    }
    const std::uint32_t root = sets.Root(node);
    if (root == node) {
      component_of[node] = static_cast<std::uint32_t>(sizes.size());
      sizes.push_back(0);
    } else {
      component_of[node] = component_of[root];
    }
    local_[node] = sizes[component_of[node]]++;
  }
  node_start_.assign(sizes.size() + 1, 0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    node_start_[i + 1] = node_start_[i] + sizes[i];
  }
  nodes_.resize(node_start_.back());
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (touched[node]) {
      nodes_[node_start_[component_of[node]] + local_[node]] = node;
    }
  }
  edge_start_.assign(sizes.size() + 1, 0);
  for (const GraphEdge& edge : edges) {
    ++edge_start_[component_of[edge.a] + 1];
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    edge_start_[i + 1] += edge_start_[i];
  }
  edges_.resize(edges.size());
  std::vector<std::uint32_t> next(edge_start_.begin(), edge_start_.end() - 1);
  for (std::uint32_t i = 0; i < edges.size(); ++i) {
    edges_[next[component_of[edges[i].a]]++] = i;
  }
}

}  // namespace sluis::linker
