#include "common/rpc/service_log.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

std::uint64_t CutHash(const std::string& bytes) {
  const Hash256 hash = Sha256(bytes);
  std::uint64_t cut = 0;
  std::memcpy(&cut, hash.data(), sizeof(cut));
  return cut;
}

std::uint64_t BytesKey(const std::string& entry) { return CutHash(absl::StrCat("entry\n", entry)); }

// The key of an entry among those of its type, or nullopt if it lacks a field by which they are indexed.
std::optional<std::uint64_t> LookupKey(const std::string& type, const EntryFields& fields) {
  const std::vector<std::string> names = ServiceLog::LookupFields(type);
  if (names.empty()) return std::nullopt;
  std::string text = absl::StrCat("lookup\n", type);
  for (const std::string& name : names) {
    const auto it = fields.find(name);
    const std::string* value = it == fields.end() ? nullptr : std::get_if<std::string>(&it->second);
    if (value == nullptr) return std::nullopt;
    absl::StrAppend(&text, "\n", value->size(), ":", *value);
  }
  return CutHash(text);
}

bool Includes(const Entry& entry, const std::string& type, const EntryFields& fields) {
  return entry.type == type && std::all_of(fields.begin(), fields.end(), [&entry](const auto& field) {
           const auto it = entry.fields.find(field.first);
           return it != entry.fields.end() && it->second == field.second;
         });
}

}  // namespace

std::vector<std::string> ServiceLog::LookupFields(std::string_view type) {
  static const std::map<std::string, std::vector<std::string>, std::less<>> kFields = {
      {entry_type::kKeyCreated, {"project", "purpose"}},
      {entry_type::kKeyDestroyed, {"project", "purpose"}},
      {entry_type::kPermit, {"permit_sha256"}},
      {entry_type::kDelivery, {"project", "register", "delivery"}},
      {entry_type::kWithdrawal, {"project", "register", "delivery"}},
      {entry_type::kLinkSet, {"project"}},
      {entry_type::kRefusal, {"request_sha256"}},
      {entry_type::kRetention, {"project"}}};
  const auto it = kFields.find(type);
  return it == kFields.end() ? std::vector<std::string>() : it->second;
}

absl::StatusOr<std::unique_ptr<ServiceLog>> ServiceLog::Open(std::unique_ptr<LogWriter> writer, Metrics& metrics) {
  std::unique_ptr<ServiceLog> log(new ServiceLog(std::move(writer), metrics));
  const std::lock_guard lock(log->appending_);
  SLUIS_RETURN_IF_ERROR(log->CatchUp());
  return log;
}

absl::Status ServiceLog::CatchUp() const {
  // Also entries of an append that failed after its write: the writer signs them with the next one.
  for (; indexed_ < writer_->size(); ++indexed_) {
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, writer_->Entry(indexed_));
    const absl::StatusOr<Entry> entry = ParseEntry(bytes);
    const std::optional<std::uint64_t> key = entry.ok() ? LookupKey(entry->type, entry->fields) : std::nullopt;
    const std::lock_guard lock(index_mutex_);
    index_.emplace(BytesKey(bytes), indexed_);
    if (key.has_value()) index_.emplace(*key, indexed_);
  }
  return absl::OkStatus();
}

absl::StatusOr<LoggedEntry> ServiceLog::Append(const std::string& entry, const WriteBatch& changes) {
  const std::lock_guard lock(appending_);
  SLUIS_ASSIGN_OR_RETURN(const AppendResult result, writer_->Append(std::span(&entry, 1), changes));
  if (!result.export_status.ok()) {
    LogError("log_export_failed", {{"code", absl::StatusCodeToString(result.export_status.code())},
                                   {"message", std::string(result.export_status.message())}});
  }
  metrics_.CountLogEntries(1);
  SLUIS_RETURN_IF_ERROR(CatchUp());
  SLUIS_ASSIGN_OR_RETURN(std::string proof, writer_->ProveInclusion(result.first_index));
  return LoggedEntry{entry, std::move(proof)};
}

std::vector<std::uint64_t> ServiceLog::Under(std::uint64_t key) const {
  const std::lock_guard lock(index_mutex_);
  const auto [begin, end] = index_.equal_range(key);
  std::vector<std::uint64_t> numbers;
  for (auto it = begin; it != end; ++it) numbers.push_back(it->second);
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

template <typename Result>
absl::StatusOr<std::optional<Result>> ServiceLog::LookTwice(
    const std::function<absl::StatusOr<std::optional<Result>>()>& look) const {
  SLUIS_ASSIGN_OR_RETURN(std::optional<Result> found, look());
  if (found.has_value()) return found;
  const std::lock_guard none_under_way(appending_);
  SLUIS_RETURN_IF_ERROR(CatchUp());
  return look();
}

absl::StatusOr<LoggedEntry> ServiceLog::Prove(const std::string& entry) const {
  const std::uint64_t key = BytesKey(entry);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> index,
                         LookTwice<std::uint64_t>([&]() -> absl::StatusOr<std::optional<std::uint64_t>> {
                           for (const std::uint64_t number : Under(key)) {
                             SLUIS_ASSIGN_OR_RETURN(const std::string bytes, writer_->Entry(number));
                             if (bytes == entry) return std::optional<std::uint64_t>(number);
                           }
                           return std::optional<std::uint64_t>();
                         }));
  if (!index.has_value()) return absl::NotFoundError("the log has no such entry");
  SLUIS_ASSIGN_OR_RETURN(std::string proof, writer_->ProveInclusion(*index));
  return LoggedEntry{entry, std::move(proof)};
}

absl::StatusOr<std::optional<std::string>> ServiceLog::Find(const std::string& type, const EntryFields& fields) const {
  const std::optional<std::uint64_t> key = LookupKey(type, fields);
  if (!key.has_value()) return absl::InternalError(absl::StrCat("entries of type ", type, " are not found this way"));
  return LookTwice<std::string>([&]() -> absl::StatusOr<std::optional<std::string>> {
    for (const std::uint64_t number : Under(*key)) {
      SLUIS_ASSIGN_OR_RETURN(std::string bytes, writer_->Entry(number));
      SLUIS_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(bytes));
      if (Includes(entry, type, fields)) return std::optional<std::string>(std::move(bytes));
    }
    return std::optional<std::string>();
  });
}

}  // namespace sluis::common
