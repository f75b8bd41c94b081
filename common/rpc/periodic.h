#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluis::common {

// Work that a service does at its start and again at intervals while it runs, such as deleting what the permits no
// longer allow it to keep.
//
//   SLUIS_ASSIGN_OR_RETURN(const auto retention, PeriodicTask::Start("retention", kHousekeepingInterval, [&] { ... }));
//
// Declare it after everything that the work uses and before Serve: its end waits for the work.
class PeriodicTask {
 public:
  // Called with the time as it is: what has happened already must be found out by the work itself, which may run again
  // after a crash at any point.
  using Work = std::function<absl::Status()>;

  // Runs `work` on the caller's thread, so that nothing is served before; then again whenever `interval` has passed
  // since its last end, on a thread of its own. The error of a later run is logged ("periodic_failed", with `name`) and
  // the next run tries again. Errors: those of the first run, with `name` before the message; INTERNAL or
  // RESOURCE_EXHAUSTED if it throws.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<PeriodicTask>> Start(std::string name,
                                                                           std::chrono::milliseconds interval,
                                                                           Work work);
  // Waits for a run that is under way and starts no other.
  ~PeriodicTask();
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  PeriodicTask(std::string name, std::chrono::milliseconds interval, Work work);
  void Run();
  absl::Status RunOnce() const;

  const std::string name_;
  const std::chrono::milliseconds interval_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

// How often services look for what they have to delete.
inline constexpr std::chrono::hours kHousekeepingInterval(1);

}  // namespace sluis::common
