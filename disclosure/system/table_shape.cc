#include "disclosure/system/table_shape.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluis::disclosure {

absl::StatusOr<TableShape> TableShape::Create(std::vector<DimensionTree> dimensions) {
  if (dimensions.empty()) return absl::InvalidArgumentError("table: at least one dimension is needed");
  TableShape shape;
  int64_t cells = 1;
  shape.stride_.resize(dimensions.size());
  for (size_t d = dimensions.size(); d-- > 0;) {
    const std::vector<int32_t>& parent = dimensions[d].parent;
    if (parent.empty()) return absl::InvalidArgumentError(absl::StrCat("dimension ", d, ": has no codes"));
    for (size_t c = 0; c < parent.size(); ++c) {
      if (parent[c] < -1 || parent[c] >= static_cast<int64_t>(c)) {
        return absl::InvalidArgumentError(
            absl::StrCat("dimension ", d, ", code ", c, ": the parent must be -1 or an earlier code"));
      }
    }
    shape.stride_[d] = cells;
    if (static_cast<int64_t>(parent.size()) > std::numeric_limits<int32_t>::max() / cells) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", d, ": the table has more than 2^31 - 1 cells; ask for fewer codes"));
    }
    cells *= static_cast<int64_t>(parent.size());
  }
  shape.dimensions_ = std::move(dimensions);
  shape.num_cells_ = static_cast<int32_t>(cells);
  return shape;
}

int32_t TableShape::CellId(std::span<const int32_t> codes) const {
  int64_t id = 0;
  for (size_t d = 0; d < stride_.size(); ++d) id += stride_[d] * codes[d];
  return static_cast<int32_t>(id);
}

std::vector<int32_t> TableShape::Codes(int32_t cell) const {
  std::vector<int32_t> codes(stride_.size());
  for (size_t d = 0; d < stride_.size(); ++d) {
    codes[d] = static_cast<int32_t>(cell / stride_[d] % static_cast<int64_t>(dimensions_[d].parent.size()));
  }
  return codes;
}

Relations TableShape::BuildRelations() const {
  Relations relations;
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const std::vector<int32_t>& parent = dimensions_[d].parent;
    std::vector<std::vector<int32_t>> children(parent.size());
    for (size_t c = 0; c < parent.size(); ++c) {
      if (parent[c] >= 0) children[static_cast<size_t>(parent[c])].push_back(static_cast<int32_t>(c));
    }
    const int64_t codes = static_cast<int64_t>(parent.size());
    const int64_t stride = stride_[d];
    std::vector<int32_t> parts;
    for (int64_t c = 0; c < codes; ++c) {
      const std::vector<int32_t>& below = children[static_cast<size_t>(c)];
      if (below.empty()) continue;
      for (int64_t outer = 0; outer < num_cells_ / codes; ++outer) {
        const int64_t base = outer / stride * stride * codes + outer % stride;
        parts.clear();
        for (int32_t child : below) parts.push_back(static_cast<int32_t>(base + stride * child));
        relations.Add(static_cast<int32_t>(base + stride * c), parts);
      }
    }
  }
  return relations;
}

}  // namespace sluis::disclosure
