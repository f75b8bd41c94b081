#include "common/rpc/job.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;

JobStatus StatusOf(const JobRunner& runner, const std::string& id) {
  const auto status = runner.Get(id);
  EXPECT_TRUE(status.ok());
  return status.value_or(JobStatus());
}

bool Ended(JobState state) { return state != JobState::kWaiting && state != JobState::kRunning; }

// Waits for the end of a job; the time limit of the test is what ends a wait in vain.
JobStatus WaitFor(const JobRunner& runner, const std::string& id) {
  for (;;) {
    JobStatus status = StatusOf(runner, id);
    if (Ended(status.state)) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Work that says when it began and ends when it is let go or cancelled.
class Gate {
 public:
  JobRunner::Work Work(const std::string& result = "done") {
    return [this, result](JobControl& control) -> absl::StatusOr<std::string> {
      ++runs_;
      control.SetStep("waiting at the gate");
      control.SetProgress(1, 4);
      began_.set_value();
      while (!open_) {
        SLUIS_RETURN_IF_ERROR(control.CheckCancelled());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return result;
    };
  }
  void WaitUntilItBegan() { began_.get_future().wait(); }
  void Open() { open_ = true; }
  int runs() const { return runs_; }

 private:
  std::promise<void> began_;
  std::atomic<bool> open_{false};
  std::atomic<int> runs_{0};
};

TEST(JobRunner, RunsWorkAndKeepsItsResult) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", [](JobControl&) { return absl::StatusOr<std::string>("link-set-7"); }));
  const JobStatus status = WaitFor(runner, "a");
  EXPECT_EQ(status.state, JobState::kDone);
  EXPECT_EQ(status.result, "link-set-7");
  EXPECT_EQ(status.percent, 100u);
  SLUIS_EXPECT_OK(status.status);
}

TEST(JobRunner, ShowsStepAndProgressWhileWorkRuns) {
  Gate gate;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", gate.Work()));
  gate.WaitUntilItBegan();
  const JobStatus status = StatusOf(runner, "a");
  EXPECT_EQ(status.state, JobState::kRunning);
  EXPECT_EQ(status.step, "waiting at the gate");
  EXPECT_EQ(status.percent, 25u);
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "a").state, JobState::kDone);
}

TEST(JobRunner, RunsOneJobAfterTheOtherInTheOrderOfTheirStart) {
  Gate gate;
  std::string order;  // written by the runner's thread only, read after both have ended
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("first", gate.Work()));
  for (const char* id : {"b", "c", "a"}) {
    SLUIS_ASSERT_OK(runner.Start(id, [&order, id](JobControl&) -> absl::StatusOr<std::string> { return order += id; }));
  }
  gate.WaitUntilItBegan();
  EXPECT_EQ(StatusOf(runner, "a").state, JobState::kWaiting);
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "a").result, "bca");
}

TEST(JobRunner, KeepsTheErrorOfFailedWork) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", [](JobControl&) -> absl::StatusOr<std::string> {
    return WithReason(absl::FailedPreconditionError("no backbone"), "NO_BACKBONE");
  }));
  const JobStatus status = WaitFor(runner, "a");
  EXPECT_EQ(status.state, JobState::kFailed);
  EXPECT_THAT(status.status, StatusIs(absl::StatusCode::kFailedPrecondition, "no backbone"));
  EXPECT_EQ(ReasonOf(status.status), "NO_BACKBONE");
}

TEST(JobRunner, LackOfMemoryFailsTheJobNotTheService) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", [](JobControl&) -> absl::StatusOr<std::string> { throw std::bad_alloc(); }));
  EXPECT_THAT(WaitFor(runner, "a").status, StatusIs(absl::StatusCode::kResourceExhausted, "memory"));
  SLUIS_ASSERT_OK(runner.Start("b", [](JobControl&) { return absl::StatusOr<std::string>("alive"); }));
  EXPECT_EQ(WaitFor(runner, "b").result, "alive");
}

TEST(JobRunner, StartingAgainDoesNotRunTwice) {
  Gate gate;
  JobRunner runner;
  const auto other = [](JobControl&) { return absl::StatusOr<std::string>("other"); };
  SLUIS_ASSERT_OK(runner.Start("a", gate.Work("first")));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Start("a", other));  // while it runs
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "a").result, "first");
  SLUIS_ASSERT_OK(runner.Start("a", other));  // after it is done
  SLUIS_ASSERT_OK(runner.Start("end", other));
  WaitFor(runner, "end");
  EXPECT_EQ(StatusOf(runner, "a").result, "first");
  EXPECT_EQ(gate.runs(), 1);
}

