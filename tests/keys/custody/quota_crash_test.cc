// The ledger on RocksDB, killed at random moments. A child debits chunk after chunk and tells its parent over a pipe
// after each grant; the parent kills it with SIGKILL and compares what it heard with what the reopened store holds.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "keys/custody/quota.h"

namespace sluis::keys {
namespace {

constexpr char kDebitCommand[] = "--debit-until-killed";
constexpr std::uint32_t kChunkElements = 7;
const QuotaAccount kAccount = {"spiffe://sluis.test/custodian/a", "integration", "identifiers"};

absl::StatusOr<std::unique_ptr<common::Store>> OpenStore(const std::string& directory) {
  common::RocksDbOptions options;
  options.families = {kQuotaFamily};
  return common::OpenRocksDb(directory, options);
}

DebitRequest Request(std::uint32_t chunk) {
  DebitRequest request{.account = kAccount, .delivery_id = "d", .chunk_number = chunk, .element_count = kChunkElements};
  request.elements_sha256.fill(static_cast<std::uint8_t>(chunk));
  return request;
}

// Debits chunks from `first` on and writes the number of each to standard output once it is granted; exits 0 when the
// budget is used up, 1 on any other error.
[[noreturn]] void DebitUntilKilled(const std::string& directory, std::uint32_t first, std::uint64_t budget) {
  auto store = OpenStore(directory);
  if (!store.ok()) {
    _exit(1);
  }
  QuotaLedger ledger(**store);
  for (std::uint32_t chunk = first;; ++chunk) {
    const auto decision = ledger.Debit(Request(chunk), budget);
    if (!decision.ok()) {
      _exit(decision.status().code() == absl::StatusCode::kResourceExhausted ? 0 : 1);
    }
    if (write(STDOUT_FILENO, &chunk, sizeof(chunk)) != sizeof(chunk)) {
      _exit(1);
    }
  }
}

// 25 kills; the moments come from a fixed seed but what they hit does not, so a failure names what it found.
TEST(QuotaLedgerCrash, KeepsEveryGrantAndNeverOverspends) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("sluis-quota-crash-" + std::to_string(getpid()));
  std::filesystem::remove_all(directory);
  constexpr std::uint64_t kBudget = 3000 * kChunkElements;
  std::mt19937 random(20261122);
  std::uint32_t next = 0;  // chunks 0 .. next-1 were granted for certain
  bool killed_in_mid_run = false;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // A program of its own: RocksDB's threads in the parent do not survive a fork.
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      const std::string first = std::to_string(next);
      const std::string budget = std::to_string(kBudget);
      execl("/proc/self/exe", "keys_quota_crash_test", kDebitCommand, directory.c_str(), first.c_str(), budget.c_str(),
            static_cast<char*>(nullptr));
      _exit(1);
    }
    close(ends[1]);
    std::uint32_t heard = 0;
    // Every other child is killed while it opens the store or soon after, the rest after a first grant.
    std::uint32_t chunk = 0;
    if (round % 2 == 1 && read(ends[0], &chunk, sizeof(chunk)) == sizeof(chunk)) {
      next = chunk + 1;
      ++heard;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 80));
    kill(child, SIGKILL);
    int child_status = 0;
    ASSERT_EQ(waitpid(child, &child_status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(child_status) || WEXITSTATUS(child_status) == 0) << "the child failed in round " << round;
    while (read(ends[0], &chunk, sizeof(chunk)) == sizeof(chunk)) {
      next = chunk + 1;
      ++heard;
    }
    close(ends[0]);
    killed_in_mid_run = killed_in_mid_run || (heard > 0 && WIFSIGNALED(child_status));

    auto store = OpenStore(directory.string());
    SLUIS_ASSERT_OK(store);
    QuotaLedger ledger(**store);
    const auto usage = ledger.Usage(kAccount);
    SLUIS_ASSERT_OK(usage);
    EXPECT_LE(usage->elements, kBudget);
    // Usage and chunk records are of one batch: they agree, whatever was cut off.
    EXPECT_EQ(usage->elements, usage->chunks * kChunkElements);
    // Every grant that was heard of is there; at most one more, debited but not yet told, stands behind them.
    ASSERT_GE(usage->chunks, next) << "a granted debit was lost in round " << round;
    ASSERT_LE(usage->chunks, next + 1);
    for (std::uint32_t granted = 0; granted < next; ++granted) {
      const auto decision = ledger.Check(Request(granted), kBudget);
      SLUIS_ASSERT_OK(decision);
      ASSERT_EQ(*decision, DebitDecision::kReplay) << "chunk " << granted;
    }
    const auto last = ledger.Check(Request(next), kBudget + kChunkElements);
    SLUIS_ASSERT_OK(last);
    EXPECT_EQ(*last, usage->chunks > next ? DebitDecision::kReplay : DebitDecision::kGranted);
    // The next child begins at `next`: a debit of which nobody heard is a replay there and is not debited again.
  }
  EXPECT_TRUE(killed_in_mid_run) << "no kill came between two grants: the test did not test";
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sluis::keys

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == sluis::keys::kDebitCommand) {
    sluis::keys::DebitUntilKilled(argv[2], static_cast<std::uint32_t>(std::stoul(argv[3])), std::stoull(argv[4]));
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
