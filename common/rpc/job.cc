#include "common/rpc/job.h"

#include "common/rpc/status_convert.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

std::string ProjectOf(const std::string& id) { return id.substr(0, id.find('/')); }

}  // namespace

void JobControl::SetStep(const std::string& step) {
  const std::lock_guard lock(mutex_);
  step_ = step;
}

absl::Status JobControl::CheckCancelled() const {
  return cancelled_ ? absl::CancelledError("cancelled") : absl::OkStatus();
}

JobRunner::JobRunner(int workers) {
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Run(); });
}

JobRunner::~JobRunner() {
  CancelAll();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status JobRunner::Start(const std::string& id, Work work, JobOptions options) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it != jobs_.end() && it->second->state != JobState::kFailed && it->second->state != JobState::kCancelled &&
      !(it->second->state == JobState::kDone && options.again_when_done)) {
    return absl::OkStatus();
  }
  Project& project = projects_[ProjectOf(id)];
  if (project.waiting.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError("too many jobs of this project are waiting; try again when some are done");
  }
  auto job = std::make_shared<Job>();
  job->id = id;
  job->owner = std::move(options.owner);
  job->work = std::move(work);
  job->end.tag = std::move(options.tag);
  jobs_[id] = job;
  project.waiting.push_back(std::move(job));
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
  if (status.Active()) {
    status.percent = job.control.percent_;
    const std::lock_guard step_lock(job.control.mutex_);
    status.step = job.control.step_;
  }
  return status;
}

absl::Status JobRunner::Cancel(const std::string& id, const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) return WithReason(absl::NotFoundError("no such job"), "JOB_UNKNOWN");
  if (it->second->owner != owner) {
    return WithReason(absl::PermissionDeniedError("only who started a job can cancel it"), "NOT_JOB_OWNER");
  }
  CancelLocked(it->second);
  return absl::OkStatus();
}

void JobRunner::CancelAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, job] : jobs_) CancelLocked(job);
}

void JobRunner::CancelLocked(const std::shared_ptr<Job>& job) {
  if (job->state != JobState::kWaiting && job->state != JobState::kRunning) return;
  job->control.cancelled_ = true;
  job->end.status = absl::CancelledError("cancelled");
  const bool waited = job->state == JobState::kWaiting;
  job->state = JobState::kCancelled;
  if (!waited) return;
  const auto project = projects_.find(ProjectOf(job->id));
  std::erase(project->second.waiting, job);
  if (project->second.waiting.empty() && !project->second.running) projects_.erase(project);
  job->work = nullptr;
  Keep(job);
}

void JobRunner::Keep(const std::shared_ptr<Job>& job) {
  ended_.push_back(job);
  if (ended_.size() <= kMaxKept) return;
  const auto oldest = jobs_.find(ended_.front()->id);
  if (oldest != jobs_.end() && oldest->second == ended_.front()) jobs_.erase(oldest);
  ended_.pop_front();
}

std::map<std::string, JobRunner::Project>::iterator JobRunner::NextProject() {
  auto it = projects_.upper_bound(last_project_);
  for (std::size_t i = 0; i < projects_.size(); ++i, ++it) {
    if (it == projects_.end()) it = projects_.begin();
    if (!it->second.running && !it->second.waiting.empty()) return it;
  }
  return projects_.end();
}

void JobRunner::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto project = projects_.end();
    wake_.wait(lock, [&] { return (project = NextProject()) != projects_.end() || stop_; });
    if (project == projects_.end()) return;
    last_project_ = project->first;
    project->second.running = true;
    const std::shared_ptr<Job> job = project->second.waiting.front();
    project->second.waiting.pop_front();
    job->state = JobState::kRunning;
    lock.unlock();
    absl::StatusOr<std::string> result = absl::UnknownError("");
    try {
      result = job->work(job->control);
    } catch (const std::bad_alloc&) {
      result = absl::ResourceExhaustedError("the service ran out of memory");
    } catch (const std::exception&) {
      result = absl::InternalError("a fault of the service; its operator finds more in the log");
    }
    job->work = nullptr;
    const absl::Status told = ForCaller(result.status());
    if (told != result.status()) {
      LogError("job_failed", {{"job", job->id},
                              {"code", absl::StatusCodeToString(told.code())},
                              {"reason", ReasonOf(told)},
                              {"message", std::string(result.status().message())}});
    }
    lock.lock();
    project->second.running = false;
    if (project->second.waiting.empty()) projects_.erase(project);
    if (result.ok()) {
      job->state = JobState::kDone;
      job->end.percent = 100;
      job->end.result = *std::move(result);
      job->end.status = absl::OkStatus();
    } else if (job->control.cancelled() || absl::IsCancelled(result.status())) {
      job->state = JobState::kCancelled;
      job->end.status = absl::CancelledError("cancelled");
    } else {
      job->state = JobState::kFailed;
      job->end.status = told;
    }
    Keep(job);
    wake_.notify_one();
  }
}

}  // namespace sluis::common
