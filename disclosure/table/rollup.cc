#include "disclosure/table/rollup.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/parallel.h"
#include "disclosure/table/top.h"

namespace sluis::disclosure {
namespace {

using Hierarchies = std::span<const Hierarchy* const>;

// Cell numbers of the leaf cells in the cube, in the order of leaf cells.
std::vector<std::int64_t> LeafCells(Hierarchies hierarchies) {
  std::vector<std::int64_t> cells = {0};
  for (const Hierarchy* hierarchy : hierarchies) {
    std::vector<std::int64_t> wider;
    wider.reserve(cells.size() * static_cast<std::size_t>(hierarchy->num_leaves()));
    for (const std::int64_t cell : cells) {
      for (std::int32_t leaf = 0; leaf < hierarchy->num_leaves(); ++leaf) {
        wider.push_back(cell * hierarchy->size() + hierarchy->LeafNode(leaf));
      }
    }
    cells = std::move(wider);
  }
  return cells;
}

// Calls add(child cell, parent cell) so often that each total has received everything below it.
template <typename Add>
void ForEachEdge(Hierarchies hierarchies, std::int64_t cells, const Add& add) {
  std::int64_t stride = cells;
  for (const Hierarchy* hierarchy : hierarchies) {
    const std::int64_t size = hierarchy->size();
    stride /= size;
    for (std::int64_t outer = 0; outer < cells; outer += stride * size) {
      for (std::int32_t node = hierarchy->size() - 1; node > 0; --node) {
        const std::int32_t parent = hierarchy->nodes()[static_cast<std::size_t>(node)].parent;
        for (std::int64_t inner = 0; inner < stride; ++inner) {
          add(static_cast<std::size_t>(outer + node * stride + inner),
              static_cast<std::size_t>(outer + parent * stride + inner));
        }
      }
    }
  }
}

absl::StatusOr<std::vector<std::int64_t>> SumUp(const std::vector<std::int64_t>& leaf_values, Hierarchies hierarchies,
                                                const std::vector<std::int64_t>& leaf_cells, std::int64_t cells) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(cells), 0);
  for (std::size_t i = 0; i < leaf_cells.size(); ++i) values[static_cast<std::size_t>(leaf_cells[i])] = leaf_values[i];
  bool overflow = false;
  ForEachEdge(hierarchies, cells, [&](std::size_t child, std::size_t parent) {
    overflow |= __builtin_add_overflow(values[parent], values[child], &values[parent]);
  });
  if (overflow) return absl::OutOfRangeError("amounts: a total above 2^63 - 1; declare a larger unit");
  return values;
}

// What one holding adds to the cells that remain to be told apart; `rest` numbers them.
struct Entry {
  std::uint32_t rest = 0;
  std::uint64_t holding = 0;
  std::int64_t sum = 0;
};
// Entries by ascending (rest, holding); `offset` is to be taken from each rest.
struct Slice {
  std::span<const Entry> entries;
  std::uint32_t offset = 0;
};

// Adds up entries of the same rest and holding; the sums of whole cells were checked, so that nothing overflows.
std::vector<Entry> MergeTwo(const Slice& a, const Slice& b) {
  std::vector<Entry> merged;
  merged.reserve(a.entries.size() + b.entries.size());
  std::size_t i = 0, j = 0;
  while (i < a.entries.size() || j < b.entries.size()) {
    Entry x = i < a.entries.size() ? a.entries[i] : Entry{};
    Entry y = j < b.entries.size() ? b.entries[j] : Entry{};
    x.rest -= a.offset;
    y.rest -= b.offset;
    const bool only_a = j == b.entries.size();
    const bool only_b = i == a.entries.size();
    const auto left = std::pair(x.rest, x.holding), right = std::pair(y.rest, y.holding);
    if (only_a || (!only_b && left < right)) {
      merged.push_back(x);
      ++i;
    } else if (only_b || right < left) {
      merged.push_back(y);
      ++j;
    } else {
      x.sum += y.sum;
      merged.push_back(x);
      ++i;
      ++j;
    }
  }
  return merged;
}

