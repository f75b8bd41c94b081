#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/status/matchers.h"
#include "common/store/store.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;

// A file system of 48 MiB in memory. Mounting needs root.
class DiskFull : public ::testing::Test {
 protected:
  void SetUp() override {
    if (mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=48m") != 0) {
      GTEST_SKIP() << "cannot mount a small tmpfs (" << std::strerror(errno) << "); run as root to test a full disk";
    }
    mounted_ = true;
  }
  void TearDown() override {
    store_.reset();
    if (mounted_) {
      EXPECT_EQ(umount(directory_.path().c_str()), 0);
    }
  }
  void Open(bool bulk) {
    RocksDbOptions options;
    options.families = {"a"};
    options.write_buffer_bytes = 4 << 20;
    options.cache_bytes = 16 << 20;
    options.bulk = bulk;
    auto store = OpenRocksDb(directory_ / "db", options);
    SLUIS_ASSERT_OK(store);
    store_ = *std::move(store);
  }
  absl::Status PutOne(int i) {
    WriteBatch batch;
    batch.Put("a", "key " + std::to_string(i), std::to_string(i) + std::string(20'000, 'v'));
    batch.Put("a", "twin " + std::to_string(i), std::to_string(i));
    return store_->Write(batch, true);
  }
  void FillDisk() {
    std::ofstream ballast(directory_ / "ballast", std::ios::binary);
    const std::string block(1 << 16, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void ExpectAll(int count) {
    for (int i = 0; i < count; ++i) {
      const auto value = store_->Get("a", "key " + std::to_string(i));
      SLUIS_ASSERT_OK(value);
      ASSERT_TRUE(value->has_value()) << "key " << i;
      EXPECT_EQ((*value)->size(), 20'000 + std::to_string(i).size());
      EXPECT_EQ(*store_->Get("a", "twin " + std::to_string(i)), std::to_string(i));
    }
  }

  TemporaryDirectory directory_;
  bool mounted_ = false;
  std::unique_ptr<Store> store_;
};

TEST_F(DiskFull, WriteIsRefusedNothingIsLostAndWorkGoesOnOnceThereIsSpace) {
  Open(false);
  int written = 0;
  for (; written < 50; ++written) {
    SLUIS_ASSERT_OK(PutOne(written));
  }
  for (int round = 0; round < 3; ++round) {
    FillDisk();
    absl::Status status;
    for (int i = 0; i < 300 && status.ok(); ++i) {
      status = PutOne(written);
      written += status.ok() ? 1 : 0;
    }
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "free space"));
    EXPECT_THAT(PutOne(written), StatusIs(absl::StatusCode::kResourceExhausted, "free"));
    ExpectAll(written);  // reading goes on
    EXPECT_EQ(*store_->Get("a", "key " + std::to_string(written)), std::nullopt);
    EXPECT_EQ(*store_->Get("a", "twin " + std::to_string(written)), std::nullopt);
    std::filesystem::remove(directory_ / "ballast");
    for (int i = 0; i < 20; ++i, ++written) {
      SLUIS_ASSERT_OK(PutOne(written));
    }
    ExpectAll(written);
  }
  store_.reset();
  Open(false);
  ExpectAll(written);
}

TEST_F(DiskFull, AHeldSnapshotDelaysRecoveryButNotForEver) {
  Open(false);
  SLUIS_ASSERT_OK(PutOne(0));
  auto snapshot = store_->Snapshot();
  FillDisk();
  absl::Status status;
  int written = 1;
  for (; status.ok(); written += status.ok() ? 1 : 0) {
    status = PutOne(written);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "free space"));
  std::filesystem::remove(directory_ / "ballast");
  EXPECT_THAT(PutOne(written), StatusIs(absl::StatusCode::kUnavailable, "still held"));
  EXPECT_EQ((*snapshot->Get("a", "twin 0")), "0");
  snapshot.reset();
  SLUIS_ASSERT_OK(PutOne(written));
  ExpectAll(written + 1);
}

// As a linkage does: it writes what it worked out from a snapshot that it still holds.
TEST_F(DiskFull, ASnapshotTakenOnceThereIsSpaceDoesNotHinderTheNextWrite) {
  Open(false);
  FillDisk();
  absl::Status status;
  int written = 0;
  for (; written < 5000 && status.ok(); written += status.ok() ? 1 : 0) {
    status = PutOne(written);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "free"));
  EXPECT_EQ(*store_->Snapshot()->Get("a", "twin " + std::to_string(written)), std::nullopt);
  std::filesystem::remove(directory_ / "ballast");
  const auto snapshot = store_->Snapshot();
  SLUIS_ASSERT_OK(PutOne(written));
  EXPECT_EQ(*snapshot->Get("a", "twin " + std::to_string(written)), std::nullopt);
  ExpectAll(written + 1);
}

// RocksDB must not write to its log again after a failure; with many writers queued that is easily broken.
TEST_F(DiskFull, ManyWritersMeetTheFullDiskTogether) {
  Open(false);
  std::atomic<int> acknowledged = 0;
  FillDisk();
  std::vector<std::thread> writers;
  for (int t = 0; t < 6; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        acknowledged += PutOne(t * 1000 + i).ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  std::filesystem::remove(directory_ / "ballast");
  SLUIS_ASSERT_OK(PutOne(9000));
  int found = 0;
  SLUIS_EXPECT_OK(store_->Scan("a", "twin ", "", [&](auto, auto) { return ++found > 0; }));
  EXPECT_EQ(found, acknowledged + 1);
}

TEST_F(DiskFull, BulkStoreGoesOnOnceThereIsSpace) {
  Open(true);
  FillDisk();
  absl::Status status;
  int written = 0;
  for (; written < 5000 && status.ok(); written += status.ok() ? 1 : 0) {
    status = PutOne(written);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "free"));
  std::filesystem::remove(directory_ / "ballast");
  for (int i = 0; i < 20; ++i, ++written) {
    SLUIS_ASSERT_OK(PutOne(written));
  }
  ExpectAll(written);
}

}  // namespace
}  // namespace sluis::common
