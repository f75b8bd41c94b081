#include "common/rpc/job.h"

#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kMaxWaiting = 100;
constexpr std::size_t kMaxKept = 1000;  // jobs that ended are forgotten beyond this

}  // namespace

void JobControl::SetStep(const std::string& step) {
  const std::lock_guard lock(mutex_);
  step_ = step;
}

absl::Status JobControl::CheckCancelled() const {
  return cancelled_ ? absl::CancelledError("cancelled") : absl::OkStatus();
}

JobRunner::JobRunner() : thread_([this] { Run(); }) {}

JobRunner::~JobRunner() {
  CancelAll();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

absl::Status JobRunner::Start(const std::string& id, Work work) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it != jobs_.end() && it->second->state != JobState::kFailed && it->second->state != JobState::kCancelled) {
    return absl::OkStatus();
  }
  if (jobs_.size() >= kMaxKept) {
    std::erase_if(jobs_, [](const auto& entry) {
      const JobState state = entry.second->state;
      return state != JobState::kWaiting && state != JobState::kRunning;
    });
  }
  if (queue_.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError("too many jobs are waiting; try again when some are done");
  }
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  jobs_[id] = job;
  queue_.push_back(job);
  wake_.notify_one();
  return absl::OkStatus();
}

absl::StatusOr<JobStatus> JobRunner::Get(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) {
    return WithReason(
        absl::NotFoundError(
            "no such job; if the service was restarted meanwhile, start it again with the same request id"),
        "JOB_UNKNOWN");
  }
  const Job& job = *it->second;
  JobStatus status = job.end;
  status.state = job.state;
  if (job.state == JobState::kWaiting || job.state == JobState::kRunning) {
    status.percent = job.control.percent_;
    const std::lock_guard step_lock(job.control.mutex_);
    status.step = job.control.step_;
  }
  return status;
}

absl::Status JobRunner::Cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) return WithReason(absl::NotFoundError("no such job"), "JOB_UNKNOWN");
  it->second->control.cancelled_ = true;
  return absl::OkStatus();
}

void JobRunner::CancelAll() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, job] : jobs_) job->control.cancelled_ = true;
}

void JobRunner::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::shared_ptr<Job> job = queue_.front();
    queue_.pop_front();
    job->state = JobState::kRunning;
    lock.unlock();
    absl::StatusOr<std::string> result = absl::CancelledError("cancelled before it began");
    if (!job->control.cancelled()) {
      try {
        result = job->work(job->control);
      } catch (const std::bad_alloc&) {
        result = absl::ResourceExhaustedError("the service ran out of memory");
      } catch (const std::exception&) {
        result = absl::InternalError("a fault of the service; its operator finds more in the log");
      }
    }
    lock.lock();
    job->work = nullptr;
    if (result.ok()) {
      job->state = JobState::kDone;
      job->end.percent = 100;
      job->end.result = *std::move(result);
    } else {
      job->state = absl::IsCancelled(result.status()) ? JobState::kCancelled : JobState::kFailed;
      job->end.status = result.status();
    }
  }
}

}  // namespace sluis::common
