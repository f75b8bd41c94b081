#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/release/summary.h"

namespace sluis::cli {

enum class CheckResult { kPassed, kFailed, kNotDone /* because an earlier check failed */ };

struct Check {
  std::string name;  // stable over releases: [a-z][a-z-]*
  CheckResult result = CheckResult::kNotDone;
  std::string message;  // what was found, and where; never a value
};

// What an audit found. Nothing counts as verified that was not checked.
class Verdict {
 public:
  // Adds the check `name`: passed with `if_passed` as its message, or failed with that of `status`. Returns whether it
  // passed.
  bool Add(std::string_view name, const absl::Status& status, std::string_view if_passed);
  // Adds a check that could not be done, because of the check `because`.
  void AddNotDone(std::string_view name, std::string_view because);

  // True if there are checks and all of them passed.
  [[nodiscard]] bool Passed() const;
  [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
  // Returns the check of that name, or nullptr.
  [[nodiscard]] const Check* Find(std::string_view name) const;

  // In an audit with evidence: for the auditor only.
  std::optional<disclosure::AuditorSummary> for_auditor;

  // One line a check, the auditor's summary if there is one, then the verdict: PASS or FAIL.
  [[nodiscard]] std::string ToText() const;
  // {"verdict": "PASS", "checks": [{"name", "result", "message"}], "auditor": {...}}
  [[nodiscard]] std::string ToJson() const;

 private:
  std::vector<Check> checks_;
};

}  // namespace sluis::cli
