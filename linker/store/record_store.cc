#include "linker/store/record_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace {

using common::WithReason;

absl::Status NoSuchDelivery(const DeliveryName& name) {
  return absl::NotFoundError(
      absl::StrCat("register ", name.register_name,
                   ": there is no such upload or delivery; it was never begun, or was aborted, or expired"));
}

absl::Status Ended(const DeliveryName& name, const std::string& what) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat("register ", name.register_name, ": ", what)),
                    "UPLOAD_ENDED");
}

bool IsZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

}  // namespace

std::vector<std::string> RecordStore::Families() {
  return {std::string(kDeliveries), std::string(kChunks), std::string(kLinkSets)};
}

absl::Status RecordStore::Migrate(common::Store&, std::uint32_t found_version) {
  return found_version == 1 || found_version == 2
             ? absl::OkStatus()
             : absl::InternalError(absl::StrCat("no migration from store format ", found_version));
}

std::mutex& RecordStore::UploadLock(const DeliveryName& name) const {
  return upload_mutexes_[std::hash<std::string>()(keys_.DeliveryKey(name)) % upload_mutexes_.size()];
}

void RecordStore::PutDelivery(const DeliveryRecord& delivery, common::WriteBatch& batch) const {
  const std::string key = keys_.DeliveryKey(delivery.name());
  batch.Put(kDeliveries, key, keys_.SealRecord(key, EncodeDelivery(delivery)));
}

absl::Status RecordStore::CheckReplaces(const DeliveryHeader& header) const {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<DeliveryRecord> current, reader_.Current(header.register_name));
  if ((current ? current->header.delivery_id : "") == header.replaces) {
    return absl::OkStatus();
  }
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "register ", header.register_name,
                        current ? ": it has another current delivery; name that one in 'replaces', or withdraw it first"
                                : ": it has no current delivery to replace; leave 'replaces' empty")),
                    "DELIVERY_NOT_CURRENT");
}

absl::Status RecordStore::CheckOpenUploads(const std::string& register_name, const common::Permit& permit) const {
  const std::string& custodian = permit.FindRegister(register_name)->custodian;
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DeliveryRecord> deliveries, reader_.Deliveries());
  const auto open = std::count_if(deliveries.begin(), deliveries.end(), [&](const DeliveryRecord& delivery) {
    const common::PermitRegister* named = permit.FindRegister(delivery.header.register_name);
    return delivery.state == DeliveryState::kUploading && named != nullptr && named->custodian == custodian;
  });
  if (open < static_cast<std::ptrdiff_t>(options_.max_open_uploads)) {
    return absl::OkStatus();
  }
  return WithReason(absl::ResourceExhaustedError(absl::StrCat("register ", register_name, ": its custodian has ", open,
                                                              " open uploads, and at most ", options_.max_open_uploads,
                                                              " are allowed; finish or abort one of them first")),
                    "UPLOAD_LIMIT");
}

absl::StatusOr<UploadStatus> RecordStore::BeginUpload(const DeliveryHeader& header, const common::Permit& permit,
                                                      std::int64_t now_seconds) {
  SLUIS_RETURN_IF_ERROR(CheckHeader(header, permit));
  if (permit.id != project()) {
    return absl::InvalidArgumentError("delivery header, permit_id: is not this project's");
  }
  const DeliveryName name{header.register_name, header.delivery_id};
  const std::scoped_lock lock(commit_mutex_);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<DeliveryRecord> known, reader_.Delivery(name));
  if (known) {
    if (known->header != header) {
      return WithReason(absl::FailedPreconditionError(
                            absl::StrCat("register ", name.register_name,
                                         ": the delivery id is in use with another header; choose a new delivery id")),
                        "DELIVERY_ID_TAKEN");
    }
    return Status(name);
  }
  SLUIS_RETURN_IF_ERROR(CheckReplaces(header));
  SLUIS_RETURN_IF_ERROR(CheckOpenUploads(name.register_name, permit));
  DeliveryRecord delivery;
  delivery.header = header;
  delivery.begun_seconds = now_seconds;
  common::WriteBatch batch;
  PutDelivery(delivery, batch);
  SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
  return UploadStatus{};
}

