#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluis::cli {

// How far a service is with a job.
struct JobState {
  enum class Stage { kRunning, kDone, kCancelled };
  Stage stage = Stage::kRunning;
  std::uint32_t percent = 0;
};

struct Job {
  std::string label;  // of the progress line
  // Asks the service. An error ends the wait: the call's own, or why the job failed.
  std::function<absl::StatusOr<JobState>()> poll;
  // Asks the service to stop the job, at most once. An error ends the wait.
  std::function<absl::Status()> cancel;
  std::string cancelled;  // message if it was cancelled: what became of the work
};

// Waits until `job` is done, asking every `pause`, with a progress line unless `quiet`. The first Ctrl-C asks the
// service to cancel and goes on waiting, for the job may be done all the same; the second ends the program.
// Errors: CANCELLED with job.cancelled; those of poll and cancel.
[[nodiscard]] absl::Status AwaitJob(const Job& job, bool quiet,
                                    std::chrono::milliseconds pause = std::chrono::milliseconds(200));

}  // namespace sluis::cli
