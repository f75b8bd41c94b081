#pragma once

#include <memory>
#include <string>

#include "common/document/permit_set.h"
#include "common/keystore/keystore.h"
#include "common/rpc/service_log.h"
#include "common/rpc/telemetry.h"
#include "linker/server/linker_service.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/linker/store/country.h"

namespace sluis::linker::testing {

// Dates of the sample permit in days from today, and its limit.
struct Terms {
  int not_after = 10;
  int retention_end = 20;
  int max_link_sets = 12;
  // Both registers have the features of linker/store/people.h, and what is delivered has encodings.
  bool similarity = false;
};

// A linker's parts with the permit of tests/common/document/sample_permit.h (persons and jobs), in memory.
class Project {
 public:
  explicit Project(const Terms& terms = {}, const RecordStoreOptions& options = {});

  const common::Permit& permit() const { return permits->all().begin()->second.permit; }
  // The records, as a service that starts today has them; null once retention has ended.
  RecordStore* records() const;
  // A header that may be uploaded.
  DeliveryHeader Header(const std::string& register_name, const std::string& delivery_id,
                        const std::string& replaces = "") const;
  // Signs a header that was changed, as the register's custodian.
  void Sign(DeliveryHeader& header) const;
  // Uploads and commits 150 records, of persons 1 to 150. With similarity every second job has no match key.
  void Deliver(const std::string& register_name, const std::string& delivery_id, const std::string& replaces = "");
  // The entries of a type in the log.
  std::vector<common::Entry> Entries(std::string_view type) const;

  std::unique_ptr<common::PermitSet> permits;
  std::unique_ptr<common::Store> memory;
  std::unique_ptr<FailingStore> store;
  std::unique_ptr<common::Metrics> metrics;
  std::unique_ptr<common::ServiceLog> log;
  std::unique_ptr<common::Keystore> keystore;
  ProjectStores stores;

 private:
  void LoadPermit(const Terms& terms);

  common::testing::TemporaryDirectory directory_;
};

}  // namespace sluis::linker::testing
