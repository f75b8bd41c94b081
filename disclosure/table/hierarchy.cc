#include "disclosure/table/hierarchy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/attachment_csv.h"

namespace sluis::disclosure {
namespace {
constexpr std::int32_t kMaxLeaves = 65'000;  // leaf numbers are 16 bits wide in columns
}

absl::StatusOr<Hierarchy> Hierarchy::Parse(std::string_view csv, std::string_view name) {
  SLUIS_ASSIGN_OR_RETURN(const auto records, ReadAttachmentCsv(csv, name, {"code", "parent", "label"}));
  const auto error = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(name), ": ", what));
  };
  std::map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i][0].empty()) return error(absl::StrCat("record ", i + 2, ": the code is empty"));
    if (!position.emplace(records[i][0], i).second) return error("code " + records[i][0] + " stands twice");
  }
  std::vector<std::vector<std::size_t>> children(records.size());
  std::optional<std::size_t> root;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& parent = records[i][1];
    if (parent.empty()) {
      if (root) return error("codes " + records[*root][0] + " and " + records[i][0] + " are both without parent");
      root = i;
      continue;
    }
    const auto found = position.find(parent);
    if (found == position.end()) return error("code " + records[i][0] + ": its parent " + parent + " is no code");
    children[found->second].push_back(i);
  }
  if (!root) return error("no code is without parent; exactly one, the total, must be");

  Hierarchy result;
  std::vector<std::pair<std::size_t, std::int32_t>> open = {{*root, -1}};  // record, parent node
  while (!open.empty()) {
    const auto [record, parent] = open.back();
    open.pop_back();
    const auto node = static_cast<std::int32_t>(result.nodes_.size());
    result.nodes_.push_back({.code = records[record][0], .label = records[record][2], .parent = parent});
    for (std::size_t c = children[record].size(); c-- > 0;) open.emplace_back(children[record][c], node);
  }
  if (result.nodes_.size() != records.size()) {
    for (const auto& record : records) {
      bool reached = false;
      for (const Node& node : result.nodes_) reached = reached || node.code == record[0];
      if (!reached) return error("code " + record[0] + " does not lead to the total: its parents form a cycle");
    }
  }
  result.Index();
  if (result.num_leaves() > kMaxLeaves) return error(absl::StrCat("more than ", kMaxLeaves, " leaves"));
  return result;
}

void Hierarchy::Index() {
  leaf_node_.clear();
  by_code_.clear();
  const auto n = nodes_.size();
  std::vector<bool> inner(n, false);
  for (const Node& node : nodes_) {
    if (node.parent >= 0) inner[static_cast<std::size_t>(node.parent)] = true;
  }
  for (std::size_t i = 0; i < n; ++i) {
    Node& node = nodes_[i];
    node.depth = node.parent < 0 ? 0 : nodes_[static_cast<std::size_t>(node.parent)].depth + 1;
    node.is_leaf = !inner[i];
    node.leaf_begin = num_leaves();
    if (node.is_leaf) leaf_node_.push_back(static_cast<std::int32_t>(i));
    node.leaf_end = num_leaves();
    by_code_.emplace(node.code, static_cast<std::int32_t>(i));
  }
  for (std::size_t i = n; i-- > 1;) {
    Node& parent = nodes_[static_cast<std::size_t>(nodes_[i].parent)];
    parent.leaf_end = std::max(parent.leaf_end, nodes_[i].leaf_end);
  }
}

Hierarchy Hierarchy::Restrict(const std::vector<bool>& kept) const {
  Hierarchy result;
  std::vector<std::int32_t> moved(nodes_.size(), -1);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    bool any = false;
    for (std::int32_t leaf = node.leaf_begin; leaf < node.leaf_end; ++leaf) {
      any = any || kept[static_cast<std::size_t>(leaf)];
    }
    if (!any) continue;
    moved[i] = result.size();
    result.nodes_.push_back({.code = node.code,
                             .label = node.label,
                             .parent = node.parent < 0 ? -1 : moved[static_cast<std::size_t>(node.parent)]});
  }
  result.Index();
  return result;
}

std::optional<std::int32_t> Hierarchy::Find(std::string_view code) const {
  const auto found = by_code_.find(code);
  if (found == by_code_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<std::vector<std::int32_t>> Hierarchy::LeavesOf(const std::vector<std::string>& codes,
                                                              std::string_view dimension) const {
  std::vector<std::int32_t> leaves;
  leaves.reserve(codes.size());
  for (const std::string& code : codes) {
    const auto node = Find(code);
    if (!node) {
      return absl::InvalidArgumentError(absl::StrCat("dimension ", std::string(dimension), ": the data may hold code ",
                                                     code, ", which its hierarchy lacks; add it as a leaf"));
    }
    if (!nodes_[static_cast<std::size_t>(*node)].is_leaf) {
      return absl::InvalidArgumentError(absl::StrCat("dimension ", std::string(dimension), ": the data may hold code ",
                                                     code, ", an inner node of its hierarchy; map it to a leaf"));
    }
    leaves.push_back(nodes_[static_cast<std::size_t>(*node)].leaf_begin);
  }
  return leaves;
}

}  // namespace sluis::disclosure
