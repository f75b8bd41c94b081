#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "common/bytes/secret.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "common/store/keys.h"
#include "common/store/rocksdb_database.h"
#include "common/store/store.h"

namespace sluis::common {
namespace {

constexpr char kFormatVersionKey[] = "sluis/format_version";

// Opening writes the content of the write-ahead log to tables, and a manifest of about this size at most. With less
// free space it is not tried, because a store that failed to reopen cannot even be read.
constexpr std::uint64_t kReopenHeadroomBytes = 2ull << 20;

// How long a writer that must reopen the store waits for readers to finish.
constexpr auto kReopenPatience = std::chrono::milliseconds(500);

// Returns the size of all files in `directory` whose names end in `extension`; 0 if it cannot be read.
std::uint64_t BytesOfFiles(const std::string& directory, std::string_view extension) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const std::uintmax_t size = entry->file_size(ignored);
    if (!ignored && entry->path().extension() == extension) {
      bytes += size;
    }
  }
  return bytes;
}

// Stands in for a view of a store that is closed after a fault.
class FailedView : public StoreView {
 public:
  explicit FailedView(absl::Status status) : status_(std::move(status)) {}
  absl::StatusOr<std::optional<std::string>> Get(std::string_view, std::string_view) const override { return status_; }
  absl::Status Scan(std::string_view, std::string_view, std::string_view,
                    const std::function<bool(std::string_view, std::string_view)>&) const override {
    return status_;
  }

 private:
  absl::Status status_;
};

class RocksDbStore : public Store {
 public:
  RocksDbStore(std::string directory, RocksDbOptions options)
      : directory_(std::move(directory)), options_(std::move(options)) {}

  absl::Status OpenFirst();

  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    SLUIS_ASSIGN_OR_RETURN(std::shared_ptr<RocksDbDatabase> database, Current());
    return RocksDbView(std::move(database), nullptr).Get(family, key);
  }

  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    SLUIS_ASSIGN_OR_RETURN(std::shared_ptr<RocksDbDatabase> database, Current());
    return RocksDbView(std::move(database), nullptr).Scan(family, prefix, start, visit);
  }

  absl::Status Write(const WriteBatch& batch, bool sync) override;

  std::unique_ptr<StoreView> Snapshot() const override {
    absl::StatusOr<std::shared_ptr<RocksDbDatabase>> database = CurrentForSnapshot();
    if (!database.ok()) {
      return std::make_unique<FailedView>(database.status());
    }
    const rocksdb::Snapshot* snapshot = (*database)->db->GetSnapshot();
    return std::make_unique<RocksDbView>(*std::move(database), snapshot);
  }

 private:
  // The database, opened again if an earlier attempt to reopen it failed.
  absl::StatusOr<std::shared_ptr<RocksDbDatabase>> Current() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (database_ == nullptr) {
      SLUIS_RETURN_IF_ERROR(OpenLocked().status());
    }
    return database_;
  }

  // As Current, but also heals a database whose last write failed.
  absl::StatusOr<std::shared_ptr<RocksDbDatabase>> CurrentForWriting();
  // As Current, but of a database whose last write failed if that cannot be healed at once: who writes what it worked
  // out from a snapshot would else stand in the way of its own write for ever.
  absl::StatusOr<std::shared_ptr<RocksDbDatabase>> CurrentForSnapshot() const;
  // Brings a database whose last write failed back to what is on disk, and waits up to `patience` for its readers.
  // Precondition: mutex_ is held.
  absl::Status HealLocked(std::chrono::milliseconds patience) const;
  // Sets database_ and returns the format version found, 0 for a new store. Precondition: mutex_ is held, or nobody
  // else knows this store yet.
  absl::StatusOr<std::uint32_t> OpenLocked() const;
  // Returns the format version; fails if this program must not touch the database.
  absl::StatusOr<std::uint32_t> CheckFormat(RocksDbDatabase& database) const;
  absl::Status SetFormatVersion();

  const std::string directory_;
  const RocksDbOptions options_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<RocksDbDatabase> database_;  // null only after a failed attempt to reopen
  mutable absl::Status fault_ = absl::OkStatus();      // of the last failed write; guarded by mutex_
};

