#include "linker/server/housekeeping.h"

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/rpc/runtime.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace {

absl::Status ExpireUploads(RecordStore& records, std::int64_t now_seconds) {
  SLUIS_ASSIGN_OR_RETURN(const auto expired, records.ExpireUploads(now_seconds, kMaxIdleSeconds));
  for (const DeliveryName& name : expired) {
    common::LogInfo("upload_expired",
                    {{"project", records.project()}, {"register", name.register_name}, {"delivery", name.delivery_id}});
  }
  return absl::OkStatus();
}

absl::StatusOr<PreparedErasure> PrepareErasure(const HousekeepingParts& parts, const std::string& project) {
  const auto records = parts.projects.find(project);
  if (records != parts.projects.end()) return records->second->PrepareErasure();
  PreparedErasure prepared;
  SLUIS_ASSIGN_OR_RETURN(prepared.counts, CollectErasure(parts.store, project, prepared.change.batch));
  return prepared;
}

absl::Status Erase(const HousekeepingParts& parts, const common::Permit& permit, std::int64_t now_seconds) {
  SLUIS_ASSIGN_OR_RETURN(const PreparedErasure prepared, PrepareErasure(parts, permit.id));
  common::EntryFields fields = {{"project", permit.id}, {"permit_sha256", common::HexOf(permit.sha256)}};
  if (prepared.change.batch.empty()) {
    SLUIS_ASSIGN_OR_RETURN(const auto earlier, parts.log.Find(common::entry_type::kRetention, fields));
    if (earlier.has_value()) return absl::OkStatus();
  }
  common::WriteBatch batch = prepared.change.batch;
  batch.DeletePrefix(kRequestFamily, permit.id + "/");
  fields["deliveries"] = static_cast<std::int64_t>(prepared.counts.deliveries);
  fields["link_sets"] = static_cast<std::int64_t>(prepared.counts.link_sets);
  const std::string entry = common::FormatEntry(common::entry_type::kRetention, now_seconds, std::move(fields));
  SLUIS_RETURN_IF_ERROR(parts.log.Append(entry, batch).status());
  common::LogInfo("retention_ended", {{"project", permit.id},
                                      {"deliveries", absl::StrCat(prepared.counts.deliveries)},
                                      {"link_sets", absl::StrCat(prepared.counts.link_sets)}});
  return absl::OkStatus();
}

absl::Status EndRetention(const HousekeepingParts& parts, const common::Permit& permit, std::int64_t now_seconds) {
  SLUIS_RETURN_IF_ERROR(Erase(parts, permit, now_seconds));
  const absl::StatusOr<common::KeyEntry> key = parts.keystore.Find(permit.id, common::kStoragePurpose);
  if (absl::IsNotFound(key.status())) return absl::OkStatus();
  SLUIS_RETURN_IF_ERROR(key.status());
  return parts.keystore.Destroy(key->id);
}

}  // namespace

absl::Status KeepHouse(const HousekeepingParts& parts, std::int64_t now_seconds) {
  constexpr std::int64_t kSecondsPerDay = 86'400;
  const auto today = static_cast<common::Day>(now_seconds / kSecondsPerDay);
  absl::Status first_error;
  for (const auto& [id, bundle] : parts.permits.all()) {
    const auto records = parts.projects.find(id);
    if (common::RetentionEnded(bundle.permit, today)) {
      first_error.Update(common::Annotate(EndRetention(parts, bundle.permit, now_seconds), id));
    } else if (records != parts.projects.end()) {
      first_error.Update(common::Annotate(ExpireUploads(*records->second, now_seconds), id));
    }
  }
  return first_error;
}

}  // namespace sluis::linker
