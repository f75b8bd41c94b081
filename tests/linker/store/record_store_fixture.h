#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "linker/store/record_store.h"
#include "tests/linker/store/country.h"

namespace sluis::linker::testing {

// A record store for tests that run on memory and on RocksDB; the parameter is "memory" or "rocksdb".
class RecordStoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  RecordStoreTest() {
    if (std::string(GetParam()) == "memory") {
      store_ = common::MakeMemoryStore(RecordStore::Families());
    } else {
      std::string path = ::testing::TempDir() + "/record_store_XXXXXX";
      directory_ = mkdtemp(path.data());
      common::RocksDbOptions options;
      options.families = RecordStore::Families();
      options.format_version = RecordStore::kFormatVersion;
      store_ = *common::OpenRocksDb(directory_, options);
    }
    records_ = std::make_unique<RecordStore>(*store_, ExamplePermit().id, StorageKey());
  }
  ~RecordStoreTest() override {
    records_.reset();
    store_.reset();
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
    }
  }

  absl::StatusOr<UploadStatus> Begin(const Extract& extract) {
    return records_->BeginUpload(extract.header, ExamplePermit(), kNow);
  }
  std::string CurrentJobs() {
    const auto current = records_->reader().Current("jobs");
    return current.ok() && *current ? (*current)->header.delivery_id : "";
  }

  std::string directory_;
  std::unique_ptr<common::Store> store_;
  std::unique_ptr<RecordStore> records_;
};

// Six records of the register jobs, in two chunks.
inline const Extract& Jobs() {
  static const Extract extract = MakeExtract("jobs", "jobs-1", {{1, 11}, {2, 12}, {2, 0}, {0, 0}, {3, 13}, {1, 11}});
  return extract;
}

}  // namespace sluis::linker::testing
