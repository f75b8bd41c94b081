#include "cli/app/await_job.h"

#include <thread>

#include "cli/app/interrupt.h"
#include "cli/app/progress.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::Status AwaitJob(const Job& job, bool quiet, std::chrono::milliseconds pause) {
  Progress progress(job.label, "percent", quiet);
  const InterruptScope interrupt;
  for (bool cancel_sent = false;;) {
    SLUIS_ASSIGN_OR_RETURN(const JobState state, job.poll());
    if (state.stage == JobState::Stage::kDone) {
      progress.Finish("done");
      return absl::OkStatus();
    }
    if (state.stage == JobState::Stage::kCancelled) return absl::CancelledError(job.cancelled);
    progress.Update(state.percent, 100);
    if (interrupt.requested() && !cancel_sent) {
      SLUIS_RETURN_IF_ERROR(job.cancel());
      cancel_sent = true;
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace sluis::cli
