#include "common/spill/spill_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "common/status/matchers.h"
#include "tests/common/file/fault_calls.h"

namespace sluis::common {
namespace {

using testing::FaultAction;
using testing::ScopedFault;
using testing::StatusIs;

class SpillDirectoryTest : public ::testing::Test {
 protected:
  SpillDirectoryTest() {
    std::string pattern = ::testing::TempDir() + "spill-test-XXXXXX";
    root_ = mkdtemp(pattern.data());
    path_ = root_ + "/tmp";
  }
  ~SpillDirectoryTest() override { std::filesystem::remove_all(root_); }

  std::size_t SpillFiles() const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      files += entry.path().filename().string().starts_with("spill-") ? 1 : 0;
    }
    return files;
  }

  std::string root_;
  std::string path_;
};

TEST_F(SpillDirectoryTest, KeepsNothingReadableOnDiskAndRemovesItsFiles) {
  const auto directory = SpillDirectory::Open(path_);
  SLUIS_ASSERT_OK(directory);
  const std::string secret = "111222333-van-der-Kuijpers";
  {
    auto file = directory->NewFile(64);
    SLUIS_ASSERT_OK(file);
    for (int i = 0; i < 100; ++i) {
      SLUIS_ASSERT_OK(file->Append(secret));
    }
    SLUIS_ASSERT_OK(file->Finish());
    EXPECT_EQ(file->records(), 100u);
    ASSERT_EQ(SpillFiles(), 1u);
    std::uintmax_t bytes_on_disk = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      struct stat info {};
      ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(in), {});
      bytes_on_disk += bytes.size();
      for (const char* fragment : {"111222333", "Kuijpers", "van-der"}) {
        EXPECT_EQ(bytes.find(fragment), std::string::npos) << entry.path();
      }
    }
    EXPECT_GT(bytes_on_disk, 100 * secret.size());
    for (int pass = 0; pass < 2; ++pass) {
      const auto reader = file->Read();
      SLUIS_ASSERT_OK(reader);
      std::string_view record;
      int count = 0;
      while (*(*reader)->Next(record)) {
        EXPECT_EQ(record, secret);
        ++count;
      }
      EXPECT_EQ(count, 100);
    }
  }
  EXPECT_EQ(SpillFiles(), 0u);
}

TEST_F(SpillDirectoryTest, IsPrivate) {
  SLUIS_ASSERT_OK(SpillDirectory::Open(path_));
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const mode_t mode : {0750, 0705, 0701, 0777}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_THAT(SpillDirectory::Open(path_), StatusIs(absl::StatusCode::kFailedPrecondition, "chmod 700"));
  }
}

TEST_F(SpillDirectoryTest, RefusesASymbolicLinkAndAFile) {
  std::filesystem::create_directory(root_ + "/real");
  ASSERT_EQ(chmod((root_ + "/real").c_str(), 0700), 0);
  std::filesystem::create_symlink(root_ + "/real", path_);
  EXPECT_THAT(SpillDirectory::Open(path_), StatusIs(absl::StatusCode::kFailedPrecondition, "not a directory"));
  std::ofstream(root_ + "/file") << "x";
  EXPECT_THAT(SpillDirectory::Open(root_ + "/file"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not a directory"));
}

TEST_F(SpillDirectoryTest, RemovesWhatACrashedRunLeft) {
  const pid_t child = fork();
  if (child == 0) {
    auto directory = SpillDirectory::Open(path_);
    auto file = directory->NewFile();
    _exit(file->Append("left behind").ok() && file->Finish().ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(SpillFiles(), 1u);
  SLUIS_ASSERT_OK(SpillDirectory::Open(path_));
  EXPECT_EQ(SpillFiles(), 0u);
}

TEST_F(SpillDirectoryTest, HasOneUserAtATime) {
  auto first = SpillDirectory::Open(path_);
  SLUIS_ASSERT_OK(first);
  {
    auto file = first->NewFile();
    SLUIS_ASSERT_OK(file);
    EXPECT_THAT(SpillDirectory::Open(path_), StatusIs(absl::StatusCode::kFailedPrecondition, "in use"));
    EXPECT_EQ(SpillFiles(), 1u);
  }
  first = absl::UnknownError("closed");
  SLUIS_EXPECT_OK(SpillDirectory::Open(path_));
}

TEST_F(SpillDirectoryTest, SaysSoIfWritingAndReadingAreMixed) {
  const auto directory = SpillDirectory::Open(path_);
  SLUIS_ASSERT_OK(directory);
  auto file = directory->NewFile();
  SLUIS_ASSERT_OK(file);
  EXPECT_THAT(file->Read(), StatusIs(absl::StatusCode::kFailedPrecondition, "not finished"));
  SLUIS_ASSERT_OK(file->Finish());
  EXPECT_THAT(file->Append("x"), StatusIs(absl::StatusCode::kFailedPrecondition, "finished"));
  EXPECT_THAT(file->Finish(), StatusIs(absl::StatusCode::kFailedPrecondition, "finished"));
}

// Whichever write meets the full disk, the error says so and names the directory, and the file is removed.
TEST_F(SpillDirectoryTest, NamesTheDirectoryWhenTheDiskIsFull) {
  const auto directory = SpillDirectory::Open(path_);
  SLUIS_ASSERT_OK(directory);
  int faults = 0;
  std::size_t left = 0;
  for (int nth = 1;; ++nth) {
    absl::Status status;
    bool reached = false;
    {
      ScopedFault fault(nth, FaultAction::kFail, ENOSPC);
      {
        auto file = directory->NewFile(64);
        status = file.status();
        for (int i = 0; status.ok() && i < 20; ++i) {
          status = file->Append("0123456789abcdef");
        }
        if (status.ok()) {
          status = file->Finish();
        }
      }
      reached = fault.reached();
      if (reached && status.ok()) {
        ++left;  // the fault met the removal of the file, which the next run makes good
        continue;
      }
    }
    if (!reached) {
      break;
    }
    ++faults;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, path_));
  }
  EXPECT_GE(faults, 7);  // creating, the header, five blocks and the end
  EXPECT_EQ(left, 1u);
  EXPECT_EQ(SpillFiles(), left);
}

}  // namespace
}  // namespace sluis::common
