#include "disclosure/release/write_json_stat.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "disclosure/perturb/method.h"

namespace sluis::disclosure {
namespace {

using Json = nlohmann::ordered_json;

Json Dimension(const ReleasedTable& table, std::size_t d) {
  const ReleasedDimension& dimension = table.dimensions[d];
  Json index = Json::array(), label = Json::object(), child = Json::object();
  const std::vector<std::int32_t> parents = table.Parents(d);
  for (std::size_t i = 0; i < dimension.codes.size(); ++i) {
    const ReleasedCode& code = dimension.codes[i];
    index.push_back(code.code);
    label[code.code] = code.label.empty() ? code.code : code.label;
    if (parents[i] >= 0) child[dimension.codes[static_cast<std::size_t>(parents[i])].code].push_back(code.code);
  }
  Json category = {{"index", index}, {"label", label}};
  if (!child.empty()) category["child"] = child;
  return {{"label", dimension.name}, {"category", category}};
}

Json Measures(const ReleasedTable& table) {
  Json index = Json::array(), label = Json::object(), unit = Json::object();
  for (const ReleasedMeasure& measure : table.measures) {
    index.push_back(measure.name);
    label[measure.name] = measure.name;
    unit[measure.name] = {{"label", measure.unit}, {"decimals", 0}};
  }
  return {{"label", "measure"}, {"category", {{"index", index}, {"label", label}, {"unit", unit}}}};
}

}  // namespace

std::string WriteJsonStat(const ReleasedTable& table) {
  Json id = Json::array(), size = Json::array(), dimension = Json::object();
  for (std::size_t d = 0; d < table.dimensions.size(); ++d) {
    id.push_back(table.dimensions[d].name);
    size.push_back(table.dimensions[d].codes.size());
    dimension[table.dimensions[d].name] = Dimension(table, d);
  }
  id.push_back("measure");
  size.push_back(table.measures.size());
  dimension["measure"] = Measures(table);
  Json value = Json::object(), status = Json::object();
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    // Positions are unique: appending keeps this linear, where looking a key up would not be.
    auto& target = table.values[i] ? value : status;
    target.get_ref<Json::object_t&>().emplace_back(std::to_string(i),
                                                   table.values[i] ? Json(*table.values[i]) : Json(kFlagConfidential));
  }
  Json dataset = {{"version", "2.0"},       {"class", "dataset"},
                  {"label", table.name},    {"id", id},
                  {"size", size},           {"role", {{"metric", {"measure"}}}},
                  {"dimension", dimension}, {"value", value}};
  if (!status.empty()) dataset["status"] = status;
  dataset["extension"] = {{"status", {{"label", {{kFlagConfidential, "confidential"}}}}}};
  if (table.NamesMethods()) {
    Json methods = Json::object();
    for (const ReleasedMeasure& measure : table.measures) {
      methods[measure.name] = measure.method.empty() ? kSuppressionMethod : measure.method;
    }
    dataset["extension"]["method"] = methods;
  }
  return dataset.dump() + "\n";
}

}  // namespace sluis::disclosure
