#include "cli/app/steps.h"

#include "cli/app/resources.h"

namespace sluis::cli {

void Steps::Begin(const std::string& name, const std::string& unit) {
  const std::lock_guard lock(mutex_);
  BeginLocked(name, unit);
}

void Steps::Update(const std::string& name, const std::string& unit, std::int64_t done, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  if (name != name_) BeginLocked(name, unit);
  progress_->Update(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total));
}

void Steps::End() {
  const std::lock_guard lock(mutex_);
  EndLocked();
}

void Steps::BeginLocked(const std::string& name, const std::string& unit) {
  EndLocked();
  name_ = name;
  begun_ = WallSeconds();
  progress_ = std::make_unique<Progress>(name, unit, quiet_);
}

void Steps::EndLocked() {
  if (!progress_) return;
  progress_->Finish();
  progress_.reset();
  const double before = seconds_.contains(name_) ? seconds_[name_].get<double>() : 0;
  seconds_[name_] = before + WallSeconds() - begun_;
  name_.clear();
}

}  // namespace sluis::cli
