#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/store/link_set.h"
#include "linker/store/record_store.h"

namespace sluis::linker {

struct PreparedLinkSet {
  LinkSetId id{};
  LinkSetHeader header;
  PendingChange change;
};

// Writes one link set. Its chunks go to the store as they come, under a random id that nothing points to; only the
// change that Prepare returns makes them a link set. What a crash leaves of them the next writer deletes. One writer at
// a time for each project. Methods may be called by several threads, one at a time; Create, Prepare and the destructor
// by one.
class LinkSetWriter {
 public:
  // `snapshot` and `store` must outlive the writer. Errors: ABORTED if the project has a writer already; those of the
  // store.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<LinkSetWriter>> Create(RecordStore& store,
                                                                             const ProjectReader& snapshot);
  // Deletes what was written, unless Prepare succeeded.
  ~LinkSetWriter();
  LinkSetWriter(const LinkSetWriter&) = delete;
  LinkSetWriter& operator=(const LinkSetWriter&) = delete;

  struct Link {
    LinkageId id;
    bool found;
  };
  // Writes the links of a register, chunked as `delivery` is; `link_of` is asked for each record, in order.
  [[nodiscard]] absl::StatusOr<LinkedRegister> WriteRegister(const DeliveryRecord& delivery,
                                                             const std::function<Link(std::uint32_t record)>& link_of);

  // Prepares the link set that `header` describes; see PendingChange. Errors: ABORTED if one of its deliveries is no
  // longer current: link again.
  [[nodiscard]] absl::StatusOr<PreparedLinkSet> Prepare(LinkSetHeader header);

 private:
  LinkSetWriter(RecordStore& store, const ProjectReader& snapshot, std::unique_lock<std::mutex> lock);
  absl::Status DropUnfinished();

  RecordStore& store_;
  const ProjectReader& snapshot_;
  std::unique_lock<std::mutex> lock_;  // given away when the link set is prepared
  const std::string build_;
};

}  // namespace sluis::linker
