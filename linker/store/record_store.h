#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "common/store/store.h"
#include "linker/store/delivery.h"
#include "linker/store/link_set.h"
#include "linker/store/project_keys.h"
#include "linker/store/project_reader.h"

namespace sluis::linker {

// Where an upload stands.
struct UploadStatus {
  DeliveryState state = DeliveryState::kUploading;
  std::uint32_t chunks = 0;   // stored; the number of the chunk to send next
  std::uint64_t records = 0;  // in them
};

// Whether a chunk is on stable storage when AppendChunk returns. A deferred one becomes so with the next synced one;
// until then a power failure, or another fault of the disk, may lose it. A crash of the process loses neither.
enum class Durability { kSynced, kDeferred };

// A change that is ready to be made durable as a whole. The caller may add changes of its own to `batch` (a receipt, a
// log entry) and hands it to RecordStore::Finish, or drops it, and nothing has happened. It holds the project's commit
// lock: other uploads go on, but nothing else begins, ends or is prepared meanwhile; so it is short-lived, and finished
// by the thread that got it.
struct PendingChange {
  common::WriteBatch batch;
  std::vector<std::unique_lock<std::mutex>> locks;
};

// What a project may keep at the linker.
struct RecordStoreOptions {
  // Uploads that a custodian may have open at a time, over all of its registers. Each may hold as many rows as the
  // permit allows its register, so this bounds the disk that an idle custodian can fill.
  std::uint32_t max_open_uploads = 8;
  // Link sets whose links are kept; the oldest beyond are deleted with the making of the next. 1 or more.
  std::uint32_t kept_link_sets = 3;
};

struct PreparedDelivery {
  DeliveryRecord delivery;    // as it will be
  bool already_done = false;  // by an earlier call; `change` is empty
  PendingChange change;
};

// What an erasure deletes.
struct ErasedCounts {
  std::uint64_t deliveries = 0;  // in any state, uploads among them
  std::uint64_t link_sets = 0;   // ever made
};

struct PreparedErasure {
  ErasedCounts counts;
  PendingChange change;  // empty if there is nothing
};

// Adds to `batch` the deletion of everything that `view` has of `project`, whether it can be opened or not, and returns
// its counts. Nothing is added if there is nothing. Errors: those of the view.
[[nodiscard]] absl::StatusOr<ErasedCounts> CollectErasure(const common::StoreView& view, const std::string& project,
                                                          common::WriteBatch& batch);

// Adds to `batch` the deletion of the kept comparisons for which `is_to_go` says so of one of their deliveries and
// their id in hex, with all that points to them. Errors: those of the view.
[[nodiscard]] absl::Status DeleteComparisons(
    const common::StoreView& view, const ProjectKeys& keys,
    const std::function<bool(const DeliveryName& delivery, const std::string& id)>& is_to_go,
    common::WriteBatch& batch);

// The records of one project at the linker: uploads, current deliveries, and link sets. Everything is sealed at rest
// under keys derived from the project's storage key.
//
// What was acknowledged survives a crash at any moment; what was not is there as a whole or not at all. Thread-safe:
// chunks of different deliveries are appended in parallel, those of one are serialised. One object for each project and
// store; two on the same project would not see each other's locks.
//
// Errors of every call: those of common::Store (RESOURCE_EXHAUSTED on a full disk) and DATA_LOSS as ProjectReader.
class RecordStore {
 public:
  static constexpr std::uint32_t kFormatVersion = 3;
  static std::vector<std::string> Families();
  // For RocksDbOptions::migrate. Format 1 had deliveries without signature. They are read as they stand, since nobody
  // can sign them afterwards; the gate gets no link set of them. Format 2 knew no encodings; it is read as it stands.
  // Errors: INTERNAL for another version.
  [[nodiscard]] static absl::Status Migrate(common::Store& store, std::uint32_t found_version);

  // `store` must outlive this, and have been opened with Families(). `storage_key`: 32 bytes from the keystore.
  RecordStore(common::Store& store, std::string project, const common::SecretBytes& storage_key,
              const RecordStoreOptions& options = {})
      : store_(store), keys_(std::move(project), storage_key), reader_(store, keys_), options_(options) {}

  const std::string& project() const { return keys_.project(); }

  // Begins an upload, or finds the one that was begun with the same header, in whatever state it is; durable.
  // Errors:
  //   INVALID_ARGUMENT     what CheckHeader refuses
  //   FAILED_PRECONDITION  DELIVERY_ID_TAKEN: the id was used with another header;
  //                        DELIVERY_NOT_CURRENT: `replaces` is not the register's current delivery, or is empty though
  //                        there is one
  //   RESOURCE_EXHAUSTED   UPLOAD_LIMIT: the custodian of the register has RecordStoreOptions::max_open_uploads open
  [[nodiscard]] absl::StatusOr<UploadStatus> BeginUpload(const DeliveryHeader& header, const common::Permit& permit,
                                                         std::int64_t now_seconds);

