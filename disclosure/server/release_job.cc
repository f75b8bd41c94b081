// The work of a release, from sealed rows to an entry in the log.

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "disclosure/ledger/describe.h"
#include "disclosure/protect/package.h"
#include "disclosure/protect/protect.h"
#include "disclosure/server/gate_service.h"
#include "disclosure/server/opened_registers.h"

namespace sluis::disclosure {
namespace {

constexpr std::int64_t kSparsenessShownFrom = 200;

// The share of the whole job, in percent, at which each step begins; fetching takes the first part.
std::uint64_t StartOf(std::string_view step) {
  if (step == "derive") return 30;
  if (step == "tabulate") return 32;
  if (step == "suppress") return 40;
  if (step == "clean up") return 60;
  if (step == "conceal") return 78;
  if (step == "search") return 80;
  if (step == "prove") return 88;
  return 90;  // attack
}

std::string RequesterJson(const RequesterSummary& summary, const std::string& release_id, const std::string& link_set) {
  nlohmann::ordered_json out = {{"release", release_id}, {"link_set", link_set}};
  for (const RequesterSummary::Table& table : summary.tables) {
    out["tables"].push_back(
        {{"name", table.name}, {"cells", table.cells}, {"suppressed_cells", table.suppressed_cells}});
  }
  return out.dump(2);
}

std::string DryRunJson(const DryRunResult& result, const std::string& link_set) {
  nlohmann::ordered_json out = {{"dry_run", true}, {"link_set", link_set}};
  for (const DryRunFigures::Table& table : result.figures.tables) {
    nlohmann::ordered_json one = {{"name", table.name}, {"cells", table.cells}};
    // In a small table even a rounded share would tell which cells are empty.
    if (table.cells >= kSparsenessShownFrom) one["empty_percent"] = table.empty_percent;
    out["tables"].push_back(std::move(one));
  }
  out["would_be_refused"] = result.refusals;
  return out.dump(2);
}

// Names of releases for the log; many are named by their hash.
std::string NamesOf(const std::vector<std::string>& releases) {
  constexpr std::size_t kMaxBytes = 4'000;
  std::string names;
  for (const std::string& release : releases) absl::StrAppend(&names, names.empty() ? "" : " ", release);
  if (names.size() <= kMaxBytes) return names;
  return absl::StrCat(releases.size(), " releases, sha256 ", common::HexOf(common::Sha256(names)));
}

}  // namespace

absl::StatusOr<std::string> GateService::Release(const Work& work, common::JobControl& control) {
  const common::PermitBundle& bundle = *work.project.bundle;
  const common::Permit& permit = bundle.permit;
  if (!work.dry_run) {
    // A job of this id that was cancelled too late may have released it meanwhile.
    SLUIS_ASSIGN_OR_RETURN(const bool released, IsReleased(work));
    if (released) return work.request.id;
  }
  SLUIS_RETURN_IF_ERROR(work.project.releases->CheckNotReleased(work.registers));

  control.SetStep("fetch");
  const std::string link_set = work.request.link_set == "latest" ? std::string() : work.request.link_set;
  const common::SecretBytes& draw_secret = work.project.releases->draw_secret();
  std::optional<RecordKeyMaker> record_keys;
  if (NeedsRecordKeys(work.plan, work.rules)) record_keys.emplace(draw_secret);
  SLUIS_ASSIGN_OR_RETURN(const OpenedRegisters opened,
                         OpenRegisters(parts_.linker, permit, link_set, work.registers, parts_.sealing_key, control,
                                       record_keys ? &*record_keys : nullptr));

  ReleaseDocuments documents;
  documents.permit_id = permit.id;
  documents.permit_sha256 = permit.sha256;
  documents.link_set = opened.link_set_id;
  documents.software = absl::StrCat("sluis ", SLUIS_VERSION);
  documents.request = work.document;
  documents.rule_set_name = permit.rule_set;
  documents.rule_set = bundle.attachments.at(permit.rule_set);
  documents.attachments = bundle.attachments;
  ProtectOptions options;
  options.threads = parts_.threads;
  options.cancelled = control.cancel_flag();
  // Only the step is shown: how far it is tells how many cells need protection.
  options.progress = [&control](std::string_view step, std::int64_t, std::int64_t) {
    control.SetStep(std::string(step));
    control.SetProgress(StartOf(step), 100);
  };
  LedgerInput ledger;
  SLUIS_ASSIGN_OR_RETURN(ledger.request, Describe(work.plan, permit, bundle.attachments,
                                                  {work.rules, common::HexOf(common::Sha256(documents.rule_set)),
                                                   absl::StrCat(permit.id, "/", opened.link_set_id)}));
  ProtectInput input{work.plan, opened.registers, work.rules, documents, opened.record_keys, &draw_secret, &ledger};
  // Other jobs may release something meanwhile that must be protected too.
  constexpr int kMaxAttempts = 5;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    SLUIS_ASSIGN_OR_RETURN(const std::uint64_t size, parts_.ledger.Size());
    SLUIS_ASSIGN_OR_RETURN(ledger.earlier, Earlier(work, ledger.request, size));
    if (work.dry_run) {
      SLUIS_ASSIGN_OR_RETURN(const DryRunResult result, DryRun(input, options));
      return DryRunJson(result, opened.link_set_id);
    }
    SLUIS_ASSIGN_OR_RETURN(ProtectedRelease release, Protect(input, options));
    control.SetStep("release");
    absl::StatusOr<std::string> released = Keep(work, input, release, control);
    if (!absl::IsAborted(released.status())) return released;
  }
  return common::WithReason(
      absl::UnavailableError("other requests over the same data are released meanwhile; try again"), "LEDGER_BUSY");
}

