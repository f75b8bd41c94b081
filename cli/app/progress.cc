#include "cli/app/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace sluis::cli {
namespace {

constexpr int kBarWidth = 30;

bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

// 1234567 -> "1,234,567".
std::string Grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace

Progress::Progress(std::string label, std::string unit, bool quiet)
    : label_(std::move(label)), unit_(std::move(unit)), quiet_(quiet), terminal_(IsTerminal()) {}

Progress::~Progress() {
  if (drawn_ && !finished_ && terminal_) std::fputc('\n', stderr);
}

void Progress::Update(std::uint64_t done, std::uint64_t total) {
  done_ = done;
  total_ = total;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (quiet_ || finished_ || now - last_ < pause) return;
  last_ = now;
  Draw(false, {});
}

void Progress::Finish(const std::string& result) {
  if (quiet_ || finished_) return;
  const bool shown = drawn_ && !terminal_ && result.empty() && shown_ == done_;  // its last line says it all
  if (!shown) Draw(true, result);
  finished_ = true;
}

void Progress::Draw(bool last, const std::string& result) {
  drawn_ = true;
  shown_ = done_;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  std::string line = label_;
  line.resize(std::max<std::size_t>(line.size(), 28), ' ');
  if (!last && terminal_ && total_ > 0) {
    const int filled = static_cast<int>(std::min<std::uint64_t>(done_, total_) * kBarWidth / total_);
    line += " [" + std::string(static_cast<std::size_t>(filled), '#') +
            std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "]";
  }
  if (!result.empty()) {
    line += " " + result;
  } else if (total_ > 0 || done_ > 0) {
    line += " " + Grouped(done_) + (total_ > 0 && !last ? " of " + Grouped(total_) : "") + " " + unit_;
  }
  char time[32];
  std::snprintf(time, sizeof(time), "  %.1f s", seconds);
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s%s%s", line.c_str(), time, last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s%s\n", line.c_str(), time);
  }
  std::fflush(stderr);
}

}  // namespace sluis::cli