  // Stores chunk `number` of an upload, numbered from 0 without gaps; returns where the upload stands afterwards. A
  // chunk that is stored already, with the same digest, is acknowledged again.
  // Errors:
  //   INVALID_ARGUMENT     what CheckChunk refuses; CHUNK_DAMAGED: `digest` is not ChunkDigest of it; CHUNK_DIFFERS: a
  //                        chunk of another digest is stored under the number; TOO_MANY_RECORDS: more than declared
  //   FAILED_PRECONDITION  CHUNK_OUT_OF_ORDER: chunks before it are missing (send from Status().chunks on);
  //                        UPLOAD_ENDED: the delivery is committed, replaced or withdrawn
  //   NOT_FOUND            no such upload: never begun, aborted or expired
  [[nodiscard]] absl::StatusOr<UploadStatus> AppendChunk(const DeliveryName& name, std::uint32_t number,
                                                         const common::Hash256& digest, const Chunk& chunk,
                                                         std::int64_t now_seconds, Durability durability);

  // Errors: NOT_FOUND as AppendChunk.
  [[nodiscard]] absl::StatusOr<UploadStatus> Status(const DeliveryName& name) const;

  // Deletes an upload and all of its chunks; the id may be used again. Errors: NOT_FOUND; FAILED_PRECONDITION with
  // UPLOAD_ENDED if it is committed (withdraw it) or replaced or withdrawn.
  [[nodiscard]] absl::Status AbortUpload(const DeliveryName& name);

  // Aborts all uploads to which nothing was added for more than `max_idle_seconds`; returns their names.
  [[nodiscard]] absl::StatusOr<std::vector<DeliveryName>> ExpireUploads(std::int64_t now_seconds,
                                                                        std::int64_t max_idle_seconds);

  // Prepares to make an upload the register's current delivery, and to delete the records of the one it replaces.
  // `records` and `digest` (DeliveryDigest) are what the custodian counted; the header declared the same records. Done
  // before with the same two: already_done.
  // Errors:
  //   INVALID_ARGUMENT     UPLOAD_INCOMPLETE: records or digest differ from what is stored
  //   FAILED_PRECONDITION  DELIVERY_NOT_CURRENT as BeginUpload: another delivery was faster; UPLOAD_ENDED: replaced or
  //                        withdrawn since
  //   NOT_FOUND            as AppendChunk
  [[nodiscard]] absl::StatusOr<PreparedDelivery> PrepareCommit(const DeliveryName& name, std::uint64_t records,
                                                               const common::Hash256& digest, std::int64_t now_seconds);

  // Prepares to withdraw the register's current delivery as a whole and to delete its records. Withdrawn before:
  // already_done. Link sets made of it stay, and name it.
  // Errors: NOT_FOUND; FAILED_PRECONDITION with DELIVERY_NOT_CURRENT if it is not the current delivery.
  [[nodiscard]] absl::StatusOr<PreparedDelivery> PrepareWithdrawal(const DeliveryName& name, std::int64_t now_seconds);

  // Prepares to delete everything of the project. While the change is held nothing of the project is written. Errors:
  // ABORTED if a linkage is running: try again when it has ended.
  [[nodiscard]] absl::StatusOr<PreparedErasure> PrepareErasure();

  // Makes `change` durable. After an error it depends on the error whether it is (see common::Store::Write); preparing
  // it again tells.
  [[nodiscard]] absl::Status Finish(PendingChange change);

  // Reads what is newest; two calls may see different moments.
  const ProjectReader& reader() const { return reader_; }
  [[nodiscard]] std::unique_ptr<ProjectSnapshot> Snapshot() const {
    return std::make_unique<ProjectSnapshot>(store_.Snapshot(), keys_);
  }

 private:
  friend class KeptComparisons;
  friend class LinkSetWriter;

  // Serialises the chunks of one upload; uploads may share a lock.
  std::mutex& UploadLock(const DeliveryName& name) const;
  absl::StatusOr<DeliveryRecord> FindUpload(const DeliveryName& name) const;
  absl::Status CheckReplaces(const DeliveryHeader& header) const;
  absl::Status CheckOpenUploads(const std::string& register_name, const common::Permit& permit) const;
  void PutDelivery(const DeliveryRecord& delivery, common::WriteBatch& batch) const;
  void PutColumns(const DeliveryRecord& delivery, std::uint32_t number, const ChunkRecord& stored, const Chunk& chunk,
                  common::WriteBatch& batch) const;
  // Adds to `batch` the deletion of a delivery's records and of what was learnt from them.
  absl::Status DeleteRecords(const DeliveryName& name, common::WriteBatch& batch) const;
  // Precondition: commit_mutex_ and the upload's lock are held.
  absl::Status DeleteUpload(const DeliveryName& name);

  common::Store& store_;
  const ProjectKeys keys_;
  const ProjectReader reader_;
  const RecordStoreOptions options_;
  std::mutex commit_mutex_;   // guards what deliveries there are and which are current
  std::mutex linkage_mutex_;  // held while a link set is being written; taken before commit_mutex_
  // Taken after commit_mutex_, and only one at a time, but by PrepareErasure.
  mutable std::array<std::mutex, 64> upload_mutexes_;
};

}  // namespace sluis::linker
