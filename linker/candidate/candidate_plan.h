#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"

namespace sluis::linker {

// What the choice of a plan may depend on. The defaults suit encodings of 1,024 bits.
struct CandidateOptions {
  // Candidates kept for each row, of either table: 1 to 4,096. What is beyond is dropped, farthest first.
  std::uint32_t keep = 32;

  // All pairs are compared if they are at most this many.
  std::uint64_t exhaustive_pairs = 200'000'000;

  // The recall that Hamming LSH is planned for, in (0, 1): the share of pairs that meet in a block of at least one
  // table, among pairs that differ in a share `bit_error`, in (0, 1/2), of the bits that tables draw.
  double recall = 0.9;
  double bit_error = 0.2;

  // Most pairs that LSH may be planned to compare; 0: 30,000 for each row of the larger table. A recall that needs more
  // is not reached; the plan says so.
  std::uint64_t pair_budget = 0;
  std::uint32_t max_tables = 400;

  // Most records (of both sources together) in a block of an LSH table; 0: chosen, at least 64, so that LSH never
  // compares more than four times the pairs that it planned. The same for passes by exact tokens. A larger block is
  // split by further bits.
  std::uint32_t max_block = 0;
  std::uint32_t max_token_block = 4096;

  // Bound on what the search allocates, without the tables and tokens that it is given. `keep` is lowered if need be.
  std::uint64_t memory_bytes = std::uint64_t{4} << 30;

  // Draws bits and samples. The same seed, tables and options give the same candidates.
  std::uint64_t seed = 1;
};

// How candidates are looked for. Depends on tables and options only, not on the machine or its threads.
struct CandidatePlan {
  bool exhaustive = false;
  std::uint32_t keep = 0;
  std::uint32_t tables = 0;      // of Hamming LSH; 0: none
  std::uint32_t key_bits = 0;    // sampled bits that make the key of a block: 1 to 32
  std::uint32_t dice_bound = 0;  // pairs of less similarity (in DiceUnits) are dropped at once
  std::uint32_t max_block = 0;
  std::uint32_t max_token_block = 0;
  std::uint64_t seed = 0;

  // How likely a table draws each bit, relative to the others; 0: never, since it is constant in a source. For a bit
  // of frequency f it is 4 f (1 - f), times 65,536, for that source in which it is smaller.
  std::vector<std::uint32_t> bit_weights;

  double bit_error = 0;
  double recall = 0;                  // at bit_error, as computed; 1 if exhaustive
  double expected_pairs = 0;          // to be compared by LSH, from a sample of random pairs; or all pairs
  std::uint64_t memory_bytes = 0;     // needed, at most
  std::vector<std::string> warnings;  // what could not be as the options want it
};

// Returns the plan for candidates between `a` and `b`; for duplicates within one table see PlanDuplicates.
//
// Exhaustive if affordable. Otherwise, with s the agreement of a pair (the share of bits in which it agrees, bits
// weighted as they are drawn) and h(s, k) the probability that it agrees in all k bits of a table, the plan takes the k
// with the least estimated time among those for which L = log(1 - recall) / log(1 - h(1 - bit_error, k)) tables stay
// within the budget: rows_a * rows_b * mean of h(s, k) over random pairs are compared in each table. If there is none,
// it takes the k with which the tables within the budget have the most recall, and warns.
//
// `dice_bound` is the similarity that `keep` of the rows of the smaller table exceed by chance, from up to 2^21 random
// pairs; 0 for an exhaustive plan.
//
// Errors: INVALID_ARGUMENT if the tables differ in width, an option is outside its range, or `memory_bytes` does not
// suffice for a single candidate a row (the message says how much does). A table without rows is no error.
// Cost: about a second and 64 MB; at most 65,536 rows of each table and 2^21 pairs are looked at. Pure, thread-safe.
[[nodiscard]] absl::StatusOr<CandidatePlan> PlanCandidates(const EncodingTable& a, const EncodingTable& b,
                                                           const CandidateOptions& options = {});

// The same for pairs of different rows of one table.
[[nodiscard]] absl::StatusOr<CandidatePlan> PlanDuplicates(const EncodingTable& table,
                                                           const CandidateOptions& options = {});

}  // namespace sluis::linker
