#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/keystore/keystore.h"
#include "common/permit/permit.h"
#include "common/rpc/service_log.h"
#include "keys/custody/custody.h"

// The life of a project's OPRF keys in keystore and log: made, served, destroyed.
//
// A key is in the keystore first and in the log after it: an entry never speaks of a key that was not kept, or of a
// destruction that did not happen. What a crash leaves between the two is made good by CompleteKeyChanges, which runs
// before anything else is done with the keys.

namespace sluis::keys {

// Where the keys are and where it is said. Both outlive the calls.
struct KeyRecords {
  common::Keystore& keystore;
  common::ServiceLog& log;
};

// Brings the log up to what the keystore says: an entry for each key that has none, and for each destroyed key one that
// it was destroyed. A project of which one key is destroyed loses the others too: its destruction was interrupted.
// Returns the keys whose creation was logged now. Idempotent. Errors: as Keystore::Destroy and ServiceLog::Append.
[[nodiscard]] absl::StatusOr<std::vector<common::KeyEntry>> CompleteKeyChanges(const KeyRecords& records,
                                                                               std::int64_t now_seconds);

// Returns the OPRF keys of the keystore, destroyed ones too, in the order of their creation.
[[nodiscard]] std::vector<common::KeyEntry> ProjectKeys(const common::Keystore& keystore);

// Makes the key of a project and purpose, logs it and returns it. If an earlier call made it and ended before it was
// logged, that key is logged and returned.
// Errors: INVALID_ARGUMENT as CheckProjectAndPurpose; ALREADY_EXISTS, with the public key; FAILED_PRECONDITION (reason
// KEY_DESTROYED) if a key of the project was destroyed: another one would give other pseudonyms; as CompleteKeyChanges
// and Keystore::Add.
[[nodiscard]] absl::StatusOr<common::KeyEntry> CreateProjectKey(const KeyRecords& records, const std::string& project,
                                                                const std::string& purpose, std::int64_t now_seconds);

// Destroys all keys of `project`, logs that, and returns them. Destroyed already: returns them all the same. After an
// error some may be gone; call again. Errors: NOT_FOUND if the project has no key here; as CompleteKeyChanges.
[[nodiscard]] absl::StatusOr<std::vector<common::KeyEntry>> DestroyProjectKeys(const KeyRecords& records,
                                                                               const std::string& project,
                                                                               std::int64_t now_seconds);

// Loads the active keys, and has `custody` refuse the projects whose keys are destroyed. Errors: as Keystore::Secret
// and KeyCustody::AddKey.
[[nodiscard]] absl::Status LoadKeys(const common::Keystore& keystore, KeyCustody& custody);

// A permit whose public keys are not those held here would only make custodians refuse every answer. Errors:
// FAILED_PRECONDITION (reason KEY_ABSENT or KEY_MISMATCH); a key that was destroyed counts as held.
[[nodiscard]] absl::Status CheckPermitKeys(const common::Permit& permit, const common::Keystore& keystore);

// If the retention of `permit` ended before `today`: destroys its project's keys, here and in `custody`, deletes what
// `ledger` holds of the project, and writes an entry "retention". Idempotent, also after a crash in its midst. Errors:
// as DestroyProjectKeys and QuotaLedger::Forget; what is left is done by the next call.
[[nodiscard]] absl::Status EndRetention(const common::Permit& permit, const KeyRecords& records, KeyCustody& custody,
                                        QuotaLedger& ledger, common::Day today, std::int64_t now_seconds);

}  // namespace sluis::keys
