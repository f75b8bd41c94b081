#include "disclosure/server/retention.h"

#include "common/entry/entry.h"
#include "common/rpc/runtime.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"
#include "disclosure/server/ledger_store.h"
#include "disclosure/server/release_store.h"

namespace sluis::disclosure {
namespace {

absl::Status EraseReleases(const common::Permit& permit, const common::Store& store, common::ServiceLog& log,
                           std::int64_t now_seconds) {
  SLUIS_ASSIGN_OR_RETURN(const std::uint64_t releases, ReleaseStore::Count(store, permit.id));
  common::EntryFields fields = {{"project", permit.id}, {"permit_sha256", common::HexOf(permit.sha256)}};
  if (releases == 0) {
    SLUIS_ASSIGN_OR_RETURN(const auto earlier, log.Find(common::entry_type::kRetention, fields));
    if (earlier.has_value()) return absl::OkStatus();
  }
  fields["releases"] = static_cast<std::int64_t>(releases);
  common::WriteBatch changes = ReleaseStore::EraseAll(permit.id);
  changes.Append(LedgerStore::EraseValues(permit.id));
  SLUIS_RETURN_IF_ERROR(
      log.Append(common::FormatEntry(common::entry_type::kRetention, now_seconds, std::move(fields)), changes)
          .status());
  common::LogInfo("retention_ended", {{"project", permit.id}, {"releases", std::to_string(releases)}});
  return absl::OkStatus();
}

}  // namespace

absl::Status EndRetention(const common::Permit& permit, const common::Store& store, common::ServiceLog& log,
                          common::Keystore& keystore, std::int64_t now_seconds) {
  constexpr std::int64_t kSecondsPerDay = 86'400;
  if (!common::RetentionEnded(permit, static_cast<common::Day>(now_seconds / kSecondsPerDay))) return absl::OkStatus();
  SLUIS_RETURN_IF_ERROR(EraseReleases(permit, store, log, now_seconds));
  const absl::StatusOr<common::KeyEntry> key = keystore.Find(permit.id, common::kStoragePurpose);
  if (absl::IsNotFound(key.status())) return absl::OkStatus();
  SLUIS_RETURN_IF_ERROR(key.status());
  return keystore.Destroy(key->id);
}

}  // namespace sluis::disclosure
