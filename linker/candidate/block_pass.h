#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "linker/candidate/block_comparer.h"
#include "linker/candidate/candidates.h"
#include "linker/candidate/keyed_rows.h"

namespace sluis::linker::candidate {

// What all passes of a search have in common.
struct Search {
  const EncodingTable& a;
  const EncodingTable& b;  // the same object for duplicates
  bool within;
  const CandidatePlan& plan;
  const kernel::InstructionSet& instructions;
  unsigned threads;
  std::stop_token stop;
  NearestLists* of_a;
  NearestLists* of_b;  // not used for duplicates
};

// One blocking pass, by one LSH table or by exact tokens. Its scratch memory, 8 bytes a row twice, serves one pass
// after the other.
class BlockPass {
 public:
  explicit BlockPass(const Search& search) : search_(search) {}

  // Compares the records that agree in the bits of LSH table number `table`. Adds to `stats`.
  void RunTable(std::uint32_t table, PassStats* stats);

  // Compares the records with equal tokens. `number`: of the pass, for the bits that split large blocks.
  void RunTokens(const TokenPass& tokens, std::uint32_t number, PassStats* stats);

 private:
  // Places in the sorted keyed rows.
  struct Block {
    std::span<const KeyedRow> a;
    std::span<const KeyedRow> b;
  };
  // How a pass splits and bounds its blocks.
  struct Rules {
    const TokenPass* tokens;                      // null for LSH
    std::span<const std::uint16_t> further_bits;  // at most 64
    std::uint32_t max_block;
  };
  class Worker;

  void SortBoth(std::uint32_t key_bits);
  std::vector<Block> FindBlocks() const;
  void CompareBlocks(const Rules& rules, PassStats* stats);

  const Search& search_;
  AlignedVector<KeyedRow> keyed_a_;
  AlignedVector<KeyedRow> keyed_b_;
  AlignedVector<KeyedRow> buffer_;
};

}  // namespace sluis::linker::candidate
