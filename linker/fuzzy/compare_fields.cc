#include "linker/fuzzy/compare_fields.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "common/status/status.h"
#include "linker/fellegi_sunter/fit.h"
#include "linker/fellegi_sunter/quality.h"
#include "linker/fuzzy/block_fields.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kBatchPairs = std::size_t{1} << 20;
constexpr std::uint64_t kMostOthers = 7;  // records of one person beside a record, where a source may repeat people
constexpr std::size_t kSamplePairs = 25'000'000;
constexpr double kLeastLogOdds = -3;  // pairs below are not handed on, as at record level

struct Columns {
  std::vector<FieldColumn> own;  // if a selection
  FieldColumns columns;
  std::vector<std::uint32_t> record_of_row;
};

absl::StatusOr<Columns> SelectColumns(const CompareSide& side, const EncodingPlan& plan) {
  Columns selected;
  const MatchSource& source = *side.source;
  for (std::uint32_t record = 0; record < source.records; ++record) {
    if (side.left_out.empty() || !side.left_out[record]) selected.record_of_row.push_back(record);
  }
  if (side.left_out.empty()) {
    selected.columns = source.columns;
    return selected;
  }
  for (const FieldColumn& column : source.columns) {
    SLUIS_ASSIGN_OR_RETURN(FieldColumn selection, FieldColumn::Create(plan.EncodedBits()));
    for (const std::uint32_t record : selected.record_of_row) {
      const std::uint32_t row = column.row(record);
      if (row == FieldColumn::kMissing) {
        selection.AppendMissing();
      } else {
        SLUIS_RETURN_IF_ERROR(selection.Append(column.encodings().row(row)));
      }
    }
    selected.own.push_back(std::move(selection));
  }
  selected.columns = selected.own;
  return selected;
}

using Batch = std::span<const CandidatePair>;
using Visit = std::function<absl::Status(Batch)>;

// All pairs of `rows_a` and `rows_b`, or within a, ascending.
absl::Status VisitAllPairs(std::uint32_t rows_a, std::optional<std::uint32_t> rows_b, const Visit& visit) {
  std::vector<CandidatePair> batch;
  for (std::uint32_t a = 0; a < rows_a; ++a) {
    for (std::uint32_t b = rows_b ? 0 : a + 1; b < (rows_b ? *rows_b : rows_a); ++b) {
      batch.push_back({a, b});
      if (batch.size() < kBatchPairs) continue;
      SLUIS_RETURN_IF_ERROR(visit(batch));
      batch.clear();
    }
  }
  return batch.empty() ? absl::OkStatus() : visit(batch);
}

// Calls work(part, its pairs) for `threads` parts of `batch` at once, and returns the first error in their order.
absl::Status InParts(Batch batch, unsigned threads, const std::function<absl::Status(std::size_t, Batch)>& work) {
  const std::size_t size = (batch.size() + threads - 1) / threads;
  std::vector<absl::Status> statuses(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t part = 0; part < threads && part * size < batch.size(); ++part) {
      const Batch pairs = batch.subspan(part * size, std::min(size, batch.size() - part * size));
      running.emplace_back([&statuses, &work, part, pairs] { statuses[part] = work(part, pairs); });
    }
  }
  for (const absl::Status& status : statuses) SLUIS_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

// The most that term frequencies can add to a pair of this pattern is a constant for each field that agrees exactly.
double MostLogOdds(const FellegiSunterModel& model, PatternCode pattern) {
  double most = model.LogOdds(pattern);
  const FellegiSunterPlan& plan = model.plan();
  for (std::size_t field = 0; field < plan.fields.size(); ++field) {
    if (LevelOf(pattern, field) == LevelCount(plan.fields[field])) most += plan.max_term_adjustment;
  }
  return most;
}

// Pairs that the estimate of precision is about: above even odds, and where a record has one match at most, the best of
// both its records.
std::vector<ScoredPair> LikelyLinks(std::span<const ScoredPair> pairs, bool repeats) {
  std::unordered_map<std::uint32_t, float> best_a, best_b;
  for (const ScoredPair& pair : pairs) {
    float& a = best_a.try_emplace(pair.a, pair.log_odds).first->second;
    float& b = best_b.try_emplace(pair.b, pair.log_odds).first->second;
    a = std::max(a, pair.log_odds);
    b = std::max(b, pair.log_odds);
  }
  std::vector<ScoredPair> links;
  for (const ScoredPair& pair : pairs) {
    const bool best = best_a[pair.a] == pair.log_odds && best_b[pair.b] == pair.log_odds;
    if (pair.log_odds > 0 && (repeats || best)) links.push_back(pair);
  }
  return links;
}

Estimate ToEstimate(const IntervalEstimate& estimate) { return {estimate.value, estimate.low, estimate.high}; }

