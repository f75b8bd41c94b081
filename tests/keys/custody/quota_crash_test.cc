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
#include "tests/long_tests.h"

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
    const auto decision = ledger.Debit(Request(chunk), {.account = budget, .delivery = budget});
    if (!decision.ok()) {
      _exit(decision.status().code() == absl::StatusCode::kResourceExhausted ? 0 : 1);
    }
    if (write(STDOUT_FILENO, &chunk, sizeof(chunk)) != sizeof(chunk)) {
      _exit(1);
    }
  }
}

// Starts DebitUntilKilled as a program of its own, because RocksDB's threads in the parent do not survive a fork.
// Returns its process id; `grants` is the end of the pipe to read from.
pid_t StartDebiting(const std::string& directory, std::uint32_t first, std::uint64_t budget, int& grants) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const std::string first_text = std::to_string(first);
  const std::string budget_text = std::to_string(budget);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl("/proc/self/exe", "keys_quota_crash_test", kDebitCommand, directory.c_str(), first_text.c_str(),
          budget_text.c_str(), static_cast<char*>(nullptr));
    _exit(1);
  }
  close(ends[1]);
  grants = ends[0];
  return child;
}

// Kills; the delays come from a fixed seed but what they hit does not, so a failure names what it found. A child
// that nobody reads from stops when the pipe is full, after 16,384 grants.
TEST(QuotaLedgerCrash, KeepsEveryGrantAndNeverOverspends) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("sluis-quota-crash-" + std::to_string(getpid()));
  std::filesystem::remove_all(directory);
  constexpr std::uint64_t kAmple = 1'000'000'000;
  constexpr QuotaBudget kAmpleForBoth{.account = kAmple, .delivery = kAmple};
  std::mt19937 random(20261122);
  std::uint32_t next = 0;  // chunks 0 .. next-1 were granted for certain
  bool killed_in_mid_run = false;
  const int rounds = ::sluis::testing::Repetitions(12, 300);
  for (int round = 0; round < rounds; ++round) {
    int grants = -1;
    const std::uint32_t first = next;
    const pid_t child = StartDebiting(directory.string(), first, kAmple, grants);
    ASSERT_GT(child, 0);
    // Every other child is killed while it opens the store or soon after, the rest after a first grant.
    std::uint32_t chunk = 0;
    if (round % 2 == 1 && read(grants, &chunk, sizeof(chunk)) == sizeof(chunk)) {
      next = chunk + 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 80));
    kill(child, SIGKILL);
    int child_status = 0;
    ASSERT_EQ(waitpid(child, &child_status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(child_status)) << "the child gave up in round " << round;
    while (read(grants, &chunk, sizeof(chunk)) == sizeof(chunk)) {
      next = chunk + 1;
    }
    close(grants);
    killed_in_mid_run = killed_in_mid_run || next > first;

    auto store = OpenStore(directory.string());
    SLUIS_ASSERT_OK(store);
    QuotaLedger ledger(**store);
    const auto usage = ledger.Usage(kAccount);
    SLUIS_ASSERT_OK(usage);
    // Usage and chunk records are of one batch: they agree, whatever was cut off.
    EXPECT_EQ(usage->elements, usage->chunks * kChunkElements);
    const auto delivery = ledger.DeliveryUsage(kAccount, "d");
    SLUIS_ASSERT_OK(delivery);
    EXPECT_EQ(delivery->elements, usage->elements);
    EXPECT_EQ(delivery->chunks, usage->chunks);
    // Every grant that was heard of is there; at most one more, debited but not yet told, stands behind them.
    ASSERT_GE(usage->chunks, next) << "a granted debit was lost in round " << round;
    ASSERT_LE(usage->chunks, next + 1);
    for (std::uint32_t granted = first; granted < next; ++granted) {
      const auto decision = ledger.Check(Request(granted), kAmpleForBoth);
      SLUIS_ASSERT_OK(decision);
      ASSERT_EQ(*decision, DebitDecision::kReplay) << "chunk " << granted;
    }
    const auto last = ledger.Check(Request(next), kAmpleForBoth);
    SLUIS_ASSERT_OK(last);
    EXPECT_EQ(*last, usage->chunks > next ? DebitDecision::kReplay : DebitDecision::kGranted);
    // The next child begins at `next`: a debit of which nobody heard is a replay there and is not debited again.
  }
  EXPECT_TRUE(killed_in_mid_run) << "no kill came after a grant: the test did not test";

  // After all of that the budget is still exact: it lets five more chunks through, counted from what is on disk.
  std::uint64_t used = 0;
  {
    auto store = OpenStore(directory.string());
    SLUIS_ASSERT_OK(store);
    used = QuotaLedger(**store).Usage(kAccount)->elements;
  }
  int grants = -1;
  const pid_t child = StartDebiting(directory.string(), next, used + 5 * kChunkElements + kChunkElements - 1, grants);
  int child_status = 0;
  ASSERT_EQ(waitpid(child, &child_status, 0), child);
  ASSERT_TRUE(WIFEXITED(child_status) && WEXITSTATUS(child_status) == 0) << "the child was not refused for its budget";
  close(grants);
  auto store = OpenStore(directory.string());
  SLUIS_ASSERT_OK(store);
  const auto usage = QuotaLedger(**store).Usage(kAccount);
  SLUIS_ASSERT_OK(usage);
  EXPECT_EQ(usage->elements, used + 5 * kChunkElements);
  std::uint64_t records = 0;
  SLUIS_ASSERT_OK((*store)->Scan(kQuotaFamily, "c", "", [&records](std::string_view, std::string_view) {
    ++records;
    return true;
  }));
  EXPECT_EQ(records, usage->chunks);
  store->reset();  // its threads write to the directory until it is closed
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
