#include "common/rpc/service_log.h"

#include <algorithm>
#include <span>

#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {

absl::StatusOr<std::unique_ptr<ServiceLog>> ServiceLog::Open(std::unique_ptr<LogWriter> writer, Metrics& metrics) {
  std::unique_ptr<ServiceLog> log(new ServiceLog(std::move(writer), metrics));
  for (std::uint64_t i = 0; i < log->writer_->size(); ++i) {
    SLUIS_ASSIGN_OR_RETURN(const std::string entry, log->writer_->Entry(i));
    log->index_[Sha256(entry)] = i;
  }
  return log;
}

absl::StatusOr<LoggedEntry> ServiceLog::Append(const std::string& entry, const WriteBatch& changes) {
  const std::shared_lock under_way(appending_);
  SLUIS_ASSIGN_OR_RETURN(const AppendResult result, writer_->Append(std::span(&entry, 1), changes));
  if (!result.export_status.ok()) {
    LogError("log_export_failed", {{"code", absl::StatusCodeToString(result.export_status.code())},
                                   {"message", std::string(result.export_status.message())}});
  }
  metrics_.CountLogEntries(1);
  {
    const std::lock_guard lock(mutex_);
    index_[Sha256(entry)] = result.first_index;
  }
  SLUIS_ASSIGN_OR_RETURN(std::string proof, writer_->ProveInclusion(result.first_index));
  return LoggedEntry{entry, std::move(proof)};
}

std::optional<std::uint64_t> ServiceLog::IndexOf(const std::string& entry) const {
  const std::lock_guard lock(mutex_);
  const auto it = index_.find(Sha256(entry));
  return it == index_.end() ? std::nullopt : std::optional<std::uint64_t>(it->second);
}

absl::StatusOr<LoggedEntry> ServiceLog::Prove(const std::string& entry) const {
  std::optional<std::uint64_t> index = IndexOf(entry);
  if (!index.has_value()) {
    const std::unique_lock none_under_way(appending_);
    index = IndexOf(entry);
  }
  if (!index.has_value()) return absl::NotFoundError("the log has no such entry");
  SLUIS_ASSIGN_OR_RETURN(std::string proof, writer_->ProveInclusion(*index));
  return LoggedEntry{entry, std::move(proof)};
}

absl::StatusOr<std::optional<std::string>> ServiceLog::Find(const std::string& type, const EntryFields& fields) const {
  for (std::uint64_t i = writer_->size(); i > 0; --i) {
    SLUIS_ASSIGN_OR_RETURN(std::string bytes, writer_->Entry(i - 1));
    SLUIS_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(bytes));
    const bool matches = entry.type == type && std::all_of(fields.begin(), fields.end(), [&entry](const auto& field) {
                           const auto it = entry.fields.find(field.first);
                           return it != entry.fields.end() && it->second == field.second;
                         });
    if (matches) return std::optional<std::string>(std::move(bytes));
  }
  return std::optional<std::string>();
}

}  // namespace sluis::common
