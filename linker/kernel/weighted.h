#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/kernel.h"
#include "linker/kernel/similarity.h"
#include "linker/kernel/weighted_instructions.h"

namespace sluis::linker {

// The weights of the eight bits of a byte may not exceed this in sum of absolute values.
inline constexpr std::int32_t kMaxByteWeight = 255;

// Integer weights of bit positions, ready for comparison. The weighted overlap of two encodings is the sum of the
// weights of the bits set in both. Results are integers, equal on all machines and kernels. Immutable, thread-safe.
class BitWeights {
 public:
  // `weights`: one per bit, positive or negative. Errors: INVALID_ARGUMENT if their number is not a multiple of 64 in
  // [64, 4096], or those of a byte (bits 8p to 8p + 7) have absolute values that add up to more than kMaxByteWeight
  // (the message names the byte).
  [[nodiscard]] static absl::StatusOr<BitWeights> Create(std::span<const std::int32_t> weights);

  std::uint32_t bits() const { return static_cast<std::uint32_t>(weights_.size()); }
  std::span<const std::int32_t> weights() const { return weights_; }

  kernel::WeightPlanes planes() const;

  // Writes the tables of `row` (weighted_instructions.h), bits() / 4 of 16 bytes. Returns what is to be added to every
  // sum: the negative weights of the row's bits, since tables hold no negative entries.
  std::int32_t WriteTables(std::span<const std::uint64_t> row, std::uint8_t* tables) const;

 private:
  BitWeights() = default;
  std::vector<std::int32_t> weights_;
  std::vector<std::uint64_t> planes_;
  std::vector<std::int32_t> plane_weights_;
  // For each place of a half-byte and each value of the query's half-byte: the table, and the negative weights.
  std::vector<std::uint8_t> tables_;
  std::vector<std::int32_t> bases_;
};

// Returns the weighted overlap of each pair, in the order of `pairs`. Errors (all or nothing): INVALID_ARGUMENT if
// tables and weights differ in width or a pair names a row beyond its table; FAILED_PRECONDITION if this machine lacks
// `kernel`. Thread-safe; O(pairs * words * planes).
[[nodiscard]] absl::StatusOr<std::vector<std::int32_t>> WeightedOverlaps(std::span<const CandidatePair> pairs,
                                                                         const EncodingTable& a, const EncodingTable& b,
                                                                         const BitWeights& weights,
                                                                         Kernel kernel = Kernel::kAuto);

// A run of rows, packed for comparison with many queries. Sums come from tables of 16 entries, one per half-byte and
// query, looked up for 32 (AVX2) or 64 (AVX-512) candidates at once by byte shuffles, as Andre, Kermarrec and Le
// Scouarnec (2015) do for product quantisation.
class WeightedBlock {
 public:
  // Packs rows [begin, end) of `table`. Memory: that of these rows, rounded up to the lanes. Errors: INVALID_ARGUMENT
  // if the run is not within the table; FAILED_PRECONDITION if this machine lacks `kernel`.
  [[nodiscard]] static absl::StatusOr<WeightedBlock> Pack(const EncodingTable& table, std::size_t begin,
                                                          std::size_t end, Kernel kernel = Kernel::kAuto);

  std::size_t rows() const { return rows_; }
  // Of a result: rows() rounded up.
  std::size_t padded_rows() const { return groups_ * set_->lanes; }
  std::size_t table_bytes() const { return 32 * bytes_; }

  // Writes the sums of two queries, given by tables as BitWeights::WriteTables makes them, without what that returned.
  // Each of `sums_0` and `sums_1` has padded_rows() places; those beyond rows() have no meaning.
  void Sums(const std::uint8_t* tables_0, const std::uint8_t* tables_1, std::int32_t* sums_0,
            std::int32_t* sums_1) const;

 private:
  WeightedBlock() = default;
  const kernel::WeightedSet* set_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t groups_ = 0;
  std::size_t bytes_ = 0;
  AlignedVector<std::uint8_t> packed_;
};

}  // namespace sluis::linker
