#include "linker/store/link_set_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/store/links_digest.h"

namespace sluis::linker {
namespace {

// Written at a time; a batch is in memory twice.
constexpr std::size_t kBatchBytes = 4u << 20;

}  // namespace

LinkSetWriter::LinkSetWriter(RecordStore& store, std::unique_lock<std::mutex> lock)
    : store_(store),
      lock_(std::move(lock)),
      snapshot_(store.Snapshot()),
      build_(common::HexEncode(common::RandomString(kBuildIdLength / 2))) {}

absl::StatusOr<std::unique_ptr<LinkSetWriter>> LinkSetWriter::Create(RecordStore& store) {
  std::unique_lock lock(store.linkage_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    return absl::AbortedError("another linkage of this project is running; try again when it has ended");
  }
  return std::unique_ptr<LinkSetWriter>(new LinkSetWriter(store, std::move(lock)));
}

LinkSetWriter::~LinkSetWriter() {
  if (begun_ && lock_.owns_lock()) {
    // If this fails too, the marker stays, and the next writer deletes.
    DropUnfinished().IgnoreError();
  }
}

absl::Status LinkSetWriter::Begin() {
  SLUIS_RETURN_IF_ERROR(DropUnfinished());
  begun_ = true;
  // The marker comes before the chunks, so that a crash leaves no chunk without one.
  common::WriteBatch batch;
  batch.Put(kLinkSets, store_.keys_.BuildKey(build_), "");
  return store_.store_.Write(batch, /*sync=*/false);
}

absl::Status LinkSetWriter::DropUnfinished() {
  common::WriteBatch batch;
  const std::string prefix = store_.keys_.BuildPrefix();
  SLUIS_RETURN_IF_ERROR(store_.store_.Scan(kLinkSets, prefix, {}, [&](std::string_view key, std::string_view) {
    batch.DeletePrefix(kLinkSets, store_.keys_.LinkChunkPrefix(key.substr(prefix.size())));
    batch.Delete(kLinkSets, key);
    return true;
  }));
  return batch.empty() ? absl::OkStatus() : store_.store_.Write(batch, /*sync=*/false);
}

absl::StatusOr<LinkedRegister> LinkSetWriter::WriteRegister(const DeliveryRecord& delivery,
                                                            const std::function<Link(std::uint32_t)>& link_of) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, snapshot().Chunks(delivery));
  LinksDigest digest;
  common::WriteBatch batch;
  std::size_t batch_bytes = 0;
  std::uint32_t record = 0;
  for (std::uint32_t number = 0; number < chunks.size(); ++number) {
    LinkChunk links;
    links.ids.reserve(chunks[number].records);
    links.found.reserve(chunks[number].records);
    for (; record < chunks[number].records_through; ++record) {
      const Link link = link_of(record);
      links.ids.push_back(link.id);
      links.found.push_back(link.found);
    }
    const std::string bytes = EncodeLinkChunk(links);
    digest.Add(bytes);
    const std::string key = store_.keys_.LinkChunkKey(build_, delivery.header.register_name, number);
    batch.Put(kLinkSets, key, store_.keys_.SealLinks(key, bytes));
    batch_bytes += bytes.size();
    if (batch_bytes >= kBatchBytes || number + 1 == chunks.size()) {
      SLUIS_RETURN_IF_ERROR(store_.store_.Write(std::exchange(batch, {}), /*sync=*/false));
      batch_bytes = 0;
    }
  }
  return LinkedRegister{.name = delivery.header.register_name,
                        .delivery_id = delivery.header.delivery_id,
                        .delivery_sha256 = delivery.sha256,
                        .records = delivery.header.records,
                        .chunks = delivery.chunks,
                        .links_sha256 = digest.Finish()};
}

absl::Status LinkSetWriter::CheckCurrent(const LinkSetHeader& header) const {
  for (const LinkedRegister& linked : header.registers) {
    SLUIS_ASSIGN_OR_RETURN(const std::optional<DeliveryRecord> current, store_.reader_.Current(linked.name));
    if (!current || current->sha256 != linked.delivery_sha256) {
      return absl::AbortedError(
          absl::StrCat("register ", linked.name, ": its delivery was replaced or withdrawn meanwhile; link again"));
    }
  }
  return absl::OkStatus();
}

void LinkSetWriter::DeleteOldest(std::vector<StoredLinkSet> link_sets, common::WriteBatch& batch) const {
  std::erase_if(link_sets, [](const StoredLinkSet& link_set) { return link_set.deleted(); });
  const std::size_t kept_before = std::max(store_.options_.kept_link_sets, 1u) - 1;  // beside the new one
  for (std::size_t i = 0; i + kept_before < link_sets.size(); ++i) {
    StoredLinkSet& oldest = link_sets[i];
    batch.DeletePrefix(kLinkSets, store_.keys_.LinkChunkPrefix(oldest.build));
    oldest.build = kDeletedBuild;
    oldest.header.reports.clear();
    const std::string key = store_.keys_.LinkSetKey(oldest.id);
    batch.Put(kLinkSets, key, store_.keys_.SealRecord(key, EncodeStoredLinkSet(oldest)));
  }
}

absl::StatusOr<PreparedLinkSet> LinkSetWriter::Prepare(LinkSetHeader header) {
  std::unique_lock commit_lock(store_.commit_mutex_);
  SLUIS_RETURN_IF_ERROR(CheckCurrent(header));
  SLUIS_ASSIGN_OR_RETURN(std::vector<StoredLinkSet> earlier, store_.reader_.LinkSets());
  if (!earlier.empty()) {
    header.made_seconds = std::max(header.made_seconds, earlier.back().header.made_seconds + 1);
  }
  PreparedLinkSet prepared;
  prepared.id = LinkSetIdOf(header);
  const StoredLinkSet stored{.id = prepared.id, .build = build_, .header = header};
  const std::string key = store_.keys_.LinkSetKey(prepared.id);
  common::WriteBatch& batch = prepared.change.batch;
  batch.Put(kLinkSets, key, store_.keys_.SealRecord(key, EncodeStoredLinkSet(stored)));
  batch.Delete(kLinkSets, store_.keys_.BuildKey(build_));
  DeleteOldest(std::move(earlier), batch);
  prepared.change.locks.push_back(std::move(commit_lock));
  prepared.change.locks.push_back(std::move(lock_));
  prepared.header = std::move(header);
  return prepared;
}

absl::StatusOr<PreparedLinkSet> LinkSetWriter::Reuse(StoredLinkSet link_set) {
  std::unique_lock commit_lock(store_.commit_mutex_);
  SLUIS_RETURN_IF_ERROR(CheckCurrent(link_set.header));
  PreparedLinkSet prepared;
  prepared.id = link_set.id;
  prepared.header = std::move(link_set.header);
  prepared.already_done = true;
  prepared.change.locks.push_back(std::move(commit_lock));
  prepared.change.locks.push_back(std::move(lock_));
  return prepared;
}

}  // namespace sluis::linker
