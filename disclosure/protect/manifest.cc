#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/status/status.h"
#include "disclosure/protect/package.h"
#include "disclosure/table/plan_variables.h"

namespace sluis::disclosure {
namespace {

using Json = nlohmann::json;  // keys are sorted

constexpr std::size_t kMaxRelease = 64;

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError("release.json: " + std::string(what));
}

Json ToJson(const ManifestFile& file, const std::string& path) {
  return {{"path", path}, {"sha256", common::HexOf(file.sha256)}, {"length", file.length}};
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Wrong types and hashes become empty ones; that the whole reads back as it was written then fails.
common::Hash256 HashOf(const Json& object, const char* key) {
  common::Hash256 hash{};
  const absl::StatusOr<std::string> bytes = common::HexDecode(TextOf(object, key));
  if (bytes.ok() && bytes->size() == hash.size()) std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

ManifestFile FileOf(const Json& files, const char* format) {
  const auto found = files.find(format);
  if (found == files.end() || !found->is_object()) return {};
  ManifestFile file{.sha256 = HashOf(*found, "sha256"), .length = 0};
  if (const auto length = found->find("length"); length != found->end() && length->is_number_unsigned()) {
    file.length = length->get<std::uint64_t>();
  }
  return file;
}

absl::Status CheckNames(const Manifest& manifest) {
  const auto in_release_id = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (manifest.release.empty() || manifest.release.size() > kMaxRelease ||
      !std::all_of(manifest.release.begin(), manifest.release.end(), in_release_id)) {
    return Malformed("release: [A-Za-z0-9-]{1,64} is expected");
  }
  if (!IsName(manifest.project, true)) return Malformed("project: [a-z][a-z0-9-]{0,62} is expected");
  if (!IsName(manifest.request, true)) return Malformed("request: [a-z][a-z0-9-]{0,62} is expected");
  if (manifest.tables.empty()) return Malformed("tables: at least one is expected");
  std::set<std::string> names;
  for (const ManifestTable& table : manifest.tables) {
    if (table.name.empty() || table.name[0] < 'a' || table.name[0] > 'z' ||
        !std::all_of(table.name.begin(), table.name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; })) {
      return Malformed("tables: names [a-z][a-z0-9_]* are expected");
    }
    if (!names.insert(table.name).second) return Malformed("tables: a name stands there twice");
  }
  return absl::OkStatus();
}

}  // namespace

std::string CsvPath(std::string_view table) { return "tables/" + std::string(table) + ".csv"; }
std::string JsonStatPath(std::string_view table) { return "tables/" + std::string(table) + ".json"; }
std::string SdmxCsvPath(std::string_view table) { return "tables/" + std::string(table) + ".sdmx.csv"; }

std::string FormatManifest(const Manifest& manifest) {
  Json tables = Json::array();
  for (const ManifestTable& table : manifest.tables) {
    tables.push_back({{"name", table.name},
                      {"population", table.population},
                      {"files",
                       {{"csv", ToJson(table.csv, CsvPath(table.name))},
                        {"json-stat", ToJson(table.json_stat, JsonStatPath(table.name))},
                        {"sdmx-csv", ToJson(table.sdmx_csv, SdmxCsvPath(table.name))}}}});
    if (!table.methods.empty()) tables.back()["methods"] = table.methods;
  }
  const Json object = {{"format", 1},
                       {"release", manifest.release},
                       {"project", manifest.project},
                       {"permit_sha256", common::HexOf(manifest.permit_sha256)},
                       {"request", manifest.request},
                       {"request_sha256", common::HexOf(manifest.request_sha256)},
                       {"link_set", manifest.link_set},
                       {"rule_set", manifest.rule_set},
                       {"rule_set_sha256", common::HexOf(manifest.rule_set_sha256)},
                       {"software", manifest.software},
                       {"tables", tables}};
  return object.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Manifest> ParseManifest(std::string_view bytes) {
  const Json object = Json::parse(bytes, nullptr, false);
  if (!object.is_object()) return Malformed("a JSON object is expected");
  Manifest manifest{.release = TextOf(object, "release"),
                    .project = TextOf(object, "project"),
                    .permit_sha256 = HashOf(object, "permit_sha256"),
                    .request = TextOf(object, "request"),
                    .request_sha256 = HashOf(object, "request_sha256"),
                    .link_set = TextOf(object, "link_set"),
                    .rule_set = TextOf(object, "rule_set"),
                    .rule_set_sha256 = HashOf(object, "rule_set_sha256"),
                    .software = TextOf(object, "software"),
                    .tables = {}};
  const auto tables = object.find("tables");
  if (tables == object.end() || !tables->is_array()) return Malformed("tables: a list is expected");
  for (const Json& item : *tables) {
    if (!item.is_object()) return Malformed("tables: objects are expected");
    ManifestTable& table = manifest.tables.emplace_back();
    table.name = TextOf(item, "name");
    const auto population = item.find("population");
    if (population == item.end() || !population->is_number_unsigned() || population->get<std::uint64_t>() > 1'000'000) {
      return Malformed("tables: population: a whole number is expected");
    }
    table.population = population->get<std::int32_t>();
    if (const auto methods = item.find("methods"); methods != item.end()) {
      if (!methods->is_object()) return Malformed("tables: methods: an object is expected");
      for (const auto& [measure, method] : methods->items()) table.methods[measure] = TextOf(*methods, measure.c_str());
    }
    const auto files = item.find("files");
    if (files == item.end() || !files->is_object()) return Malformed("tables: files: an object is expected");
    table.csv = FileOf(*files, "csv");
    table.json_stat = FileOf(*files, "json-stat");
    table.sdmx_csv = FileOf(*files, "sdmx-csv");
  }
  SLUIS_RETURN_IF_ERROR(CheckNames(manifest));
  if (FormatManifest(manifest) != bytes) return Malformed("not in its one form, of version 1");
  return manifest;
}

}  // namespace sluis::disclosure
