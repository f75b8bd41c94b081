#include "cli/tables/make_system.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::cli {
namespace {

using disclosure::CellSystem;
using disclosure::Int128;
using disclosure::Measure;
using disclosure::PrimaryReason;

constexpr std::array<std::pair<std::string_view, CostKind>, 4> kCostNames = {{{"value", CostKind::kValue},
                                                                              {"unit", CostKind::kUnit},
                                                                              {"frequency", CostKind::kFrequency},
                                                                              {"log", CostKind::kLog}}};

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

absl::Status CellError(const CellTable& table, std::int32_t cell, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("the cell ", table.Describe(cell), ": ", what));
}

// `pattern`: sums with a suppressed cell are left aside; empty: nothing is suppressed.
absl::Status CheckAdditive(const CellTable& table, std::span<const std::uint8_t> pattern) {
  std::int64_t wrong = 0;
  std::int64_t first = -1;
  for (std::int64_t r = 0; r < table.relations.size(); ++r) {
    const std::int32_t total = table.relations.total[Index(r)];
    Int128 sum = 0;
    bool whole = pattern.empty() || pattern[Index(total)] == 0;
    for (const std::int32_t part : table.relations.parts(r)) {
      sum += table.value[Index(part)];
      whole = whole && (pattern.empty() || pattern[Index(part)] == 0);
    }
    if (!whole || sum == table.value[Index(total)]) continue;
    if (wrong++ == 0) first = r;
  }
  if (wrong == 0) return absl::OkStatus();
  const std::span<const std::int32_t> parts = table.relations.parts(first);
  const std::string of = table.Describe(table.relations.total[Index(first)]);
  return absl::InvalidArgumentError(
      absl::StrCat("the table does not add up: ", of, " is not the sum of its ", parts.size(), " parts, ",
                   table.Describe(parts.front()), parts.size() == 1 ? "" : " and so on",
                   wrong == 1 ? "" : absl::StrCat(" (the first of ", wrong, " such sums)"),
                   ": correct the values or the hierarchy"));
}

