#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/store/store.h"

// An open RocksDB and what reads it; rocksdb_store.cc decides when it is opened, written and opened again.

namespace sluis::common {

// RocksDB's messages hold file names and never keys (allow_data_in_errors is off).
[[nodiscard]] absl::Status FromRocksDb(const rocksdb::Status& status, std::string_view action);

// How a database is opened: never resumes by itself after a fault, writes no log of its own.
[[nodiscard]] rocksdb::Options DatabaseOptions(const RocksDbOptions& options);

// An open database. Views hold it, so that it closes when the last of them is gone.
struct RocksDbDatabase {
  std::unique_ptr<rocksdb::DB> db;
  std::map<std::string, rocksdb::ColumnFamilyHandle*, std::less<>> families;  // without "default"
  rocksdb::ColumnFamilyHandle* default_family = nullptr;

  RocksDbDatabase() = default;
  ~RocksDbDatabase();
  RocksDbDatabase(const RocksDbDatabase&) = delete;
  RocksDbDatabase& operator=(const RocksDbDatabase&) = delete;
};

class RocksDbView : public StoreView {
 public:
  // `snapshot` null: reads what is newest.
  RocksDbView(std::shared_ptr<RocksDbDatabase> database, const rocksdb::Snapshot* snapshot);
  ~RocksDbView() override;
  RocksDbView(const RocksDbView&) = delete;
  RocksDbView& operator=(const RocksDbView&) = delete;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override;
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override;

 private:
  rocksdb::ReadOptions ReadOptions() const;

  std::shared_ptr<RocksDbDatabase> database_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace sluis::common
