#include "common/file/atomic_file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/common/file/fault_calls.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::FaultAction;
using ::sluis::common::testing::ScopedFault;
using ::sluis::common::testing::StatusIs;

class AtomicFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "atomic_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator()));
  }
  std::string directory_;
};

TEST_F(AtomicFile, WritesAndReplacesContentWithTheExactMode) {
  const mode_t old_mask = umask(077);
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "first", 0644));
  umask(old_mask);
  struct stat info {};
  ASSERT_EQ(stat(Path("f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644u);
  const std::string long_content(300'000, 'x');
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), long_content, 0600));
  ASSERT_EQ(stat(Path("f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(*ReadFileBounded(Path("f"), 300'000), long_content);
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(AtomicFile, WritesAnEmptyFile) {
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "", 0600));
  EXPECT_EQ(*ReadFileBounded(Path("f"), 0), "");
}

TEST_F(AtomicFile, RefusesSymbolicLinksAndDirectories) {
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("target"), "kept", 0600));
  std::filesystem::create_symlink(Path("target"), Path("link"));
  EXPECT_THAT(WriteFileAtomically(Path("link"), "x", 0600),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
  EXPECT_EQ(*ReadFileBounded(Path("target"), 100), "kept");
  EXPECT_THAT(ReadFileBounded(Path("link"), 100), StatusIs(absl::StatusCode::kFailedPrecondition, "cannot open"));
  std::filesystem::create_directory(Path("dir"));
  EXPECT_THAT(WriteFileAtomically(Path("dir"), "x", 0600),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
  EXPECT_THAT(ReadFileBounded(Path("dir"), 100), StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
}

TEST_F(AtomicFile, NamesMissingFileAndMissingDirectory) {
  EXPECT_THAT(ReadFileBounded(Path("none"), 100), StatusIs(absl::StatusCode::kNotFound, "none"));
  EXPECT_THAT(WriteFileAtomically(Path("no/f"), "x", 0600),
              StatusIs(absl::StatusCode::kFailedPrecondition, "directory does not exist"));
}

TEST_F(AtomicFile, ReadRefusesMoreThanTheLimit) {
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "12345", 0600));
  EXPECT_EQ(*ReadFileBounded(Path("f"), 5), "12345");
  EXPECT_THAT(ReadFileBounded(Path("f"), 4), StatusIs(absl::StatusCode::kResourceExhausted, "longer than 4 bytes"));
  // Files of /proc say that they are empty; the limit holds for what is read, too.
  EXPECT_THAT(ReadFileBounded("/proc/self/status", 10),
              StatusIs(absl::StatusCode::kResourceExhausted, "longer than 10 bytes"));
  EXPECT_GT(ReadFileBounded("/proc/self/status", 1 << 20)->size(), 10u);
}

TEST_F(AtomicFile, CreateDirectoriesMakesParentsAndAcceptsThemAgain) {
  SLUIS_ASSERT_OK(CreateDirectories(Path("a/b/c"), 0700));
  SLUIS_ASSERT_OK(CreateDirectories(Path("a/b/c"), 0700));
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("a/f"), "x", 0600));
  EXPECT_THAT(CreateDirectories(Path("a/f"), 0700),
              StatusIs(absl::StatusCode::kFailedPrecondition, "a file has that name"));
}

TEST_F(AtomicFile, EveryFailedCallLeavesTheOldContentAndNoTemporary) {
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "old", 0600));
  int failures = 0;
  for (int nth = 1;; ++nth) {
    absl::Status status;
    bool reached = false;
    {
      ScopedFault fault(nth, FaultAction::kFail, ENOSPC);
      status = WriteFileAtomically(Path("f"), "new", 0600);
      reached = fault.reached();
    }
    if (!reached) {
      SLUIS_EXPECT_OK(status);
      break;
    }
    ++failures;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "free space"));
    EXPECT_EQ(FileCount(), 1u) << "call " << nth;
    // Only the last call, the sync of the directory, comes after the rename.
    EXPECT_EQ(*ReadFileBounded(Path("f"), 100), nth == 6 ? "new" : "old") << "call " << nth;
  }
  EXPECT_EQ(failures, 6);  // openat, fchmod, write, fsync, renameat, fsync of the directory
}

TEST_F(AtomicFile, EveryCrashLeavesOldOrNewContentAndStaleFilesCanBeRemoved) {
  for (const FaultAction action : {FaultAction::kCrash, FaultAction::kTear}) {
    for (int nth = 1; nth <= 7; ++nth) {
      SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "old content", 0600));
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        ScopedFault fault(nth, action, 0);
        const absl::Status status = WriteFileAtomically(Path("f"), "new content", 0600);
        _exit(status.ok() ? 0 : 1);
      }
      int state = 0;
      ASSERT_EQ(waitpid(child, &state, 0), child);
      ASSERT_TRUE(WIFEXITED(state));
      EXPECT_EQ(WEXITSTATUS(state), nth <= 6 ? 77 : 0);
      EXPECT_EQ(*ReadFileBounded(Path("f"), 100), nth <= 5 ? "old content" : "new content") << "call " << nth;
      SLUIS_ASSERT_OK(RemoveStaleTemporaries(Path("f")));
      EXPECT_EQ(FileCount(), 1u);
    }
  }
}

TEST_F(AtomicFile, RemoveStaleTemporariesKeepsOtherFiles) {
  SLUIS_ASSERT_OK(WriteFileAtomically(Path("f"), "x", 0600));
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(".f.tmp-short"), "x", 0600));
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(".g.tmp-0123456789abcdef"), "x", 0600));
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(".f.tmp-0123456789abcdef"), "x", 0600));
  SLUIS_ASSERT_OK(RemoveStaleTemporaries(Path("f")));
  EXPECT_EQ(FileCount(), 3u);
}

}  // namespace
}  // namespace sluis::common
