#include "cli/tables/cell_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/printable.h"

namespace sluis::cli {
namespace {

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

CellNames::CellNames(std::vector<std::string> dimensions, std::vector<std::vector<std::string>> codes,
                     disclosure::TableShape shape, std::vector<std::int32_t> cells)
    : columns_(std::move(dimensions)), codes_(std::move(codes)), cells_(std::move(cells)) {
  shape_.push_back(std::move(shape));
}

CellNames::CellNames(std::vector<std::string> ids) : columns_({"id"}) { codes_.push_back(std::move(ids)); }

std::int32_t CellNames::size() const {
  return static_cast<std::int32_t>(shape_.empty() ? codes_.front().size() : cells_.size());
}

std::vector<std::string_view> CellNames::Fields(std::int32_t cell) const {
  if (shape_.empty()) return {codes_.front()[Index(cell)]};
  const std::vector<std::int32_t> codes = shape_.front().Codes(cells_[Index(cell)]);
  std::vector<std::string_view> fields;
  for (std::size_t d = 0; d < codes.size(); ++d) fields.emplace_back(codes_[d][Index(codes[d])]);
  return fields;
}

std::string CellNames::Describe(std::int32_t cell) const {
  if (shape_.empty()) return "id " + Printable(codes_.front()[Index(cell)]);
  return DescribeId(cells_[Index(cell)]);
}

std::string CellNames::DescribeId(std::int32_t id) const {
  const std::vector<std::int32_t> codes = shape_.front().Codes(id);
  std::string text;
  for (std::size_t d = 0; d < codes.size(); ++d) {
    absl::StrAppend(&text, d == 0 ? "" : ", ", columns_[d], "=", Printable(codes_[d][Index(codes[d])]));
  }
  return text;
}

std::int32_t CellNames::Find(std::span<const std::string_view> fields) const {
  if (fields.size() != columns_.size()) return -1;
  if (sorted_.empty()) {
    for (const std::vector<std::string>& codes : codes_) {
      std::vector<std::int32_t>& order = sorted_.emplace_back(codes.size());
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(),
                [&](std::int32_t a, std::int32_t b) { return codes[Index(a)] < codes[Index(b)]; });
    }
  }
  std::vector<std::int32_t> found;
  for (std::size_t d = 0; d < codes_.size(); ++d) {
    const auto at =
        std::lower_bound(sorted_[d].begin(), sorted_[d].end(), fields[d],
                         [&](std::int32_t code, std::string_view name) { return codes_[d][Index(code)] < name; });
    if (at == sorted_[d].end() || codes_[d][Index(*at)] != fields[d]) return -1;
    found.push_back(*at);
  }
  if (shape_.empty()) return found.front();
  const std::int32_t id = shape_.front().CellId(found);
  const auto at = std::lower_bound(cells_.begin(), cells_.end(), id);
  return at == cells_.end() || *at != id ? -1 : static_cast<std::int32_t>(at - cells_.begin());
}

}  // namespace sluis::cli