absl::StatusOr<DeliveryRecord> RecordStore::FindUpload(const DeliveryName& name) const {
  SLUIS_ASSIGN_OR_RETURN(std::optional<DeliveryRecord> delivery, reader_.Delivery(name));
  if (!delivery) {
    return NoSuchDelivery(name);
  }
  return *std::move(delivery);
}

void RecordStore::PutColumns(const DeliveryRecord& delivery, std::uint32_t number, const ChunkRecord& stored,
                             const Chunk& chunk, common::WriteBatch& batch) const {
  const DeliveryName name = delivery.name();
  const common::Hash256 header_digest = HeaderDigest(delivery.header);
  const std::vector<std::string>& match_keys = delivery.header.match_keys;
  std::vector<Token> tokens(match_keys.size() * chunk.records, Token{});
  for (std::size_t column = 0; column < match_keys.size(); ++column) {
    for (std::size_t record = 0; record < chunk.records; ++record) {
      const std::string_view pseudonym =
          chunk.pseudonyms.substr((record * match_keys.size() + column) * kPseudonymBytes, kPseudonymBytes);
      if (!IsZero(pseudonym)) {
        tokens[column * chunk.records + record] = keys_.JoinToken(match_keys[column], pseudonym);
      }
    }
  }
  const std::string_view token_bytes(reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(Token));
  const auto put = [&](Column column, std::string_view plaintext) {
    const std::string key = keys_.ChunkKey(name, column, number);
    batch.Put(kChunks, key, keys_.SealColumn(column, key, header_digest, plaintext));
  };
  put(Column::kDescription, EncodeChunkRecord(stored));
  put(Column::kTokens, token_bytes);
  put(Column::kPseudonyms, chunk.pseudonyms);
  if (!chunk.encodings.empty()) {
    put(Column::kEncodings, chunk.encodings);
  }
  put(Column::kRows, chunk.rows);
}

absl::StatusOr<UploadStatus> RecordStore::AppendChunk(const DeliveryName& name, std::uint32_t number,
                                                      const common::Hash256& digest, const Chunk& chunk,
                                                      std::int64_t now_seconds, Durability durability) {
  const std::scoped_lock lock(UploadLock(name));
  SLUIS_ASSIGN_OR_RETURN(const DeliveryRecord delivery, FindUpload(name));
  if (delivery.state != DeliveryState::kUploading) {
    return Ended(name, "the delivery is complete; nothing can be added to it");
  }
  SLUIS_RETURN_IF_ERROR(CheckChunk(delivery.header, chunk));
  if (ChunkDigest(number, chunk) != digest) {
    return WithReason(absl::InvalidArgumentError(
                          absl::StrCat("chunk ", number, " does not have the digest stated with it; send it again")),
                      "CHUNK_DAMAGED");
  }
  SLUIS_ASSIGN_OR_RETURN(const std::optional<ChunkRecord> stored, reader_.ChunkOf(delivery, number));
  if (stored) {
    if (stored->sha256 != digest) {
      return WithReason(absl::InvalidArgumentError(absl::StrCat("chunk ", number,
                                                                " is stored with another digest; abort this upload and "
                                                                "begin a new one, or send the same chunks")),
                        "CHUNK_DIFFERS");
    }
    // An acknowledgement that is repeated must not promise more than the first did.
    if (durability == Durability::kSynced) {
      common::WriteBatch again;
      const std::string key = keys_.ChunkKey(name, Column::kDescription, number);
      again.Put(kChunks, key,
                keys_.SealColumn(Column::kDescription, key, HeaderDigest(delivery.header), EncodeChunkRecord(*stored)));
      SLUIS_RETURN_IF_ERROR(store_.Write(again, /*sync=*/true));
    }
    return Status(name);
  }
  std::uint64_t records_before = 0;
  if (number > 0) {
    SLUIS_ASSIGN_OR_RETURN(const std::optional<ChunkRecord> before, reader_.ChunkOf(delivery, number - 1));
    if (!before) {
      return WithReason(
          absl::FailedPreconditionError(absl::StrCat(
              "chunk ", number, ": chunks before it are missing; ask for the upload's status and send from there")),
          "CHUNK_OUT_OF_ORDER");
    }
    records_before = before->records_through;
  }
  if (chunk.records > delivery.header.records - records_before) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat("chunk ", number, ": the delivery has more than the ",
                                                              delivery.header.records, " records it declared")),
                      "TOO_MANY_RECORDS");
  }
  const ChunkRecord record{.records = chunk.records,
                           .records_through = records_before + chunk.records,
                           .sha256 = digest,
                           .stored_seconds = now_seconds};
  common::WriteBatch batch;
  PutColumns(delivery, number, record, chunk, batch);
  SLUIS_RETURN_IF_ERROR(store_.Write(batch, durability == Durability::kSynced));
  return UploadStatus{DeliveryState::kUploading, number + 1, record.records_through};
}