TEST(JobRunner, FailedAndCancelledJobsCanBeStartedAgain) {
  JobRunner runner;
  int runs = 0;
  const auto twice = [&runs](JobControl&) -> absl::StatusOr<std::string> {
    if (++runs == 1) return absl::AbortedError("try again");
    return "second";
  };
  SLUIS_ASSERT_OK(runner.Start("a", twice));
  EXPECT_EQ(WaitFor(runner, "a").state, JobState::kFailed);
  SLUIS_ASSERT_OK(runner.Start("a", twice));
  const JobStatus status = WaitFor(runner, "a");
  EXPECT_EQ(status.state, JobState::kDone);
  EXPECT_EQ(status.result, "second");

  Gate gate;
  SLUIS_ASSERT_OK(runner.Start("b", gate.Work()));
  SLUIS_ASSERT_OK(runner.Cancel("b"));
  EXPECT_EQ(WaitFor(runner, "b").state, JobState::kCancelled);
  SLUIS_ASSERT_OK(runner.Start("b", [](JobControl&) { return absl::StatusOr<std::string>("again"); }));
  EXPECT_EQ(WaitFor(runner, "b").result, "again");
}

TEST(JobRunner, CancelStopsRunningWork) {
  Gate gate;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", gate.Work()));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("a"));
  EXPECT_EQ(WaitFor(runner, "a").state, JobState::kCancelled);
}

TEST(JobRunner, CancelledBeforeItBeganNeverRuns) {
  Gate gate;
  bool ran = false;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("first", gate.Work()));
  SLUIS_ASSERT_OK(runner.Start("a", [&ran](JobControl&) -> absl::StatusOr<std::string> {
    ran = true;
    return "ran";
  }));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("a"));
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "a").state, JobState::kCancelled);
  EXPECT_FALSE(ran);
}

TEST(JobRunner, CancellingWhatEndedChangesNothing) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", [](JobControl&) { return absl::StatusOr<std::string>("kept"); }));
  WaitFor(runner, "a");
  SLUIS_EXPECT_OK(runner.Cancel("a"));
  EXPECT_EQ(StatusOf(runner, "a").state, JobState::kDone);
  EXPECT_EQ(StatusOf(runner, "a").result, "kept");
}

TEST(JobRunner, UnknownJobsAreNotFound) {
  JobRunner runner;
  EXPECT_THAT(runner.Get("x"), StatusIs(absl::StatusCode::kNotFound, "no such job"));
  EXPECT_EQ(ReasonOf(runner.Get("x").status()), "JOB_UNKNOWN");
  EXPECT_THAT(runner.Cancel("x"), StatusIs(absl::StatusCode::kNotFound, "no such job"));
}

TEST(JobRunner, TakesAHundredWaitingJobsAndNoMore) {
  Gate gate;
  JobRunner runner;
  const auto nothing = [](JobControl&) { return absl::StatusOr<std::string>(""); };
  SLUIS_ASSERT_OK(runner.Start("running", gate.Work()));
  gate.WaitUntilItBegan();
  for (int i = 0; i < 100; ++i) SLUIS_ASSERT_OK(runner.Start(std::to_string(i), nothing));
  EXPECT_THAT(runner.Start("one too many", nothing),
              StatusIs(absl::StatusCode::kResourceExhausted, "too many jobs are waiting"));
  EXPECT_THAT(runner.Get("one too many"), StatusIs(absl::StatusCode::kNotFound, ""));
  SLUIS_EXPECT_OK(runner.Start("99", nothing));  // is there already
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "99").state, JobState::kDone);
  SLUIS_EXPECT_OK(runner.Start("one too many", nothing));
}

TEST(JobRunner, ItsEndCancelsWhatRunsAndWhatWaits) {
  Gate gate;
  bool ran = false;
  {
    JobRunner runner;
    SLUIS_ASSERT_OK(runner.Start("running", gate.Work()));
    SLUIS_ASSERT_OK(runner.Start("waiting", [&ran](JobControl&) -> absl::StatusOr<std::string> {
      ran = true;
      return "";
    }));
    gate.WaitUntilItBegan();
  }  // returns although the gate is shut
  EXPECT_EQ(gate.runs(), 1);
  EXPECT_FALSE(ran);
}

TEST(JobControl, ProgressOfNothingIsZero) {
  JobRunner runner;
  std::promise<void> looked;
  std::promise<void> set;
  SLUIS_ASSERT_OK(runner.Start("a", [&](JobControl& control) -> absl::StatusOr<std::string> {
    control.SetProgress(0, 0);
    set.set_value();
    looked.get_future().wait();
    return "";
  }));
  set.get_future().wait();
  EXPECT_EQ(StatusOf(runner, "a").percent, 0u);
  looked.set_value();
}

}  // namespace
}  // namespace sluis::common
