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
  std::string order;  // written by one job at a time only, read after both have ended
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/first", gate.Work()));
  for (const char* id : {"p/b", "p/c", "p/a"}) {
    SLUIS_ASSERT_OK(
        runner.Start(id, [&order, id](JobControl&) -> absl::StatusOr<std::string> { return order += id[2]; }));
  }
  gate.WaitUntilItBegan();
  EXPECT_EQ(StatusOf(runner, "p/a").state, JobState::kWaiting);
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "p/a").result, "bca");
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
  SLUIS_ASSERT_OK(runner.Start("p/a", gate.Work("first")));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Start("p/a", other));  // while it runs
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "p/a").result, "first");
  SLUIS_ASSERT_OK(runner.Start("p/a", other));  // after it is done
  SLUIS_ASSERT_OK(runner.Start("p/end", other));
  WaitFor(runner, "p/end");
  EXPECT_EQ(StatusOf(runner, "p/a").result, "first");
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
  SLUIS_ASSERT_OK(runner.Cancel("b", ""));
  EXPECT_EQ(WaitFor(runner, "b").state, JobState::kCancelled);
  SLUIS_ASSERT_OK(runner.Start("b", [](JobControl&) { return absl::StatusOr<std::string>("again"); }));
  EXPECT_EQ(WaitFor(runner, "b").result, "again");
}

TEST(JobRunner, CancelStopsRunningWork) {
  Gate gate;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", gate.Work()));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("a", ""));
  EXPECT_EQ(WaitFor(runner, "a").state, JobState::kCancelled);
}

TEST(JobRunner, OnlyWhoStartedAJobCanCancelIt) {
  Gate gate;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/a", gate.Work(), {.owner = "office"}));
  gate.WaitUntilItBegan();
  // Who starts it again meanwhile gets the same job, and it stays another's.
  SLUIS_ASSERT_OK(runner.Start("p/a", gate.Work(), {.owner = "another"}));
  const absl::Status refused = runner.Cancel("p/a", "another");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied, "only who started a job"));
  EXPECT_EQ(ReasonOf(refused), "NOT_JOB_OWNER");
  EXPECT_EQ(StatusOf(runner, "p/a").state, JobState::kRunning);
  SLUIS_EXPECT_OK(runner.Cancel("p/a", "office"));
  EXPECT_EQ(WaitFor(runner, "p/a").state, JobState::kCancelled);
}

TEST(JobRunner, TellsNoDirectoryOfTheService) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/a", [](JobControl&) -> absl::StatusOr<std::string> {
    return WithReason(absl::ResourceExhaustedError("store: cannot write /srv/gate/data/1.log"), "DISK_FULL");
  }));
  const absl::Status failed = WaitFor(runner, "p/a").status;
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kResourceExhausted, "the disk of the service is full"));
  EXPECT_EQ(std::string(failed.message()).find("/srv"), std::string::npos);
  EXPECT_EQ(ReasonOf(failed), "DISK_FULL");
}

TEST(JobRunner, CancelledBeforeItBeganNeverRuns) {
  Gate gate;
  bool ran = false;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/first", gate.Work()));
  SLUIS_ASSERT_OK(runner.Start("p/a", [&ran](JobControl&) -> absl::StatusOr<std::string> {
    ran = true;
    return "ran";
  }));
  gate.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("p/a", ""));
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "p/a").state, JobState::kCancelled);
  EXPECT_FALSE(ran);
}

TEST(JobRunner, CancellingWhatEndedChangesNothing) {
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("a", [](JobControl&) { return absl::StatusOr<std::string>("kept"); }));
  WaitFor(runner, "a");
  SLUIS_EXPECT_OK(runner.Cancel("a", ""));
  EXPECT_EQ(StatusOf(runner, "a").state, JobState::kDone);
  EXPECT_EQ(StatusOf(runner, "a").result, "kept");
}

