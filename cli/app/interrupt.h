#pragma once

namespace sluis::cli {

// While it lives, Ctrl-C asks to stop instead of ending the program; a second Ctrl-C ends it. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  bool requested() const;
};

}  // namespace sluis::cli