absl::StatusOr<UploadStatus> RecordStore::Status(const DeliveryName& name) const {
  SLUIS_ASSIGN_OR_RETURN(const DeliveryRecord delivery, FindUpload(name));
  if (delivery.state != DeliveryState::kUploading) {
    return UploadStatus{delivery.state, delivery.chunks, delivery.header.records};
  }
  SLUIS_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, reader_.Chunks(delivery));
  return UploadStatus{delivery.state, static_cast<std::uint32_t>(chunks.size()),
                      chunks.empty() ? 0 : chunks.back().records_through};
}

absl::Status RecordStore::DeleteRecords(const DeliveryName& name, common::WriteBatch& batch) const {
  batch.DeletePrefix(kChunks, keys_.ChunkPrefix(name));
  return DeleteComparisons(
      store_, keys_, [&name](const DeliveryName& delivery, const std::string&) { return delivery == name; }, batch);
}

absl::Status RecordStore::DeleteUpload(const DeliveryName& name) {
  common::WriteBatch batch;
  batch.Delete(kDeliveries, keys_.DeliveryKey(name));
  batch.DeletePrefix(kChunks, keys_.ChunkPrefix(name));
  return store_.Write(batch, /*sync=*/true);
}

absl::Status RecordStore::AbortUpload(const DeliveryName& name) {
  const std::scoped_lock lock(commit_mutex_, UploadLock(name));
  SLUIS_ASSIGN_OR_RETURN(const DeliveryRecord delivery, FindUpload(name));
  if (delivery.state != DeliveryState::kUploading) {
    return Ended(name, "the delivery is complete and cannot be aborted; the current delivery can be withdrawn");
  }
  return DeleteUpload(name);
}

absl::StatusOr<std::vector<DeliveryName>> RecordStore::ExpireUploads(std::int64_t now_seconds,
                                                                     std::int64_t max_idle_seconds) {
  const std::scoped_lock lock(commit_mutex_);
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DeliveryRecord> deliveries, reader_.Deliveries());
  std::vector<DeliveryName> expired;
  for (const DeliveryRecord& delivery : deliveries) {
    if (delivery.state != DeliveryState::kUploading) {
      continue;
    }
    // No chunk is acknowledged between looking and deleting.
    const std::scoped_lock upload_lock(UploadLock(delivery.name()));
    SLUIS_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, reader_.Chunks(delivery));
    const std::int64_t last = chunks.empty() ? delivery.begun_seconds : chunks.back().stored_seconds;
    if (now_seconds - last > max_idle_seconds) {
      SLUIS_RETURN_IF_ERROR(DeleteUpload(delivery.name()));
      expired.push_back(delivery.name());
    }
  }
  return expired;
}

