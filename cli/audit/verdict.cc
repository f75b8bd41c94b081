#include "cli/audit/verdict.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluis::cli {
namespace {

const char* NameOf(CheckResult result) {
  switch (result) {
    case CheckResult::kPassed:
      return "pass";
    case CheckResult::kFailed:
      return "FAIL";
    case CheckResult::kNotDone:
      break;
  }
  return "----";
}

}  // namespace

bool Verdict::Add(std::string_view name, const absl::Status& status, std::string_view if_passed) {
  checks_.push_back({.name = std::string(name),
                     .result = status.ok() ? CheckResult::kPassed : CheckResult::kFailed,
                     .message = status.ok() ? std::string(if_passed) : std::string(status.message())});
  return status.ok();
}

void Verdict::AddNotDone(std::string_view name, std::string_view because) {
  checks_.push_back({.name = std::string(name),
                     .result = CheckResult::kNotDone,
                     .message = "not done, because \"" + std::string(because) + "\" failed"});
}

bool Verdict::Passed() const {
  return !checks_.empty() && std::all_of(checks_.begin(), checks_.end(),
                                         [](const Check& check) { return check.result == CheckResult::kPassed; });
}

const Check* Verdict::Find(std::string_view name) const {
  const auto found = std::find_if(checks_.begin(), checks_.end(), [&](const Check& c) { return c.name == name; });
  return found == checks_.end() ? nullptr : &*found;
}

std::string Verdict::ToText() const {
  std::size_t width = 0;
  for (const Check& check : checks_) width = std::max(width, check.name.size());
  std::string text;
  for (const Check& check : checks_) {
    text += std::string(NameOf(check.result)) + "  " + check.name + std::string(width - check.name.size() + 2, ' ') +
            check.message + "\n";
  }
  if (for_auditor) {
    text += "For the auditor only: of " + std::to_string(for_auditor->cells) + " cells " +
            std::to_string(for_auditor->suppressed) + " are suppressed, " + std::to_string(for_auditor->primary) +
            " primary and " + std::to_string(for_auditor->secondary) + " secondary\n";
    for (const auto& measure : for_auditor->measures) {
      text += "  " + measure.name + ":";
      for (const auto& [reason, cells] : measure.cells_by_reason) text += " " + reason + " " + std::to_string(cells);
      text += "\n";
    }
    text += "  (A small counts, O T G M concentration, N by decision, D secondary: SDMX CL_CONF_STATUS)\n";
  }
  return text + (Passed() ? "PASS\n" : "FAIL\n");
}

std::string Verdict::ToJson() const {
  nlohmann::ordered_json out = {{"verdict", Passed() ? "PASS" : "FAIL"}, {"checks", nlohmann::ordered_json::array()}};
  for (const Check& check : checks_) {
    const char* result = check.result == CheckResult::kPassed   ? "passed"
                         : check.result == CheckResult::kFailed ? "failed"
                                                                : "not-done";
    out["checks"].push_back({{"name", check.name}, {"result", result}, {"message", check.message}});
  }
  if (for_auditor) {
    nlohmann::ordered_json measures = nlohmann::ordered_json::array();
    for (const auto& measure : for_auditor->measures) {
      measures.push_back({{"name", measure.name}, {"cells_by_reason", measure.cells_by_reason}});
    }
    out["auditor"] = {{"cells", for_auditor->cells},
                      {"suppressed", for_auditor->suppressed},
                      {"primary", for_auditor->primary},
                      {"secondary", for_auditor->secondary},
                      {"measures", measures}};
  }
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sluis::cli
