#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/kernel.h"
#include "linker/kernel/similarity.h"
#include "linker/score/bit_model.h"

namespace sluis::linker {

inline constexpr std::int32_t kNoScore = std::numeric_limits<std::int32_t>::min();
inline constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

// For each row of a source the k rows of the other that score highest with it, highest first, ties by row number.
// Places without a row hold kNoScore and kNoRow. Memory: 8 k bytes a row.
class TopLists {
 public:
  TopLists() = default;
  TopLists(std::size_t rows, std::size_t k) : k_(k), scores_(rows * k, kNoScore), others_(rows * k, kNoRow) {}

  std::size_t k() const { return k_; }
  std::size_t rows() const { return k_ == 0 ? 0 : scores_.size() / k_; }
  std::span<const std::int32_t> scores(std::size_t row) const { return {scores_.data() + row * k_, k_}; }
  std::span<const std::uint32_t> others(std::size_t row) const { return {others_.data() + row * k_, k_}; }
  std::int32_t worst(std::size_t row) const { return scores_[row * k_ + k_ - 1]; }
  // Asks for the memory that worst() reads.
  void PrefetchWorst(std::size_t row) const { __builtin_prefetch(scores_.data() + row * k_ + k_ - 1); }

  // Puts `other` in its place, unless it is there already or not among the first k.
  void Insert(std::size_t row, std::int32_t score, std::uint32_t other);
  // Gives `other`, if it is in the row's list, this score, and moves it to its place in the list; unless it has a lower
  // one. What would now come before it but was not in the list stays out.
  void Lower(std::size_t row, std::int32_t score, std::uint32_t other);
  // Inserts all of `lists`, which has the same rows and k.
  void Merge(const TopLists& lists);

 private:
  std::size_t k_ = 0;
  std::vector<std::int32_t> scores_;
  std::vector<std::uint32_t> others_;
};

// The lists of both sources; within one source only `a`, and no row is in its own list.
struct BothLists {
  TopLists a;
  TopLists b;
  std::uint64_t pairs = 0;  // scored
};

// Which pairs are worth a score, and scores them. Implementations do not change between calls.
class CandidateScorer {
 public:
  virtual ~CandidateScorer() = default;

  // Returns the lists of the k best candidates under `scorer`. The result depends on the arguments only, not on
  // threads.
  [[nodiscard]] virtual absl::StatusOr<BothLists> Top(const PairScorer& scorer, std::size_t k) = 0;
};

struct ExhaustiveOptions {
  Kernel kernel = Kernel::kAuto;
  unsigned threads = 1;
  std::stop_token stop = {};
};

// All pairs: rows of a times rows of b, or all pairs of different rows within `a` if `b` is null. The tables must
// outlive the result. Time: `tests/bench/score_bench`. Memory: 8 k bytes a row of a and thread, 8 k a row of b, and
// 0.5 MB a thread. Top fails with INVALID_ARGUMENT if the widths differ or k or the threads are 0, FAILED_PRECONDITION
// if this machine lacks the kernel, CANCELLED after a stop.
[[nodiscard]] std::unique_ptr<CandidateScorer> ScoreExhaustively(const EncodingTable& a, const EncodingTable* b,
                                                                 const ExhaustiveOptions& options = {});

// Returns the lists of the k best of all rows of `b` for each row of `a`: those of ScoreExhaustively's `a`, for less
// where `a` has few rows, since none are made for `b`. Errors: as its Top.
[[nodiscard]] absl::StatusOr<TopLists> TopOfRows(const EncodingTable& a, const EncodingTable& b,
                                                 const PairScorer& scorer, std::size_t k,
                                                 const ExhaustiveOptions& options = {});

// Calls `visit` with the candidate pairs whose row of a is in [begin, end), in batches, and returns its first error.
// The pairs must be the same each time. A pair may occur more than once. Within one source a pair stands for both
// directions and belongs to either of its rows. Called from several threads at once, for ranges that do not overlap.
using CandidateBatches = std::function<absl::Status(
    std::size_t begin, std::size_t end, const std::function<absl::Status(std::span<const CandidatePair>)>& visit)>;

// The pairs that `batches` gives. Memory: 16 k bytes a row in all, 8 bytes a row for its scores, and a few MB a thread.
// Errors of Top: as ScoreExhaustively, INVALID_ARGUMENT if a pair names a row beyond its table or, of a, beyond the
// range that was asked for, and those of `batches`.
[[nodiscard]] std::unique_ptr<CandidateScorer> ScoreCandidates(const EncodingTable& a, const EncodingTable* b,
                                                               CandidateBatches batches,
                                                               const ExhaustiveOptions& options = {});

}  // namespace sluis::linker
