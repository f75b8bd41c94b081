#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/attack/attack.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// A primary cell about which contributors who tell each other find out more than system.contributors allows.
struct ContributorShortfall {
  int32_t measure = 0;
  int32_t cell = 0;
  std::vector<int32_t> members;  // indices into Contributors::contributor, ascending
  // With kExact both are true: they know the value. With kLevel: which end of the interval is not reached.
  bool below = false;
  bool above = false;

  friend bool operator==(const ContributorShortfall&, const ContributorShortfall&) = default;
};

struct ContributorReport {
  AttackEffort effort;
  int64_t coalitions = 0;                        // that were tried, once per component and measure
  bool complete = true;                          // false: there were more coalitions than `max_coalitions`
  std::vector<ContributorShortfall> shortfalls;  // ordered by measure, cell and members
};

// Returns the primary cells that `pattern` (1: suppressed) fails to protect against coalitions of contributors as
// system.contributors asks for; nothing if it asks for nothing. Published primary cells are VerifyLevels' to find.
//
// Each coalition is tried by itself, in each component of suppressed cells in which its members know something: cells
// that they know are fixed, others are not below what they contribute, and all levels there are pushed, many at once,
// as VerifyLevels does. Single contributors come first, then pairs, and so on; after `max_coalitions` in a component it
// is left at that, and the report says so: the certificate is the proof against all of them.
// In floating point, as VerifyLevels. options.known is not looked at. Errors: as VerifyLevels.
// Cost: some ten linear programs a coalition.
[[nodiscard]] absl::StatusOr<ContributorReport> VerifyAgainstContributors(const CellSystem& system,
                                                                          std::span<const uint8_t> pattern,
                                                                          const AttackOptions& options,
                                                                          int64_t max_coalitions = 100'000);

}  // namespace sluis::disclosure
