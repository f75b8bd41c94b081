#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/tables/cell_table.h"
#include "disclosure/attack/attack.h"
#include "disclosure/attack/contributors.h"
#include "disclosure/rules/rules.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/system/system.h"

namespace sluis::cli {

// What an attack on one suppression pattern found.
struct Verdict {
  std::int64_t suppressed = 0;      // cells; auxiliary sums are not among them
  std::vector<std::int32_t> exact;  // suppressed cells that anyone can recompute from the published bytes
  // Auditor's view; empty or 0 without levels.
  bool with_levels = false;
  std::int64_t levels = 0;
  std::vector<disclosure::Shortfall> shortfalls;
  // Contributors as attackers, where the system protects against them: coalitions tried, and what they find.
  bool against_contributors = false;
  std::int64_t coalitions = 0;
  bool all_coalitions = true;  // false: there are too many to try each; only the certificate speaks of all
  std::vector<disclosure::ContributorShortfall> contributor_shortfalls;
  // Published totals whose suppressed parts together have too few contributors.
  std::vector<std::int32_t> short_sums;
  std::optional<absl::Status> certificate;  // what the check said, if one was given
  // All intervals, if asked for: of every suppressed cell, ascending.
  std::vector<disclosure::FeasibilityInterval> intervals;
  std::int64_t linear_programs = 0;
  std::int64_t iterations = 0;
  std::int64_t components = 0;
  std::int64_t largest_component = 0;

  // Said by who made the pattern: none of `exact` is sensitive, and nothing is left that could hide them.
  bool exact_conceded = false;

  [[nodiscard]] bool holds() const {
    return (exact.empty() || exact_conceded) && shortfalls.empty() && contributor_shortfalls.empty() &&
           short_sums.empty() && (!certificate || certificate->ok());
  }
  // Distinct cells among the shortfalls.
  [[nodiscard]] std::int64_t CellsShort() const;
};

struct JudgeOptions {
  bool all_intervals = false;
  int threads = 1;
  std::vector<disclosure::KnownRange> known = {};  // what the attacker contributes; empty: an outsider
  // How many contributors the suppressed parts of a published total must have together; none: that does not matter.
  std::optional<disclosure::MinimumFrequencyRule> suppressed_sum = std::nullopt;
  std::function<void(const std::string& step, std::int64_t done, std::int64_t total)> progress;  // may be empty
  const std::atomic<bool>* cancelled = nullptr;
};

// Attacks what a reader has: relations, published values and the pattern; the values of suppressed cells are not looked
// at. Errors: those of disclosure::FindExact, with the cells' names.
[[nodiscard]] absl::StatusOr<Verdict> JudgePublic(const CellTable& table, std::span<const std::uint8_t> pattern,
                                                  const JudgeOptions& options);

// The auditor's judgement: what a reader can recompute, whether each protection level of `system` (made of `table`) is
// kept in the full system, also against contributors if the system asks for that, and, if there is one, whether the
// certificate proves it by addition alone. Errors: those of disclosure::VerifyLevels, with the cells' names.
[[nodiscard]] absl::StatusOr<Verdict> JudgeLevels(const CellTable& table, const disclosure::CellSystem& system,
                                                  const disclosure::Pattern& pattern,
                                                  const disclosure::Certificate* certificate,
                                                  const JudgeOptions& options);

}  // namespace sluis::cli
