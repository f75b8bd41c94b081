#include "disclosure/advise/advise.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

// Cells that come and go together: of the same depth in each dimension, and with children or without.
struct Group {
  int64_t cells = 0, filled = 0, primary = 0;
  Int128 value = 0, primary_value = 0;
};

// Per dimension: 2 * depth, plus 1 for a code without children.
using Kind = std::vector<int32_t>;

class Redesign {
 public:
  Redesign(const std::vector<DimensionTree>& dimensions, std::span<const uint8_t> primary,
           std::span<const int64_t> value) {
    std::vector<std::vector<int32_t>> kind_of_code;
    for (const DimensionTree& tree : dimensions) {
      std::vector<int32_t>& kinds = kind_of_code.emplace_back();
      std::vector<uint8_t> has_children(tree.parent.size(), 0);
      std::vector<int32_t> depth;
      for (const int32_t parent : tree.parent) {
        depth.push_back(parent < 0 ? 0 : depth[static_cast<size_t>(parent)] + 1);
        if (parent >= 0) has_children[static_cast<size_t>(parent)] = 1;
      }
      for (size_t code = 0; code < depth.size(); ++code) kinds.push_back(2 * depth[code] + 1 - has_children[code]);
      deepest_.push_back(*std::max_element(depth.begin(), depth.end()));
    }
    // Cells in the order of their ids: the last dimension runs fastest.
    std::vector<size_t> code(dimensions.size(), 0);
    Kind kind(dimensions.size());
    for (size_t cell = 0; cell < value.size(); ++cell) {
      for (size_t d = 0; d < code.size(); ++d) kind[d] = kind_of_code[d][code[d]];
      Group& group = groups_[kind];
      ++group.cells;
      group.filled += primary[cell] != 0 || value[cell] != 0 ? 1 : 0;
      group.primary += primary[cell] != 0 ? 1 : 0;
      group.value += value[cell];
      group.primary_value += primary[cell] != 0 ? value[cell] : 0;
      for (size_t d = code.size(); d-- > 0;) {
        if (++code[d] < kind_of_code[d].size()) break;
        code[d] = 0;
      }
    }
  }

  [[nodiscard]] const std::vector<int32_t>& deepest() const { return deepest_; }

  [[nodiscard]] TableFigures At(const std::vector<int32_t>& depth) const {
    TableFigures figures{.depth = depth};
    for (const auto& [kind, group] : groups_) {
      bool there = true, detailed = true;
      for (size_t d = 0; d < depth.size(); ++d) {
        there = there && kind[d] / 2 <= depth[d];
        detailed = detailed && (kind[d] / 2 == depth[d] || kind[d] % 2 == 1);
      }
      if (!there) continue;
      figures.cells += group.cells;
      figures.filled_cells += group.filled;
      figures.primary_cells += group.primary;
      if (!detailed) continue;
      figures.detailed_primary_cells += group.primary;
      figures.detailed_value += static_cast<int64_t>(group.value);
      figures.detailed_primary_value += static_cast<int64_t>(group.primary_value);
    }
    return figures;
  }

  [[nodiscard]] bool SumsFit() const {
    Int128 sum = 0;
    for (const auto& [kind, group] : groups_) sum += group.value;
    return sum <= INT64_MAX;
  }

 private:
  std::map<Kind, Group> groups_;
  std::vector<int32_t> deepest_;
};

// Whether `a` saves more primary cells of `before` than `b` for each other filled cell given up, then more at all.
bool Better(const TableFigures& before, const Coarsening& a, const Coarsening& b) {
  const auto saved = [&](const Coarsening& c) { return before.primary_cells - c.after.primary_cells; };
  const auto given = [&](const Coarsening& c) { return before.filled_cells - c.after.filled_cells - saved(c); };
  // Saved per cell given up, where giving up none is best of all: fractions saved / given, compared across.
  const Int128 left = Int128{saved(a)} * given(b), right = Int128{saved(b)} * given(a);
  if (left != right) return left > right;
  if (saved(a) != saved(b)) return saved(a) > saved(b);
  if (given(a) != given(b)) return given(a) < given(b);
  if (a.dimension != b.dimension) return a.dimension < b.dimension;
  return a.after.depth > b.after.depth;
}

}  // namespace

absl::StatusOr<RedesignAdvice> AdviseRedesign(const std::vector<DimensionTree>& dimensions,
                                              std::span<const uint8_t> primary, std::span<const int64_t> value) {
  SLUIS_ASSIGN_OR_RETURN(const TableShape shape, TableShape::Create(dimensions));
  const size_t cells = static_cast<size_t>(shape.num_cells());
  if (primary.size() != cells || value.size() != cells) {
    return absl::InvalidArgumentError("redesign: one status and one value for each cell are expected");
  }
  for (size_t i = 0; i < cells; ++i) {
    if (value[i] < 0 || value[i] > kMaxAmount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": a value of 0 .. 2^50 is expected"));
    }
  }
  const Redesign redesign(dimensions, primary, value);
  if (!redesign.SumsFit()) return absl::OutOfRangeError("redesign: the values add up to more than 2^63 - 1");
  RedesignAdvice advice;
  advice.as_it_is = redesign.At(redesign.deepest());
  for (size_t d = 0; d < dimensions.size(); ++d) {
    std::vector<int32_t> depth = redesign.deepest();
    while (depth[d]-- > 0) {
      advice.single.push_back({.dimension = static_cast<int32_t>(d), .after = redesign.At(depth)});
    }
  }
  std::sort(advice.single.begin(), advice.single.end(),
            [&](const Coarsening& a, const Coarsening& b) { return Better(advice.as_it_is, a, b); });
  TableFigures now = advice.as_it_is;
  while (now.primary_cells > 0) {
    std::vector<Coarsening> next;
    for (size_t d = 0; d < dimensions.size(); ++d) {
      std::vector<int32_t> depth = now.depth;
      if (depth[d]-- > 0) next.push_back({.dimension = static_cast<int32_t>(d), .after = redesign.At(depth)});
    }
    if (next.empty()) break;
    advice.path.push_back(*std::min_element(
        next.begin(), next.end(), [&](const Coarsening& a, const Coarsening& b) { return Better(now, a, b); }));
    now = advice.path.back().after;
  }
  return advice;
}

}  // namespace sluis::disclosure
