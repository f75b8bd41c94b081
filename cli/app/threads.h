#pragma once

#include <algorithm>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluis::cli {

inline constexpr unsigned kMaxThreads = 1024;

[[nodiscard]] inline absl::Status CheckThreads(unsigned threads) {
  if (threads <= kMaxThreads) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--threads must be 0 to ", kMaxThreads));
}

// 0 means one per processor.
[[nodiscard]] inline unsigned ThreadsOf(unsigned threads) {
  return threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace sluis::cli