absl::StatusOr<EarlierReleases> GateService::Earlier(const Work& work, const LedgerDescription& description,
                                                     std::uint64_t size) const {
  SLUIS_ASSIGN_OR_RETURN(std::vector<LedgerEntry> entries, parts_.ledger.Load(size));
  return SelectEarlier(description, work.project.bundle->permit.id, work.request.replaces, std::move(entries));
}

absl::StatusOr<std::string> GateService::Keep(const Work& work, const ProtectInput& input, ProtectedRelease& release,
                                              common::JobControl& control) {
  const common::Permit& permit = work.project.bundle->permit;
  const LedgerInput& ledger = *input.ledger;
  const std::string& release_id = work.request.id;
  SLUIS_ASSIGN_OR_RETURN(ReleaseFiles files, MakePackage(release, input.documents, release_id));
  AddReleasedHashes(files, release.evidence);
  SLUIS_ASSIGN_OR_RETURN(
      std::string sealed_evidence,
      SealEvidence(EncodeEvidence(release.evidence), permit.auditor_sealing_keys, {release_id, PublishedHash(files)}));
  SLUIS_ASSIGN_OR_RETURN(common::EntryFields fields, ReleaseEntryFields(files, release, sealed_evidence));
  fields["requester"] = work.requester;
  fields["earlier"] = NamesOf(ledger.earlier.consulted);

  ReleaseRecord record;
  record.request_sha256 = common::HexOf(common::Sha256(work.document));
  record.entry = common::FormatEntry(common::entry_type::kRelease, common::NowSeconds(), std::move(fields));
  record.summary_json = RequesterJson(release.for_requester, release_id, input.documents.link_set);
  for (const auto& [name, bytes] : files) record.files.push_back(name);
  files[ReleaseStore::kEvidenceFile] = std::move(sealed_evidence);
  const LedgerEntry entry{.project = permit.id,
                          .release = release_id,
                          .backbone = ledger.request.backbone,
                          .registers = ledger.request.registers,
                          .tables = std::move(release.ledger),
                          .replaces = work.request.replaces};
  SLUIS_RETURN_IF_ERROR(control.CheckCancelled());
  const std::lock_guard lock(release_mutex_);
  SLUIS_RETURN_IF_ERROR(common::CheckRetention(permit, common::Today()));
  SLUIS_ASSIGN_OR_RETURN(const std::uint64_t size, parts_.ledger.Size());
  SLUIS_ASSIGN_OR_RETURN(const EarlierReleases now, Earlier(work, ledger.request, size));
  if (now.consulted != ledger.earlier.consulted) return absl::AbortedError("the ledger has grown");
  // One synced batch: the release is there with its entries in log and ledger, or not at all.
  const ReleaseStore& releases = *work.project.releases;
  common::WriteBatch batch = releases.Put(release_id, record, files);
  batch.Append(parts_.ledger.Append(size, entry, releases.storage_key()));
  SLUIS_RETURN_IF_ERROR(parts_.log.Append(record.entry, batch).status());
  return release_id;
}

}  // namespace sluis::disclosure
