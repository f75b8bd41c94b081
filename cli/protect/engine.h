#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/system/system.h"

// The one place where this folder meets the engine of suppression.

namespace sluis::cli {

struct EngineOptions {
  std::optional<std::int64_t> effort;  // steps of work; none: a default, or as much as the time limit allows
  std::optional<double> time_limit_seconds;
  unsigned threads = 1;
  std::function<void(const std::string& step, std::int64_t done, std::int64_t total)> progress;  // may be empty
  const std::atomic<bool>* cancelled = nullptr;
};

struct EngineResult {
  disclosure::Pattern pattern;
  disclosure::Certificate certificate;
  std::int64_t lower_bound = 0;  // no safe pattern costs less in secondary cells
  bool proven_optimal = false;
  bool complete = true;  // false: the time limit cut the effort short; the pattern is safe all the same
  std::int64_t linear_programs = 0;
  nlohmann::ordered_json statistics;
};

// Errors: as disclosure::Optimise.
[[nodiscard]] absl::StatusOr<EngineResult> RunEngine(const disclosure::CellSystem& system,
                                                     const EngineOptions& options);

}  // namespace sluis::cli
