#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/keystore/keystore.h"
#include "common/permit/permit.h"
#include "common/rpc/service_log.h"
#include "common/store/store.h"

namespace sluis::disclosure {

// If the retention of `permit` ended before the day of `now_seconds`, deletes its releases and evidence, with an entry
// "retention" in the log, and then destroys the key that sealed them, so that what the disk still holds cannot be read.
// What stays: the log, and of the ledger what is public, since published tables stay so.
//
// Entry and deletion are one synced batch; after a crash at any point the next call does what is missing. A permit
// under which nothing is kept any more gets no second entry. Errors: as ServiceLog::Append and Keystore::Destroy.
[[nodiscard]] absl::Status EndRetention(const common::Permit& permit, const common::Store& store,
                                        common::ServiceLog& log, common::Keystore& keystore, std::int64_t now_seconds);

}  // namespace sluis::disclosure
