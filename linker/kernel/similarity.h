#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/kernel.h"

namespace sluis::linker {

// A threshold as an exact fraction: 0.8 is {4, 5}. Comparisons with it are in integers, so a pair that lies exactly on
// the threshold is never lost to rounding.
struct Ratio {
  std::uint32_t numerator;
  std::uint32_t denominator;
};

// What two encodings have in common; every similarity that the linker uses follows from it.
struct Overlap {
  std::uint32_t common;  // bits set in both
  std::uint32_t bits_a;  // bits set in a
  std::uint32_t bits_b;  // bits set in b

  std::uint32_t hamming() const { return bits_a + bits_b - 2 * common; }
  // 2 common / (bits_a + bits_b); 0 if both are all-zero, since nothing then speaks for a link.
  double dice() const;
  // common / (bits_a + bits_b - common); 0 if both are all-zero.
  double jaccard() const;
  // Whether dice() >= threshold, in exact arithmetic; for two all-zero encodings false unless the threshold is 0.
  bool DiceAtLeast(Ratio threshold) const;
  // Likewise for jaccard(). Jaccard >= p/q if and only if Dice >= 2p/(p+q).
  bool JaccardAtLeast(Ratio threshold) const;

  friend bool operator==(const Overlap&, const Overlap&) = default;
};

// A row of table a and a row of table b.
using CandidatePair = kernel::RowPair;

// Returns the overlap of each pair, in the order of `pairs`. Any pairs in any order; sorted by row they are faster.
// Errors (all or nothing): INVALID_ARGUMENT if the tables differ in width or a pair names a row beyond its table (the
// message names the pair's index); FAILED_PRECONDITION if this machine lacks `kernel`. Pure, thread-safe; O(pairs *
// words).
[[nodiscard]] absl::StatusOr<std::vector<Overlap>> PairScores(std::span<const CandidatePair> pairs,
                                                              const EncodingTable& a, const EncodingTable& b,
                                                              Kernel kernel = Kernel::kAuto);

}  // namespace sluis::linker
