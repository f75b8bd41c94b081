#include "disclosure/system/table_shape.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Above this many times the cells at hand, a table over all ids is not worth its memory.
constexpr int64_t kDenseLookup = 16;

// Where in a list of cells an id stands.
class Lookup {
 public:
  Lookup(std::span<const int32_t> cells, int32_t num_ids) : cells_(cells), num_ids_(num_ids) {
    if (num_ids == static_cast<int64_t>(cells.size()) || num_ids / kDenseLookup > static_cast<int64_t>(cells.size())) {
      return;
    }
    position_.assign(Index(num_ids), -1);
    for (size_t k = 0; k < cells.size(); ++k) position_[Index(cells[k])] = static_cast<int32_t>(k);
  }

  // -1 if it is not there.
  int32_t Find(int32_t id) const {
    if (static_cast<int64_t>(cells_.size()) == num_ids_) return id;
    if (!position_.empty()) return position_[Index(id)];
    const auto at = std::lower_bound(cells_.begin(), cells_.end(), id);
    return at == cells_.end() || *at != id ? -1 : static_cast<int32_t>(at - cells_.begin());
  }

 private:
  std::span<const int32_t> cells_;
  int32_t num_ids_;
  std::vector<int32_t> position_;
};

absl::Status CheckSums(const DimensionSums& dimension, size_t d) {
  std::vector<int32_t> seen(Index(dimension.num_codes), -1);
  std::vector<std::vector<int32_t>> sums_with(Index(dimension.num_codes));  // as a part
  std::vector<int32_t> as_total(Index(dimension.num_codes), 0);             // sums that the code is the total of
  for (size_t s = 0; s < dimension.sums.size(); ++s) {
    const CodeSum& sum = dimension.sums[s];
    bool good = !sum.parts.empty();
    const auto visit = [&](int32_t code) {
      if (code < 0 || code >= dimension.num_codes || seen[Index(code)] == static_cast<int32_t>(s)) return false;
      seen[Index(code)] = static_cast<int32_t>(s);
      return true;
    };
    good = good && visit(sum.total);
    for (const int32_t part : sum.parts) good = good && visit(part);
    if (!good) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", d, ", sum ", s, ": has no part, or a code is out of range or stands in it twice"));
    }
    ++as_total[Index(sum.total)];
    for (const int32_t part : sum.parts) sums_with[Index(part)].push_back(static_cast<int32_t>(s));
  }
  // Takes away codes that are no total (any more), and the sums that lose all their parts; what stays is a cycle.
  std::vector<int32_t> open_parts(dimension.sums.size());
  for (size_t s = 0; s < dimension.sums.size(); ++s) {
    open_parts[s] = static_cast<int32_t>(dimension.sums[s].parts.size());
  }
  std::vector<int32_t> ready;
  for (int32_t c = 0; c < dimension.num_codes; ++c) {
    if (as_total[Index(c)] == 0) ready.push_back(c);
  }
  size_t taken = 0;
  while (taken < ready.size()) {
    for (const int32_t s : sums_with[Index(ready[taken++])]) {
      const int32_t total = dimension.sums[Index(s)].total;
      if (--open_parts[Index(s)] == 0 && --as_total[Index(total)] == 0) ready.push_back(total);
    }
  }
  if (taken == Index(dimension.num_codes)) return absl::OkStatus();
  const auto in_cycle = std::find_if(as_total.begin(), as_total.end(), [](int32_t count) { return count > 0; });
  return absl::InvalidArgumentError(
      absl::StrCat("dimension ", d, ", code ", in_cycle - as_total.begin(), ": is a part of itself"));
}

}  // namespace

absl::StatusOr<TableShape> TableShape::Create(std::vector<DimensionTree> dimensions) {
  std::vector<DimensionSums> sums;
  for (size_t d = 0; d < dimensions.size(); ++d) {
    const std::vector<int32_t>& parent = dimensions[d].parent;
    std::vector<std::vector<int32_t>> children(parent.size());
    for (size_t c = 0; c < parent.size(); ++c) {
      if (parent[c] < -1 || parent[c] >= static_cast<int64_t>(c)) {
        return absl::InvalidArgumentError(
            absl::StrCat("dimension ", d, ", code ", c, ": the parent must be -1 or an earlier code"));
      }
      if (parent[c] >= 0) children[Index(parent[c])].push_back(static_cast<int32_t>(c));
    }
    DimensionSums& dimension = sums.emplace_back();
    dimension.num_codes = static_cast<int32_t>(parent.size());
    for (size_t c = 0; c < parent.size(); ++c) {
      if (children[c].empty()) continue;
      dimension.sums.push_back({.total = static_cast<int32_t>(c), .parts = std::move(children[c])});
    }
  }
  TableShape shape;
  SLUIS_RETURN_IF_ERROR(shape.SetDimensions(std::move(sums)));
  return shape;
}