TEST(JobRunner, UnknownJobsAreNotFound) {
  JobRunner runner;
  EXPECT_THAT(runner.Get("x"), StatusIs(absl::StatusCode::kNotFound, "no such job"));
  EXPECT_EQ(ReasonOf(runner.Get("x").status()), "JOB_UNKNOWN");
  EXPECT_THAT(runner.Cancel("x", ""), StatusIs(absl::StatusCode::kNotFound, "no such job"));
}

TEST(JobRunner, TakesAsManyWaitingJobsOfAProjectAsItSaysAndNoMore) {
  Gate gate;
  JobRunner runner;
  const auto nothing = [](JobControl&) { return absl::StatusOr<std::string>(""); };
  SLUIS_ASSERT_OK(runner.Start("p/running", gate.Work()));
  gate.WaitUntilItBegan();
  for (std::size_t i = 0; i < JobRunner::kMaxWaiting; ++i) {
    SLUIS_ASSERT_OK(runner.Start("p/" + std::to_string(i), nothing));
  }
  EXPECT_THAT(runner.Start("p/more", nothing),
              StatusIs(absl::StatusCode::kResourceExhausted, "too many jobs of this project are waiting"));
  EXPECT_THAT(runner.Get("p/more"), StatusIs(absl::StatusCode::kNotFound, ""));
  SLUIS_EXPECT_OK(runner.Start("p/3", nothing));  // is there already
  // Another project does not wait behind this one.
  SLUIS_EXPECT_OK(runner.Start("q/1", nothing));
  EXPECT_EQ(WaitFor(runner, "q/1").state, JobState::kDone);
  // A cancelled job makes room.
  SLUIS_ASSERT_OK(runner.Cancel("p/3", ""));
  SLUIS_EXPECT_OK(runner.Start("p/more", nothing));
  gate.Open();
  EXPECT_EQ(WaitFor(runner, "p/more").state, JobState::kDone);
}

TEST(JobRunner, ProjectsTakeTurns) {
  Gate gate;
  std::string order;  // written by the one worker only, read after all have ended
  JobRunner runner(1);
  SLUIS_ASSERT_OK(runner.Start("b/0", gate.Work()));
  gate.WaitUntilItBegan();
  for (const std::string id : {"b/1", "b/2", "b/3", "a/1", "a/2", "c/1"}) {
    SLUIS_ASSERT_OK(
        runner.Start(id, [&order, id](JobControl&) -> absl::StatusOr<std::string> { return order += " " + id; }));
  }
  gate.Open();
  WaitFor(runner, "a/2");
  EXPECT_EQ(WaitFor(runner, "b/3").result, " c/1 a/1 b/1 a/2 b/2 b/3");
}

TEST(JobRunner, RunsAtMostOneJobOfAProjectHoweverManyWorkers) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  JobRunner runner(4);
  const auto work = [&](JobControl&) -> absl::StatusOr<std::string> {
    const int now = ++running;
    if (now > most) most = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --running;
    return "";
  };
  for (int i = 0; i < 15; ++i) SLUIS_ASSERT_OK(runner.Start("p/" + std::to_string(i), work));
  WaitFor(runner, "p/14");
  EXPECT_EQ(most, 1);
  // The control: with a project each they do run side by side.
  Gate one, two;
  SLUIS_ASSERT_OK(runner.Start("p/one", one.Work()));
  SLUIS_ASSERT_OK(runner.Start("q/two", two.Work()));
  one.WaitUntilItBegan();
  two.WaitUntilItBegan();
  one.Open();
  two.Open();
}

// Work that ends only when it is let go, whoever asks it to stop.
class Deaf {
 public:
  JobRunner::Work Work(bool finishes) {
    return [this, finishes](JobControl&) -> absl::StatusOr<std::string> {
      began_.set_value();
      open_.get_future().wait();
      if (finishes) return "done all the same";
      return absl::CancelledError("cancelled");
    };
  }
  void WaitUntilItBegan() { began_.get_future().wait(); }
  void Open() { open_.set_value(); }

 private:
  std::promise<void> began_, open_;
};

