#include "cli/audit/checks.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "common/tlog/proof.h"
#include "common/tlog/verifier.h"
#include "disclosure/release/public_system.h"
#include "disclosure/release/summary.h"
#include "disclosure/release/write_csv.h"
#include "disclosure/release/write_json_stat.h"
#include "disclosure/system/int128.h"
#include "disclosure/table/attachment_csv.h"
#include "disclosure/table/build_system.h"
#include "disclosure/table/plan.h"

namespace sluis::cli {
namespace {

using disclosure::Manifest;
using disclosure::ManifestTable;
using disclosure::ReleasedTable;
using disclosure::ReleaseFiles;

absl::Status Fails(const std::string& message) { return absl::FailedPreconditionError(message); }

const std::string* FindFile(const ReleaseFiles& files, const std::string& path) {
  const auto found = files.find(path);
  return found == files.end() ? nullptr : &found->second;
}

absl::Status CheckFile(const ReleaseFiles& files, const std::string& path, const disclosure::ManifestFile& expected) {
  const std::string* bytes = FindFile(files, path);
  if (bytes == nullptr) return Fails(path + ": missing");
  if (bytes->size() != expected.length) return Fails(path + ": not of the length in release.json");
  if (common::Sha256(*bytes) != expected.sha256) return Fails(path + ": not the bytes whose hash is in release.json");
  return absl::OkStatus();
}

absl::StatusOr<disclosure::TablePlan> PlanOf(const AuditInput& input) {
  absl::StatusOr<disclosure::TableRequest> request = input.read_request(input.files.at(disclosure::kRequestFile));
  if (!request.ok()) return common::Annotate(request.status(), "request.yaml");
  absl::StatusOr<disclosure::TablePlan> plan = disclosure::PlanTables(*request, input.permit, input.attachments);
  if (!plan.ok()) return common::Annotate(plan.status(), "request.yaml");
  return plan;
}

absl::Status CheckPlannedTable(const disclosure::PlannedTable& planned, const ReleasedTable& table) {
  if (planned.name != table.name) return Fails("table " + table.name + ": another one was asked for there");
  bool same = planned.dimensions.size() == table.dimensions.size() && planned.measures.size() == table.measures.size();
  for (std::size_t m = 0; same && m < planned.measures.size(); ++m) {
    same = planned.measures[m] == table.measures[m].name;
  }
  if (!same) return Fails("table " + table.name + ": other dimensions or measures than asked for");
  for (std::size_t d = 0; d < planned.dimensions.size(); ++d) {
    const std::vector<disclosure::Hierarchy::Node>& nodes = planned.dimensions[d].hierarchy.nodes();
    const disclosure::ReleasedDimension& dimension = table.dimensions[d];
    same = planned.dimensions[d].name == dimension.name &&
           std::equal(nodes.begin(), nodes.end(), dimension.codes.begin(), dimension.codes.end(),
                      [](const disclosure::Hierarchy::Node& node, const disclosure::ReleasedCode& code) {
                        return node.code == code.code && node.depth == code.level;
                      });
    if (!same) {
      return Fails("table " + table.name + ", dimension " + dimension.name +
                   ": other codes than the permit's hierarchy");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckJsonFlags(const std::string& json, const std::string& path) {
  const nlohmann::json dataset = nlohmann::json::parse(json, nullptr, false);
  if (!dataset.is_object()) return Fails(path + ": not JSON");
  const auto status = dataset.find("status");
  if (status == dataset.end()) return absl::OkStatus();
  if (!status->is_object()) return Fails(path + ": status: an object is expected");
  for (const auto& [position, flag] : status->items()) {
    if (flag != disclosure::kFlagConfidential) return Fails(path + ": a status other than C at position " + position);
  }
  return absl::OkStatus();
}

// Checks the columns `allowed`: name -> the values that may stand there, the one of suppressed values last.
absl::Status CheckCsvFlags(const std::string& csv, const std::string& path, const std::string& value_column,
                           const std::map<std::string, std::pair<std::string, std::string>>& allowed) {
  SLUIS_ASSIGN_OR_RETURN(const auto header_only, disclosure::ReadAttachmentCsv(csv, path, {}));
  if (header_only.empty()) return Fails(path + ": no header");
  const std::vector<std::string>& header = header_only.front();
  const auto column = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const std::size_t value = column(value_column);
  for (const auto& [name, flags] : allowed) {
    const std::size_t flag = column(name);
    if (flag == header.size() || value == header.size()) return Fails(path + ": a column is missing");
    for (std::size_t row = 1; row < header_only.size(); ++row) {
      const std::string& expected = header_only[row][value] == "NaN" ? flags.second : flags.first;
      if (header_only[row][flag] != expected) {
        return Fails(absl::StrCat(path, ", row ", row + 1, ", column ", name, ": ", expected, " is expected"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Manifest> ReadManifest(const ReleaseFiles& files) {
  for (const char* path :
       {disclosure::kManifestFile, disclosure::kRequestFile, disclosure::kEntryFile, disclosure::kProofFile}) {
    if (FindFile(files, path) == nullptr) return absl::NotFoundError(std::string(path) + ": missing");
  }
  return disclosure::ParseManifest(files.at(disclosure::kManifestFile));
}

absl::Status CheckFiles(const ReleaseFiles& files, const Manifest& manifest) {
  std::set<std::string> known = {disclosure::kManifestFile, disclosure::kRequestFile, disclosure::kEntryFile,
                                 disclosure::kProofFile};
  for (const ManifestTable& table : manifest.tables) {
    const std::pair<std::string, disclosure::ManifestFile> parts[] = {
        {disclosure::CsvPath(table.name), table.csv},
        {disclosure::JsonStatPath(table.name), table.json_stat},
        {disclosure::SdmxCsvPath(table.name), table.sdmx_csv}};
    for (const auto& [path, expected] : parts) {
      SLUIS_RETURN_IF_ERROR(CheckFile(files, path, expected));
      known.insert(path);
    }
  }
  for (const std::string& path : known) {
    if (FindFile(files, path) == nullptr) return Fails(path + ": missing");
  }
  if (common::Sha256(files.at(disclosure::kRequestFile)) != manifest.request_sha256) {
    return Fails("request.yaml: not the bytes whose hash is in release.json");
  }
  for (const auto& [path, bytes] : files) {
    if (!known.contains(path)) return Fails(path + ": not a file of this release");
  }
  return absl::OkStatus();
}

absl::StatusOr<common::Entry> CheckEntry(const ReleaseFiles& files, const Manifest& manifest) {
  SLUIS_ASSIGN_OR_RETURN(common::Entry entry, common::ParseEntry(files.at(disclosure::kEntryFile)));
  if (entry.type != common::entry_type::kRelease) return Fails("entry.json: not about a release");
  const std::pair<const char*, std::string> expected[] = {
      {"published_sha256", common::HexOf(disclosure::PublishedHash(files))},
      {"release", manifest.release},
      {"project", manifest.project},
      {"permit_sha256", common::HexOf(manifest.permit_sha256)},
      {"request", manifest.request},
      {"request_sha256", common::HexOf(manifest.request_sha256)},
      {"link_set", manifest.link_set},
      {"rule_set", manifest.rule_set},
      {"rule_set_sha256", common::HexOf(manifest.rule_set_sha256)},
      {"engine", manifest.software}};
  for (const auto& [name, value] : expected) {
    if (entry.Text(name) != value) return Fails(std::string("entry.json: ") + name + ": not that of release.json");
  }
  return entry;
}

absl::Status CheckFigures(const common::Entry& entry, const std::vector<ReleasedTable>& tables) {
  std::int64_t cells = 0, suppressed = 0;
  for (const ReleasedTable& table : tables) {
    cells += table.Cells();
    const auto measures = static_cast<std::ptrdiff_t>(table.measures.size());
    for (auto cell = table.values.begin(); cell != table.values.end(); cell += measures) {
      suppressed += std::find(cell, cell + measures, std::nullopt) != cell + measures ? 1 : 0;
    }
  }
  if (entry.Number("cells") != cells) return Fails("entry.json: cells: not as many as the tables have");
  if (entry.Text("suppressed") != disclosure::SuppressionBand(suppressed)) {
    return Fails("entry.json: suppressed: not the band of the tables");
  }
  return absl::OkStatus();
}

absl::Status CheckProof(const ReleaseFiles& files, const common::Permit& permit) {
  const auto key = permit.log_keys.find("gate");
  if (key == permit.log_keys.end()) return Fails("permit: no log key of the gate");
  SLUIS_ASSIGN_OR_RETURN(const common::VerifierKey verifier, common::ParseVerifierKey(key->second));
  return common::VerifyTlogProof(files.at(disclosure::kProofFile), files.at(disclosure::kEntryFile), verifier).status();
}

absl::Status CheckPermit(const AuditInput& input, const Manifest& manifest) {
  const common::Permit& permit = input.permit;
  if (manifest.project != permit.id) return Fails("release.json: project: not that of the permit");
  if (manifest.permit_sha256 != permit.sha256) return Fails("release.json: made under another version of the permit");
  if (manifest.rule_set != permit.rule_set) return Fails("release.json: rule_set: not that of the permit");
  const common::PermitAttachment* rules = permit.FindAttachment(permit.rule_set);
  if (rules == nullptr || rules->sha256 != manifest.rule_set_sha256) {
    return Fails("release.json: rule_set_sha256: not that of the permit's attachment");
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const AuditInput& input, const Manifest& manifest, const std::vector<ReleasedTable>& tables) {
  const absl::StatusOr<disclosure::TablePlan> plan = PlanOf(input);
  SLUIS_RETURN_IF_ERROR(plan.status());
  if (plan->request_id != manifest.request) return Fails("request.yaml: id: not that of release.json");
  if (plan->tables.size() != tables.size()) return Fails("release.json: not as many tables as asked for");
  const std::vector<std::int32_t> population = disclosure::NumberPopulations(*plan);
  for (std::size_t t = 0; t < tables.size(); ++t) {
    SLUIS_RETURN_IF_ERROR(CheckPlannedTable(plan->tables[t], tables[t]));
    if (population[t] != manifest.tables[t].population) {
      return Fails("release.json: table " + tables[t].name + ": not the population that was asked for");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ReleasedTable>> ReadTables(const ReleaseFiles& files, const Manifest& manifest) {
  std::vector<ReleasedTable> tables;
  for (const ManifestTable& table : manifest.tables) {
    const std::string path = disclosure::CsvPath(table.name);
    const std::string* csv = FindFile(files, path);
    if (csv == nullptr) return Fails(path + ": missing");
    absl::StatusOr<ReleasedTable> read = disclosure::ReadTidyCsv(*csv, table.name);
    if (!read.ok()) return common::Annotate(read.status(), path);
    tables.push_back(*std::move(read));
  }
  return tables;
}

absl::Status CheckFormats(const ReleaseFiles& files, const std::vector<ReleasedTable>& tables) {
  for (const ReleasedTable& table : tables) {
    const std::string* json = FindFile(files, disclosure::JsonStatPath(table.name));
    if (json == nullptr || *json != disclosure::WriteJsonStat(table)) {
      return Fails(disclosure::JsonStatPath(table.name) + ": says other things than the tidy CSV");
    }
    SLUIS_ASSIGN_OR_RETURN(const std::string sdmx, disclosure::WriteSdmxCsv(table, disclosure::SdmxOptions{}));
    const std::string* published = FindFile(files, disclosure::SdmxCsvPath(table.name));
    if (published == nullptr || *published != sdmx) {
      return Fails(disclosure::SdmxCsvPath(table.name) + ": says other things than the tidy CSV");
    }
    if (disclosure::WriteTidyCsv(table) != *FindFile(files, disclosure::CsvPath(table.name))) {
      return Fails(disclosure::CsvPath(table.name) + ": not in the one form of a tidy CSV");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFlags(const ReleaseFiles& files, const Manifest& manifest) {
  for (const ManifestTable& table : manifest.tables) {
    const std::string csv = disclosure::CsvPath(table.name);
    const std::string json = disclosure::JsonStatPath(table.name);
    const std::string sdmx = disclosure::SdmxCsvPath(table.name);
    for (const std::string& path : {csv, json, sdmx}) {
      if (FindFile(files, path) == nullptr) return Fails(path + ": missing");
    }
    SLUIS_RETURN_IF_ERROR(CheckCsvFlags(files.at(csv), csv, "value", {{"flag", {"F", "C"}}}));
    SLUIS_RETURN_IF_ERROR(
        CheckCsvFlags(files.at(sdmx), sdmx, "OBS_VALUE", {{"CONF_STATUS", {"F", "C"}}, {"OBS_STATUS", {"A", "Q"}}}));
    SLUIS_RETURN_IF_ERROR(CheckJsonFlags(files.at(json), json));
  }
  return absl::OkStatus();
}

absl::StatusOr<disclosure::PublicMethods> CheckPublicMethods(const AuditInput& input, const Manifest& manifest,
                                                             const std::vector<ReleasedTable>& tables) {
  SLUIS_ASSIGN_OR_RETURN(const disclosure::TablePlan plan, PlanOf(input));
  const auto document = input.attachments.find(input.permit.rule_set);
  if (document == input.attachments.end()) return Fails("permit: the rule set is missing");
  const absl::StatusOr<disclosure::RuleSet> rules = input.read_rules(document->second);
  if (!rules.ok()) return common::Annotate(rules.status(), "rule set");
  SLUIS_RETURN_IF_ERROR(disclosure::CheckMethods(plan, *rules));
  std::map<std::string, std::string> names;  // of the measures that are not suppressed
  if (plan.count_method != disclosure::kSuppressionMethod) names[plan.count_measure] = plan.count_method;
  for (const disclosure::PlannedAmount& amount : plan.amounts) {
    if (amount.method != disclosure::kSuppressionMethod) names[amount.name] = amount.method;
  }
  std::map<std::string, disclosure::ProtectionMethod> methods;
  for (const auto& [measure, name] : names) methods.emplace(measure, rules->methods.at(name));
  for (std::size_t t = 0; t < tables.size(); ++t) {
    std::map<std::string, std::string> due;
    for (const disclosure::ReleasedMeasure& measure : tables[t].measures) {
      if (const auto found = names.find(measure.name); found != names.end()) due.insert(*found);
    }
    if (manifest.tables[t].methods != due) {
      return Fails("release.json: table " + tables[t].name + ": methods: not those that were asked for");
    }
  }
  return disclosure::ReadMethods(tables, methods);
}

absl::Status CheckTotals(const std::vector<ReleasedTable>& tables, const std::vector<std::int32_t>& population,
                         const disclosure::PublicMethods& methods) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<disclosure::PublicMeasure> measures,
                         disclosure::BuildPublicSystem(tables, population));
  for (const disclosure::PublicMeasure& measure : measures) {
    const auto method = methods.find(measure.name);
    if (method != methods.end() && !disclosure::AddsUp(method->second.method)) continue;
    const disclosure::PublishedTable& table = measure.table;
    for (std::int64_t r = 0; r < table.relations.size(); ++r) {
      const auto total = static_cast<std::size_t>(table.relations.total[static_cast<std::size_t>(r)]);
      if (table.published[total] == 0) continue;
      disclosure::Int128 rest = table.value[total];
      bool all = true;
      for (const std::int32_t part : table.relations.parts(r)) {
        all = all && table.published[static_cast<std::size_t>(part)] != 0;
        rest -= table.value[static_cast<std::size_t>(part)];  // 0 where suppressed
      }
      // What is suppressed is not negative, and is all that may be missing.
      if (rest < 0 || (all && rest != 0)) {
        const std::string& name = tables[static_cast<std::size_t>(measure.shown_in[total])].name;
        return Fails(absl::StrCat("table ", name, ", measure ", measure.name, ", cell ", measure.cell_there[total],
                                  ": its parts do not add up to it"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRecomputation(const std::vector<ReleasedTable>& tables, const std::vector<std::int32_t>& population,
                                const disclosure::SecondOpinionOptions& options,
                                const disclosure::PublicMethods& methods) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<disclosure::ExactCell> exact,
                         disclosure::FindExactCells(tables, population, options, methods));
  if (exact.empty()) return absl::OkStatus();
  return Fails(absl::StrCat(exact.size(), " protected values can be computed, the first in table ",
                            tables[static_cast<std::size_t>(exact.front().table)].name, ", measure ",
                            exact.front().measure, ", cell ", exact.front().cell));
}

absl::Status CheckLogDirectory(const AuditInput& input) {
  SLUIS_ASSIGN_OR_RETURN(const common::TlogProof proof, common::ParseTlogProof(input.files.at(disclosure::kProofFile)));
  const auto key = input.permit.log_keys.find("gate");
  if (key == input.permit.log_keys.end()) return Fails("permit: no log key of the gate");
  SLUIS_ASSIGN_OR_RETURN(const common::VerifierKey verifier, common::ParseVerifierKey(key->second));
  const std::string& entry = input.files.at(disclosure::kEntryFile);
  bool found = false;
  common::LogVerification verification{.key = verifier, .older_checkpoint = proof.checkpoint, .visit = {}};
  verification.visit = [&](std::uint64_t index, std::string_view bytes) {
    found = found || (index == proof.index && bytes == entry);
    return absl::OkStatus();
  };
  SLUIS_RETURN_IF_ERROR(common::VerifyLogDirectory(input.log_directory, verification).status());
  return found ? absl::OkStatus() : Fails("the log does not have the entry at the place that the proof names");
}

}  // namespace sluis::cli
