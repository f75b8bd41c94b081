#include "disclosure/release/public_system.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "common/status/status.h"
#include "disclosure/system/table_shape.h"

namespace sluis::disclosure {
namespace {

class PublicBuilder {
 public:
  explicit PublicBuilder(std::string measure) { result_.name = std::move(measure); }

  absl::Status Add(std::span<const ReleasedTable> tables, std::size_t t, std::size_t measure, std::int32_t population) {
    const ReleasedTable& table = tables[t];
    std::vector<DimensionTree> trees;
    std::map<std::string, std::size_t> by_name;
    for (std::size_t d = 0; d < table.dimensions.size(); ++d) {
      trees.push_back({.parent = table.Parents(d)});
      by_name.emplace(table.dimensions[d].name, d);
    }
    SLUIS_ASSIGN_OR_RETURN(const TableShape shape, TableShape::Create(std::move(trees)));
    std::vector<std::int32_t> number(static_cast<std::size_t>(shape.num_cells()));
    for (std::int64_t cell = 0; cell < shape.num_cells(); ++cell) {
      const auto value = table.values[static_cast<std::size_t>(cell) * table.measures.size() + measure];
      SLUIS_ASSIGN_OR_RETURN(number[static_cast<std::size_t>(cell)],
                             Number(tables, t, cell, KeyOf(table, by_name, cell, population), value));
    }
    const Relations own = shape.BuildRelations();
    std::vector<std::int32_t> parts;
    for (std::int64_t r = 0; r < own.size(); ++r) {
      parts.clear();
      for (const std::int32_t part : own.parts(r)) parts.push_back(number[static_cast<std::size_t>(part)]);
      result_.table.relations.Add(number[static_cast<std::size_t>(own.total[static_cast<std::size_t>(r)])], parts);
    }
    return absl::OkStatus();
  }

  PublicMeasure Finish() {
    result_.table.upper_bound.assign(result_.table.value.size(), kNoUpperBound);
    return std::move(result_);
  }

 private:
  static std::string KeyOf(const ReleasedTable& table, const std::map<std::string, std::size_t>& by_name,
                           std::int64_t cell, std::int32_t population) {
    std::string key = std::to_string(population);
    for (const auto& [name, d] : by_name) {
      const std::size_t code = table.CodeOf(cell, d);
      if (code == 0) continue;  // the total
      key += '\n' + name + '\t' + table.dimensions[d].codes[code].code;
    }
    return key;
  }

  absl::StatusOr<std::int32_t> Number(std::span<const ReleasedTable> tables, std::size_t t, std::int64_t cell,
                                      std::string key, const std::optional<std::int64_t>& value) {
    PublishedTable& all = result_.table;
    const auto [found, first] = number_.emplace(std::move(key), static_cast<std::int32_t>(number_.size()));
    if (first) {
      all.published.push_back(value ? 1 : 0);
      all.value.push_back(value.value_or(0));
      result_.shown_in.push_back(static_cast<std::int32_t>(t));
      result_.cell_there.push_back(cell);
      return found->second;
    }
    const auto at = static_cast<std::size_t>(found->second);
    if ((all.published[at] != 0) != value.has_value() || all.value[at] != value.value_or(0)) {
      return absl::InvalidArgumentError("tables " + tables[static_cast<std::size_t>(result_.shown_in[at])].name +
                                        " and " + tables[t].name + ": show one cell differently");
    }
    return found->second;
  }

  PublicMeasure result_;
  std::unordered_map<std::string, std::int32_t> number_;
};

}  // namespace

absl::StatusOr<std::vector<PublicMeasure>> BuildPublicSystem(std::span<const ReleasedTable> tables,
                                                             std::span<const std::int32_t> population) {
  if (population.size() != tables.size())
    return absl::InvalidArgumentError("population: one for each table is expected");
  std::vector<std::string> names;
  for (const ReleasedTable& table : tables) {
    SLUIS_RETURN_IF_ERROR(common::Annotate(ValidateReleasedTable(table), "table " + table.name));
    for (const ReleasedMeasure& measure : table.measures) {
      if (std::find(names.begin(), names.end(), measure.name) == names.end()) names.push_back(measure.name);
    }
  }
  std::vector<PublicMeasure> result;
  for (const std::string& name : names) {
    PublicBuilder builder(name);
    for (std::size_t t = 0; t < tables.size(); ++t) {
      for (std::size_t m = 0; m < tables[t].measures.size(); ++m) {
        if (tables[t].measures[m].name == name) SLUIS_RETURN_IF_ERROR(builder.Add(tables, t, m, population[t]));
      }
    }
    result.push_back(builder.Finish());
  }
  return result;
}

}  // namespace sluis::disclosure
