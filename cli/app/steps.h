#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/app/progress.h"

namespace sluis::cli {

// The long steps of one run: a progress line for each, and how long each took. Thread-safe.
class Steps {
 public:
  explicit Steps(bool quiet) : quiet_(quiet) {}

  // Begins a step, and ends the one before. `unit`: what Update counts; empty: nothing is counted.
  void Begin(const std::string& name, const std::string& unit);
  // Begins `name` unless it is the step at hand, then shows how far it is.
  void Update(const std::string& name, const std::string& unit, std::int64_t done, std::int64_t total);
  void End();

  // {"read": 0.01, ...}: wall-clock seconds of each step; steps of one name are added up.
  [[nodiscard]] const nlohmann::ordered_json& seconds() const { return seconds_; }

 private:
  void EndLocked();
  void BeginLocked(const std::string& name, const std::string& unit);

  const bool quiet_;
  std::mutex mutex_;
  std::string name_;
  double begun_ = 0;
  std::unique_ptr<Progress> progress_;
  nlohmann::ordered_json seconds_ = nlohmann::ordered_json::object();
};

}  // namespace sluis::cli
