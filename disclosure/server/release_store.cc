#include "disclosure/server/release_store.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr char kReleases[] = "releases";
constexpr char kFiles[] = "release_files";
constexpr char kRegisters[] = "released_registers";
constexpr char kDrawLabel[] = "sluis-gate-draws-v1";

}  // namespace

std::vector<std::string> ReleaseStore::Families() { return {kReleases, kFiles, kRegisters}; }

ReleaseStore::ReleaseStore(common::Store& store, const common::Permit& permit, common::SecretBytes storage_key)
    : store_(store), permit_(permit), key_(std::move(storage_key)), draw_secret_(common::DeriveKey(key_, kDrawLabel)) {}

std::string ReleaseStore::Context(const std::string& release_id, const std::string& name) const {
  return absl::StrCat(permit_.id, "/", release_id, "/", name);
}

std::string ReleaseStore::RegisterKey(int index) const {
  const common::PermitRegister& r = permit_.registers[static_cast<std::size_t>(index)];
  return absl::StrCat(r.custodian, " ", r.name);
}

absl::StatusOr<std::optional<ReleaseRecord>> ReleaseStore::Find(const std::string& release_id) const {
  const std::string key = Context(release_id, "");
  SLUIS_ASSIGN_OR_RETURN(const auto sealed, store_.Get(kReleases, key));
  if (!sealed.has_value()) return std::optional<ReleaseRecord>();
  SLUIS_ASSIGN_OR_RETURN(const std::string text, common::AeadOpen(key_, key, *sealed));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return absl::DataLossError("the record of a release is damaged");
  ReleaseRecord record;
  record.request_sha256 = json.value("request_sha256", "");
  record.entry = json.value("entry", "");
  record.summary_json = json.value("summary", "");
  record.files = json.value("files", std::vector<std::string>());
  return std::optional<ReleaseRecord>(std::move(record));
}

absl::StatusOr<std::string> ReleaseStore::File(const std::string& release_id, const std::string& name) const {
  const std::string key = Context(release_id, name);
  SLUIS_ASSIGN_OR_RETURN(const auto sealed, store_.Get(kFiles, key));
  if (!sealed.has_value()) return absl::NotFoundError("there is no such release");
  return common::AeadOpen(key_, key, *sealed);
}

common::WriteBatch ReleaseStore::Put(const std::string& release_id, const ReleaseRecord& record,
                                     const std::map<std::string, std::string>& files) const {
  common::WriteBatch batch;
  const nlohmann::json json = {{"request_sha256", record.request_sha256},
                               {"entry", record.entry},
                               {"summary", record.summary_json},
                               {"files", record.files}};
  const std::string key = Context(release_id, "");
  batch.Put(kReleases, key, common::AeadSeal(key_, key, json.dump()));
  for (const auto& [name, bytes] : files) {
    const std::string file_key = Context(release_id, name);
    batch.Put(kFiles, file_key, common::AeadSeal(key_, file_key, bytes));
  }
  return batch;
}

absl::StatusOr<std::uint64_t> ReleaseStore::Count(const common::StoreView& store, const std::string& project) {
  std::uint64_t count = 0;
  SLUIS_RETURN_IF_ERROR(store.Scan(kReleases, project + "/", {}, [&count](std::string_view, std::string_view) {
    ++count;
    return true;
  }));
  return count;
}

absl::StatusOr<std::set<std::string>> ReleaseStore::Names(const common::StoreView& store) {
  std::set<std::string> names;
  SLUIS_RETURN_IF_ERROR(store.Scan(kReleases, "", {}, [&names](std::string_view key, std::string_view) {
    names.emplace(key.substr(0, key.size() - 1));  // without the "/" at the end
    return true;
  }));
  return names;
}

absl::StatusOr<std::set<std::string>> ReleaseStore::Marked(const common::StoreView& store) {
  std::set<std::string> names;
  SLUIS_RETURN_IF_ERROR(store.Scan(kRegisters, "", {}, [&names](std::string_view, std::string_view name) {
    names.emplace(name);
    return true;
  }));
  return names;
}

common::WriteBatch ReleaseStore::EraseAll(const std::string& project) {
  common::WriteBatch batch;
  batch.DeletePrefix(kReleases, project + "/");
  batch.DeletePrefix(kFiles, project + "/");
  return batch;
}

absl::Status ReleaseStore::CheckNotReleased(const std::set<int>& registers) const {
  for (const int index : registers) {
    SLUIS_ASSIGN_OR_RETURN(const auto earlier, store_.Get(kRegisters, RegisterKey(index)));
    if (!earlier.has_value()) continue;
    return common::WithReason(absl::FailedPreconditionError(absl::StrCat(
                                  "register ", permit_.registers[static_cast<std::size_t>(index)].name,
                                  " was released as ", earlier->substr(earlier->find('/') + 1),
                                  " before this gate kept a ledger: nothing else can be released over it")),
                              "RELEASED_BEFORE");
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
