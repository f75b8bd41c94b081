#include "disclosure/protect/package.h"

#include <utility>

#include "common/status/status.h"
#include "disclosure/release/write_csv.h"
#include "disclosure/release/write_json_stat.h"

namespace sluis::disclosure {
namespace {

ManifestFile Describe(std::string_view bytes) { return {.sha256 = common::Sha256(bytes), .length = bytes.size()}; }

std::map<std::string, std::string> MethodsOf(const Evidence& evidence, const ReleasedTable& table) {
  std::map<std::string, std::string> methods;
  for (const PerturbedMeasure& own : evidence.perturbed) {
    const std::string& name = evidence.request_system.system.measures[static_cast<std::size_t>(own.measure)].name;
    for (const ReleasedMeasure& measure : table.measures) {
      if (measure.name == name) methods[name] = own.method;
    }
  }
  return methods;
}

}  // namespace

absl::StatusOr<ReleaseFiles> MakePackage(const ProtectedRelease& release, const ReleaseDocuments& documents,
                                         std::string_view release_id) {
  Manifest manifest{.release = std::string(release_id),
                    .project = documents.permit_id,
                    .permit_sha256 = documents.permit_sha256,
                    .request = release.evidence.request_id,
                    .request_sha256 = common::Sha256(documents.request),
                    .link_set = documents.link_set,
                    .rule_set = documents.rule_set_name,
                    .rule_set_sha256 = common::Sha256(documents.rule_set),
                    .software = documents.software,
                    .tables = {}};
  ReleaseFiles files;
  for (std::size_t t = 0; t < release.tables.size(); ++t) {
    const ReleasedTable& table = release.tables[t];
    SLUIS_RETURN_IF_ERROR(common::Annotate(ValidateReleasedTable(table), "table " + table.name));
    std::string csv = WriteTidyCsv(table);
    const absl::StatusOr<ReleasedTable> back = ReadTidyCsv(csv, table.name);
    if (!back.ok() || !(*back == table)) {
      return absl::InternalError("table " + table.name + ": does not read back from its CSV as it was");
    }
    std::string json_stat = WriteJsonStat(table);
    SLUIS_ASSIGN_OR_RETURN(std::string sdmx_csv, WriteSdmxCsv(table, SdmxOptions{}));
    manifest.tables.push_back({.name = table.name,
                               .population = release.population[t],
                               .methods = MethodsOf(release.evidence, table),
                               .csv = Describe(csv),
                               .json_stat = Describe(json_stat),
                               .sdmx_csv = Describe(sdmx_csv)});
    files[CsvPath(table.name)] = std::move(csv);
    files[JsonStatPath(table.name)] = std::move(json_stat);
    files[SdmxCsvPath(table.name)] = std::move(sdmx_csv);
  }
  files[kRequestFile] = documents.request;
  std::string bytes = FormatManifest(manifest);
  SLUIS_RETURN_IF_ERROR(ParseManifest(bytes).status());
  files[kManifestFile] = std::move(bytes);
  return files;
}

void AddReleasedHashes(const ReleaseFiles& files, Evidence& evidence) {
  evidence.released_sha256.clear();
  for (const auto& [path, bytes] : files) evidence.released_sha256[path] = common::Sha256(bytes);
}

common::Hash256 PublishedHash(const ReleaseFiles& files) { return common::Sha256(files.at(kManifestFile)); }

absl::StatusOr<common::EntryFields> ReleaseEntryFields(const ReleaseFiles& files, const ProtectedRelease& release,
                                                       std::string_view sealed_evidence) {
  const auto found = files.find(kManifestFile);
  if (found == files.end()) return absl::InvalidArgumentError("release.json: missing");
  SLUIS_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(found->second));
  return common::EntryFields{
      {"project", manifest.project},
      {"permit_sha256", common::HexOf(manifest.permit_sha256)},
      {"release", manifest.release},
      {"request", manifest.request},
      {"request_sha256", common::HexOf(manifest.request_sha256)},
      {"link_set", manifest.link_set},
      {"rule_set", manifest.rule_set},
      {"rule_set_sha256", common::HexOf(manifest.rule_set_sha256)},
      {"engine", manifest.software},
      {"published_sha256", common::HexOf(common::Sha256(found->second))},
      {"evidence_sha256", common::HexOf(common::Sha256(sealed_evidence))},
      {"cells", release.cells},
      {"suppressed", SuppressionBand(release.suppressed)},
  };
}

}  // namespace sluis::disclosure
