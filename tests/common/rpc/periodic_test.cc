#include "common/rpc/periodic.h"

#include <atomic>
#include <new>
#include <thread>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using std::chrono::hours;
using std::chrono::milliseconds;

// The time limit of the test is what ends a wait in vain.
void WaitUntil(const std::atomic<int>& runs, int count) {
  while (runs < count) std::this_thread::sleep_for(milliseconds(1));
}

TEST(PeriodicTask, RunsOnceBeforeStartReturns) {
  const std::thread::id caller = std::this_thread::get_id();
  int runs = 0;
  const auto task = PeriodicTask::Start("t", hours(1), [&] {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    ++runs;
    return absl::OkStatus();
  });
  SLUIS_ASSERT_OK(task);
  EXPECT_EQ(runs, 1);
}

TEST(PeriodicTask, RunsAgainWhileItLivesAndNeverAfter) {
  std::atomic<int> runs = 0;
  {
    const auto task = PeriodicTask::Start("t", milliseconds(1), [&] {
      ++runs;
      return absl::OkStatus();
    });
    SLUIS_ASSERT_OK(task);
    WaitUntil(runs, 4);
  }
  const int at_end = runs;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(runs, at_end);
}

TEST(PeriodicTask, DoesNotStartIfTheFirstRunFails) {
  std::atomic<int> runs = 0;
  const auto task = PeriodicTask::Start("retention", milliseconds(1), [&] {
    ++runs;
    return absl::ResourceExhaustedError("the disk is full");
  });
  EXPECT_THAT(task, StatusIs(absl::StatusCode::kResourceExhausted, "retention: the disk is full"));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(runs, 1);
}

TEST(PeriodicTask, GoesOnAfterARunThatFailedOrThrew) {
  std::atomic<int> runs = 0;
  const auto task = PeriodicTask::Start("t", milliseconds(1), [&]() -> absl::Status {
    const int run = ++runs;
    if (run == 2) return absl::UnavailableError("for once");
    if (run == 3) throw std::bad_alloc();
    return absl::OkStatus();
  });
  SLUIS_ASSERT_OK(task);
  WaitUntil(runs, 5);
}

TEST(PeriodicTask, ItsEndDoesNotWaitForTheNextRunButForTheOneUnderWay) {
  {
    const auto idle = PeriodicTask::Start("t", hours(1000), [] { return absl::OkStatus(); });
    SLUIS_ASSERT_OK(idle);
  }
  std::atomic<int> began = 0;
  std::atomic<int> ended = 0;
  {
    const auto busy = PeriodicTask::Start("t", milliseconds(1), [&] {
      if (++began > 1) std::this_thread::sleep_for(milliseconds(50));
      ++ended;
      return absl::OkStatus();
    });
    SLUIS_ASSERT_OK(busy);
    WaitUntil(began, 2);
  }
  EXPECT_EQ(ended, began);
}

}  // namespace
}  // namespace sluis::common
