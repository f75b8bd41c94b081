#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/kernel/parallel.h"
#include "linker/score/top_lists.h"

namespace sluis::linker {
namespace {

using kernel::InThreads;
using kernel::PartOf;
using kernel::Range;

constexpr std::size_t kMostBlockRows = 2048;  // packed rows of b at a time: 256 KiB of 1,024-bit encodings stay in L2
constexpr std::size_t kChunk = 64;            // scores that are looked at together
constexpr std::size_t kStopRows = 1024;       // rows of a between two looks at the stop token

// Of candidates that are given. Rows of a that a thread scores before what is for other rows is entered: with some 50
// candidates each, 5 MB.
constexpr std::size_t kRowsAtOnce = 8192;
constexpr std::size_t kOwnedRows = 64;
constexpr std::size_t kPrefetchPairs = 16;

absl::Status CheckArguments(const PairScorer& scorer, const EncodingTable& a, const EncodingTable& b, std::size_t k,
                            unsigned threads) {
  if (a.bits() != b.bits() || a.bits() != scorer.bits()) {
    return absl::InvalidArgumentError(absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(),
                                                   " in table b, ", scorer.bits(),
                                                   " in the model; they must be equal"));
  }
  if (k == 0 || threads == 0) {
    return absl::InvalidArgumentError("best candidates: k and the number of threads must be at least 1");
  }
  return absl::OkStatus();
}

// Whether any of kChunk scores could enter a list. Without a branch, so that the compiler makes vectors of it.
bool AnyEnters(const std::int32_t* sums, const std::int32_t* row_scores, const std::int32_t* limits, std::int32_t base,
               std::int32_t limit) {
  std::int32_t any = 0;
  for (std::size_t j = 0; j < kChunk; ++j) {
    const std::int32_t score = sums[j] + row_scores[j] + base;
    any |= static_cast<std::int32_t>(score > limit) | static_cast<std::int32_t>(score > limits[j]);
  }
  return any != 0;
}

class Exhaustive : public CandidateScorer {
 public:
  // `one_sided`: no lists are made for b.
  Exhaustive(const EncodingTable& a, const EncodingTable* b, bool one_sided, const ExhaustiveOptions& options)
      : a_(a), b_(b == nullptr ? a : *b), within_(b == nullptr), one_sided_(one_sided || within_), options_(options) {
    // Each thread has a block, as far as there are rows.
    const std::size_t share = b_.rows() / std::max(options.threads, 1U) + 1;
    block_rows_ = std::min(kMostBlockRows, (share + kChunk - 1) / kChunk * kChunk);
  }

  absl::StatusOr<BothLists> Top(const PairScorer& scorer, std::size_t k) override {
    SLUIS_RETURN_IF_ERROR(CheckArguments(scorer, a_, b_, k, options_.threads));
    const std::vector<std::int32_t> row_scores_a = scorer.RowScoresA(a_, options_.threads);
    const std::vector<std::int32_t> row_scores_b = scorer.RowScoresB(b_, options_.threads);
    BothLists lists{TopLists(a_.rows(), k), TopLists(one_sided_ ? 0 : b_.rows(), k), 0};
    std::mutex mutex;
    absl::Status status;
    const auto work = [&](unsigned thread) {
      TopLists own(a_.rows(), k);
      absl::Status own_status;
      for (std::size_t begin = thread * block_rows_; begin < b_.rows() && own_status.ok();
           begin += block_rows_ * options_.threads) {
        own_status = Block(scorer, begin, row_scores_a, row_scores_b, &own, &lists.b);
      }
      const std::lock_guard lock(mutex);
      lists.a.Merge(own);
      status.Update(own_status);
    };
    InThreads(options_.threads, work);
    SLUIS_RETURN_IF_ERROR(status);
    lists.pairs = within_ ? std::uint64_t{a_.rows()} * (a_.rows() - std::min<std::size_t>(a_.rows(), 1)) / 2
                          : std::uint64_t{a_.rows()} * b_.rows();
    return lists;
  }

