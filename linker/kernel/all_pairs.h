#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/kernel/similarity.h"

namespace sluis::linker {

// A pair that was found, with its overlap.
struct FoundPair {
  std::uint32_t a;
  std::uint32_t b;
  Overlap overlap;

  friend bool operator==(const FoundPair&, const FoundPair&) = default;
};

// Receives found pairs in batches of at most kVisitPairs, never empty. Calls come from several threads but one at a
// time. A status that is not OK ends the search, which returns it.
inline constexpr std::size_t kVisitPairs = 65'536;
using PairVisitor = std::function<absl::Status(std::span<const FoundPair>)>;

struct AllPairsOptions {
  Kernel kernel = Kernel::kAuto;
  // Threads that compare, the caller's included; at least 1. The result does not depend on it.
  unsigned threads = 1;
  // Off: compare every pair in full. For tests and measurements; the result is the same.
  bool prune = true;
  // Once a stop is requested the search ends with CANCELLED, after the tiles at hand: a million pairs a thread. What
  // was visited until then is a prefix of the whole.
  std::stop_token stop = {};
};

// What a search did.
struct AllPairsStats {
  std::uint64_t pairs = 0;             // rows of a times rows of b
  std::uint64_t pairs_in_windows = 0;  // left by the length filter, in whole blocks of rows
  std::uint64_t words_in_windows = 0;  // words of (folded) rows compared first, summed over those
  std::uint64_t pairs_in_full = 0;     // compared over their full width
  std::uint64_t found = 0;
};

// Visits exactly the pairs (row of a, row of b) whose Dice similarity 2 |a and b| / (|a| + |b|) is at least
// `threshold`, each once. `threshold` must be in (0, 1]. An all-zero encoding has Dice 0 with every other, also with
// another all-zero one, so it is never in a pair.
//
// Exact: the test is denominator * 2 * common >= numerator * (bits_a + bits_b) in 64-bit integers. What is left out
// without a full comparison is proved to fail that test: by the length filter, since the Hamming distance is at least
// the difference of the popcounts, or by the distance of the folded encodings, which is a lower bound too.
//
// Order of visits: the same for every kernel, number of threads and setting of `prune`, for equal tables and threshold;
// by blocks of popcount, within a block by row of a, then of b. It is not sorted over all.
//
// Errors: INVALID_ARGUMENT if the tables differ in width, the threshold is outside (0, 1] or `threads` is 0;
// FAILED_PRECONDITION if this machine lacks the kernel; CANCELLED; and those of `visit`.
//
// Memory: copies of both tables, folded to up to three widths (in full if not pruned, or if folding does not pay); 16
// bytes a row; and what one tile of 256 rows by 4,096 finds, at most 50 MB a thread, however many pairs there are.
// Time: rows of a times rows of b times words, at worst. Thread-safe as long as nobody appends to the tables.
[[nodiscard]] absl::StatusOr<AllPairsStats> AllPairsAbove(const EncodingTable& a, const EncodingTable& b,
                                                          Ratio threshold, const PairVisitor& visit,
                                                          const AllPairsOptions& options = {});

// Visits exactly the pairs whose Hamming distance is at most `max_distance`, all-zero encodings included. Everything
// else as AllPairsAbove; errors likewise, but for the threshold.
[[nodiscard]] absl::StatusOr<AllPairsStats> HammingWithin(const EncodingTable& a, const EncodingTable& b,
                                                          std::uint32_t max_distance, const PairVisitor& visit,
                                                          const AllPairsOptions& options = {});

}  // namespace sluis::linker
