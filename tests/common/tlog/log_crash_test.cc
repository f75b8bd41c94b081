#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/tlog/verifier.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/common/tlog/log_fixtures.h"
#include "tests/long_tests.h"

extern char** environ;

namespace sluis::common {
namespace {

using namespace ::sluis::common::testing;  // NOLINT: fixtures and matchers

// Kills a process that appends, at random moments, and checks what it left: all that was acknowledged is there, the
// business state agrees with the log, the log and its exported files verify, and one size never had two roots.
TEST(LogCrash, KilledAtRandomMomentsLosesNothingAcknowledgedAndSignsOneRootPerSize) {
  TemporaryDirectory directory;
  const std::string child =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "log_crash_child").string();
  const std::string acknowledged_file = directory / "acknowledged";
  std::mt19937 random(19640131);
  std::map<std::uint64_t, Hash256> roots;
  const VerifierKey key = TestVerifierKey();
  std::string last_checkpoint;
  std::uint64_t last_size = 0;
  const int rounds = ::sluis::testing::Repetitions(10, 60);
  for (int round = 0; round < rounds; ++round) {
    std::string program = child;
    std::string argument1 = directory.path();
    std::string argument2 = acknowledged_file;
    char* arguments[] = {program.data(), argument1.data(), argument2.data(), nullptr};
    pid_t pid = 0;
    ASSERT_EQ(posix_spawn(&pid, child.c_str(), nullptr, nullptr, arguments, environ), 0) << child;
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + random() % 240));
    kill(pid, SIGKILL);
    int state = 0;
    ASSERT_EQ(waitpid(pid, &state, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself with status " << WEXITSTATUS(state);

    std::uint64_t acknowledged_size = 0;
    const auto note_root = [&](const std::string& note) {
      const auto checkpoint = VerifyCheckpoint(note, {&key, 1});
      SLUIS_ASSERT_OK(checkpoint);
      const auto [known, is_new] = roots.emplace(checkpoint->size, checkpoint->root);
      EXPECT_EQ(known->second, checkpoint->root) << "two roots for size " << checkpoint->size;
      acknowledged_size = std::max(acknowledged_size, checkpoint->size);
    };
    if (const auto records = ReadFileBounded(acknowledged_file, 1 << 24); records.ok()) {
      // What follows the last form feed was cut off by the kill.
      for (std::size_t at = 0, end = 0; (end = records->find('\f', at)) != std::string::npos; at = end + 1) {
        note_root(records->substr(at, end - at));
      }
    }
    if (const auto exported = ReadFileBounded(directory / "log/checkpoint", kMaxNoteBytes); exported.ok()) {
      note_root(*exported);
      SLUIS_ASSERT_OK(VerifyLogDirectory(directory / "log", {key, std::nullopt, nullptr}));
    }

    RocksDbOptions options;
    options.families = LogTestFamilies();
    auto store = OpenRocksDb(directory / "db", options);
    SLUIS_ASSERT_OK(store);
    auto log = LogWriter::Open(**store, kOrigin, TestKey(), directory / "log");
    SLUIS_ASSERT_OK(log);
    const std::uint64_t size = (*log)->size();
    EXPECT_GE(size, acknowledged_size);
    note_root((*log)->Checkpoint());
    const auto business = (*store)->Get("business", "size");
    SLUIS_ASSERT_OK(business);
    EXPECT_EQ(business->value_or("0"), std::to_string(size));
    const auto verified = VerifyLogDirectory(
        directory / "log", {key, last_checkpoint.empty() ? std::nullopt : std::optional(last_checkpoint),
                            [](std::uint64_t index, std::string_view entry) {
                              return entry == TestEntry(index) ? absl::OkStatus()
                                                               : absl::DataLossError("another entry");
                            }});
    SLUIS_ASSERT_OK(verified);
    EXPECT_EQ(verified->size, size);
    last_checkpoint = (*log)->Checkpoint();
    last_size = size;
  }
  EXPECT_GT(last_size, 100u) << "the child was killed before it did anything";
}

}  // namespace
}  // namespace sluis::common