absl::StatusOr<PreparedDelivery> RecordStore::PrepareCommit(const DeliveryName& name, std::uint64_t records,
                                                            const common::Hash256& digest, std::int64_t now_seconds) {
  std::unique_lock lock(commit_mutex_);
  PreparedDelivery prepared;
  SLUIS_ASSIGN_OR_RETURN(prepared.delivery, FindUpload(name));
  DeliveryRecord& delivery = prepared.delivery;
  const auto incomplete = [&](const std::string& what) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat("register ", name.register_name, ": ", what)),
                      "UPLOAD_INCOMPLETE");
  };
  if (records != delivery.header.records) {
    return incomplete(absl::StrCat("the header declares ", delivery.header.records, " records, the commit ", records));
  }
  if (delivery.state == DeliveryState::kCommitted) {
    if (digest != delivery.sha256) {
      return incomplete("the delivery was committed with another digest");
    }
    prepared.already_done = true;
    prepared.change.locks.push_back(std::move(lock));
    return prepared;
  }
  if (delivery.state != DeliveryState::kUploading) {
    return Ended(name, "the delivery was replaced or withdrawn since");
  }
  SLUIS_RETURN_IF_ERROR(CheckReplaces(delivery.header));
  SLUIS_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, reader_.Chunks(delivery));
  const std::uint64_t stored = chunks.empty() ? 0 : chunks.back().records_through;
  if (stored != records) {
    return incomplete(absl::StrCat(records, " records are declared, ", stored,
                                   " are stored; ask for the upload's status and send the rest"));
  }
  std::vector<common::Hash256> digests;
  for (const ChunkRecord& chunk : chunks) {
    digests.push_back(chunk.sha256);
  }
  delivery.sha256 = DeliveryDigest(HeaderDigest(delivery.header), digests);
  if (digest != delivery.sha256) {
    return incomplete(
        "the digest over the chunks differs from that of what is stored; abort the upload and begin again");
  }
  delivery.state = DeliveryState::kCommitted;
  delivery.chunks = static_cast<std::uint32_t>(chunks.size());
  delivery.ended_seconds = now_seconds;

  common::WriteBatch& batch = prepared.change.batch;
  PutDelivery(delivery, batch);
  const std::string current_key = keys_.CurrentKey(name.register_name);
  batch.Put(kDeliveries, current_key, keys_.SealRecord(current_key, name.delivery_id));
  if (!delivery.header.replaces.empty()) {
    SLUIS_ASSIGN_OR_RETURN(DeliveryRecord replaced, FindUpload({name.register_name, delivery.header.replaces}));
    replaced.state = DeliveryState::kReplaced;
    replaced.ended_seconds = now_seconds;
    PutDelivery(replaced, batch);
    SLUIS_RETURN_IF_ERROR(DeleteRecords(replaced.name(), batch));
  }
  prepared.change.locks.push_back(std::move(lock));
  return prepared;
}

absl::StatusOr<PreparedDelivery> RecordStore::PrepareWithdrawal(const DeliveryName& name, std::int64_t now_seconds) {
  std::unique_lock lock(commit_mutex_);
  PreparedDelivery prepared;
  SLUIS_ASSIGN_OR_RETURN(prepared.delivery, FindUpload(name));
  DeliveryRecord& delivery = prepared.delivery;
  if (delivery.state == DeliveryState::kWithdrawn) {
    prepared.already_done = true;
  } else if (delivery.state != DeliveryState::kCommitted) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            "register ", name.register_name,
            ": only the current delivery can be withdrawn; an upload is aborted, a replaced delivery is gone")),
        "DELIVERY_NOT_CURRENT");
  } else {
    delivery.state = DeliveryState::kWithdrawn;
    delivery.ended_seconds = now_seconds;
    PutDelivery(delivery, prepared.change.batch);
    prepared.change.batch.Delete(kDeliveries, keys_.CurrentKey(name.register_name));
    SLUIS_RETURN_IF_ERROR(DeleteRecords(name, prepared.change.batch));
  }
  prepared.change.locks.push_back(std::move(lock));
  return prepared;
}

absl::Status RecordStore::Finish(PendingChange change) {
  return change.batch.empty() ? absl::OkStatus() : store_.Write(change.batch, /*sync=*/true);
}

}  // namespace sluis::linker
