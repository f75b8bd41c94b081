#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "cli/app/interrupt.h"

namespace sluis::cli {

// While it lives, Ctrl-C stops the work at hand: as a token or as a flag, whichever that work looks at.
class StopOnInterrupt {
 public:
  StopOnInterrupt()
      : watcher_([this](const std::stop_token& done) {
          while (!done.stop_requested() && !cancelled_) {
            if (interrupt_.requested()) {
              cancelled_ = true;
              source_.request_stop();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  [[nodiscard]] const std::atomic<bool>* flag() const { return &cancelled_; }
  [[nodiscard]] bool requested() const { return interrupt_.requested(); }

 private:
  InterruptScope interrupt_;
  std::atomic<bool> cancelled_ = false;
  std::stop_source source_;
  std::jthread watcher_;  // last: it uses the others
};

}  // namespace sluis::cli