 private:
  // Scores a block of rows of b with all rows of a. Each row of b belongs to one block, so threads do not meet in
  // `lists_b`. Rows come in ascending order on either side, so a tie never displaces.
  absl::Status Block(const PairScorer& scorer, std::size_t begin, std::span<const std::int32_t> row_scores_a,
                     std::span<const std::int32_t> row_scores_b, TopLists* lists_a, TopLists* lists_b) const {
    const std::size_t end = std::min(begin + block_rows_, b_.rows());
    SLUIS_ASSIGN_OR_RETURN(const WeightedBlock block, WeightedBlock::Pack(b_, begin, end, options_.kernel));
    const std::size_t padded = (block.padded_rows() + kChunk - 1) / kChunk * kChunk;
    std::vector<std::int32_t> row_scores(padded);
    std::copy_n(row_scores_b.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, row_scores.begin());
    std::vector<std::int32_t> limits(padded, one_sided_ ? std::numeric_limits<std::int32_t>::max() : kNoScore);
    std::vector<std::int32_t> sums[2] = {std::vector<std::int32_t>(padded), std::vector<std::int32_t>(padded)};
    std::vector<std::uint8_t> tables[2] = {std::vector<std::uint8_t>(block.table_bytes()),
                                           std::vector<std::uint8_t>(block.table_bytes())};
    for (std::size_t i = 0; i < a_.rows(); i += 2) {
      if (i % kStopRows == 0 && options_.stop.stop_requested()) {
        return absl::CancelledError("scoring all pairs: stopped on request");
      }
      const std::size_t queries = std::min<std::size_t>(2, a_.rows() - i);
      std::int32_t bases[2] = {0, 0};
      for (std::size_t q = 0; q < queries; ++q) {
        bases[q] = row_scores_a[i + q] + scorer.weights().WriteTables(a_.row(i + q), tables[q].data());
      }
      block.Sums(tables[0].data(), tables[1].data(), sums[0].data(), sums[1].data());
      for (std::size_t q = 0; q < queries; ++q) {
        const auto row = static_cast<std::uint32_t>(i + q);
        for (std::size_t chunk = 0; chunk < padded; chunk += kChunk) {
          if (!AnyEnters(sums[q].data() + chunk, row_scores.data() + chunk, limits.data() + chunk, bases[q],
                         lists_a->worst(row))) {
            continue;
          }
          for (std::size_t j = chunk; j < std::min(chunk + kChunk, end - begin); ++j) {
            const std::int32_t score = sums[q][j] + row_scores[j] + bases[q];
            const auto other = static_cast<std::uint32_t>(begin + j);
            if (within_ && other == row) {
              continue;
            }
            if (score > lists_a->worst(row)) {
              lists_a->Insert(row, score, other);
            }
            if (score > limits[j]) {
              lists_b->Insert(other, score, row);
              limits[j] = lists_b->worst(other);
            }
          }
        }
      }
    }
    return absl::OkStatus();
  }

  const EncodingTable& a_;
  const EncodingTable& b_;
  const bool within_;
  const bool one_sided_;
  const ExhaustiveOptions options_;
  std::size_t block_rows_;
};

class FromCandidates : public CandidateScorer {
 public:
  FromCandidates(const EncodingTable& a, const EncodingTable* b, CandidateBatches batches,
                 const ExhaustiveOptions& options)
      : a_(a), b_(b == nullptr ? a : *b), within_(b == nullptr), batches_(std::move(batches)), options_(options) {}

  // Chunk after chunk of rows of a. A thread scores the pairs of its part of the chunk and enters them in the lists of
  // these rows; what is for the other row of a pair waits until all have done so, and then each thread enters it in the
  // lists that are its own. So no list has two writers.
  absl::StatusOr<BothLists> Top(const PairScorer& scorer, std::size_t k) override {
    SLUIS_RETURN_IF_ERROR(CheckArguments(scorer, a_, b_, k, options_.threads));
    const unsigned threads = options_.threads;
    BothLists lists{TopLists(a_.rows(), k), TopLists(within_ ? 0 : b_.rows(), k), 0};
    const RowScores scores{scorer.RowScoresA(a_, threads), scorer.RowScoresB(b_, threads)};
    std::vector<Part> parts(threads);
    const std::size_t chunk = kRowsAtOnce * threads;
    for (std::size_t begin = 0; begin < a_.rows(); begin += chunk) {
      const std::size_t rows = std::min(chunk, a_.rows() - begin);
      InThreads(threads, [&](unsigned t) {
        const Range range = PartOf(rows, t, threads);
        parts[t].others.resize(threads);
        parts[t].status = ScoreRows({begin + range.begin, begin + range.end}, scorer, scores, &parts[t], &lists);
      });
      for (const Part& part : parts) {
        SLUIS_RETURN_IF_ERROR(part.status);
      }
      InThreads(threads, [&](unsigned t) {
        for (Part& part : parts) {
          Enter(part.others[t], within_ ? &lists.a : &lists.b);
          part.others[t].clear();
        }
      });
    }
    for (const Part& part : parts) {
      lists.pairs += part.pairs;
    }
    return lists;
  }

