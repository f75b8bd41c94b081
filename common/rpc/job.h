#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Long work of a service: started by one call, watched and cancelled by others. Jobs run one after another on one
// thread of their own. What must outlive a restart is the business of the work itself.

namespace sluis::common {

// The side of the work.
class JobControl {
 public:
  void SetProgress(std::uint64_t done, std::uint64_t total) {
    percent_ = total == 0 ? 0 : static_cast<std::uint32_t>(done * 100 / total);
  }
  void SetStep(const std::string& step);
  // Errors: CANCELLED once somebody asked for it.
  [[nodiscard]] absl::Status CheckCancelled() const;
  bool cancelled() const { return cancelled_; }
  const std::atomic<bool>* cancel_flag() const { return &cancelled_; }

 private:
  friend class JobRunner;
  std::atomic<std::uint32_t> percent_{0};
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  std::string step_;
};

enum class JobState { kWaiting, kRunning, kDone, kFailed, kCancelled };

struct JobStatus {
  JobState state = JobState::kWaiting;
  std::uint32_t percent = 0;
  std::string step;
  absl::Status status;  // of kFailed
  std::string result;   // of kDone

  bool Active() const { return state == JobState::kWaiting || state == JobState::kRunning; }
};

class JobRunner {
 public:
  // Returns the result as a string, such as an id.
  using Work = std::function<absl::StatusOr<std::string>(JobControl&)>;

  JobRunner();
  // Cancels what runs and waits for it.
  ~JobRunner();

  // Queues `work` under `id`. If `id` is there already (and has not failed or been cancelled), nothing is queued.
  // Errors: RESOURCE_EXHAUSTED if more than 100 jobs wait.
  [[nodiscard]] absl::Status Start(const std::string& id, Work work);
  // Errors: NOT_FOUND.
  [[nodiscard]] absl::StatusOr<JobStatus> Get(const std::string& id) const;
  // Asks a job to stop; one that ended stays as it is. Errors: NOT_FOUND.
  [[nodiscard]] absl::Status Cancel(const std::string& id);
  void CancelAll();

 private:
  struct Job {
    JobControl control;
    Work work;
    JobStatus end;  // valid once state is terminal
    JobState state = JobState::kWaiting;
  };
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;
  std::deque<std::shared_ptr<Job>> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluis::common
