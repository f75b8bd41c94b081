#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// What the benchmarks share.

namespace sluis::bench {

// Prints a status that is not OK and ends the program.
inline void RequireOk(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
}

template <typename T>
T Require(absl::StatusOr<T> result) {
  RequireOk(result.status());
  return *std::move(result);
}

// The name of the machine's processor, as the kernel has it.
inline std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

}  // namespace sluis::bench
