#include "linker/fuzzy/compare.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/status/status.h"
#include "linker/fuzzy/weigh_stable.h"
#include "linker/score/record_level.h"

namespace sluis::linker {
namespace {

// The first place of a list that is taken to hold no match: more than the records of a person that a source may hold.
constexpr std::size_t kFirstNullOnce = 2;
constexpr std::size_t kFirstNullRepeated = 8;
constexpr std::size_t kBatchPairs = 4096;  // scored at once by a thread: 64 KB of pairs and scores
// What blocking is believed to miss at most, so that an estimate from few matches cannot be a division by zero.
constexpr double kLeastBlockingRecall = 0.01;

// The encodings that take part, and the record of each row.
struct Rows {
  const EncodingTable* table = nullptr;
  std::vector<std::uint32_t> record_of_row;
  std::unique_ptr<EncodingTable> own;  // if `table` is a selection
};

absl::StatusOr<Rows> SelectRows(const CompareSide& side) {
  const MatchSource& source = *side.source;
  Rows rows;
  if (side.left_out.empty()) {
    rows.table = &source.tables.front();
    rows.record_of_row = source.record_of_row;
    return rows;
  }
  const EncodingTable& all = source.tables.front();
  SLUIS_ASSIGN_OR_RETURN(EncodingTable selection, EncodingTable::Create(all.bits()));
  for (std::size_t row = 0; row < all.rows(); ++row) {
    if (side.left_out[source.record_of_row[row]]) continue;
    SLUIS_RETURN_IF_ERROR(selection.Append(all.row(row)));
    rows.record_of_row.push_back(source.record_of_row[row]);
  }
  rows.own = std::make_unique<EncodingTable>(std::move(selection));
  rows.table = rows.own.get();
  return rows;
}

std::uint64_t AllPairs(const EncodingTable& a, const EncodingTable* b) {
  const std::uint64_t rows = a.rows();
  return b == nullptr ? (rows == 0 ? 0 : rows * (rows - 1) / 2) : rows * b->rows();
}

}  // namespace

absl::StatusOr<Candidates> Block(const EncodingTable& a, const EncodingTable* b, const MatchPlan& plan,
                                 const MatchOptions& options, std::uint64_t seed, std::span<const TokenPass> tokens) {
  CandidateOptions limits;
  limits.exhaustive_pairs = 0;  // decided already
  limits.max_block = plan.max_block;
  limits.memory_bytes = plan.memory_bytes;
  limits.seed = seed;
  const CandidateRun run{.kernel = options.kernel, .threads = options.threads, .stop = options.stop, .progress = {}};
  SLUIS_ASSIGN_OR_RETURN(const CandidatePlan blocks,
                         b == nullptr ? PlanDuplicates(a, limits) : PlanCandidates(a, *b, limits));
  return b == nullptr ? FindDuplicates(a, tokens, blocks, run) : FindCandidates(a, *b, tokens, blocks, run);
}

void ReportBlocking(const CandidateStats& stats, ComparisonReport& report) {
  report.candidates = stats;
  report.pairs_compared = stats.pairs_compared;
  const double recall = stats.recall ? stats.recall->found : stats.recall_at_bit_error;
  report.blocking_recall = std::clamp(recall, kLeastBlockingRecall, 1.0);
}

absl::StatusOr<CompareResult> Compare(const CompareSide& a, const CompareSide* b, bool repeats, const MatchPlan& plan,
                                      const MatchOptions& options, std::uint64_t seed) {
  CompareResult result;
  ComparisonReport& report = result.report;
  SLUIS_ASSIGN_OR_RETURN(const Rows rows_a, SelectRows(a));
  Rows rows_b;
  if (b != nullptr) {
    SLUIS_ASSIGN_OR_RETURN(rows_b, SelectRows(*b));
  }
  const EncodingTable& table_a = *rows_a.table;
  const EncodingTable* const table_b = rows_b.table;
  report.rows_a = table_a.rows();
  report.rows_b = table_b == nullptr ? table_a.rows() : table_b->rows();
  report.pairs_compared = AllPairs(table_a, table_b);
  if (report.pairs_compared == 0) {
    report.skipped = true;
    return result;
  }
  const ExhaustiveOptions run{.kernel = options.kernel, .threads = options.threads, .stop = options.stop};
  RecordLevelOptions fit;
  fit.fit.first_null = repeats ? kFirstNullRepeated : kFirstNullOnce;
  fit.fit.seed = seed;
  fit.fit.threads = options.threads;
  fit.stop = options.stop;
  fit.stable_begin = plan.encoding.stable_bits == 0 ? 0 : plan.encoding.FirstSectionBits();
  Candidates candidates;
  std::unique_ptr<CandidateScorer> scorer;
  report.exhaustive = report.pairs_compared <= plan.exhaustive_pairs;
  if (report.exhaustive) {
    scorer = ScoreExhaustively(table_a, table_b, run);
  } else {
    SLUIS_ASSIGN_OR_RETURN(candidates, Block(table_a, table_b, plan, options, seed));
    ReportBlocking(candidates.stats, report);
    fit.fit.blocking_recall = report.blocking_recall;
    scorer = ScoreCandidates(
        table_a, table_b,
        [&candidates](std::size_t begin, std::size_t end, const CandidateVisitor& visit) {
          return candidates.VisitPairsOf(begin, end, visit, kBatchPairs);
        },
        run);
  }
  SLUIS_ASSIGN_OR_RETURN(fit.stable_weight, WeighStable(table_a, table_b, report.exhaustive, fit, run));
  report.stable_weight = fit.stable_weight;
  SLUIS_ASSIGN_OR_RETURN(RecordLevelFit fitted, FitRecordLevel(table_a, table_b, *scorer, fit));
  report.fit = std::move(fitted.fit);
  report.bit_error = fitted.model.error;
  result.pairs = std::move(fitted.pairs);
  const std::vector<std::uint32_t>& records_b = b == nullptr ? rows_a.record_of_row : rows_b.record_of_row;
  for (ScoredPair& pair : result.pairs) {
    pair.a = rows_a.record_of_row[pair.a];
    pair.b = records_b[pair.b];
  }
  report.pairs_scored = result.pairs.size();
  return result;
}

}  // namespace sluis::linker
