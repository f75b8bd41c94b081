#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sluis::cli {

// Progress of one long step on standard error: a bar that is redrawn on a terminal (without colour if NO_COLOR is set),
// else a plain line at most every five seconds, and one at the end either way.
class Progress {
 public:
  // `unit`: what is counted, such as "persons". `quiet`: prints nothing.
  Progress(std::string label, std::string unit, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `total` 0: unknown.
  void Update(std::uint64_t done, std::uint64_t total);
  // Prints the final line; later calls do nothing. The destructor leaves an unfinished step as it stands.
  void Finish(const std::string& result = {});

 private:
  void Draw(bool last, const std::string& result);

  const std::string label_, unit_;
  const bool quiet_, terminal_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = start_;
  std::uint64_t done_ = 0, total_ = 0, shown_ = 0;
  bool finished_ = false, drawn_ = false;
};

}  // namespace sluis::cli