TEST(JobRunner, ACancelledJobThatStillRunsIsNotActiveAndBlocksNoOtherProject) {
  Deaf deaf;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/a", deaf.Work(false)));
  deaf.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("p/a", ""));
  EXPECT_EQ(StatusOf(runner, "p/a").state, JobState::kCancelled);
  EXPECT_FALSE(StatusOf(runner, "p/a").Active());
  const auto next = [](JobControl&) { return absl::StatusOr<std::string>("next"); };
  SLUIS_ASSERT_OK(runner.Start("q/b", next));
  EXPECT_EQ(WaitFor(runner, "q/b").result, "next");
  // It can be started anew at once; the new work waits for the end of the old.
  SLUIS_ASSERT_OK(runner.Start("p/a", next));
  EXPECT_EQ(StatusOf(runner, "p/a").state, JobState::kWaiting);
  deaf.Open();
  const JobStatus status = WaitFor(runner, "p/a");
  EXPECT_EQ(status.state, JobState::kDone);
  EXPECT_EQ(status.result, "next");
}

TEST(JobRunner, WorkThatCouldNotBeStoppedAnyMoreIsDone) {
  Deaf deaf;
  JobRunner runner;
  SLUIS_ASSERT_OK(runner.Start("p/a", deaf.Work(true)));
  deaf.WaitUntilItBegan();
  SLUIS_ASSERT_OK(runner.Cancel("p/a", ""));
  deaf.Open();
  SLUIS_ASSERT_OK(runner.Start("p/end", [](JobControl&) { return absl::StatusOr<std::string>(""); }));
  WaitFor(runner, "p/end");
  EXPECT_EQ(StatusOf(runner, "p/a").state, JobState::kDone);
  EXPECT_EQ(StatusOf(runner, "p/a").result, "done all the same");
}

TEST(JobRunner, RunsWhatIsDoneAgainOnlyIfAsked) {
  JobRunner runner;
  int runs = 0;
  const auto count = [&runs](JobControl&) -> absl::StatusOr<std::string> { return std::to_string(++runs); };
  SLUIS_ASSERT_OK(runner.Start("p/a", count, {.tag = "x", .again_when_done = true}));
  EXPECT_EQ(WaitFor(runner, "p/a").result, "1");
  SLUIS_ASSERT_OK(runner.Start("p/a", count, {.tag = "y"}));
  EXPECT_EQ(WaitFor(runner, "p/a").result, "1");
  EXPECT_EQ(StatusOf(runner, "p/a").tag, "x");
  SLUIS_ASSERT_OK(runner.Start("p/a", count, {.tag = "z", .again_when_done = true}));
  EXPECT_EQ(WaitFor(runner, "p/a").result, "2");
  EXPECT_EQ(StatusOf(runner, "p/a").tag, "z");
}

TEST(JobRunner, ForgetsTheJobThatEndedFirst) {
  JobRunner runner;
  const auto nothing = [](JobControl&) { return absl::StatusOr<std::string>(""); };
  for (std::size_t i = 0; i < JobRunner::kMaxKept; ++i) {
    SLUIS_ASSERT_OK(runner.Start("p/" + std::to_string(i), nothing));
    WaitFor(runner, "p/" + std::to_string(i));
  }
  SLUIS_EXPECT_OK(runner.Get("p/0"));
  SLUIS_ASSERT_OK(runner.Start("p/last", nothing));
  WaitFor(runner, "p/last");
  EXPECT_THAT(runner.Get("p/0"), StatusIs(absl::StatusCode::kNotFound, ""));
  SLUIS_EXPECT_OK(runner.Get("p/1"));
}

TEST(JobRunner, ItsEndCancelsWhatRunsAndWhatWaits) {
  Gate gate;
  bool ran = false;
  {
    JobRunner runner;
    SLUIS_ASSERT_OK(runner.Start("p/running", gate.Work()));
    SLUIS_ASSERT_OK(runner.Start("p/waiting", [&ran](JobControl&) -> absl::StatusOr<std::string> {
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
