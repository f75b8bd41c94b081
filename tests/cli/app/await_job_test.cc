#include "cli/app/await_job.h"

#include <csignal>
#include <vector>

#include "cli/app/exit_code.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using Stage = JobState::Stage;

constexpr std::chrono::milliseconds kNoPause(0);

// A service that answers with `answers` in turn, the last one for ever.
struct FakeService {
  std::vector<absl::StatusOr<JobState>> answers;
  std::size_t polls = 0;
  int cancels = 0;
  std::size_t interrupt_at = SIZE_MAX;  // the poll during which the user presses Ctrl-C
  absl::Status cancel_status = absl::OkStatus();

  Job AsJob() {
    return {.label = "link",
            .poll =
                [this] {
                  if (polls == interrupt_at) std::raise(SIGINT);
                  return answers[std::min(polls++, answers.size() - 1)];
                },
            .cancel =
                [this] {
                  ++cancels;
                  return cancel_status;
                },
            .cancelled = "nothing was changed"};
  }
};

TEST(AwaitJob, AsksUntilTheJobIsDone) {
  FakeService service{.answers = {JobState{}, JobState{.percent = 50}, JobState{.stage = Stage::kDone}}};
  SLUIS_EXPECT_OK(AwaitJob(service.AsJob(), true, kNoPause));
  EXPECT_EQ(service.polls, 3u);
  EXPECT_EQ(service.cancels, 0);
}

TEST(AwaitJob, EndsWithTheErrorOfTheJobAndItsReason) {
  FakeService service{
      .answers = {JobState{}, common::WithReason(absl::FailedPreconditionError("refused"), "PROTECTION_FAILED")}};
  const absl::Status status = AwaitJob(service.AsJob(), true, kNoPause);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, "refused"));
  EXPECT_EQ(common::ReasonOf(status), "PROTECTION_FAILED");
}

TEST(AwaitJob, AsksOnceToCancelAndWaitsForTheService) {
  FakeService service{.answers = {JobState{}, JobState{}, JobState{}, JobState{.stage = Stage::kCancelled}},
                      .interrupt_at = 1};
  const absl::Status status = AwaitJob(service.AsJob(), true, kNoPause);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "nothing was changed"));
  EXPECT_EQ(ToExitCode(status), kExitCancelled);
  EXPECT_EQ(service.cancels, 1);
  EXPECT_EQ(service.polls, 4u);
}

TEST(AwaitJob, ReportsAJobThatWasDoneBeforeItCouldBeCancelled) {
  FakeService service{.answers = {JobState{}, JobState{.stage = Stage::kDone}}, .interrupt_at = 0};
  SLUIS_EXPECT_OK(AwaitJob(service.AsJob(), true, kNoPause));
  EXPECT_EQ(service.cancels, 1);
}

TEST(AwaitJob, EndsIfTheServiceCannotBeAskedToCancel) {
  FakeService service{.answers = {JobState{}}, .interrupt_at = 0, .cancel_status = absl::UnavailableError("gone")};
  EXPECT_THAT(AwaitJob(service.AsJob(), true, kNoPause), StatusIs(absl::StatusCode::kUnavailable, "gone"));
}

}  // namespace
}  // namespace sluis::cli