 private:
  struct RowScores {
    std::vector<std::int32_t> a;
    std::vector<std::int32_t> b;
  };
  struct Entry {
    std::uint32_t row;
    std::uint32_t other;
    std::int32_t score;
  };
  // What a thread has scored.
  struct Part {
    std::vector<std::vector<Entry>> others;  // for the other row of each pair, by the thread that owns its list
    std::uint64_t pairs = 0;
    absl::Status status;
  };

  // Neighbouring lists share cache lines, so runs of them have one owner.
  std::size_t OwnerOf(std::uint32_t row) const { return row / kOwnedRows % options_.threads; }

  absl::Status ScoreRows(Range range, const PairScorer& scorer, const RowScores& scores, Part* part,
                         BothLists* lists) const {
    return batches_(range.begin, range.end, [&](std::span<const CandidatePair> pairs) -> absl::Status {
      if (options_.stop.stop_requested()) {
        return absl::CancelledError("scoring candidates: stopped on request");
      }
      SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int32_t> sums,
                             WeightedOverlaps(pairs, a_, b_, scorer.weights(), options_.kernel));
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const CandidatePair& pair = pairs[i];
        if (pair.a < range.begin || pair.a >= range.end) {
          return absl::InvalidArgumentError(absl::StrCat("candidate pair ", i, ": its row of a is beyond the range"));
        }
        if (!within_ && i + kPrefetchPairs < pairs.size()) {
          lists->b.PrefetchWorst(pairs[i + kPrefetchPairs].b);
        }
        const std::int32_t score = sums[i] + scores.a[pair.a] + scores.b[pair.b];
        if (!within_) {
          lists->a.Insert(pair.a, score, pair.b);
          // Nobody writes to the lists of b meanwhile. An equal score may enter by its row number.
          if (score >= lists->b.worst(pair.b)) {
            part->others[OwnerOf(pair.b)].push_back({pair.b, pair.a, score});
          }
        } else if (pair.a != pair.b) {
          lists->a.Insert(pair.a, score, pair.b);
          part->others[OwnerOf(pair.b)].push_back({pair.b, pair.a, sums[i] + scores.a[pair.b] + scores.b[pair.a]});
        }
      }
      part->pairs += pairs.size();
      return absl::OkStatus();
    });
  }

  static void Enter(std::span<const Entry> entries, TopLists* lists) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i + kPrefetchPairs < entries.size()) {
        lists->PrefetchWorst(entries[i + kPrefetchPairs].row);
      }
      lists->Insert(entries[i].row, entries[i].score, entries[i].other);
    }
  }

  const EncodingTable& a_;
  const EncodingTable& b_;
  const bool within_;
  const CandidateBatches batches_;
  const ExhaustiveOptions options_;
};

}  // namespace

std::unique_ptr<CandidateScorer> ScoreExhaustively(const EncodingTable& a, const EncodingTable* b,
                                                   const ExhaustiveOptions& options) {
  return std::make_unique<Exhaustive>(a, b, /*one_sided=*/false, options);
}

absl::StatusOr<TopLists> TopOfRows(const EncodingTable& a, const EncodingTable& b, const PairScorer& scorer,
                                   std::size_t k, const ExhaustiveOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(BothLists lists, Exhaustive(a, &b, /*one_sided=*/true, options).Top(scorer, k));
  return std::move(lists.a);
}

std::unique_ptr<CandidateScorer> ScoreCandidates(const EncodingTable& a, const EncodingTable* b,
                                                 CandidateBatches batches, const ExhaustiveOptions& options) {
  return std::make_unique<FromCandidates>(a, b, std::move(batches), options);
}

}  // namespace sluis::linker
