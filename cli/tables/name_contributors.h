#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "cli/tables/cell_table.h"
#include "disclosure/rules/contributions.h"
#include "disclosure/rules/rules.h"

// Who contributes to a cell, for attacks by contributors.

namespace sluis::cli {

// Fills table.contributor from `fields`: of each named cell the names of its contributors, separated by |, or nothing.
// Of a cell with one contributor the amount is the cell's value; others are not known. Errors (INVALID_ARGUMENT, with
// the cell's coordinates, never a name): names without numbers of contributors; more names than contributors; a name
// twice in a field, or an empty one.
[[nodiscard]] absl::Status NameContributors(const std::vector<std::string>& fields, CellTable& table);

// Collects from records who is among few contributors of a cell, or holds much of it.
class KnownContributors {
 public:
  // Without `rule` nothing is collected.
  explicit KnownContributors(const std::optional<disclosure::ContributorRule>& rule) : rule_(rule) {}

  // `records`: all of `cell`; cells ascending.
  void Add(std::int32_t cell, std::span<const disclosure::Contribution> records);

  [[nodiscard]] std::vector<disclosure::Contributor> Take() && { return std::move(contributor_); }

 private:
  std::optional<disclosure::ContributorRule> rule_;
  std::unordered_map<std::uint64_t, std::size_t> place_;  // by holding
  std::vector<disclosure::Contributor> contributor_;
  std::vector<std::pair<std::uint64_t, std::int64_t>> own_;  // scratch: holding, amount
};

}  // namespace sluis::cli
