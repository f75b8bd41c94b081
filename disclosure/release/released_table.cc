#include "disclosure/release/released_table.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "disclosure/perturb/method.h"
#include "disclosure/table/plan_variables.h"

namespace sluis::disclosure {

std::int64_t ReleasedTable::Cells() const {
  std::int64_t cells = 1;
  for (const ReleasedDimension& dimension : dimensions) cells *= static_cast<std::int64_t>(dimension.codes.size());
  return cells;
}

bool ReleasedTable::NamesMethods() const {
  return std::any_of(measures.begin(), measures.end(),
                     [](const ReleasedMeasure& measure) { return !measure.method.empty(); });
}

std::size_t ReleasedTable::CodeOf(std::int64_t cell, std::size_t dimension) const {
  for (std::size_t d = dimensions.size(); --d > dimension;) {
    cell /= static_cast<std::int64_t>(dimensions[d].codes.size());
  }
  return static_cast<std::size_t>(cell % static_cast<std::int64_t>(dimensions[dimension].codes.size()));
}

std::vector<std::int32_t> ReleasedTable::Parents(std::size_t dimension) const {
  const std::vector<ReleasedCode>& codes = dimensions[dimension].codes;
  std::vector<std::int32_t> parents, open;  // open: the last code of each level
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto level = static_cast<std::size_t>(codes[i].level);
    parents.push_back(level == 0 ? -1 : open[level - 1]);
    open.resize(level);
    open.push_back(static_cast<std::int32_t>(i));
  }
  return parents;
}

bool operator==(const ReleasedTable& a, const ReleasedTable& b) {
  const auto same_code = [](const ReleasedCode& x, const ReleasedCode& y) {
    return x.code == y.code && x.label == y.label && x.level == y.level;
  };
  const auto same_dimension = [&](const ReleasedDimension& x, const ReleasedDimension& y) {
    return x.name == y.name && std::equal(x.codes.begin(), x.codes.end(), y.codes.begin(), y.codes.end(), same_code);
  };
  const auto same_measure = [](const ReleasedMeasure& x, const ReleasedMeasure& y) {
    return x.name == y.name && x.unit == y.unit && x.method == y.method;
  };
  return a.name == b.name && a.values == b.values &&
         std::equal(a.dimensions.begin(), a.dimensions.end(), b.dimensions.begin(), b.dimensions.end(),
                    same_dimension) &&
         std::equal(a.measures.begin(), a.measures.end(), b.measures.begin(), b.measures.end(), same_measure);
}

absl::Status ValidateReleasedTable(const ReleasedTable& table) {
  const auto error = [](const std::string& what) { return absl::InvalidArgumentError("released table: " + what); };
  std::set<std::string> names = {"measure", "unit", "value", "flag", "method"};
  if (table.dimensions.empty()) return error("has no dimension");
  std::int64_t cells = 1;
  for (const ReleasedDimension& dimension : table.dimensions) {
    if (!IsName(dimension.name) || absl::EndsWith(dimension.name, "_label") ||
        absl::EndsWith(dimension.name, "_level") || !names.insert(dimension.name).second) {
      return error("dimension " + dimension.name + ": its name cannot head a column, or does so already");
    }
    std::set<std::string> codes;
    int level = -1;
    for (const ReleasedCode& code : dimension.codes) {
      if (code.code.empty() || !codes.insert(code.code).second) {
        return error("dimension " + dimension.name + ": a code is empty or stands twice");
      }
      if (code.level < (level < 0 ? 0 : 1) || code.level > level + 1) {
        return error("dimension " + dimension.name + ", code " + code.code + ": its level does not follow");
      }
      level = code.level;
    }
    if (codes.empty()) return error("dimension " + dimension.name + ": has no code");
    cells *= static_cast<std::int64_t>(codes.size());
    if (cells > INT32_MAX) return error("more than 2^31 - 1 cells");
  }
  if (table.measures.empty()) return error("has no measure");
  std::set<std::string> measures;
  for (const ReleasedMeasure& measure : table.measures) {
    if (measure.name.empty() || !measures.insert(measure.name).second) {
      return error("a measure's name is empty or stands twice");
    }
    if (measure.method == kSuppressionMethod) return error("a measure's method: suppression is the empty text");
  }
  if (table.values.size() != static_cast<std::size_t>(cells) * table.measures.size()) {
    return error("one value a cell and measure is expected");
  }
  for (const std::optional<std::int64_t>& value : table.values) {
    if (value && *value < 0) return error("a value is negative");
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
