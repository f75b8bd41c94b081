#include "cli/audit/verify_release.h"

#include "absl/strings/str_cat.h"
#include "cli/audit/checks.h"
#include "common/entry/entry.h"
#include "common/status/status.h"
#include "common/tlog/verifier.h"

namespace sluis::cli {
namespace {

constexpr const char* kPublicChecks[] = {"files",  "entry",   "figures", "proof",   "permit", "request",
                                         "tables", "formats", "flags",   "methods", "totals", "recomputation"};
constexpr const char* kEvidenceChecks[] = {"evidence", "documents", "rules", "true-values", "certificate", "levels"};

}  // namespace

absl::StatusOr<Verdict> VerifyRelease(const AuditInput& input, const std::optional<AuditorInput>& auditor,
                                      const AuditOptions& options) {
  Verdict verdict;
  const auto step = [&](std::string_view name) {
    if (options.progress) options.progress(name, 0, 1);
  };
  const absl::StatusOr<disclosure::Manifest> manifest = ReadManifest(input.files);
  if (!verdict.Add("manifest", manifest.status(), "release.json is in its one form")) {
    for (const char* name : kPublicChecks) verdict.AddNotDone(name, "manifest");
    if (!input.log_directory.empty()) verdict.AddNotDone("log", "manifest");
    if (auditor) {
      for (const char* name : kEvidenceChecks) verdict.AddNotDone(name, "manifest");
    }
    return verdict;
  }
  step("files");
  verdict.Add("files", CheckFiles(input.files, *manifest), "all files are there, with their hashes");
  const absl::StatusOr<common::Entry> entry = CheckEntry(input.files, *manifest);
  verdict.Add("entry", entry.status(), "the log entry is about these files and this permit");
  verdict.Add("proof", CheckProof(input.files, input.permit), "the entry is in the gate's log");
  verdict.Add("permit", CheckPermit(input, *manifest), "released under this permit and its rule set");

  step("tables");
  std::vector<std::int32_t> population;
  for (const disclosure::ManifestTable& table : manifest->tables) population.push_back(table.population);
  const absl::StatusOr<std::vector<disclosure::ReleasedTable>> tables = ReadTables(input.files, *manifest);
  if (verdict.Add("tables", tables.status(), "every tidy CSV is a whole table")) {
    if (entry.ok()) {
      verdict.Add("figures", CheckFigures(*entry, *tables), "the numbers of cells are those in the entry");
    } else {
      verdict.AddNotDone("figures", "entry");
    }
    verdict.Add("request", CheckRequest(input, *manifest, *tables), "allowed by the permit; these are its tables");
    verdict.Add("formats", CheckFormats(input.files, *tables), "JSON-stat and SDMX-CSV say what the tidy CSV says");
    const absl::StatusOr<disclosure::PublicMethods> methods = CheckPublicMethods(input, *manifest, *tables);
    if (verdict.Add("methods", methods.status(), "each measure names the method that was asked for")) {
      verdict.Add("totals", CheckTotals(*tables, population, *methods), "what is published adds up, where it should");
      disclosure::SecondOpinionOptions attack{.progress = {}, .cancelled = options.cancelled};
      if (options.progress) {
        attack.progress = [&](std::int64_t done, std::int64_t total) {
          options.progress("recomputation", done, total);
        };
      }
      const absl::Status recomputation = CheckRecomputation(*tables, population, attack, *methods);
      if (absl::IsCancelled(recomputation)) return recomputation;
      verdict.Add("recomputation", recomputation, "no protected value can be computed from the published ones");
    } else {
      for (const char* name : {"totals", "recomputation"}) verdict.AddNotDone(name, "methods");
    }
  } else {
    for (const char* name : {"figures", "request", "formats", "methods", "totals", "recomputation"}) {
      verdict.AddNotDone(name, "tables");
    }
  }
  verdict.Add("flags", CheckFlags(input.files, *manifest), "no flag tells primary from secondary");
  if (!input.log_directory.empty()) {
    step("log");
    verdict.Add("log", CheckLogDirectory(input), "the whole log agrees with itself and with the proof");
  }
  if (!auditor) return verdict;
  step("evidence");
  if (!entry.ok() || !tables.ok()) {
    for (const char* name : kEvidenceChecks) verdict.AddNotDone(name, entry.ok() ? "tables" : "entry");
    return verdict;
  }
  SLUIS_RETURN_IF_ERROR(AddEvidenceChecks(input, *auditor, options, *manifest, *entry, *tables, verdict));
  return verdict;
}

LogAudit VerifyLog(const std::string& directory, const common::VerifierKey& key, const std::string& older) {
  LogAudit audit;
  absl::Status form;
  common::LogVerification verification{.key = key, .older_checkpoint = std::nullopt, .visit = {}};
  if (!older.empty()) verification.older_checkpoint = older;
  verification.visit = [&](std::uint64_t index, std::string_view bytes) {
    const absl::StatusOr<common::Entry> entry = common::ParseEntry(bytes);
    if (entry.ok()) {
      ++audit.entries_by_type[entry->type];
    } else if (form.ok()) {
      form = common::Annotate(entry.status(), absl::StrCat("entry ", index));
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<common::Checkpoint> checkpoint = common::VerifyLogDirectory(directory, verification);
  if (!audit.verdict.Add("log", checkpoint.status(), "signed, and all entries and tiles agree with the checkpoint")) {
    audit.verdict.AddNotDone("entries", "log");
    return audit;
  }
  audit.size = checkpoint->size;
  audit.verdict.Add("entries", form, "every entry is in its one form");
  return audit;
}

}  // namespace sluis::cli
