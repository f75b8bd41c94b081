#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::disclosure {

// A code that stands for a missing value; a hierarchy that has no place for it accepts no missing values. (SDMX: _U)
inline constexpr char kUnknownCode[] = "_U";

// The codes of a dimension as a tree with one root, the total. Any depth; branches may differ in depth. Nodes stand in
// preorder (a parent before its children, children in the order of the file), so that the leaves below a node are the
// contiguous range leaf_begin .. leaf_end - 1 of leaf numbers.
class Hierarchy {
 public:
  struct Node {
    std::string code{}, label{};
    std::int32_t parent = -1;  // index of the parent node; -1: the root
    std::int32_t depth = 0;    // 0: the root
    std::int32_t leaf_begin = 0, leaf_end = 0;
    bool is_leaf = false;
  };

  // Reads a tree from CSV with the header code,parent,label; the root has an empty parent; any order of records.
  //
  // `name`: what messages call it. Errors: INVALID_ARGUMENT naming file and code if a code is empty or stands twice, a
  // parent is unknown, there is no root or more than one, codes form a cycle, or there are more than 65,000 leaves.
  [[nodiscard]] static absl::StatusOr<Hierarchy> Parse(std::string_view csv, std::string_view name);

  // Returns the part of the tree whose leaves are `kept` (one entry a leaf, at least one true): nodes without a kept
  // leaf are gone, leaves are renumbered in the same order. An inner node that keeps one child stays.
  [[nodiscard]] Hierarchy Restrict(const std::vector<bool>& kept) const;

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] std::int32_t size() const { return static_cast<std::int32_t>(nodes_.size()); }
  [[nodiscard]] std::int32_t num_leaves() const { return static_cast<std::int32_t>(leaf_node_.size()); }
  // Precondition: 0 <= leaf < num_leaves().
  [[nodiscard]] std::int32_t LeafNode(std::int32_t leaf) const { return leaf_node_[static_cast<std::size_t>(leaf)]; }
  // Returns the index of the node with that code, or nothing.
  [[nodiscard]] std::optional<std::int32_t> Find(std::string_view code) const;

  // Returns, for each of `codes`, its leaf number.
  // Errors: INVALID_ARGUMENT naming `dimension` and the code if it is not in the tree, or is an inner node: a record
  // that is only known to be somewhere below a node belongs to a leaf of its own there.
  [[nodiscard]] absl::StatusOr<std::vector<std::int32_t>> LeavesOf(const std::vector<std::string>& codes,
                                                                   std::string_view dimension) const;

 private:
  void Index();

  std::vector<Node> nodes_;
  std::vector<std::int32_t> leaf_node_;
  std::map<std::string, std::int32_t, std::less<>> by_code_;
};

}  // namespace sluis::disclosure
