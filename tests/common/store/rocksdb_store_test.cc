#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/store/store.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"

// What only the durable back end does.

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;

RocksDbOptions Options(std::uint32_t version = 1) {
  RocksDbOptions options;
  options.families = {"a", "b"};
  options.format_version = version;
  return options;
}

void PutOne(Store& store, const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.Put("a", key, value);
  SLUIS_ASSERT_OK(store.Write(batch, true));
}

TEST(RocksDbStore, KeepsWhatWasWrittenOverReopening) {
  TemporaryDirectory directory;
  for (int i = 0; i < 3; ++i) {
    auto store = OpenRocksDb(directory / "deep/db", Options());
    SLUIS_ASSERT_OK(store);
    EXPECT_EQ(*(*store)->Get("a", "k"), i == 0 ? std::nullopt : std::optional<std::string>(std::to_string(i - 1)));
    PutOne(**store, "k", std::to_string(i));
  }
  struct stat info {};
  ASSERT_EQ(stat((directory / "deep/db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
}

TEST(RocksDbStore, KeepsBulkDataOverAnOrderlyClose) {
  TemporaryDirectory directory;
  RocksDbOptions options = Options();
  options.bulk = true;
  {
    auto store = OpenRocksDb(directory / "db", options);
    SLUIS_ASSERT_OK(store);
    PutOne(**store, "k", "v");
  }
  auto store = OpenRocksDb(directory / "db", options);
  SLUIS_ASSERT_OK(store);
  EXPECT_EQ(*(*store)->Get("a", "k"), "v");
}

TEST(RocksDbStore, LosesNothingSyncedWhenKilled) {
  TemporaryDirectory directory;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = OpenRocksDb(directory / "db", Options());
    for (int i = 0; i < 20; ++i) {
      WriteBatch batch;
      batch.Put("a", std::to_string(i), "v");
      batch.Put("b", std::to_string(i), "v");
      if (!(*store)->Write(batch, true).ok()) {
        _exit(1);
      }
    }
    kill(getpid(), SIGKILL);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFSIGNALED(state));
  auto store = OpenRocksDb(directory / "db", Options());
  SLUIS_ASSERT_OK(store);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(*(*store)->Get("a", std::to_string(i)), "v");
    EXPECT_EQ(*(*store)->Get("b", std::to_string(i)), "v");
  }
}

TEST(RocksDbStore, RefusesANewerFormat) {
  TemporaryDirectory directory;
  SLUIS_ASSERT_OK(OpenRocksDb(directory / "db", Options(3)));
  EXPECT_THAT(OpenRocksDb(directory / "db", Options(2)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "has format 3, this program writes 2; use the newer"));
  SLUIS_EXPECT_OK(OpenRocksDb(directory / "db", Options(3)));
}

TEST(RocksDbStore, RefusesAnOlderFormatWithoutMigration) {
  TemporaryDirectory directory;
  SLUIS_ASSERT_OK(OpenRocksDb(directory / "db", Options(1)));
  EXPECT_THAT(OpenRocksDb(directory / "db", Options(2)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "cannot migrate"));
  SLUIS_EXPECT_OK(OpenRocksDb(directory / "db", Options(1)));
}

TEST(RocksDbStore, MigratesAnOlderFormatOnceAndRepeatsAFailedMigration) {
  TemporaryDirectory directory;
  {
    auto store = OpenRocksDb(directory / "db", Options(1));
    SLUIS_ASSERT_OK(store);
    PutOne(**store, "k", "old form");
  }
  RocksDbOptions options = Options(3);
  options.families.push_back("c");  // a family that the newer format added
  int calls = 0;
  options.migrate = [&](Store&, std::uint32_t) {
    ++calls;
    return absl::UnavailableError("interrupted");
  };
  EXPECT_THAT(OpenRocksDb(directory / "db", options), StatusIs(absl::StatusCode::kUnavailable, "migration of"));
  options.migrate = [&](Store& store, std::uint32_t found) {
    ++calls;
    EXPECT_EQ(found, 1u);
    WriteBatch batch;
    batch.Put("c", "k", **store.Get("a", "k") + " made new");
    batch.Delete("a", "k");
    return store.Write(batch, true);
  };
  for (int i = 0; i < 2; ++i) {
    auto store = OpenRocksDb(directory / "db", options);
    SLUIS_ASSERT_OK(store);
    EXPECT_EQ(*(*store)->Get("c", "k"), "old form made new");
    EXPECT_EQ(*(*store)->Get("a", "k"), std::nullopt);
  }
  EXPECT_EQ(calls, 2);
}

TEST(RocksDbStore, RefusesFamiliesItDoesNotKnow) {
  TemporaryDirectory directory;
  SLUIS_ASSERT_OK(OpenRocksDb(directory / "db", Options()));
  RocksDbOptions fewer = Options();
  fewer.families = {"a"};
  EXPECT_THAT(OpenRocksDb(directory / "db", fewer), StatusIs(absl::StatusCode::kFailedPrecondition, "column family b"));
}

TEST(RocksDbStore, RefusesBadOptions) {
  TemporaryDirectory directory;
  for (const std::vector<std::string>& families : {std::vector<std::string>{}, {"a", "a"}, {"a", "default"}}) {
    RocksDbOptions options = Options();
    options.families = families;
    EXPECT_THAT(OpenRocksDb(directory / "db", options), StatusIs(absl::StatusCode::kInvalidArgument, "distinct"));
  }
  EXPECT_THAT(OpenRocksDb(directory / "db", Options(0)), StatusIs(absl::StatusCode::kInvalidArgument, "begin at 1"));
}

TEST(RocksDbStore, RefusesASecondOpenerInThisAndInAnotherProcess) {
  TemporaryDirectory directory;
  auto store = OpenRocksDb(directory / "db", Options());
  SLUIS_ASSERT_OK(store);
  EXPECT_THAT(OpenRocksDb(directory / "db", Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "in use by another process"));
  const std::string path = directory / "other";
  int to_parent[2];
  int to_child[2];
  ASSERT_EQ(pipe(to_parent), 0);
  ASSERT_EQ(pipe(to_child), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto held = OpenRocksDb(path, Options());
    char byte = held.ok() ? 'y' : 'n';
    (void)!write(to_parent[1], &byte, 1);
    (void)!read(to_child[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(to_parent[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_THAT(OpenRocksDb(path, Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "in use by another process"));
  ASSERT_EQ(write(to_child[1], "x", 1), 1);
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  SLUIS_EXPECT_OK(OpenRocksDb(path, Options()));
}

TEST(RocksDbStore, ReportsDamageAsDataLoss) {
  TemporaryDirectory directory;
  SLUIS_ASSERT_OK(OpenRocksDb(directory / "db", Options()));
  for (const auto& entry : std::filesystem::directory_iterator(directory / "db")) {
    if (entry.path().filename().string().starts_with("MANIFEST-")) {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(20);
      file.put('\x55').put('\x55').put('\x55');
    }
  }
  EXPECT_THAT(OpenRocksDb(directory / "db", Options()), StatusIs(absl::StatusCode::kDataLoss, "Corruption"));
}

TEST(RocksDbStore, DoesNotTakeADamagedDatabaseForANewOne) {
  TemporaryDirectory directory;
  {
    auto store = OpenRocksDb(directory / "db", Options());
    SLUIS_ASSERT_OK(store);
    PutOne(**store, "k", "v");
  }
  const std::string current = *ReadFileBounded(directory / "db/CURRENT", 100);
  std::filesystem::remove(directory / "db/CURRENT");
  EXPECT_THAT(OpenRocksDb(directory / "db", Options()), StatusIs(absl::StatusCode::kDataLoss, "no CURRENT file"));
  SLUIS_ASSERT_OK(WriteFileAtomically(directory / "db/CURRENT", current, 0600));
  auto store = OpenRocksDb(directory / "db", Options());
  SLUIS_ASSERT_OK(store);
  EXPECT_EQ(*(*store)->Get("a", "k"), "v");
}

// RocksDB's own diagnostics would lie, unsealed, beside sealed values.
TEST(RocksDbStore, KeepsNoInfoLog) {
  TemporaryDirectory directory;
  for (int i = 0; i < 2; ++i) {
    auto store = OpenRocksDb(directory / "db", Options());
    SLUIS_ASSERT_OK(store);
    PutOne(**store, "k", "v");
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory / "db")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG.") || entry.path().filename() == "LOG");
  }
}

}  // namespace
}  // namespace sluis::common
