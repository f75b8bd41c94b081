#include "cli/tables/system_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/tables/printable.h"

namespace sluis::cli {

bool SystemBuilder::AddCell(Cell cell) {
  if (!index_.emplace(cell.id, static_cast<std::int32_t>(cells_.size())).second) return false;
  cells_.push_back(std::move(cell));
  return true;
}

std::int32_t SystemBuilder::Find(std::string_view id) const {
  const auto at = index_.find(id);
  return at == index_.end() ? -1 : at->second;
}

absl::Status SystemBuilder::AddRow(const Row& row) {
  std::vector<std::int32_t> plus;
  std::vector<std::int32_t> minus;
  for (const auto& [cell, sign] : row.terms) (sign > 0 ? plus : minus).push_back(cell);
  std::vector<std::int32_t> all = plus;
  all.insert(all.end(), minus.begin(), minus.end());
  std::sort(all.begin(), all.end());
  if (const auto twice = std::adjacent_find(all.begin(), all.end()); twice != all.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        row.name, ": the cell ", Printable(cells_[static_cast<std::size_t>(*twice)].id), " stands in it twice"));
  }
  if (plus.empty() || minus.empty()) {
    return absl::InvalidArgumentError(row.name + ": coefficients of both signs are expected, a total and its parts");
  }
  if (minus.size() == 1) {
    relations_.Add(minus.front(), plus);
  } else if (plus.size() == 1) {
    relations_.Add(plus.front(), minus);
  } else {
    std::int64_t value = 0;
    bool known = true;
    for (const std::int32_t cell : plus) {
      const Cell& part = cells_[static_cast<std::size_t>(cell)];
      value = std::min(value + part.value, disclosure::kMaxAmount);
      known = known && part.known;
    }
    const std::int32_t sum = size() + static_cast<std::int32_t>(auxiliary_.size());
    auxiliary_.emplace_back(value, known);
    relations_.Add(sum, plus);
    relations_.Add(sum, minus);
  }
  return absl::OkStatus();
}

CellTable SystemBuilder::Finish() {
  std::vector<std::string> ids;
  for (const Cell& cell : cells_) ids.push_back(cell.id);
  CellTable table{.names = CellNames(std::move(ids)), .measure = "value"};
  table.relations = std::move(relations_);
  table.num_cells = size() + static_cast<std::int32_t>(auxiliary_.size());
  const bool with_status =
      std::any_of(cells_.begin(), cells_.end(), [](const Cell& cell) { return cell.status != DeclaredStatus::kNone; });
  for (const Cell& cell : cells_) {
    table.value.push_back(cell.value);
    table.known.push_back(cell.known ? 1 : 0);
    if (with_levels) {
      table.primary.push_back(cell.primary ? 1 : 0);
      table.lower.push_back(cell.lower);
      table.upper.push_back(cell.upper);
    }
    if (with_status) table.status.push_back(cell.status);
  }
  for (const auto& [value, known] : auxiliary_) {
    table.value.push_back(value);
    table.known.push_back(known ? 1 : 0);
  }
  table.upper_bound = std::move(upper_bound);
  table.cost = std::move(cost);
  if (!table.cost.empty()) table.cost.resize(static_cast<std::size_t>(table.num_cells), 0);
  return table;
}

}  // namespace sluis::cli
