#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/system/system.h"

// The proof that a suppression pattern protects: alternative tables that agree with everything published. Whoever has
// the true table checks it by addition alone. It reveals values: it is evidence for auditors, never for publication.

namespace sluis::disclosure {

// One byte per cell: 1 suppressed, in all measures; 0 published, in all measures.
using Pattern = std::vector<uint8_t>;

// A sparse difference between the true table of one measure and another possible one: cell[k] differs by
// numerator[k] / denominator.
struct Deviation {
  int32_t measure = 0;
  int64_t denominator = 1;         // >= 1
  std::vector<int32_t> cell;       // ascending, each suppressed
  std::vector<int64_t> numerator;  // not 0
};

enum class Direction : uint8_t { kLower = 0, kUpper = 1 };

// "`deviation` moves `cell` of its measure by at least the protection level in this direction."
struct Claim {
  int32_t measure = 0;
  int32_t cell = 0;
  Direction direction = Direction::kLower;
  int32_t deviation = 0;  // index into Certificate::deviations

  friend bool operator==(const Claim&, const Claim&) = default;
};

// One claim for each primary cell, measure and direction whose protection level is not 0, ordered by measure, cell and
// direction. One deviation may serve many claims; each serves at least one. In a system that protects against
// contributors further claims for the same level may follow, ascending by deviation: what is no proof to somebody who
// knows a cell that it moves may be replaced by another one that does not.
struct Certificate {
  std::vector<Deviation> deviations;
  std::vector<Claim> claims;
};

// Returns OK if `certificate` proves that `pattern` protects every primary cell of `system` in every measure: for each
// claim that is due, the true table plus the deviation is a table that
//   adds up in every relation, differs from the true one in suppressed cells only, keeps every cell within
//   0 .. upper bound, and moves the cell by at least its protection level.
// With the true table itself these tables span the attacker's feasibility interval, which is convex.
// Where system.contributors asks for it: also for each coalition of contributors one of the claims for the level (with
// kExact: for any level of the cell) holds to whom knows what they know. See coalitions.h for what that is.
//
// Exact integer arithmetic; uses no linear program and no code of the engine that made the pattern.
// Precondition: Validate(system) is OK.
// Errors (the message names cell, measure, relation, claim or deviation by index, never a value):
//   INVALID_ARGUMENT     pattern or certificate is malformed: a wrong length, an index out of range, a wrong order, a
//                        denominator below 1, a numerator 0, an unused deviation, a claim too many
//   FAILED_PRECONDITION  well-formed, but it does not prove the pattern safe: a primary cell is not suppressed, a claim
//                        is missing, a deviation breaks one of the conditions above, or none of the claims for a level
//                        holds against some contributor
// Cost: O(cells + relations + entries of the deviations times the relations that they stand in); with contributors, for
// each level besides, (entries of its deviations)^(1 + coalition) at worst, of those cells that have named
// contributors. Source: the conditions are those of the attacker's problem in Fischetti and Salazar, Management Science
// 47 (2001).
[[nodiscard]] absl::Status CheckCertificate(const CellSystem& system, const Pattern& pattern,
                                            const Certificate& certificate);

// Returns the bytes of `certificate`: format in disclosure/suppress/README.md. Every certificate has one encoding.
[[nodiscard]] std::vector<std::byte> EncodeCertificate(const Certificate& certificate);

// Returns the certificate that `bytes` encode. Errors: INVALID_ARGUMENT if they are truncated, have bytes left over,
// are of another version, or are not what EncodeCertificate writes. Never allocates more than a small multiple of the
// length of `bytes`. Does not check what the certificate claims.
[[nodiscard]] absl::StatusOr<Certificate> DecodeCertificate(std::span<const std::byte> bytes);

}  // namespace sluis::disclosure