absl::StatusOr<TableShape> TableShape::CreateFromSums(std::vector<DimensionSums> dimensions) {
  for (size_t d = 0; d < dimensions.size(); ++d) SLUIS_RETURN_IF_ERROR(CheckSums(dimensions[d], d));
  TableShape shape;
  SLUIS_RETURN_IF_ERROR(shape.SetDimensions(std::move(dimensions)));
  return shape;
}

absl::Status TableShape::SetDimensions(std::vector<DimensionSums> dimensions) {
  if (dimensions.empty()) return absl::InvalidArgumentError("table: at least one dimension is needed");
  int64_t cells = 1;
  stride_.resize(dimensions.size());
  for (size_t d = dimensions.size(); d-- > 0;) {
    if (dimensions[d].num_codes <= 0)
      return absl::InvalidArgumentError(absl::StrCat("dimension ", d, ": has no codes"));
    stride_[d] = cells;
    if (dimensions[d].num_codes > std::numeric_limits<int32_t>::max() / cells) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", d, ": the table has more than 2^31 - 1 cells; ask for fewer codes"));
    }
    cells *= dimensions[d].num_codes;
  }
  dimensions_ = std::move(dimensions);
  num_cells_ = static_cast<int32_t>(cells);
  return absl::OkStatus();
}

int32_t TableShape::CellId(std::span<const int32_t> codes) const {
  int64_t id = 0;
  for (size_t d = 0; d < stride_.size(); ++d) id += stride_[d] * codes[d];
  return static_cast<int32_t>(id);
}

std::vector<int32_t> TableShape::Codes(int32_t cell) const {
  std::vector<int32_t> codes(stride_.size());
  for (size_t d = 0; d < stride_.size(); ++d) {
    codes[d] = static_cast<int32_t>(cell / stride_[d] % dimensions_[d].num_codes);
  }
  return codes;
}

Relations TableShape::BuildRelations() const {
  Relations relations;
  std::vector<int32_t> parts;
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const int64_t codes = dimensions_[d].num_codes;
    const int64_t stride = stride_[d];
    for (const CodeSum& sum : dimensions_[d].sums) {
      for (int64_t outer = 0; outer < num_cells_ / codes; ++outer) {
        const int64_t base = outer / stride * stride * codes + outer % stride;
        parts.clear();
        for (const int32_t part : sum.parts) parts.push_back(static_cast<int32_t>(base + stride * part));
        relations.Add(static_cast<int32_t>(base + stride * sum.total), parts);
      }
    }
  }
  return relations;
}

PartialRelations TableShape::BuildRelationsAmong(std::span<const int32_t> cells) const {
  PartialRelations result;
  const Lookup lookup(cells, num_cells_);
  std::vector<int32_t> parts;
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const int64_t codes = dimensions_[d].num_codes;
    const int64_t stride = stride_[d];
    const auto code_of = [&](int32_t id) { return static_cast<int32_t>(id / stride % codes); };
    // Positions of the cells by code, ascending within a code.
    std::vector<int64_t> begin(Index(codes) + 1, 0);
    for (const int32_t id : cells) ++begin[Index(code_of(id)) + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<int32_t> by_code(cells.size());
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (size_t k = 0; k < cells.size(); ++k)
      by_code[Index(next[Index(code_of(cells[k]))]++)] = static_cast<int32_t>(k);
    for (const CodeSum& sum : dimensions_[d].sums) {
      for (int64_t k = begin[Index(sum.total)]; k < begin[Index(sum.total) + 1]; ++k) {
        const int32_t total = by_code[Index(k)];
        const int64_t base = cells[Index(total)] - stride * sum.total;
        parts.clear();
        int32_t gap = -1;
        for (const int32_t part : sum.parts) {
          const int32_t id = static_cast<int32_t>(base + stride * part);
          const int32_t at = lookup.Find(id);
          if (at >= 0) {
            parts.push_back(at);
          } else {
            gap = id;
          }
        }
        if (gap < 0) {
          result.relations.Add(total, parts);
        } else if (!parts.empty() && result.gap < 0) {
          result.total_of_gap = cells[Index(total)];
          result.gap = gap;
        }
      }
    }
  }
  return result;
}

}  // namespace sluis::disclosure
