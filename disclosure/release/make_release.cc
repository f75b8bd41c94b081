#include "disclosure/release/make_release.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

ReleasedDimension DescribeDimension(const PlannedDimension& planned) {
  ReleasedDimension dimension{.name = planned.name, .codes = {}};
  for (const Hierarchy::Node& node : planned.hierarchy.nodes()) {
    dimension.codes.push_back({.code = node.code, .label = node.label, .level = node.depth});
  }
  return dimension;
}

// Positions of the measures of a table in the system: 0 is the count.
std::vector<std::size_t> MeasuresOf(const TablePlan& plan, const PlannedTable& table) {
  std::vector<std::size_t> measures;
  for (const std::string& name : table.measures) {
    std::size_t position = 0;
    for (std::size_t a = 0; a < plan.amounts.size(); ++a) {
      if (plan.amounts[a].name == name) position = a + 1;
    }
    measures.push_back(position);
  }
  return measures;
}

}  // namespace

absl::StatusOr<std::vector<ReleasedTable>> MakeReleasedTables(const TablePlan& plan, const RequestSystem& request,
                                                              std::span<const std::uint8_t> pattern,
                                                              std::span<const PerturbedMeasure> perturbed,
                                                              const RuleSet& rules) {
  const CellSystem& system = request.system;
  if (pattern.size() != static_cast<std::size_t>(system.num_cells)) {
    return absl::InvalidArgumentError("pattern: one entry a cell is expected");
  }
  for (std::int32_t cell = 0; cell < system.num_cells; ++cell) {
    if (system.IsPrimary(cell) && pattern[static_cast<std::size_t>(cell)] == 0) {
      return absl::FailedPreconditionError(absl::StrCat("pattern: leaves primary cell ", cell, " in sight"));
    }
  }
  std::vector<const PerturbedMeasure*> by_method(system.measures.size(), nullptr);
  for (const PerturbedMeasure& own : perturbed) by_method[static_cast<std::size_t>(own.measure)] = &own;
  for (std::size_t m = 0; m < request.perturbed.size(); ++m) {
    if ((request.perturbed[m] != 0) != (by_method[m] != nullptr)) {
      return absl::InvalidArgumentError("measure " + system.measures[m].name + ": not the method that was asked for");
    }
  }
  std::vector<ReleasedTable> tables;
  for (std::size_t t = 0; t < plan.tables.size(); ++t) {
    const PlannedTable& planned = plan.tables[t];
    ReleasedTable table{.name = planned.name, .dimensions = {}, .measures = {}, .values = {}};
    for (const PlannedDimension& dimension : planned.dimensions) {
      table.dimensions.push_back(DescribeDimension(dimension));
    }
    const std::vector<std::size_t> measures = MeasuresOf(plan, planned);
    for (const std::size_t m : measures) {
      const std::string count_unit = planned.is_linkage_rate ? "records" : plan.count_unit;
      table.measures.push_back(
          {.name = system.measures[m].name,
           .unit = m == 0 ? count_unit : plan.amounts[m - 1].unit,
           .method = by_method[m] == nullptr
                         ? ""
                         : DescribeMethod(rules.methods.at(by_method[m]->method), by_method[m]->values.steps)});
    }
    for (const std::int32_t cell : request.cell_of[t]) {
      const auto c = static_cast<std::size_t>(cell);
      for (const std::size_t m : measures) {
        const bool gone = by_method[m] == nullptr ? pattern[c] != 0 : by_method[m]->withheld[c] != 0;
        const std::vector<std::int64_t>& shown =
            by_method[m] == nullptr ? system.measures[m].value : by_method[m]->values.value;
        table.values.push_back(gone ? std::nullopt : std::optional(shown[c]));
      }
    }
    absl::Status valid = ValidateReleasedTable(table);
    if (!valid.ok()) return common::Annotate(valid, "table " + planned.name);
    tables.push_back(std::move(table));
  }
  return tables;
}

bool IsLinkageRate(const ReleasedTable& table) {
  return !table.dimensions.empty() && table.dimensions.size() <= 2 &&
         table.dimensions.back().name == kLinkStatusDimension && table.dimensions.back().codes.size() == 3;
}

std::vector<LinkageRate> LinkageRates(const ReleasedTable& table) {
  std::vector<LinkageRate> rates;
  if (!IsLinkageRate(table)) return rates;
  // Codes of the status, in this order: total, linked, unlinked.
  for (std::int64_t cell = 0; cell < table.Cells(); cell += 3) {
    const ReleasedCode& code = table.dimensions[0].codes[table.CodeOf(cell, 0)];
    const auto at = static_cast<std::size_t>(cell) * table.measures.size(), step = table.measures.size();
    LinkageRate rate{.code = code.code,
                     .label = code.label,
                     .level = code.level,
                     .linked = table.values[at + step],
                     .unlinked = table.values[at + 2 * step],
                     .records = table.values[at],
                     .per_mille = {}};
    if (rate.linked && rate.unlinked && rate.records && *rate.records > 0) {
      // Amounts are at most 2^50, so that the products fit.
      rate.per_mille = (2000 * *rate.linked + *rate.records) / (2 * *rate.records);
    }
    rates.push_back(std::move(rate));
  }
  return rates;
}

}  // namespace sluis::disclosure