absl::StatusOr<std::uint32_t> RocksDbStore::OpenLocked() const {
  const rocksdb::Options options = DatabaseOptions(options_);
  std::vector<std::string> on_disk;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options, directory_, &on_disk);
  if (!listed.ok()) {
    if (!listed.IsPathNotFound()) {
      return FromRocksDb(listed, "open " + directory_);
    }
    // RocksDB would take a database that lost its CURRENT file for a new one, and delete its tables.
    if (BytesOfFiles(directory_, ".sst") != 0 || BytesOfFiles(directory_, ".log") != 0) {
      return WithReason(
          absl::DataLossError("store: " + directory_ + " has tables but no CURRENT file; restore it from a backup"),
          "STORE_FAULT");
    }
    on_disk = {rocksdb::kDefaultColumnFamilyName};
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : on_disk) {
    descriptors.emplace_back(name, options);
  }
  auto database = std::make_shared<RocksDbDatabase>();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  SLUIS_RETURN_IF_ERROR(
      FromRocksDb(rocksdb::DB::Open(options, directory_, descriptors, &handles, &db), "open " + directory_));
  database->db.reset(db);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    if (handle->GetName() == rocksdb::kDefaultColumnFamilyName) {
      database->default_family = handle;
    } else {
      database->families.emplace(handle->GetName(), handle);
    }
  }
  SLUIS_ASSIGN_OR_RETURN(const std::uint32_t found_version, CheckFormat(*database));
  for (const std::string& family : options_.families) {
    if (!database->families.contains(family)) {
      rocksdb::ColumnFamilyHandle* handle = nullptr;
      SLUIS_RETURN_IF_ERROR(
          FromRocksDb(db->CreateColumnFamily(options, family, &handle), "create column family " + family));
      database->families.emplace(family, handle);
    }
  }
  database_ = std::move(database);
  return found_version;
}

absl::StatusOr<std::uint32_t> RocksDbStore::CheckFormat(RocksDbDatabase& database) const {
  std::string value;
  const rocksdb::Status got = database.db->Get({}, database.default_family, kFormatVersionKey, &value);
  if (got.IsNotFound()) {
    if (database.db->GetLatestSequenceNumber() != 0) {
      return absl::FailedPreconditionError("store: " + directory_ + " holds a database that is not a store of Sluis");
    }
    return 0;
  }
  SLUIS_RETURN_IF_ERROR(FromRocksDb(got, "read the format version"));
  if (value.size() != 4) {
    return WithReason(absl::DataLossError("store: the format version in " + directory_ + " is damaged"), "STORE_FAULT");
  }
  const std::uint32_t found_version = ReadBigEndian32(value);
  const std::string versions = "store: " + directory_ + " has format " + std::to_string(found_version) +
                               ", this program writes " + std::to_string(options_.format_version);
  if (found_version > options_.format_version) {
    return absl::FailedPreconditionError(versions + "; use the newer program that wrote it");
  }
  if (found_version < options_.format_version && !options_.migrate) {
    return absl::FailedPreconditionError(versions + " and cannot migrate from it");
  }
  for (const auto& [name, handle] : database.families) {
    if (std::find(options_.families.begin(), options_.families.end(), name) == options_.families.end()) {
      return absl::FailedPreconditionError("store: " + directory_ + " has column family " + name +
                                           ", which this program does not know");
    }
  }
  return found_version;
}

absl::Status RocksDbStore::SetFormatVersion() {
  std::string value;
  AppendBigEndian32(value, options_.format_version);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return FromRocksDb(database_->db->Put(synced, database_->default_family, kFormatVersionKey, value),
                     "write the format version");
}

absl::Status RocksDbStore::OpenFirst() {
  SLUIS_RETURN_IF_ERROR(CreateDirectories(directory_, 0700));
  SLUIS_ASSIGN_OR_RETURN(const std::uint32_t found_version, OpenLocked());
  if (found_version == options_.format_version) {
    return absl::OkStatus();
  }
  if (found_version != 0) {
    SLUIS_RETURN_IF_ERROR(
        Annotate(options_.migrate(*this, found_version), "store: migration of " + directory_ + " failed"));
  }
  return SetFormatVersion();
}

