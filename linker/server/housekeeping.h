#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/document/permit_set.h"
#include "common/keystore/keystore.h"
#include "common/rpc/service_log.h"
#include "common/store/store.h"
#include "linker/server/linker_service.h"

// What the linker deletes by itself.

namespace sluis::linker {

// All outlive the calls. A project whose retention had ended when the service started needs no records here.
struct HousekeepingParts {
  const common::PermitSet& permits;
  const ProjectStores& projects;
  const common::Store& store;
  common::ServiceLog& log;
  common::Keystore& keystore;
};

// An upload to which nothing was added for two weeks is given up; the custodian starts it anew.
inline constexpr std::int64_t kMaxIdleSeconds = 14 * 24 * 3600;

// Gives up the uploads that nobody continues. Of every permit whose retention ended before the day of `now_seconds` it
// deletes deliveries, uploads, link sets and the record of requests, with an entry "retention" in the log, and then
// destroys the key under which they were sealed, so that what the disk or a backup still holds cannot be read.
//
// Entry and deletion are one synced batch. After a crash at any point the next call does what is missing: it is meant
// to run at start and then at intervals. A permit under which nothing is kept any more gets no second entry. What fails
// in one project keeps no other from its turn. Errors: the first of all projects', as RecordStore, ServiceLog::Append,
// Keystore::Destroy; ABORTED while a linkage runs that has not yet noticed the end.
[[nodiscard]] absl::Status KeepHouse(const HousekeepingParts& parts, std::int64_t now_seconds);

}  // namespace sluis::linker