absl::Status SetCosts(const CellTable& table, CostKind kind, CellSystem& system) {
  if (!table.cost.empty()) {
    system.cost = table.cost;
    return absl::OkStatus();
  }
  if (kind == CostKind::kFrequency && table.contributors.empty()) {
    return absl::InvalidArgumentError("--cost frequency needs the number of contributors of each cell: a column n");
  }
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    const std::int64_t value = table.value[Index(i)];
    std::int64_t& cost = system.cost[Index(i)];
    switch (kind) {
      case CostKind::kValue:
        cost = value;
        break;
      case CostKind::kUnit:
        cost = 1;
        break;
      case CostKind::kFrequency:
        cost = table.contributors[Index(i)];
        break;
      case CostKind::kLog:
        cost = std::llround(1000 * std::log1p(static_cast<double>(value)));
        break;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckContributions(const CellTable& table) {
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    const std::int64_t value = table.value[Index(i)];
    if (!table.contributors.empty() && table.contributors[Index(i)] == 0 && value != 0) {
      return CellError(table, i, "has a value but no contributors");
    }
    Int128 sum = 0;
    for (std::int32_t k = 0; k < table.top_per_cell; ++k) {
      sum += table.top[Index(std::int64_t{i} * table.top_per_cell + k)];
    }
    if (sum > value) return CellError(table, i, "its largest contributions are more than its value");
  }
  return absl::OkStatus();
}

absl::Status ApplyRules(const CellTable& table, const disclosure::RuleSet& rules, CellSystem& system) {
  if (rules.group_disclosure || rules.request) {
    return absl::InvalidArgumentError(
        "the rule set has group_disclosure or request, which this command does not apply: take them out of the file, "
        "and know that they are not kept");
  }
  if (table.contributors.empty()) {
    return absl::InvalidArgumentError("the rules need the number of contributors of each cell: a column n");
  }
  const std::int32_t needed = ContributionsNeeded(rules);
  if (table.top_per_cell < needed) {
    return absl::InvalidArgumentError(
        absl::StrCat("the rules need the ", needed, " largest contributions of each cell; the table has ",
                     table.top_per_cell, ": add columns top1 and top2, or give the microdata"));
  }
  disclosure::CellContributions cells;
  cells.contributors = table.contributors;
  cells.total = table.value;
  cells.top_per_cell = table.top_per_cell;
  cells.top = table.top;
  cells.top_weight = table.top_weight;
  cells.contributors.resize(Index(table.num_cells), 0);  // nobody contributes to auxiliary cells
  for (std::int32_t i = table.num_named(); i < table.num_cells; ++i) cells.total[Index(i)] = 0;
  cells.top.resize(Index(std::int64_t{table.num_cells} * table.top_per_cell), 0);
  if (!cells.top_weight.empty()) cells.top_weight.resize(cells.top.size(), 0);
  auto status = disclosure::EvaluateRules(cells, disclosure::MeasureKind::kAmount, rules);
  if (!status.ok()) return NameCells(status.status(), table);
  return disclosure::ApplyStatus(*status, 0, system);
}

absl::Status ApplyContributors(const CellTable& table, const disclosure::ContributorRule& rule, CellSystem& system) {
  if (table.contributors.empty()) {
    return absl::InvalidArgumentError(
        "protection against contributors needs the number of contributors of each cell: a column n");
  }
  if (rule.share_percent > 0 && !table.from_records) {
    return absl::InvalidArgumentError(
        "contributors.share_percent needs records (--microdata): tables do not tell who holds how much");
  }
  disclosure::Contributors& contributors = system.contributors;
  contributors.protection = rule.protection;
  contributors.coalition = rule.coalition;
  contributors.in_cell = table.contributors;
  contributors.contributor = table.contributor;
  contributors.in_cell.resize(Index(table.num_cells), 0);
  disclosure::NameUnknownContributors(system);
  return absl::OkStatus();
}

absl::Status ApplyDeclaredLevels(const CellTable& table, CellSystem& system) {
  if (table.primary.empty()) {
    return absl::InvalidArgumentError(
        "nothing says which cells are primary: give --rules, or the columns primary, lpl and upl");
  }
  Measure& measure = system.measures.front();
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    const std::int64_t lower = table.lower[Index(i)];
    const std::int64_t upper = table.upper[Index(i)];
    if (table.primary[Index(i)] == 0) {
      if (lower != 0 || upper != 0) return CellError(table, i, "has a protection level but is not primary");
      continue;
    }
    if (lower == 0 && upper == 0) return CellError(table, i, "is primary without a protection level");
    if (lower > table.value[Index(i)]) return CellError(table, i, "its lower protection level is above its value");
    measure.reason[Index(i)] = PrimaryReason::kDeclared;
    measure.lower_level[Index(i)] = lower;
    measure.upper_level[Index(i)] = upper;
  }
  return absl::OkStatus();
}

absl::Status ApplyStatuses(const CellTable& table, CellSystem& system) {
  Measure& measure = system.measures.front();
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(table.status.size()); ++i) {
    const bool primary = measure.reason[Index(i)] != PrimaryReason::kNone;
    if (table.status[Index(i)] == DeclaredStatus::kPublish) {
      if (primary) return CellError(table, i, "is primary and must be published: one of the two");
      system.suppressible[Index(i)] = 0;
    } else if (table.status[Index(i)] == DeclaredStatus::kSuppress && !primary) {
      measure.reason[Index(i)] = PrimaryReason::kDeclared;
      measure.upper_level[Index(i)] = 1;
      system.suppressible[Index(i)] = 1;
    }
  }
  return absl::OkStatus();
}

