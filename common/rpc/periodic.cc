#include "common/rpc/periodic.h"

#include <exception>
#include <new>
#include <utility>

#include "common/rpc/telemetry.h"
#include "common/status/status.h"

namespace sluis::common {

PeriodicTask::PeriodicTask(std::string name, std::chrono::milliseconds interval, Work work)
    : name_(std::move(name)), interval_(interval), work_(std::move(work)) {}

absl::StatusOr<std::unique_ptr<PeriodicTask>> PeriodicTask::Start(std::string name, std::chrono::milliseconds interval,
                                                                  Work work) {
  std::unique_ptr<PeriodicTask> task(new PeriodicTask(std::move(name), interval, std::move(work)));
  if (const absl::Status first = task->RunOnce(); !first.ok()) return Annotate(first, task->name_);
  task->thread_ = std::thread([raw = task.get()] { raw->Run(); });
  return task;
}

PeriodicTask::~PeriodicTask() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status PeriodicTask::RunOnce() const {
  try {
    return work_();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the service is out of memory");
  } catch (const std::exception&) {
    return absl::InternalError("a fault of the service");
  }
}

void PeriodicTask::Run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return stop_; })) {
    lock.unlock();
    if (const absl::Status status = RunOnce(); !status.ok()) {
      LogError("periodic_failed", {{"task", name_},
                                   {"code", absl::StatusCodeToString(status.code())},
                                   {"message", std::string(status.message())}});
    }
    lock.lock();
  }
}

}  // namespace sluis::common
