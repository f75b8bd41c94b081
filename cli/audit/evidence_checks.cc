#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "cli/audit/checks.h"
#include "common/status/status.h"
#include "disclosure/release/evidence.h"
#include "disclosure/suppress/certificate.h"

namespace sluis::cli {
namespace {

using disclosure::Evidence;
using disclosure::Manifest;
using disclosure::ReleasedTable;

absl::Status Fails(const std::string& message) { return absl::FailedPreconditionError(message); }

absl::StatusOr<Evidence> OpenAndDecode(const AuditInput& input, const AuditorInput& auditor, const Manifest& manifest,
                                       const common::Entry& entry) {
  if (entry.Text("evidence_sha256") != common::HexOf(common::Sha256(auditor.sealed_evidence))) {
    return Fails("not the evidence that the entry names: its hash is another");
  }
  const disclosure::EvidenceBinding binding{.release = manifest.release,
                                            .published_sha256 = disclosure::PublishedHash(input.files)};
  SLUIS_ASSIGN_OR_RETURN(const std::string opened,
                         disclosure::OpenEvidence(auditor.sealed_evidence, auditor.key, binding));
  return disclosure::DecodeEvidence(opened);
}

absl::Status CheckDocuments(const AuditInput& input, const Manifest& manifest, const Evidence& evidence) {
  if (evidence.permit_id != manifest.project || evidence.permit_sha256 != manifest.permit_sha256 ||
      evidence.request_id != manifest.request || evidence.link_set != manifest.link_set ||
      evidence.software != manifest.software) {
    return Fails("evidence: permit, request, link set or software: not those of release.json");
  }
  if (common::Sha256(evidence.request) != manifest.request_sha256) {
    return Fails("evidence: request: not the one in the release");
  }
  if (common::Sha256(evidence.rule_set) != manifest.rule_set_sha256) {
    return Fails("evidence: rule set: not the one in release.json");
  }
  for (const auto& [name, bytes] : evidence.attachments) {
    const common::PermitAttachment* expected = input.permit.FindAttachment(name);
    if (expected == nullptr || expected->sha256 != common::Sha256(bytes)) {
      return Fails("evidence: attachment " + name + ": not the permit's");
    }
  }
  for (const auto& [path, bytes] : input.files) {
    if (path == disclosure::kEntryFile || path == disclosure::kProofFile) continue;  // made after the evidence
    const auto hash = evidence.released_sha256.find(path);
    if (hash == evidence.released_sha256.end() || hash->second != common::Sha256(bytes)) {
      return Fails("evidence: " + path + ": not the file that was released");
    }
  }
  for (const auto& [path, hash] : evidence.released_sha256) {
    if (!input.files.contains(path)) return Fails("evidence: " + path + ": was released, and is not here");
  }
  return absl::OkStatus();
}

absl::Status CheckRules(const AuditInput& input, const Evidence& evidence) {
  const absl::StatusOr<disclosure::RuleSet> rules = input.read_rules(evidence.rule_set);
  if (!rules.ok()) return common::Annotate(rules.status(), "rule set");
  return disclosure::VerifyEvidence(evidence, *rules);
}

// Takes the values out of `table` that are published although the pattern suppresses them, after checking that they are
// the true ones, and notes where they are. What they may be is for ProveProtection to say.
absl::Status TakeConcessions(const Evidence& evidence, ReleasedTable& table, disclosure::Concessions& conceded) {
  const auto own = std::find_if(evidence.tables.begin(), evidence.tables.end(),
                                [&](const disclosure::EvidenceTable& other) { return other.name == table.name; });
  if (own == evidence.tables.end()) return Fails("evidence: no table " + table.name);
  if (own->measures.size() != table.measures.size() || own->cell_of.size() != static_cast<std::size_t>(table.Cells())) {
    return Fails("table " + table.name + ": other cells or measures were published");
  }
  const std::vector<disclosure::Measure>& measures = evidence.request_system.system.measures;
  for (std::size_t m = 0; m < table.measures.size(); ++m) {
    const auto measure = std::find_if(measures.begin(), measures.end(), [&](const disclosure::Measure& other) {
      return other.name == table.measures[m].name;
    });
    if (measure == measures.end()) return Fails("table " + table.name + ": another measure was published");
    for (std::size_t cell = 0; cell < own->cell_of.size(); ++cell) {
      const std::int32_t in_system = own->cell_of[cell];
      const auto c = static_cast<std::size_t>(in_system);
      std::optional<std::int64_t>& value = table.values[cell * table.measures.size() + m];
      if (evidence.pattern[c] == 0 || !value || !table.measures[m].method.empty()) continue;
      if (*value != measure->value[c]) {
        return Fails(
            absl::StrCat("table ", table.name, ", measure ", measure->name, ", cell ", cell, ": not the true value"));
      }
      conceded[static_cast<std::size_t>(measure - measures.begin())].push_back(in_system);
      value.reset();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<disclosure::Concessions> CheckTrueValues(const Evidence& evidence,
                                                        const std::vector<ReleasedTable>& tables) {
  if (evidence.tables.size() != tables.size()) return Fails("evidence: not as many tables as were released");
  disclosure::Concessions conceded(evidence.request_system.system.measures.size());
  for (ReleasedTable table : tables) {
    SLUIS_RETURN_IF_ERROR(TakeConcessions(evidence, table, conceded));
    SLUIS_RETURN_IF_ERROR(disclosure::CompareWithReleased(evidence, table));
  }
  for (std::vector<std::int32_t>& cells : conceded) {
    std::sort(cells.begin(), cells.end());
    cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
  }
  return conceded;
}

absl::Status CheckProofOfProtection(const Evidence& evidence, const disclosure::Concessions& conceded) {
  SLUIS_ASSIGN_OR_RETURN(const disclosure::Certificate certificate,
                         disclosure::DecodeCertificate(std::as_bytes(std::span(evidence.certificate))));
  return disclosure::ProveProtection(evidence.request_system.system, evidence.pattern, conceded, certificate);
}

}  // namespace

absl::Status AddEvidenceChecks(const AuditInput& input, const AuditorInput& auditor, const AuditOptions& options,
                               const Manifest& manifest, const common::Entry& entry,
                               const std::vector<ReleasedTable>& tables, Verdict& verdict) {
  const absl::StatusOr<Evidence> evidence = OpenAndDecode(input, auditor, manifest, entry);
  if (!verdict.Add("evidence", evidence.status(), "opens with this key, and belongs to this release")) {
    for (const char* name : {"documents", "rules", "true-values", "certificate", "levels"}) {
      verdict.AddNotDone(name, "evidence");
    }
    return absl::OkStatus();
  }
  verdict.Add("documents", CheckDocuments(input, manifest, *evidence),
              "request, rule set, permit and attachments are those of the release");
  if (!verdict.Add("rules", CheckRules(input, *evidence),
                   "reasons and protection levels are what the rules make of the contributions")) {
    for (const char* name : {"true-values", "certificate", "levels"}) verdict.AddNotDone(name, "rules");
    return absl::OkStatus();
  }
  const absl::StatusOr<disclosure::Concessions> conceded = CheckTrueValues(*evidence, tables);
  if (!verdict.Add("true-values", conceded.status(), "published values are true, suppressed ones as decided")) {
    for (const char* name : {"certificate", "levels"}) verdict.AddNotDone(name, "true-values");
    return absl::OkStatus();
  }
  verdict.Add("certificate", CheckProofOfProtection(*evidence, *conceded), "proves every protection level by addition");
  disclosure::SecondOpinionOptions attack{.progress = {}, .cancelled = options.cancelled};
  if (options.progress) {
    attack.progress = [&](std::int64_t done, std::int64_t total) { options.progress("levels", done, total); };
  }
  const absl::Status levels =
      disclosure::AttackLevels(evidence->request_system.system, evidence->pattern, *conceded, attack);
  if (absl::IsCancelled(levels)) return levels;
  verdict.Add("levels", levels, "no primary cell can be narrowed below its protection levels");
  SLUIS_ASSIGN_OR_RETURN(const disclosure::RuleSet rules, input.read_rules(evidence->rule_set));
  verdict.for_auditor = disclosure::SummariseForAuditor(evidence->request_system.system, evidence->pattern, rules);
  return absl::OkStatus();
}

}  // namespace sluis::cli
