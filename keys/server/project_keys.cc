#include "keys/server/project_keys.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/status/status.h"

namespace sluis::keys {
namespace {

using common::KeyEntry;
using common::KeyState;

common::EntryFields FieldsOf(const KeyEntry& key) {
  return {{"project", key.project}, {"purpose", key.purpose}, {"public_key", common::HexEncode(key.public_key)}};
}

// Returns whether the entry was written now, and not before.
absl::StatusOr<bool> LogOnce(common::ServiceLog& log, const char* type, const common::EntryFields& fields,
                             std::int64_t now_seconds) {
  SLUIS_ASSIGN_OR_RETURN(const auto found, log.Find(type, fields));
  if (found.has_value()) return false;
  SLUIS_RETURN_IF_ERROR(log.Append(common::FormatEntry(type, now_seconds, fields), common::WriteBatch()).status());
  return true;
}

std::vector<KeyEntry> KeysOf(const common::Keystore& keystore, const std::string& project) {
  std::vector<KeyEntry> keys = ProjectKeys(keystore);
  std::erase_if(keys, [&](const KeyEntry& key) { return key.project != project; });
  return keys;
}

}  // namespace

std::vector<KeyEntry> ProjectKeys(const common::Keystore& keystore) {
  std::vector<KeyEntry> keys = keystore.List();
  std::erase_if(keys, [](const KeyEntry& key) { return key.algorithm != common::KeyAlgorithm::kRistretto255Scalar; });
  return keys;
}

absl::StatusOr<std::vector<KeyEntry>> CompleteKeyChanges(const KeyRecords& records, std::int64_t now_seconds) {
  std::set<std::string> ending;
  for (const KeyEntry& key : ProjectKeys(records.keystore)) {
    if (key.state == KeyState::kDestroyed) ending.insert(key.project);
  }
  std::vector<KeyEntry> created;
  for (const KeyEntry& key : ProjectKeys(records.keystore)) {
    SLUIS_ASSIGN_OR_RETURN(const bool added,
                           LogOnce(records.log, common::entry_type::kKeyCreated, FieldsOf(key), now_seconds));
    if (added) created.push_back(key);
    if (!ending.contains(key.project)) continue;
    // Also for a key that is destroyed: what it replaced in the file may not have been overwritten yet.
    SLUIS_RETURN_IF_ERROR(records.keystore.Destroy(key.id));
    SLUIS_RETURN_IF_ERROR(LogOnce(records.log, common::entry_type::kKeyDestroyed, FieldsOf(key), now_seconds).status());
  }
  return created;
}

absl::StatusOr<KeyEntry> CreateProjectKey(const KeyRecords& records, const std::string& project,
                                          const std::string& purpose, std::int64_t now_seconds) {
  SLUIS_RETURN_IF_ERROR(CheckProjectAndPurpose(project, purpose));
  SLUIS_ASSIGN_OR_RETURN(const std::vector<KeyEntry> completed, CompleteKeyChanges(records, now_seconds));
  for (const KeyEntry& key : KeysOf(records.keystore, project)) {
    if (key.state == KeyState::kDestroyed) {
      return common::WithReason(
          absl::FailedPreconditionError(absl::StrCat("the keys of project ", project,
                                                     " were destroyed and are not made anew: a new project needs a "
                                                     "permit with an id of its own")),
          "KEY_DESTROYED");
    }
  }
  const absl::StatusOr<KeyEntry> held = records.keystore.Find(project, purpose);
  if (held.ok()) {
    const bool interrupted = std::ranges::any_of(completed, [&](const KeyEntry& key) { return key.id == held->id; });
    if (interrupted) return *held;
    // The tokens' key is of the project, whatever the permit's version.
    return absl::AlreadyExistsError(
        absl::StrCat("project ", project, " has a key for ", purpose, " already; its public key is ",
                     common::Base64Encode(held->public_key),
                     purpose == kPurposeTokens
                         ? "; it is not rotated, since encodings under another key could not be compared: name "
                           "it in each version of the permit"
                         : ""));
  }
  // Anything but its absence says nothing about the key, and a second one would split the registers.
  if (!absl::IsNotFound(held.status())) return held.status();
  const KeyPair pair = KeyPair::Generate();
  KeyEntry entry;
  entry.id = absl::StrCat(project, "/", purpose);
  entry.project = project;
  entry.purpose = purpose;
  entry.algorithm = common::KeyAlgorithm::kRistretto255Scalar;
  entry.public_key = std::string(common::AsChars(pair.public_key()));
  entry.created_unix_seconds = now_seconds;
  SLUIS_ASSIGN_OR_RETURN(const KeyEntry added, records.keystore.Add(entry, pair.secret_scalar()));
  SLUIS_RETURN_IF_ERROR(CompleteKeyChanges(records, now_seconds).status());
  return added;
}

absl::StatusOr<std::vector<KeyEntry>> DestroyProjectKeys(const KeyRecords& records, const std::string& project,
                                                         std::int64_t now_seconds) {
  const std::vector<KeyEntry> keys = KeysOf(records.keystore, project);
  if (keys.empty()) return absl::NotFoundError(absl::StrCat("project ", project, " has no key here"));
  for (const KeyEntry& key : keys) SLUIS_RETURN_IF_ERROR(records.keystore.Destroy(key.id));
  SLUIS_RETURN_IF_ERROR(CompleteKeyChanges(records, now_seconds).status());
  return KeysOf(records.keystore, project);
}

absl::Status LoadKeys(const common::Keystore& keystore, KeyCustody& custody) {
  for (const KeyEntry& key : ProjectKeys(keystore)) {
    if (key.state != KeyState::kActive) {
      custody.Destroy(key.project);
      continue;
    }
    SLUIS_ASSIGN_OR_RETURN(common::SecretBytes scalar, keystore.Secret(key.id));
    SLUIS_ASSIGN_OR_RETURN(KeyPair pair, KeyPair::FromScalar(std::move(scalar)));
    SLUIS_RETURN_IF_ERROR(custody.AddKey(key.project, key.purpose, std::move(pair)));
  }
  return absl::OkStatus();
}

absl::Status CheckPermitKeys(const common::Permit& permit, const common::Keystore& keystore) {
  const std::vector<KeyEntry> keys = KeysOf(keystore, permit.id);
  for (const auto& [purpose, public_key] : permit.oprf_public_keys) {
    const auto held = std::ranges::find(keys, purpose, &KeyEntry::purpose);
    if (held == keys.end()) {
      return common::WithReason(
          absl::FailedPreconditionError(absl::StrCat("the permit of project ", permit.id, " names a public key for ",
                                                     purpose, ", but none is held here: run create-key first")),
          "KEY_ABSENT");
    }
    if (held->public_key != common::AsChars(public_key)) {
      return common::WithReason(absl::FailedPreconditionError(absl::StrCat("the permit of project ", permit.id,
                                                                           " names another public key for ", purpose,
                                                                           " than the one held here")),
                                "KEY_MISMATCH");
    }
  }
  return absl::OkStatus();
}

absl::Status EndRetention(const common::Permit& permit, const KeyRecords& records, KeyCustody& custody,
                          QuotaLedger& ledger, common::Day today, std::int64_t now_seconds) {
  if (!common::RetentionEnded(permit, today) || KeysOf(records.keystore, permit.id).empty()) return absl::OkStatus();
  common::EntryFields fields = {{"project", permit.id}, {"permit_sha256", common::HexOf(permit.sha256)}};
  SLUIS_ASSIGN_OR_RETURN(const auto ended, records.log.Find(common::entry_type::kRetention, fields));
  if (ended.has_value()) return absl::OkStatus();
  custody.Destroy(permit.id);
  SLUIS_ASSIGN_OR_RETURN(const std::vector<KeyEntry> keys, DestroyProjectKeys(records, permit.id, now_seconds));
  SLUIS_RETURN_IF_ERROR(ledger.Forget(permit.id));
  // Last, so that it stands for what is complete.
  fields.emplace("keys", static_cast<std::int64_t>(keys.size()));
  const std::string entry = common::FormatEntry(common::entry_type::kRetention, now_seconds, std::move(fields));
  return records.log.Append(entry, common::WriteBatch()).status();
}

}  // namespace sluis::keys