// Merges slices pairwise, in rounds; the result points into `storage` unless there is one slice only.
Slice Merge(std::vector<Slice> slices, std::vector<std::vector<Entry>>& storage) {
  std::erase_if(slices, [](const Slice& slice) { return slice.entries.empty(); });
  if (slices.empty()) return {};
  while (slices.size() > 1) {
    std::vector<Slice> next;
    std::vector<std::vector<Entry>> made;
    for (std::size_t i = 0; i + 1 < slices.size(); i += 2) {
      made.push_back(MergeTwo(slices[i], slices[i + 1]));
      next.push_back({made.back(), 0});
    }
    if (slices.size() % 2 != 0) {
      // An odd slice out may point into what is about to be freed.
      made.emplace_back(slices.back().entries.begin(), slices.back().entries.end());
      next.push_back({made.back(), slices.back().offset});
    }
    slices = std::move(next);
    storage = std::move(made);
  }
  return slices[0];
}

class HoldingRollUp {
 public:
  HoldingRollUp(Hierarchies hierarchies, int top, CubeAmounts& out) : hierarchies_(hierarchies), top_(top), out_(out) {
    leaf_stride_.assign(hierarchies.size() + 1, 1);
    node_stride_.assign(hierarchies.size() + 1, 1);
    for (std::size_t d = hierarchies.size(); d-- > 0;) {
      leaf_stride_[d] = leaf_stride_[d + 1] * hierarchies[d]->num_leaves();
      node_stride_[d] = node_stride_[d + 1] * hierarchies[d]->size();
    }
  }

  void Run(const LeafAmounts& leaf, int threads) const {
    std::vector<Entry> all;
    all.reserve(leaf.by_holding.size());
    for (std::size_t cell = 0; cell < leaf.begin.size(); ++cell) {
      for (std::int64_t i = leaf.begin[cell]; i < leaf.end[cell]; ++i) {
        const HoldingSum& holding = leaf.by_holding[static_cast<std::size_t>(i)];
        all.push_back({static_cast<std::uint32_t>(cell), holding.holding, holding.sum});
      }
    }
    if (hierarchies_.empty()) {
      Finish(all, 0);
      return;
    }
    // Nodes of the first dimension are independent tasks; the largest, the total, is the first.
    const std::vector<Slice> leaves = Split({all, 0}, 0);
    std::atomic<std::int32_t> next{0};
    RunThreads(threads, [&](int) {
      for (std::int32_t n = next++; n < hierarchies_[0]->size(); n = next++) {
        const Hierarchy::Node& node = hierarchies_[0]->nodes()[static_cast<std::size_t>(n)];
        std::vector<std::vector<Entry>> storage;
        const Slice slice = Merge({leaves.begin() + node.leaf_begin, leaves.begin() + node.leaf_end}, storage);
        Visit(slice, 1, n * node_stride_[1]);
      }
    });
  }

 private:
  // The slices of the leaves of dimension d.
  std::vector<Slice> Split(const Slice& slice, std::size_t d) const {
    std::vector<Slice> leaves;
    const auto stride = static_cast<std::uint32_t>(leaf_stride_[d + 1]);
    auto first = slice.entries.begin();
    for (std::int32_t leaf = 0; leaf < hierarchies_[d]->num_leaves(); ++leaf) {
      const std::uint32_t begin = slice.offset + static_cast<std::uint32_t>(leaf) * stride;
      const auto last = std::partition_point(first, slice.entries.end(),
                                             [&](const Entry& entry) { return entry.rest < begin + stride; });
      leaves.push_back({{first, last}, begin});
      first = last;
    }
    return leaves;
  }

