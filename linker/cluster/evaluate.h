#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace sluis::linker {

// Shares in [0, 1].
struct Quality {
  double precision = 1;
  double recall = 1;
  double f1 = 1;  // harmonic mean of the two; 0 if both are
};

struct PairwiseQuality {
  std::uint64_t found_pairs = 0;  // pairs of records that the result puts in one entity
  std::uint64_t true_pairs = 0;   // that the truth does
  std::uint64_t both = 0;         // that both do
  Quality quality;
};

struct PartitionQuality {
  PairwiseQuality pairwise;
  Quality b_cubed;
};

// Returns how well the partition `found` agrees with `truth`.
//
// `found`, `truth`: the same length, by record the label of its entity; labels mean nothing else. Records that the
// truth does not know must be left out of both. Pairwise: precision is the share of found pairs that are true, recall
// the share of true pairs that were found; 1 if there are none to be wrong about. F1 = 2 both / (found + true), 1 if
// there are no pairs at all. B-cubed (Bagga and Baldwin 1998): a record's precision is the share of its found entity,
// itself included, that shares its true entity; its recall the share of its true entity that shares its found one; both
// averaged over records.
//
// Errors: INVALID_ARGUMENT if the lengths differ or reach 2^32. Memory: 12 bytes a record. Time: O(n log n).
[[nodiscard]] absl::StatusOr<PartitionQuality> EvaluatePartition(std::span<const std::uint32_t> found,
                                                                 std::span<const std::uint32_t> truth);

}  // namespace sluis::linker
