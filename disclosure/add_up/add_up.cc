#include "disclosure/add_up/add_up.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {

absl::StatusOr<AddUpOrder> OrderFromLeaves(const Relations& relations, int32_t num_cells) {
  const size_t n = static_cast<size_t>(num_cells);
  const auto in_range = [&](int32_t cell) { return cell >= 0 && cell < num_cells; };
  for (int64_t r = 0; r < relations.size(); ++r) {
    const std::span<const int32_t> parts = relations.parts(r);
    if (!in_range(relations.total[static_cast<size_t>(r)]) || !std::all_of(parts.begin(), parts.end(), in_range)) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", r, ": a cell index is out of range"));
    }
  }
  AddUpOrder order;
  std::vector<uint8_t> is_total(n, 0);
  for (const int32_t total : relations.total) is_total[static_cast<size_t>(total)] = 1;
  for (int32_t cell = 0; cell < num_cells; ++cell) {
    if (is_total[static_cast<size_t>(cell)] == 0) order.leaves.push_back(cell);
  }
  // The relations that wait for a cell, and how many parts each still waits for.
  const Incidence incidence = BuildIncidence(relations, num_cells);
  std::vector<int64_t> missing(static_cast<size_t>(relations.size()));
  for (int64_t r = 0; r < relations.size(); ++r) {
    missing[static_cast<size_t>(r)] = static_cast<int64_t>(relations.parts(r).size());
  }
  std::vector<uint8_t> defined(n, 0);
  std::vector<int32_t> queue = order.leaves;
  for (const int32_t leaf : order.leaves) defined[static_cast<size_t>(leaf)] = 1;
  for (size_t head = 0; head < queue.size(); ++head) {
    const size_t cell = static_cast<size_t>(queue[head]);
    for (int64_t k = incidence.begin[cell]; k < incidence.begin[cell + 1]; ++k) {
      if (incidence.sign[static_cast<size_t>(k)] < 0) continue;
      const size_t r = static_cast<size_t>(incidence.relation[static_cast<size_t>(k)]);
      if (--missing[r] > 0) continue;
      const int32_t total = relations.total[r];
      if (defined[static_cast<size_t>(total)] != 0) continue;
      defined[static_cast<size_t>(total)] = 1;
      order.relation.push_back(static_cast<int64_t>(r));
      queue.push_back(total);
    }
  }
  if (queue.size() != n) {
    const auto cell = std::find(defined.begin(), defined.end(), 0) - defined.begin();
    return absl::InvalidArgumentError(absl::StrCat("cell ", cell, " is defined by itself through its relations"));
  }
  return order;
}

absl::StatusOr<LeafReach> ReachOfLeaves(const Relations& relations, const AddUpOrder& order, int32_t num_cells,
                                        int64_t max_entries) {
  const size_t n = static_cast<size_t>(num_cells);
  // The totals that each cell is a part of, by defining relations only.
  std::vector<int64_t> begin(n + 1, 0);
  for (const int64_t r : order.relation) {
    for (const int32_t part : relations.parts(r)) ++begin[static_cast<size_t>(part) + 1];
  }
  for (size_t i = 0; i < n; ++i) begin[i + 1] += begin[i];
  std::vector<int32_t> above(static_cast<size_t>(begin[n]));
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  for (const int64_t r : order.relation) {
    const int32_t total = relations.total[static_cast<size_t>(r)];
    for (const int32_t part : relations.parts(r)) {
      above[static_cast<size_t>(next[static_cast<size_t>(part)]++)] = total;
    }
  }
  LeafReach reach;
  reach.begin.push_back(0);
  std::vector<int32_t> seen_for(n, -1);
  for (size_t leaf = 0; leaf < order.leaves.size(); ++leaf) {
    size_t head = reach.cell.size();
    reach.cell.push_back(order.leaves[leaf]);
    for (; head < reach.cell.size(); ++head) {
      const size_t cell = static_cast<size_t>(reach.cell[head]);
      for (int64_t k = begin[cell]; k < begin[cell + 1]; ++k) {
        const int32_t total = above[static_cast<size_t>(k)];
        int32_t& seen = seen_for[static_cast<size_t>(total)];
        if (seen == static_cast<int32_t>(leaf)) {
          return absl::InvalidArgumentError(
              absl::StrCat("cell ", order.leaves[leaf], " is added into cell ", total, " twice"));
        }
        seen = static_cast<int32_t>(leaf);
        reach.cell.push_back(total);
      }
      if (static_cast<int64_t>(reach.cell.size()) > max_entries) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the table has more than ", max_entries, " pairs of a leaf and a cell it is added into"));
      }
    }
    reach.begin.push_back(static_cast<int64_t>(reach.cell.size()));
  }
  return reach;
}

int64_t FirstBrokenRelation(const Relations& relations, std::span<const int64_t> values) {
  for (int64_t r = 0; r < relations.size(); ++r) {
    Int128 sum = 0;
    for (const int32_t part : relations.parts(r)) sum += values[static_cast<size_t>(part)];
    if (sum != values[static_cast<size_t>(relations.total[static_cast<size_t>(r)])]) return r;
  }
  return -1;
}

}  // namespace sluis::disclosure
