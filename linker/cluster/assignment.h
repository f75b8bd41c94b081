#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/score/scored_pair.h"

namespace sluis::linker {

// How many partners a record may get.
enum class Cardinality {
  kOneToOne,   // every row of a and every row of b in at most one pair
  kOneToMany,  // every row of b in at most one pair; a row of a in any number
};

struct AssignmentOptions {
  Cardinality cardinality = Cardinality::kOneToOne;
  // Natural log odds that a pair must exceed; what counts of a pair is its log odds less this. Within +-kMaxLogOdds.
  double threshold = 0;
  // Once a stop is requested the assignment ends with CANCELLED, within about a second.
  std::stop_token stop = {};
};

struct AssignmentStats {
  std::uint64_t pairs = 0;              // distinct pairs above the threshold
  std::uint64_t components = 0;         // connected components of these; one-to-many: of the pairs returned
  std::uint64_t largest_component = 0;  // rows of both sides in the largest of them
  std::uint64_t edges_scanned = 0;      // steps of the search for paths: 1 to 3 a pair unless components are entangled
};

struct Assignment {
  std::vector<ScoredPair> pairs;  // ascending by a, then b
  AssignmentStats stats;
};

// Largest absolute log odds that a pair may have: beyond any evidence, and small enough for sums to be exact.
inline constexpr double kMaxLogOdds = 1e6;

// Log odds are rounded to multiples of 2^-20 (about one in a million), so that sums and ties are exact and equal on
// every machine.
inline constexpr double kLogOddsUnits = 1 << 20;

// Returns pairs out of `pairs` that obey `options.cardinality` and whose sum of (log odds - threshold) is the largest
// possible. A pair that does not exceed the threshold after rounding is never taken. This maximises the likelihood of
// the links, given that pairs are independent but for the cardinality.
//
// `pairs`: rows of a below `rows_a`, of b below `rows_b`; in any order; of a pair given twice the larger log odds
// count. Several assignments with the same sum: which is returned depends on the set of pairs in that component only,
// not on their order, on other components or on the machine; swapping a and b may change it.
//
// Method: per connected component, one shortest augmenting path per row of the smaller side (Dijkstra's algorithm on
// reduced costs; Jonker and Volgenant 1987, sparse and with a private way out for every row, since a row need not be
// assigned). Exact for components of any size; none is cut. A row of b that may not share: its best row of a.
//
// Errors: INVALID_ARGUMENT if a row is out of range, log odds are NaN or beyond kMaxLogOdds (the message names the
// position of the pair), the threshold is, or there are 2^32 - 1 rows or pairs or more; CANCELLED.
// Memory: 40 bytes a pair, 32 bytes a row, and 40 bytes a row of the largest component. Time: O(n m log n) at worst for
// a component of n rows and m pairs; near-linear in practice, see the README. Thread-safe.
[[nodiscard]] absl::StatusOr<Assignment> AssignPairs(std::uint32_t rows_a, std::uint32_t rows_b,
                                                     std::span<const ScoredPair> pairs,
                                                     const AssignmentOptions& options = {});

}  // namespace sluis::linker