absl::StatusOr<std::shared_ptr<RocksDbDatabase>> RocksDbStore::CurrentForWriting() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (database_ == nullptr || !fault_.ok()) {
    SLUIS_RETURN_IF_ERROR(HealLocked(kReopenPatience));
  }
  return database_;
}

absl::StatusOr<std::shared_ptr<RocksDbDatabase>> RocksDbStore::CurrentForSnapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::Status healed;
  if (database_ == nullptr) {
    healed = OpenLocked().status();
  } else if (!fault_.ok()) {
    healed = HealLocked(std::chrono::milliseconds(0));
  }
  if (database_ == nullptr) {
    return healed;
  }
  return database_;
}

absl::Status RocksDbStore::HealLocked(std::chrono::milliseconds patience) const {
  const std::uint64_t headroom = kReopenHeadroomBytes + BytesOfFiles(directory_, ".log");
  struct statvfs space {};
  if (statvfs(directory_.c_str(), &space) == 0 &&
      static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize < headroom) {
    return WithReason(
        absl::ResourceExhaustedError("store: the disk that holds " + directory_ + " is full; free at least " +
                                     std::to_string((headroom >> 20) + 1) + " MiB and try again"),
        "DISK_FULL");
  }
  if (database_ != nullptr && options_.bulk) {
    // What is not on disk yet is in memory only, so the database cannot be closed and opened again.
    SLUIS_RETURN_IF_ERROR(FromRocksDb(database_->db->Resume(), "resume after a fault"));
  } else {
    // DB::Resume would not do: up to RocksDB 9 the write-ahead log's writer remembers its error after a successful
    // resume and fails every later write (facebook/rocksdb issue 11643). Opening again replays what was acknowledged
    // and drops the torn record.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (database_ != nullptr && database_.use_count() > 1) {
      if (std::chrono::steady_clock::now() > deadline) {
        return WithReason(
            absl::UnavailableError(
                "store: must be reopened after a failed write, but a snapshot or scan of before is still held"),
            "STORE_FAULT");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    database_.reset();
    SLUIS_RETURN_IF_ERROR(OpenLocked().status());
  }
  fault_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status RocksDbStore::Write(const WriteBatch& batch, bool sync) {
  SLUIS_ASSIGN_OR_RETURN(const std::shared_ptr<RocksDbDatabase> database, CurrentForWriting());
  rocksdb::WriteBatch changes;
  for (const WriteBatch::Change& change : batch.changes()) {
    const auto family = database->families.find(change.family);
    if (family == database->families.end()) {
      return UnknownFamily(change.family);
    }
    SLUIS_RETURN_IF_ERROR(CheckChange(change));
    rocksdb::Status added;
    switch (change.kind) {
      case WriteBatch::Kind::kPut:
        added = changes.Put(family->second, change.key, change.value);
        break;
      case WriteBatch::Kind::kDelete:
        added = changes.Delete(family->second, change.key);
        break;
      case WriteBatch::Kind::kDeletePrefix:
        added = changes.DeleteRange(family->second, change.key, PrefixEnd(change.key));
        break;
    }
    SLUIS_RETURN_IF_ERROR(FromRocksDb(added, "collect a batch"));
  }
  rocksdb::WriteOptions options;
  options.sync = sync && !options_.bulk;
  options.disableWAL = options_.bulk;
  absl::Status written = FromRocksDb(database->db->Write(options, &changes), "write");
  if (!written.ok()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Another writer may have reopened the store in the meantime; its database has no fault.
    if (database_ == database) {
      fault_ = written;
    }
  }
  return written;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksDb(const std::string& directory, const RocksDbOptions& options) {
  const std::set<std::string> distinct(options.families.begin(), options.families.end());
  if (distinct.empty() || distinct.size() != options.families.size() ||
      distinct.contains(rocksdb::kDefaultColumnFamilyName)) {
    return absl::InvalidArgumentError("store: column families must be named, distinct and not \"default\"");
  }
  if (options.format_version == 0) {
    return absl::InvalidArgumentError("store: format versions begin at 1");
  }
  auto store = std::make_unique<RocksDbStore>(directory, options);
  SLUIS_RETURN_IF_ERROR(store->OpenFirst());
  return store;
}

}  // namespace sluis::common
