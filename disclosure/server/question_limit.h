#pragma once

#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "common/permit/permit.h"
#include "common/tlog/writer.h"

namespace sluis::disclosure {

// Counts the questions that each requester has on record today: dry runs and refused requests, each an entry in the
// log. It bounds what a requester can learn by asking, and how fast it can make the log grow. Thread-safe.
class QuestionLimit {
 public:
  explicit QuestionLimit(int per_day) : per_day_(per_day) {}

  // Counts the entries of `today` that `log` holds, so that a restart forgives nothing. Reads them from the newest back
  // to the first of an earlier day. Errors: as LogWriter::Entry.
  [[nodiscard]] absl::Status Load(const common::LogWriter& log, common::Day today);

  // Errors: RESOURCE_EXHAUSTED (TOO_MANY_QUESTIONS) if nothing is left to `requester` today.
  [[nodiscard]] absl::Status CheckLeft(const std::string& requester, common::Day today);
  // Counts one question; before its entry is written. Errors: as CheckLeft.
  [[nodiscard]] absl::Status Take(const std::string& requester, common::Day today);

 private:
  // Precondition: mutex_ is held.
  int& Asked(const std::string& requester, common::Day today);
  absl::Status Check(int asked) const;

  const int per_day_;
  std::mutex mutex_;
  common::Day day_ = 0;
  std::map<std::string, int> asked_;  // on day_
};

}  // namespace sluis::disclosure
