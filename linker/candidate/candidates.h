#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/candidate/candidate_plan.h"
#include "linker/candidate/further_pairs.h"
#include "linker/candidate/nearest_lists.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/kernel.h"
#include "linker/kernel/similarity.h"

// Which pairs are worth scoring: several blocking passes over the encodings of two sources, or of one.

namespace sluis::linker {

// A blocking pass by exact tokens, such as keyed hashes of a phonetic code with a birth year: records with equal tokens
// are compared. One token a row; 0: the record has none, and this pass puts it into no block. `b` is empty for
// duplicates within one table. Tokens should be uniform 64-bit values; others work, but their first 32 bits after
// mixing decide how blocks are sorted.
struct TokenPass {
  std::string name;  // for reports
  std::span<const std::uint64_t> a;
  std::span<const std::uint64_t> b;
};

struct CandidateProgress {
  std::uint32_t passes_done;
  std::uint32_t passes;
  std::uint64_t pairs_compared;
};

struct CandidateRun {
  Kernel kernel = Kernel::kAuto;
  unsigned threads = 1;  // at least 1, the caller's included. The result does not depend on it.
  // Once a stop is requested, the search ends with CANCELLED after the blocks at hand.
  std::stop_token stop = {};
  std::function<void(const CandidateProgress&)> progress = {};  // called by the caller's thread after each pass
};

// What a pass did. Blocks are counted that hold records of both sources (two records, for duplicates).
struct PassStats {
  std::string name;                   // "lsh" for all tables of Hamming LSH, "exhaustive", or a TokenPass's
  std::uint64_t blocks = 0;           // compared, after splitting
  std::uint64_t pairs = 0;            // compared
  std::uint64_t largest_block = 0;    // records, before splitting
  std::uint64_t split_blocks = 0;     // larger than the bound, so split by further bits
  std::uint64_t split_records = 0;    // in those
  std::uint64_t skipped_blocks = 0;   // still larger when no bits were left: not compared
  std::uint64_t skipped_records = 0;  // in those; a record counts once for each block that it was skipped in
};

// Recall as far as it shows without truth. A sample of rows is compared with all rows of the other source; the nearest
// row is taken for a match with the probability that it is nearer than the nearest stranger (whose similarity is
// distributed as follows from the second nearest). Matches that are no nearer than strangers are not among them.
struct RecallEstimate {
  std::uint32_t sampled_rows = 0;
  double matches = 0;  // expected number of matches among them
  // Mean over those matches of the probability 1 - (1 - h(s, k))^L to meet in an LSH table.
  double computed = 0;
  // Share of those matches that are among the candidates found, by any pass.
  double found = 0;
};

struct CandidateStats {
  std::vector<PassStats> passes;
  std::uint64_t pairs_compared = 0;
  double recall_at_bit_error = 0;        // of the plan
  std::optional<RecallEstimate> recall;  // absent if exhaustive, or if fewer than 10 matches are in the sample
  std::vector<std::string> warnings;     // the plan's included; no values, no rows
};

// Visits pairs in batches, never empty. A status that is not OK ends the visit, which returns it.
using CandidateVisitor = std::function<absl::Status(std::span<const CandidatePair>)>;

// The candidates of two tables, or of one.
struct Candidates {
  // For each row of a its nearest rows of b, and the other way round; nearest first. A pair may be in one list only: it
  // is a candidate if it is in either. For duplicates, of_b has no rows, and pairs (i, j) stand in the list of i, of j,
  // or both.
  NearestLists of_a;
  NearestLists of_b;
  FurtherPairs further;
  CandidateStats stats;

  // Visits each candidate pair once, sorted by a, then b; for duplicates with a < b. Batches hold whole rows of a and
  // at least `batch` pairs, the last excepted. Time: O(pairs log keep). Thread-safe.
  [[nodiscard]] absl::Status VisitPairs(const CandidateVisitor& visit, std::size_t batch = 65'536) const;

  // The same for the pairs of rows [begin, end) of a, which must be within the table.
  [[nodiscard]] absl::Status VisitPairsOf(std::size_t begin, std::size_t end, const CandidateVisitor& visit,
                                          std::size_t batch = 65'536) const;
};

// Returns the candidates between `a` and `b` by all passes at once: Hamming LSH as `plan` says, and `tokens`; or all
// pairs, with the nearest kept and the tokens not looked at. Rows without any bit set are candidates of nothing.
//
// Pass after pass, pairs in a block are compared; those at least as similar as the plan's bound are offered to the
// lists of both rows, which keep the nearest. Each thread takes whole blocks, so no list has two writers.
//
// `plan` must be made for these tables by PlanCandidates (or be a copy of it with other values).
// Errors: INVALID_ARGUMENT if the tables differ in width from each other or from the plan's bits, a pass has not as
// many tokens as its table has rows (the message names the pass), or `run.threads` is 0; FAILED_PRECONDITION if this
// machine lacks the kernel; CANCELLED. Memory: plan.memory_bytes and a few MB a thread. Thread-safe as long as nobody
// appends to the tables.
[[nodiscard]] absl::StatusOr<Candidates> FindCandidates(const EncodingTable& a, const EncodingTable& b,
                                                        std::span<const TokenPass> tokens, const CandidatePlan& plan,
                                                        const CandidateRun& run = {});

// The same for pairs of different rows of one table, by a plan of PlanDuplicates.
[[nodiscard]] absl::StatusOr<Candidates> FindDuplicates(const EncodingTable& table, std::span<const TokenPass> tokens,
                                                        const CandidatePlan& plan, const CandidateRun& run = {});

}  // namespace sluis::linker