  // Fills the cells from `cell` on, whose dimensions before `d` are settled. `slice`: everything in them.
  void Visit(const Slice& slice, std::size_t d, std::int64_t cell) const {
    if (slice.entries.empty()) return;
    if (d == hierarchies_.size()) {
      Finish(slice.entries, cell);
      return;
    }
    const Hierarchy& hierarchy = *hierarchies_[d];
    const std::vector<Slice> leaves = Split(slice, d);
    std::vector<std::vector<Slice>> children(static_cast<std::size_t>(hierarchy.size()));
    std::vector<std::vector<std::vector<Entry>>> storage(static_cast<std::size_t>(hierarchy.size()));
    for (std::int32_t n = hierarchy.size(); n-- > 0;) {
      const auto i = static_cast<std::size_t>(n);
      const Hierarchy::Node& node = hierarchy.nodes()[i];
      const Slice own =
          node.is_leaf ? leaves[static_cast<std::size_t>(node.leaf_begin)] : Merge(std::move(children[i]), storage[i]);
      Visit(own, d + 1, cell + n * node_stride_[d + 1]);
      if (node.parent >= 0) children[static_cast<std::size_t>(node.parent)].push_back(own);
    }
  }

  void Finish(std::span<const Entry> entries, std::int64_t cell) const {
    const auto c = static_cast<std::size_t>(cell), top = static_cast<std::size_t>(top_);
    out_.holdings[c] = static_cast<std::int64_t>(entries.size());
    const std::span<std::int64_t> largest = std::span(out_.top_by_holding).subspan(c * top, top);
    for (const Entry& entry : entries) InsertTop(entry.sum, largest);
  }

  Hierarchies hierarchies_;
  int top_;
  CubeAmounts& out_;
  std::vector<std::int64_t> leaf_stride_, node_stride_;
};

}  // namespace

absl::StatusOr<Cube> RollUp(const LeafTable& table, Hierarchies hierarchies, int threads) {
  if (hierarchies.size() != table.leaves.size()) {
    return absl::InvalidArgumentError("hierarchies: one for each classification is expected");
  }
  Cube cube;
  cube.top = table.top;
  std::int64_t cells = 1;
  for (std::size_t d = 0; d < hierarchies.size(); ++d) {
    if (hierarchies[d]->num_leaves() != table.leaves[d]) {
      return absl::InvalidArgumentError(
          absl::StrCat("hierarchy ", d, ": has another number of leaves than its column"));
    }
    cube.nodes.push_back(hierarchies[d]->size());
    cells *= hierarchies[d]->size();
  }
  const std::vector<std::int64_t> leaf_cells = LeafCells(hierarchies);
  SLUIS_ASSIGN_OR_RETURN(cube.count, SumUp(table.count, hierarchies, leaf_cells, cells));
  const auto top = static_cast<std::size_t>(table.top);
  for (const LeafAmounts& leaf : table.amounts) {
    CubeAmounts& amounts = cube.amounts.emplace_back();
    SLUIS_ASSIGN_OR_RETURN(amounts.sum, SumUp(leaf.sum, hierarchies, leaf_cells, cells));
    SLUIS_ASSIGN_OR_RETURN(amounts.persons, SumUp(leaf.persons, hierarchies, leaf_cells, cells));
    // A person is in one leaf cell only: the largest of a total are among the largest below it.
    amounts.top_by_person.assign(static_cast<std::size_t>(cells) * top, 0);
    const std::span<std::int64_t> all(amounts.top_by_person);
    for (std::size_t i = 0; i < leaf_cells.size(); ++i) {
      std::copy_n(leaf.top.begin() + static_cast<std::ptrdiff_t>(i * top), top,
                  all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(leaf_cells[i]) * top));
    }
    ForEachEdge(hierarchies, cells, [&](std::size_t child, std::size_t parent) {
      for (std::size_t j = 0; j < top; ++j) InsertTop(all[child * top + j], all.subspan(parent * top, top));
    });
    if (!leaf.has_holdings) continue;
    amounts.has_holdings = true;
    amounts.holdings.assign(static_cast<std::size_t>(cells), 0);
    amounts.top_by_holding.assign(static_cast<std::size_t>(cells) * top, 0);
    HoldingRollUp(hierarchies, table.top, amounts).Run(leaf, threads);
  }
  return cube;
}

}  // namespace sluis::disclosure
