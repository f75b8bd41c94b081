#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/ledger/value_set.h"

// What can be had by subtraction along one variable: cells that are the same in every other variable.

namespace sluis::disclosure {

// A set that no table shows but others give away: it is the sum of the sets, each so many times. Positions in
// LinePlan::sets.
struct LineDifference {
  std::vector<std::pair<std::int32_t, std::int64_t>> terms{};

  friend bool operator==(const LineDifference&, const LineDifference&) = default;
};

// "The parts, which are disjoint, are the whole." Positions in LinePlan::sets; two parts or more.
struct LineSum {
  std::int32_t whole = 0;
  std::vector<std::int32_t> parts{};

  friend bool operator==(const LineSum&, const LineSum&) = default;
};

struct LinePlan {
  std::vector<AtomSet> sets;                // those given, then the differences
  std::vector<LineDifference> differences;  // of sets[k + number given]; each is of sets before it
  std::vector<LineSum> sums;
};

struct LineLimits {
  std::size_t max_sets = 4'000;    // given and differences
  std::size_t max_search = 2'000;  // steps in the search for disjoint parts, or wholes, of one set
};

// Returns the differences of `family` and the sums that hold among all of them.
//
// Whatever set can be made from the family, by taking sets from those that hold them and putting disjoint ones
// together, is a disjoint union of sets of the result. Example: {18+, 19+, 25+} gives {18} = 18+ minus 19+ and
// {19..24}; but with 19..24 and 25+ in the family, 18+ minus 25+ is {18} and 19..24 together and no set of its own. The
// sums imply every linear relation that holds among the sets of the result whatever the records are (checked by their
// rank), so that who uses them knows what an attacker knows.
//
// `family`: distinct sets of one partition, none empty. Errors: RESOURCE_EXHAUSTED if the sets overlap in so tangled a
// way that the limits do not do, or that sums of disjoint sets do not say all that holds among them.
// Deterministic. Cost: for hierarchies about O(n * g) set operations, n sets of which g are no unions of others, and
// O(g^2 * n) where sets of different hierarchies overlap.
[[nodiscard]] absl::StatusOr<LinePlan> CloseLine(std::span<const AtomSet> family, const LineLimits& limits);

}  // namespace sluis::disclosure
