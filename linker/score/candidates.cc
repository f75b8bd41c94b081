#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/score/top_lists.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kBlockRows = 2048;  // packed rows of b at a time: 256 KiB of 1,024-bit encodings stay in L2
constexpr std::size_t kChunk = 64;        // scores that are looked at together
constexpr std::size_t kStopRows = 1024;   // rows of a between two looks at the stop token

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
  Exhaustive(const EncodingTable& a, const EncodingTable* b, const ExhaustiveOptions& options)
      : a_(a), b_(b == nullptr ? a : *b), within_(b == nullptr), options_(options) {}

  absl::StatusOr<BothLists> Top(const PairScorer& scorer, std::size_t k) override {
    SLUIS_RETURN_IF_ERROR(CheckArguments(scorer, a_, b_, k, options_.threads));
    const std::vector<std::int32_t> row_scores_a = scorer.RowScoresA(a_);
    const std::vector<std::int32_t> row_scores_b = scorer.RowScoresB(b_);
    BothLists lists{TopLists(a_.rows(), k), TopLists(within_ ? 0 : b_.rows(), k), 0};
    std::mutex mutex;
    absl::Status status;
    const auto work = [&](unsigned thread) {
      TopLists own(a_.rows(), k);
      absl::Status own_status;
      const std::size_t step = kBlockRows * options_.threads;
      for (std::size_t begin = thread * kBlockRows; begin < b_.rows() && own_status.ok(); begin += step) {
        own_status = Block(scorer, begin, row_scores_a, row_scores_b, &own, &lists.b);
      }
      const std::lock_guard lock(mutex);
      lists.a.Merge(own);
      status.Update(own_status);
    };
    {
      std::vector<std::jthread> others;
      for (unsigned t = 1; t < options_.threads; ++t) {
        others.emplace_back(work, t);
      }
      work(0);
    }
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
    const std::size_t end = std::min(begin + kBlockRows, b_.rows());
    SLUIS_ASSIGN_OR_RETURN(const WeightedBlock block, WeightedBlock::Pack(b_, begin, end, options_.kernel));
    const std::size_t padded = (block.padded_rows() + kChunk - 1) / kChunk * kChunk;
    std::vector<std::int32_t> row_scores(padded);
    std::copy_n(row_scores_b.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, row_scores.begin());
    std::vector<std::int32_t> limits(padded, within_ ? std::numeric_limits<std::int32_t>::max() : kNoScore);
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
  const ExhaustiveOptions options_;
};

class FromCandidates : public CandidateScorer {
 public:
  FromCandidates(const EncodingTable& a, const EncodingTable* b, CandidateBatches batches,
                 const ExhaustiveOptions& options)
      : a_(a), b_(b == nullptr ? a : *b), within_(b == nullptr), batches_(std::move(batches)), options_(options) {}

  absl::StatusOr<BothLists> Top(const PairScorer& scorer, std::size_t k) override {
    SLUIS_RETURN_IF_ERROR(CheckArguments(scorer, a_, b_, k, options_.threads));
    const std::vector<std::int32_t> row_scores_a = scorer.RowScoresA(a_);
    const std::vector<std::int32_t> row_scores_b = scorer.RowScoresB(b_);
    BothLists lists{TopLists(a_.rows(), k), TopLists(within_ ? 0 : b_.rows(), k), 0};
    const auto score = [&](std::span<const CandidatePair> pairs) -> absl::Status {
      if (options_.stop.stop_requested()) {
        return absl::CancelledError("scoring candidates: stopped on request");
      }
      SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int32_t> sums, Overlaps(pairs, scorer));
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const CandidatePair& pair = pairs[i];
        if (!within_) {
          const std::int32_t total = sums[i] + row_scores_a[pair.a] + row_scores_b[pair.b];
          lists.a.Insert(pair.a, total, pair.b);
          lists.b.Insert(pair.b, total, pair.a);
        } else if (pair.a != pair.b) {
          lists.a.Insert(pair.a, sums[i] + row_scores_a[pair.a] + row_scores_b[pair.b], pair.b);
          lists.a.Insert(pair.b, sums[i] + row_scores_a[pair.b] + row_scores_b[pair.a], pair.a);
        }
      }
      lists.pairs += pairs.size();
      return absl::OkStatus();
    };
    SLUIS_RETURN_IF_ERROR(batches_(score));
    return lists;
  }

 private:
  // Weighted overlaps of a batch, shared among the threads in runs.
  absl::StatusOr<std::vector<std::int32_t>> Overlaps(std::span<const CandidatePair> pairs,
                                                     const PairScorer& scorer) const {
    if (options_.threads == 1 || pairs.size() < 4096) {
      return WeightedOverlaps(pairs, a_, b_, scorer.weights(), options_.kernel);
    }
    const std::size_t run = (pairs.size() + options_.threads - 1) / options_.threads;
    std::vector<absl::StatusOr<std::vector<std::int32_t>>> parts(options_.threads, std::vector<std::int32_t>());
    {
      std::vector<std::jthread> workers;
      for (unsigned t = 0; t < options_.threads; ++t) {
        workers.emplace_back([&, t] {
          const std::size_t begin = std::min(t * run, pairs.size());
          parts[t] = WeightedOverlaps(pairs.subspan(begin, std::min(run, pairs.size() - begin)), a_, b_,
                                      scorer.weights(), options_.kernel);
        });
      }
    }
    std::vector<std::int32_t> sums;
    sums.reserve(pairs.size());
    for (const auto& part : parts) {
      SLUIS_RETURN_IF_ERROR(part.status());
      sums.insert(sums.end(), part->begin(), part->end());
    }
    return sums;
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
  return std::make_unique<Exhaustive>(a, b, options);
}

std::unique_ptr<CandidateScorer> ScoreCandidates(const EncodingTable& a, const EncodingTable* b,
                                                 CandidateBatches batches, const ExhaustiveOptions& options) {
  return std::make_unique<FromCandidates>(a, b, std::move(batches), options);
}

}  // namespace sluis::linker