class FieldComparison {
 public:
  FieldComparison(const MatchPlan& plan, const MatchOptions& options, std::uint64_t seed, bool repeats,
                  std::span<const ReviewDecision> decisions)
      : plan_(plan), options_(options), seed_(seed), repeats_(repeats), decisions_(decisions) {
    for (const Feature& feature : plan.encoding.features) {
      FieldRule& rule = fields_.fields.emplace_back();
      rule.name = feature.name;
      rule.stable = feature.stable;
    }
  }

  absl::StatusOr<CompareResult> Run(const CompareSide& side_a, const CompareSide* side_b) {
    SLUIS_ASSIGN_OR_RETURN(const Columns a, SelectColumns(side_a, plan_.encoding));
    Columns other;
    if (side_b != nullptr) {
      SLUIS_ASSIGN_OR_RETURN(other, SelectColumns(*side_b, plan_.encoding));
    }
    const Columns& b = side_b == nullptr ? a : other;
    ComparisonReport& report = result_.report;
    report.rows_a = a.record_of_row.size();
    report.rows_b = b.record_of_row.size();
    total_pairs_ = side_b == nullptr ? report.rows_a * (report.rows_a - std::min<std::uint64_t>(1, report.rows_a)) / 2
                                     : report.rows_a * report.rows_b;
    if (total_pairs_ == 0) {
      report.skipped = true;
      return std::move(result_);
    }
    SLUIS_RETURN_IF_ERROR(FindPairs(a, side_b == nullptr ? nullptr : &b));
    SLUIS_RETURN_IF_ERROR(FitAndScore(a, b));
    for (ScoredPair& pair : result_.pairs) {
      pair.a = a.record_of_row[pair.a];
      pair.b = b.record_of_row[pair.b];
    }
    report.pairs_scored = result_.pairs.size();
    return std::move(result_);
  }

 private:
  absl::Status FindPairs(const Columns& a, const Columns* b) {
    ComparisonReport& report = result_.report;
    report.exhaustive = total_pairs_ <= plan_.exhaustive_pairs;
    if (report.exhaustive) {
      report.pairs_compared = total_pairs_;
      const auto rows_a = static_cast<std::uint32_t>(report.rows_a);
      const auto rows_b =
          b == nullptr ? std::nullopt : std::optional<std::uint32_t>(static_cast<std::uint32_t>(report.rows_b));
      visit_pairs_ = [rows_a, rows_b](const Visit& visit) { return VisitAllPairs(rows_a, rows_b, visit); };
      return absl::OkStatus();
    }
    const auto other = b == nullptr ? std::nullopt : std::optional(b->columns);
    SLUIS_ASSIGN_OR_RETURN(candidates_, BlockFields(a.columns, other, plan_, options_, seed_));
    ReportBlocking(candidates_.stats, report);
    visit_pairs_ = [this](const Visit& visit) { return candidates_.VisitPairs(visit, kBatchPairs); };
    return absl::OkStatus();
  }

  // Batch by batch, in parts at once; `take` gets the parts' results in order.
  template <typename Part>
  absl::Status ForPairs(const std::function<absl::Status(Batch, Part&)>& work, const std::function<void(Part&)>& take) {
    return visit_pairs_([&](Batch batch) -> absl::Status {
      if (options_.stop.stop_requested()) return absl::CancelledError("stopped while comparing");
      std::vector<Part> parts(options_.threads);
      SLUIS_RETURN_IF_ERROR(
          InParts(batch, options_.threads, [&](std::size_t part, Batch pairs) { return work(pairs, parts[part]); }));
      for (Part& part : parts) take(part);
      return absl::OkStatus();
    });
  }

  absl::Status FitAndScore(const Columns& a, const Columns& b) {
    SLUIS_ASSIGN_OR_RETURN(const std::vector<FieldCuts> cuts, CutPoints(fields_, a.columns, b.columns, seed_));
    SLUIS_ASSIGN_OR_RETURN(const FieldComparer comparer,
                           FieldComparer::Create(a.columns, b.columns, cuts, options_.kernel,
                                                 2 * result_.report.pairs_compared, options_.threads));
    FitInput input;
    SLUIS_RETURN_IF_ERROR(ForPairs<PatternCounts>(
        [&](Batch pairs, PatternCounts& counts) -> absl::Status {
          SLUIS_ASSIGN_OR_RETURN(const std::vector<PatternCode> patterns, comparer.Compare(pairs));
          counts.AddAll(patterns);
          return absl::OkStatus();
        },
        [&](PatternCounts& counts) { input.candidates.Merge(counts); }));
    ScoreFit& summary = result_.report.fit;
    input.total_pairs = total_pairs_;
    const std::uint64_t records = std::min(result_.report.rows_a, result_.report.rows_b);
    input.max_matches = std::min(total_pairs_, repeats_ ? records * kMostOthers : records);
    const SampleFrom from = repeats_ ? SampleFrom::kAcrossSources : SampleFrom::kWithinSources;
    auto sample = SampleNonMatches(a.columns, b.columns, cuts, from, seed_, kSamplePairs, options_.threads);
    if (sample.ok()) input.non_matches = *std::move(sample);
    absl::StatusOr<FellegiSunterFit> fit =
        sample.ok() ? FitFellegiSunter(fields_, input) : absl::StatusOr<FellegiSunterFit>(sample.status());
    if (absl::IsFailedPrecondition(fit.status())) {  // too little to estimate from
      summary.why_not = std::string(fit.status().message());
      return absl::OkStatus();
    }
    SLUIS_RETURN_IF_ERROR(fit.status());
    summary.credible = fit->credibility.credible;
    summary.why_not = fit->credibility.why_not;
    summary.no_matches = fit->credibility.expected_matches < static_cast<double>(fields_.min_expected_matches);
    result_.report.field_weights = fit->model.Weights();
    if (!summary.credible) return absl::OkStatus();
    SLUIS_RETURN_IF_ERROR(Review(input.candidates, fit->model));
    return Score(*fit, input.candidates, comparer, a, b);
  }

