#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/store/store.h"
#include "linker/match/token.h"
#include "linker/store/delivery.h"
#include "linker/store/link_set.h"
#include "linker/store/project_keys.h"

namespace sluis::linker {

// Reads and opens what the store keeps of one project. All errors: DATA_LOSS if a value was damaged, moved, or sealed
// under another key, and those of common::StoreView; more where said. Thread-safe.
class ProjectReader {
 public:
  // Both must outlive the reader.
  ProjectReader(const common::StoreView& view, const ProjectKeys& keys) : view_(view), keys_(keys) {}

  // Returns the delivery in any state, or nullopt if there is none, or it was aborted or expired.
  [[nodiscard]] absl::StatusOr<std::optional<DeliveryRecord>> Delivery(const DeliveryName& name) const;
  // Returns the committed delivery that stands for the register, or nullopt if there is none.
  [[nodiscard]] absl::StatusOr<std::optional<DeliveryRecord>> Current(const std::string& register_name) const;
  // Returns all deliveries that are known, by register and id.
  [[nodiscard]] absl::StatusOr<std::vector<DeliveryRecord>> Deliveries() const;

  [[nodiscard]] absl::StatusOr<std::optional<ChunkRecord>> ChunkOf(const DeliveryRecord& delivery,
                                                                   std::uint32_t number) const;
  // Returns the chunks that are stored, in order. Errors: DATA_LOSS also if one is missing before the last.
  [[nodiscard]] absl::StatusOr<std::vector<ChunkRecord>> Chunks(const DeliveryRecord& delivery) const;
  // Calls `visit` for the token columns of each chunk, in order; stops with the first status that is not OK.
  [[nodiscard]] absl::Status ScanTokens(const DeliveryRecord& delivery,
                                        const std::function<absl::Status(const TokenChunk&)>& visit) const;
  // Calls `visit` for the encodings of each chunk, in order; stops with the first status that is not OK. `encodings`:
  // encoding_bytes of the header for each record. Precondition: the delivery has encodings.
  [[nodiscard]] absl::Status ScanEncodings(
      const DeliveryRecord& delivery,
      const std::function<absl::Status(std::uint64_t first_record, std::string_view encodings)>& visit) const;
  // Return a chunk's pseudonyms, encodings or sealed rows, as they were uploaded. Errors: NOT_FOUND if the delivery's
  // records are deleted or the chunk is beyond its end.
  [[nodiscard]] absl::StatusOr<std::string> Pseudonyms(const DeliveryRecord& delivery, std::uint32_t chunk) const;
  [[nodiscard]] absl::StatusOr<std::string> Encodings(const DeliveryRecord& delivery, std::uint32_t chunk) const;
  [[nodiscard]] absl::StatusOr<std::string> Rows(const DeliveryRecord& delivery, std::uint32_t chunk) const;

  // Errors: NOT_FOUND if there is no such link set, or if it was deleted (reason LINK_SET_DELETED); DATA_LOSS also if
  // its content does not have the hash `id`.
  [[nodiscard]] absl::StatusOr<LinkSetHeader> LinkSet(const LinkSetId& id) const;
  // Returns all link sets that were ever made, deleted ones too, the oldest first.
  [[nodiscard]] absl::StatusOr<std::vector<StoredLinkSet>> LinkSets() const;
  // Calls `visit` for each chunk of links of one register, in order, and checks that together they have the hash that
  // the link set's id covers; what `visit` did before an error is void. Errors: NOT_FOUND as LinkSet, or if the link
  // set does not hold the register; what `visit` returns.
  [[nodiscard]] absl::Status ScanLinks(const LinkSetId& id, const std::string& register_name,
                                       const std::function<absl::Status(std::uint32_t chunk, LinkChunk)>& visit) const;

 private:
  // Calls `visit` for a column's chunks in order. Errors: DATA_LOSS if one is missing.
  absl::Status ScanColumn(const DeliveryRecord& delivery, Column column,
                          const std::function<absl::Status(std::string_view bytes)>& visit) const;
  absl::StatusOr<std::string> ReadColumn(const DeliveryRecord& delivery, Column column, std::uint32_t chunk) const;
  absl::StatusOr<StoredLinkSet> ReadLinkSet(const LinkSetId& id) const;

  const common::StoreView& view_;
  const ProjectKeys& keys_;
};

// A reader of one moment. Must not outlive the RecordStore that made it. While one is held, a store that met a fault
// cannot heal (common/store), so it is let go when its work is done.
class ProjectSnapshot {
 public:
  ProjectSnapshot(std::unique_ptr<common::StoreView> view, const ProjectKeys& keys)
      : view_(std::move(view)), reader_(*view_, keys) {}

  const ProjectReader& reader() const { return reader_; }

 private:
  std::unique_ptr<common::StoreView> view_;
  ProjectReader reader_;
};

}  // namespace sluis::linker