// What the attacker knows beforehand: no cell is above the largest, or above what the file says.
absl::Status SetBounds(const CellTable& table, CellSystem& system) {
  Measure& measure = system.measures.front();
  std::int64_t largest = 0;
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    largest = std::max(largest, measure.value[Index(i)] + measure.upper_level[Index(i)]);
  }
  for (std::int32_t i = 0; i < table.num_cells; ++i) {
    std::int64_t& bound = measure.upper_bound[Index(i)];
    bound = i >= table.num_named() ? disclosure::kNoUpperBound
                                   : (table.upper_bound.empty() ? largest : table.upper_bound[Index(i)]);
    if (i < table.num_named() && bound < measure.value[Index(i)]) {
      return CellError(table, i, "its value is above the upper bound that the attacker knows");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::int32_t ContributionsNeeded(const disclosure::RuleSet& rules) {
  std::int32_t needed = !rules.dominance.empty() || rules.p_percent || rules.prior_posterior ? 2 : 0;
  for (const disclosure::DominanceRule& rule : rules.dominance) needed = std::max(needed, rule.n);
  return needed;
}

absl::StatusOr<CostKind> ParseCostKind(std::string_view name) {
  for (const auto& [text, kind] : kCostNames) {
    if (name == text) return kind;
  }
  return absl::InvalidArgumentError("--cost must be value, unit, frequency or log");
}

std::string_view CostKindName(CostKind kind) {
  return std::find_if(kCostNames.begin(), kCostNames.end(), [kind](const auto& entry) { return entry.second == kind; })
      ->first;
}

absl::StatusOr<CellSystem> MakeSystem(const CellTable& table, const SystemOptions& options) {
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    if (table.known[Index(i)] == 0) return CellError(table, i, "its value is not in the file");
  }
  SLUIS_RETURN_IF_ERROR(CheckAdditive(table, {}));
  SLUIS_RETURN_IF_ERROR(CheckContributions(table));
  const std::vector<std::string> measures = {table.measure};
  CellSystem system = disclosure::MakeCellSystem(table.num_cells, measures);
  system.relations = table.relations;
  system.measures.front().value = table.value;
  SLUIS_RETURN_IF_ERROR(SetCosts(table, options.cost, system));
  SLUIS_RETURN_IF_ERROR(options.rules ? ApplyRules(table, *options.rules, system) : ApplyDeclaredLevels(table, system));
  disclosure::MarkEmptyCells(system);
  for (std::int32_t i = table.num_named(); i < table.num_cells; ++i) {
    system.suppressible[Index(i)] = 1;
    system.cost[Index(i)] = 0;
  }
  SLUIS_RETURN_IF_ERROR(ApplyStatuses(table, system));
  SLUIS_RETURN_IF_ERROR(SetBounds(table, system));
  const auto& against =
      options.rules && options.rules->contributors ? options.rules->contributors : options.contributors;
  if (against) SLUIS_RETURN_IF_ERROR(ApplyContributors(table, *against, system));
  if (const absl::Status valid = disclosure::Validate(system); !valid.ok()) return NameCells(valid, table);
  return system;
}

absl::StatusOr<std::vector<std::int64_t>> PublishedValues(const CellTable& table,
                                                          std::span<const std::uint8_t> pattern) {
  std::vector<std::int64_t> value = table.value;
  for (std::int32_t i = 0; i < table.num_cells; ++i) {
    if (pattern[Index(i)] != 0) {
      value[Index(i)] = 0;
    } else if (table.known[Index(i)] == 0) {
      return CellError(table, i, "the pattern publishes it, but its value is not in the file");
    }
  }
  SLUIS_RETURN_IF_ERROR(CheckAdditive(table, pattern));
  return value;
}

absl::Status NameCells(const absl::Status& status, const CellTable& table) {
  const std::string message(status.message());
  std::string named;
  std::size_t from = 0;
  for (;;) {
    const std::size_t at = message.find("cell ", from);
    std::size_t end = at == std::string::npos ? at : at + 5;
    std::int64_t cell = 0;
    while (end < message.size() && absl::ascii_isdigit(static_cast<unsigned char>(message[end])) &&
           cell <= table.num_cells) {
      cell = cell * 10 + (message[end++] - '0');
    }
    if (at == std::string::npos) break;
    const bool is_cell = end > at + 5 && cell < table.num_cells;
    absl::StrAppend(&named, message.substr(from, at - from),
                    is_cell ? "cell " + table.Describe(static_cast<std::int32_t>(cell)) : message.substr(at, end - at));
    from = end;
  }
  named += message.substr(from);
  absl::Status result(status.code(), named);
  return common::WithReason(result, common::ReasonOf(status));
}

}  // namespace sluis::cli
