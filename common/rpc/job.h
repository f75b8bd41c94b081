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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Long work of a service: started by one call, watched and cancelled by others. Of one project at most one job runs at
// a time; projects take turns, so that none waits behind the queue of another. What must outlive a restart is the
// business of the work itself.

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
  std::string tag;      // as given at the start
  absl::Status status;  // of kFailed, as a caller may see it (ForCaller); the log has the rest
  std::string result;   // of kDone

  bool Active() const { return state == JobState::kWaiting || state == JobState::kRunning; }
};

struct JobOptions {
  std::string owner = {};        // who may cancel it: the identity of the caller
  std::string tag = {};          // what the caller wants to see again in the status, such as a hash of the request
  bool again_when_done = false;  // run the work anew although the job of this id is done
};

class JobRunner {
 public:
  // Returns the result as a string, such as an id.
  using Work = std::function<absl::StatusOr<std::string>(JobControl&)>;

  static constexpr std::size_t kMaxWaiting = 20;  // of one project
  static constexpr std::size_t kMaxKept = 1000;   // jobs that ended; the one that ended first is forgotten first

  // `workers`: how many jobs run at a time, each of another project.
  explicit JobRunner(int workers = 2);
  // Cancels what runs and waits for it.
  ~JobRunner();

  // Queues `work` under `id`, which is PROJECT/NAME: jobs are of one project if their ids agree up to the first slash.
  // If a job of that id waits, runs or is done, nothing is queued; see JobOptions::again_when_done.
  // Errors: RESOURCE_EXHAUSTED if kMaxWaiting jobs of the project wait.
  [[nodiscard]] absl::Status Start(const std::string& id, Work work, JobOptions options = {});
  // Errors: NOT_FOUND.
  [[nodiscard]] absl::StatusOr<JobStatus> Get(const std::string& id) const;
  // Asks a job to stop. It counts as cancelled at once and can be started again, although the new one waits until the
  // work of the old one has ended. Work that had passed its last look at the question all the same ends as done. A job
  // that ended stays as it is. Errors: NOT_FOUND; PERMISSION_DENIED (NOT_JOB_OWNER) unless `owner` is who started it.
  [[nodiscard]] absl::Status Cancel(const std::string& id, const std::string& owner);
  void CancelAll();

 private:
  struct Job {
    std::string id;
    std::string owner;
    JobControl control;
    Work work;
    JobStatus end;  // but for state, step and percent, valid once state is terminal
    JobState state = JobState::kWaiting;
  };
  struct Project {
    std::deque<std::shared_ptr<Job>> waiting;
    bool running = false;
  };
  void CancelLocked(const std::shared_ptr<Job>& job);
  // Notes the end of a job and forgets the oldest ones that ended.
  void Keep(const std::shared_ptr<Job>& job);
  // The project that is next, or the end of `projects_` if none can run anything.
  std::map<std::string, Project>::iterator NextProject();
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;  // by id; a job that was replaced is not in it
  std::map<std::string, Project> projects_;           // those that have a job that waits or runs
  std::string last_project_;                          // whose turn it was
  std::deque<std::shared_ptr<Job>> ended_;            // in the order of their end, at most kMaxKept
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluis::common
