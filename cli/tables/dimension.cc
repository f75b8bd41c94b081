#include "cli/tables/dimension.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluis::cli {
namespace {

std::size_t Index(std::int32_t i) { return static_cast<std::size_t>(i); }

}  // namespace

std::int32_t Dimension::Find(std::string_view code) const {
  const auto at = index_.find(code);
  return at == index_.end() ? -1 : at->second;
}

std::int32_t Dimension::AddOrFind(std::string_view code) {
  if (const std::int32_t found = Find(code); found >= 0) return found;
  const std::int32_t index = static_cast<std::int32_t>(codes_.size());
  codes_.emplace_back(code);
  index_.emplace(codes_.back(), index);
  return index;
}

absl::Status Dimension::AddHierarchy(const HierarchyFile& file, const std::string& path) {
  has_hierarchy_ = true;
  std::vector<std::int32_t> own;
  own.reserve(file.codes.size());
  for (const std::string& code : file.codes) own.push_back(AddOrFind(code));
  // A sum that an earlier hierarchy has too, in any order of its parts, is one relation.
  const auto key = [](const disclosure::CodeSum& sum) {
    std::pair<std::int32_t, std::vector<std::int32_t>> key(sum.total, sum.parts);
    std::sort(key.second.begin(), key.second.end());
    return key;
  };
  std::set<std::pair<std::int32_t, std::vector<std::int32_t>>> known;
  for (const disclosure::CodeSum& sum : sums_) known.insert(key(sum));
  for (const disclosure::CodeSum& sum : file.sums) {
    disclosure::CodeSum mine{.total = own[Index(sum.total)], .parts = {}};
    for (const std::int32_t part : sum.parts) mine.parts.push_back(own[Index(part)]);
    if (known.insert(key(mine)).second) sums_.push_back(std::move(mine));
  }
  const auto shape =
      disclosure::TableShape::CreateFromSums({{.num_codes = static_cast<std::int32_t>(codes_.size()), .sums = sums_}});
  if (!shape.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": together with the other hierarchies of dimension ", name_,
                                                   " a code is a part of itself"));
  }
  return absl::OkStatus();
}

void Dimension::AddTotalOfAll(std::int32_t total) {
  disclosure::CodeSum sum{.total = total, .parts = {}};
  for (std::int32_t c = 0; c < static_cast<std::int32_t>(codes_.size()); ++c) {
    if (c != total) sum.parts.push_back(c);
  }
  if (!sum.parts.empty()) sums_.push_back(std::move(sum));
}

std::vector<std::uint8_t> Dimension::IsTotal() const {
  std::vector<std::uint8_t> total(codes_.size(), 0);
  for (const disclosure::CodeSum& sum : sums_) total[Index(sum.total)] = 1;
  return total;
}

std::int32_t Dimension::Total() const {
  std::vector<std::uint8_t> candidate = IsTotal();
  for (const disclosure::CodeSum& sum : sums_) {
    for (const std::int32_t part : sum.parts) candidate[Index(part)] = 0;
  }
  if (std::count(candidate.begin(), candidate.end(), 1) != 1) return -1;
  return static_cast<std::int32_t>(std::find(candidate.begin(), candidate.end(), 1) - candidate.begin());
}

std::vector<std::int32_t> Dimension::Restrict(const std::vector<std::uint8_t>& used) {
  std::vector<std::uint8_t> kept = used;
  const auto says_something = [&used](const disclosure::CodeSum& sum) {
    return used[Index(sum.total)] != 0 &&
           std::any_of(sum.parts.begin(), sum.parts.end(), [&](std::int32_t part) { return used[Index(part)] != 0; });
  };
  std::vector<disclosure::CodeSum> sums;
  for (disclosure::CodeSum& sum : sums_) {
    if (!says_something(sum)) continue;
    for (const std::int32_t part : sum.parts) kept[Index(part)] = 1;
    sums.push_back(std::move(sum));
  }
  std::vector<std::int32_t> renumbered(codes_.size(), -1);
  std::vector<std::string> codes;
  for (std::size_t c = 0; c < codes_.size(); ++c) {
    if (kept[c] == 0) continue;
    renumbered[c] = static_cast<std::int32_t>(codes.size());
    codes.push_back(std::move(codes_[c]));
  }
  codes_ = std::move(codes);
  index_.clear();
  for (std::size_t c = 0; c < codes_.size(); ++c) index_.emplace(codes_[c], static_cast<std::int32_t>(c));
  for (disclosure::CodeSum& sum : sums) {
    sum.total = renumbered[Index(sum.total)];
    for (std::int32_t& part : sum.parts) part = renumbered[Index(part)];
  }
  sums_ = std::move(sums);
  return renumbered;
}

}  // namespace sluis::cli