  absl::Status Review(const PatternCounts& candidates, FellegiSunterModel& model) {
    ComparisonReport& report = result_.report;
    SLUIS_ASSIGN_OR_RETURN(report.review, MakeReviewTable(model, candidates, {.min_pairs = plan_.review_min_pairs}));
    SLUIS_RETURN_IF_ERROR(ApplyReview(report.review, decisions_, model));
    report.reviewed_patterns = decisions_.size();
    for (const ReviewPattern& shown : report.review.patterns) {
      const bool decided = std::ranges::count(decisions_, shown.pattern, &ReviewDecision::pattern) > 0;
      if (decided) report.reviewed_pairs += shown.pairs;
    }
    return absl::OkStatus();
  }

  absl::Status Score(const FellegiSunterFit& fit, const PatternCounts& candidates, const FieldComparer& comparer,
                     const Columns& a, const Columns& b) {
    SLUIS_ASSIGN_OR_RETURN(const TermTable terms, CountAllTerms(a.columns, b.columns));
    PatternCounts likely_patterns;
    for (const PatternCount& entry : candidates.Sorted()) {
      if (MostLogOdds(fit.model, entry.pattern) >= kLeastLogOdds) likely_patterns.Add(entry.pattern, entry.pairs);
    }
    SLUIS_RETURN_IF_ERROR(ForPairs<std::vector<ScoredPair>>(
        [&](Batch pairs, std::vector<ScoredPair>& scored) -> absl::Status {
          SLUIS_ASSIGN_OR_RETURN(const std::vector<PatternCode> patterns, comparer.Compare(pairs));
          std::vector<CandidatePair> likely;
          for (std::size_t i = 0; i < pairs.size(); ++i) {
            if (likely_patterns.pairs(patterns[i]) != 0) likely.push_back(pairs[i]);
          }
          SLUIS_ASSIGN_OR_RETURN(scored, ScorePairs(fit, comparer, terms, likely));
          std::erase_if(scored, [](const ScoredPair& pair) { return pair.log_odds < kLeastLogOdds; });
          return absl::OkStatus();
        },
        [&](std::vector<ScoredPair>& scored) {
          result_.pairs.insert(result_.pairs.end(), scored.begin(), scored.end());
        }));
    ComparisonReport& report = result_.report;
    const std::vector<ScoredPair> links = LikelyLinks(result_.pairs, repeats_);
    const PassLinks pass{"", links};
    SLUIS_ASSIGN_OR_RETURN(const QualityReport quality,
                           EstimateQuality(std::span(&pass, 1), fit.credibility, report.blocking_recall));
    report.fit.precision = ToEstimate(quality.total.precision);
    report.fit.recall = ToEstimate(quality.total.recall);
    report.fit.links = static_cast<double>(links.size());
    report.fit.matches = quality.matches * report.blocking_recall;
    report.fit.match_share = report.fit.matches / static_cast<double>(std::min(report.rows_a, report.rows_b));
    return absl::OkStatus();
  }

  const MatchPlan& plan_;
  const MatchOptions& options_;
  const std::uint64_t seed_;
  const bool repeats_;
  const std::span<const ReviewDecision> decisions_;
  FellegiSunterPlan fields_;
  std::uint64_t total_pairs_ = 0;
  Candidates candidates_;
  std::function<absl::Status(const Visit&)> visit_pairs_;
  CompareResult result_;
};

}  // namespace

absl::StatusOr<CompareResult> CompareFields(const CompareSide& a, const CompareSide* b, bool repeats,
                                            const MatchPlan& plan, const MatchOptions& options, std::uint64_t seed,
                                            std::span<const ReviewDecision> decisions) {
  SLUIS_ASSIGN_OR_RETURN(CompareResult result, FieldComparison(plan, options, seed, repeats, decisions).Run(a, b));
  if (!decisions.empty() && !result.report.fit.credible) {
    return absl::FailedPreconditionError(
        "decisions of a review cannot be applied: there is nothing to compare, or the fit is not credible now");
  }
  return result;
}

}  // namespace sluis::linker
