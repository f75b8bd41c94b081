#include "cli/tables/name_contributors.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "disclosure/system/int128.h"

namespace sluis::cli {
namespace {

using disclosure::Int128;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// What the records of one contributor add to a cell: each rounded down, so that it is never too much.
std::int64_t Share(const disclosure::Contribution& record) {
  return static_cast<std::int64_t>(Int128{record.amount} * record.weight / disclosure::kWeightOne);
}

}  // namespace

absl::Status NameContributors(const std::vector<std::string>& fields, CellTable& table) {
  if (fields.empty()) return absl::OkStatus();
  if (table.contributors.empty()) {
    return absl::InvalidArgumentError("names of contributors need their number in each cell: a column n");
  }
  const auto error = [&table](std::int32_t cell, const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("the cell ", table.Describe(cell), ": ", what));
  };
  std::unordered_map<std::string, std::size_t> place;
  for (std::int32_t cell = 0; cell < static_cast<std::int32_t>(fields.size()); ++cell) {
    std::int64_t count = 0;
    for (std::string_view rest = fields[Index(cell)]; !rest.empty();) {
      const std::size_t end = std::min(rest.find('|'), rest.size());
      const std::string name(rest.substr(0, end));
      const bool last = end == rest.size();
      rest.remove_prefix(last ? end : end + 1);
      if (name.empty() || (!last && rest.empty())) return error(cell, "the name of a contributor is empty");
      const auto [at, is_new] = place.emplace(name, place.size());
      if (is_new) table.contributor.emplace_back();
      disclosure::Contributor& contributor = table.contributor[at->second];
      if (!contributor.cell.empty() && contributor.cell.back() == cell) {
        return error(cell, "a contributor is named twice");
      }
      if (++count > table.contributors[Index(cell)]) return error(cell, "more contributors are named than it has");
      contributor.cell.push_back(cell);
      contributor.amount.push_back(table.contributors[Index(cell)] == 1 ? table.value[Index(cell)] : 0);
    }
  }
  return absl::OkStatus();
}

void KnownContributors::Add(std::int32_t cell, std::span<const disclosure::Contribution> records) {
  if (!rule_) return;
  own_.clear();
  Int128 value = 0;
  for (const disclosure::Contribution& record : records) {
    own_.emplace_back(record.holding, Share(record));
    value += own_.back().second;
  }
  std::sort(own_.begin(), own_.end());
  std::size_t people = 0;
  for (const auto& [holding, amount] : own_) {
    if (people > 0 && own_[people - 1].first == holding) {
      own_[people - 1].second += amount;
    } else {
      own_[people++] = {holding, amount};
    }
  }
  own_.resize(people);
  for (const auto& [holding, amount] : own_) {
    const bool few = people <= Index(rule_->coalition);
    const bool much = rule_->share_percent > 0 && Int128{100} * amount >= Int128{rule_->share_percent} * value;
    if (!few && !much) continue;
    const auto [at, is_new] = place_.emplace(holding, contributor_.size());
    if (is_new) contributor_.emplace_back();
    contributor_[at->second].cell.push_back(cell);
    contributor_[at->second].amount.push_back(amount);
  }
}

}  // namespace sluis::cli
