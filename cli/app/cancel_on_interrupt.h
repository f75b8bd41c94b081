#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "cli/app/interrupt.h"

namespace sluis::cli {

// While it lives, Ctrl-C sets a flag that long computations look at.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt()
      : watcher_([this](const std::stop_token& done) {
          while (!done.stop_requested()) {
            if (interrupt_.requested()) cancelled_ = true;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  [[nodiscard]] const std::atomic<bool>* flag() const { return &cancelled_; }

 private:
  InterruptScope interrupt_;
  std::atomic<bool> cancelled_ = false;
  std::jthread watcher_;  // last: it uses the others
};

}  // namespace sluis::cli
