#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "linker/kernel/distance_limit.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/instruction_set.h"

namespace sluis::linker::candidate {

// A pair that was compared and is similar enough.
struct SimilarPair {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t dice_units;
};
using SimilarPairSink = std::function<void(std::span<const SimilarPair>)>;

// Asks for the encodings of `rows`, which stand anywhere in the table, before the first is waited for.
void Prefetch(const EncodingTable& table, std::span<const std::uint32_t> rows);

// Compares the rows of a block, each of a with each of b. Has scratch memory of its own: one for each thread.
class BlockComparer {
 public:
  // `instructions` must be one that this machine supports; all must outlive the comparer.
  BlockComparer(const EncodingTable& a, const EncodingTable& b, const kernel::InstructionSet& instructions);

  // Gives `sink` the pairs whose similarity is at least `bound` (in DiceUnits) and above 0, each once, in any order.
  // Exact. The first form: rows of a with rows of b; the second: rows of a with other rows of a at later places of
  // `rows`.
  void Compare(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b, std::uint32_t bound,
               const SimilarPairSink& sink);
  void CompareWithin(std::span<const std::uint32_t> rows, std::uint32_t bound, const SimilarPairSink& sink);

 private:
  void CompareAll(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b, bool within,
                  std::uint32_t bound, const SimilarPairSink& sink);
  void CompareOneByOne(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b, bool within,
                       std::uint32_t bound, const SimilarPairSink& sink);
  void Add(std::uint32_t a, std::uint32_t b, std::uint32_t common, std::uint32_t bound);
  void Flush(const SimilarPairSink& sink);

  const EncodingTable& a_;
  const EncodingTable& b_;
  const kernel::InstructionSet& instructions_;
  std::vector<kernel::Hit> hits_;
  std::vector<kernel::RowPair> pairs_;
  std::vector<std::uint32_t> common_;
  std::vector<std::int64_t> limits_a_;
  std::vector<std::int64_t> limits_b_;
  std::vector<SimilarPair> similar_;
};

}  // namespace sluis::linker::candidate
