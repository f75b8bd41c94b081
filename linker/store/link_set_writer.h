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
  bool already_done = false;  // made by an earlier linkage of the same deliveries; `change` is empty
  // Parts of kept comparisons that did not open, so that these were made again. The links are right; the disk is not,
  // or somebody wrote to it.
  std::uint32_t damaged_comparison_parts = 0;
  PendingChange change;
};

// Writes one link set. Its chunks go to the store as they come, under a random id that nothing points to; only the
// change that Prepare returns makes them a link set. What a crash leaves of them the next writer deletes. One writer at
// a time for each project: while it lives, and then until its change is finished or dropped, no other link set comes or
// goes. Methods may be called by several threads, one at a time; all but WriteRegister by one.
class LinkSetWriter {
 public:
  // `store` must outlive the writer. Writes nothing. Errors: ABORTED if the project has a writer already.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<LinkSetWriter>> Create(RecordStore& store);
  // Deletes what was written, unless Prepare succeeded.
  ~LinkSetWriter();
  LinkSetWriter(const LinkSetWriter&) = delete;
  LinkSetWriter& operator=(const LinkSetWriter&) = delete;

  // The project as it was when the writer was made: what is linked.
  const ProjectReader& snapshot() const { return snapshot_->reader(); }

  // Deletes what earlier writers left behind and begins the link set. Errors: those of the store.
  [[nodiscard]] absl::Status Begin();

  struct Link {
    LinkageId id;
    bool found;
  };
  // Writes the links of a register, chunked as `delivery` is; `link_of` is asked for each record, in order.
  [[nodiscard]] absl::StatusOr<LinkedRegister> WriteRegister(const DeliveryRecord& delivery,
                                                             const std::function<Link(std::uint32_t record)>& link_of);

  // Prepares the link set that `header` describes; see PendingChange. The same change deletes the links and reports of
  // the oldest link sets, so that no more remain than the store is to keep; that they were made stays known. Errors:
  // ABORTED if one of its deliveries is no longer current: link again.
  [[nodiscard]] absl::StatusOr<PreparedLinkSet> Prepare(LinkSetHeader header);
  // As Prepare, for a link set that is there: nothing changes. Precondition: nothing was begun. Errors: as Prepare.
  [[nodiscard]] absl::StatusOr<PreparedLinkSet> Reuse(StoredLinkSet link_set);

 private:
  LinkSetWriter(RecordStore& store, std::unique_lock<std::mutex> lock);
  absl::Status DropUnfinished();
  absl::Status CheckCurrent(const LinkSetHeader& header) const;
  void DeleteOldest(std::vector<StoredLinkSet> link_sets, common::WriteBatch& batch) const;

  RecordStore& store_;
  std::unique_lock<std::mutex> lock_;  // given away when the link set is prepared
  const std::unique_ptr<ProjectSnapshot> snapshot_;
  const std::string build_;
  bool begun_ = false;
};

}  // namespace sluis::linker
