#include "common/store/rocksdb_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <cstdarg>
#include <utility>

#include "common/status/status.h"
#include "common/store/keys.h"

namespace sluis::common {
namespace {

rocksdb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view AsView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Drops RocksDB's info log: it would repeat file names and sizes beside sealed data, and a writer of it that met a full
// disk aborts the process in builds with assertions, as Debian's is. Every error comes back as a status anyway.
class NoInfoLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// Keeps RocksDB from resuming by itself: RocksDbStore decides when a database with a fault is opened again.
class NoAutoRecovery : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

}  // namespace

absl::Status FromRocksDb(const rocksdb::Status& status, std::string_view action) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  const std::string detail = status.ToString();
  const std::string message = "store: cannot " + std::string(action) + ": " + detail;
  if (status.IsCorruption()) {
    return WithReason(absl::DataLossError(message), "STORE_FAULT");
  }
  if (detail.find("While lock file") != std::string::npos ||
      detail.find("lock hold by current process") != std::string::npos) {
    return WithReason(
        absl::FailedPreconditionError(message + "; the store is in use by another process, stop that one first"),
        "STORE_IN_USE");
  }
  // A full disk that shows only when syncing leaves it open whether the batch is there: that is UNAVAILABLE.
  const bool while_syncing =
      detail.find("While fdatasync") != std::string::npos || detail.find("While fsync") != std::string::npos;
  if (status.IsNoSpace() && !while_syncing) {
    return WithReason(absl::ResourceExhaustedError(message + "; free space and try again"), "DISK_FULL");
  }
  return WithReason(absl::UnavailableError(message), "STORE_FAULT");
}

rocksdb::Options DatabaseOptions(const RocksDbOptions& sizes) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // What recovery finds in the write-ahead log goes to synced tables at once: after a failed sync the log's bytes may
  // exist in the page cache only.
  options.avoid_flush_during_recovery = false;
  options.write_buffer_size = sizes.write_buffer_bytes;
  options.max_total_wal_size = 4 * sizes.write_buffer_bytes;
  options.max_open_files = 512;
  options.info_log = std::make_shared<NoInfoLog>();
  options.listeners = {std::make_shared<NoAutoRecovery>()};
  options.max_bgerror_resume_count = 0;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_background_jobs = 2;

  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(sizes.cache_bytes);
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(sizes.cache_bytes / 2, cache);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

RocksDbDatabase::~RocksDbDatabase() {
  for (const auto& [name, handle] : families) {
    db->DestroyColumnFamilyHandle(handle);
  }
  if (default_family != nullptr) {
    db->DestroyColumnFamilyHandle(default_family);
  }
  if (db != nullptr) {
    db->Close();
  }
}

RocksDbView::RocksDbView(std::shared_ptr<RocksDbDatabase> database, const rocksdb::Snapshot* snapshot)
    : database_(std::move(database)), snapshot_(snapshot) {}

RocksDbView::~RocksDbView() {
  if (snapshot_ != nullptr) {
    database_->db->ReleaseSnapshot(snapshot_);
  }
}

absl::StatusOr<std::optional<std::string>> RocksDbView::Get(std::string_view family, std::string_view key) const {
  const auto handle = database_->families.find(family);
  if (handle == database_->families.end()) {
    return UnknownFamily(family);
  }
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database_->db->Get(ReadOptions(), handle->second, AsSlice(key), &value);
  if (status.IsNotFound()) {
    return std::optional<std::string>();
  }
  SLUIS_RETURN_IF_ERROR(FromRocksDb(status, "read family " + std::string(family)));
  return std::optional<std::string>(std::in_place, value.data(), value.size());
}

absl::Status RocksDbView::Scan(std::string_view family, std::string_view prefix, std::string_view start,
                               const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const auto handle = database_->families.find(family);
  if (handle == database_->families.end()) {
    return UnknownFamily(family);
  }
  const std::string end = PrefixEnd(prefix);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options = ReadOptions();
  options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(options, handle->second));
  for (iterator->Seek(AsSlice(std::max(prefix, start))); iterator->Valid(); iterator->Next()) {
    if (!visit(AsView(iterator->key()), AsView(iterator->value()))) {
      return absl::OkStatus();
    }
  }
  return FromRocksDb(iterator->status(), "scan family " + std::string(family));
}

rocksdb::ReadOptions RocksDbView::ReadOptions() const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  return options;
}

}  // namespace sluis::common
