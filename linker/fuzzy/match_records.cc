#include "linker/fuzzy/match_records.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/fellegi_sunter/plan.h"
#include "linker/fuzzy/compare.h"
#include "linker/fuzzy/compare_fields.h"
#include "linker/fuzzy/comparison_store.h"
#include "linker/fuzzy/exact_passes.h"
#include "linker/fuzzy/links.h"

namespace sluis::linker {
namespace {

absl::Status Check(std::span<const MatchSource> sources, const MatchPlan& plan, const MatchOptions& options) {
  if (sources.empty()) return absl::InvalidArgumentError("there is no source to match");
  if (options.mode == MatchMode::kLink && sources.size() < 2) {
    return absl::InvalidArgumentError("linking needs two sources or more; one source can be deduplicated");
  }
  const bool field_level = plan.encoding.profile == EncodingProfile::kFieldLevel;
  const std::size_t features = plan.encoding.features.size();
  if (field_level && features > kMaxComparedFields) {
    return absl::InvalidArgumentError(
        absl::StrCat("at field level at most ", kMaxComparedFields, " features can be compared"));
  }
  for (const MatchSource& source : sources) {
    const auto wrong = [&](std::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat("source ", source.name, ": ", std::string(what)));
    };
    if (source.exact.size() != plan.passes.size() ||
        std::ranges::any_of(source.exact, [&](const auto& tokens) { return tokens.size() != source.records; })) {
      return wrong("it needs one token for each record and exact pass of the plan");
    }
    const std::size_t tables = field_level || features == 0 ? 0 : 1;
    if (source.tables.size() != tables || source.columns.size() != (field_level ? features : 0))
      return wrong("its encodings were made by another plan");
    for (const EncodingTable& table : source.tables) {
      if (table.bits() != plan.encoding.EncodedBits())
        return wrong("its encodings have another length than the plan's");
      if (table.rows() != source.record_of_row.size()) return wrong("it has encodings without a record");
    }
    for (const FieldColumn& column : source.columns) {
      if (column.encodings().bits() != plan.encoding.EncodedBits()) {
        return wrong("its encodings have another length than the plan's");
      }
      if (column.records() != source.records) return wrong("a field has not as many records as the source");
    }
    if (std::ranges::any_of(source.record_of_row, [&](std::uint32_t record) { return record >= source.records; })) {
      return wrong("an encoding names a record beyond its last");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDeclarations(std::span<const MatchSource> sources, const MatchPlan& plan,
                               const MatchOptions& options) {
  const auto find = [&](const std::string& name) { return std::ranges::find(sources, name, &MatchSource::name); };
  for (const std::string& name : plan.repeats) {
    if (find(name) == sources.end()) {
      return absl::InvalidArgumentError("repeats: names a source that is not there; sources are called as their file");
    }
  }
  if (!(plan.match_share.low >= 0 && plan.match_share.low <= plan.match_share.high)) {
    return absl::InvalidArgumentError("match_share: low must be at least 0 and at most high");
  }
  if (plan.review_min_pairs < kMinPairsPerReview) {
    return absl::InvalidArgumentError(absl::StrCat("review_min_pairs: must be at least ", kMinPairsPerReview));
  }
  for (const ReviewedComparison& review : options.reviews) {
    if (plan.encoding.profile != EncodingProfile::kFieldLevel) {
      return absl::InvalidArgumentError("a review needs the field-level profile: record level has no patterns");
    }
    const auto a = find(review.source_a), b = find(review.source_b);
    const bool within = a == b;
    if (a == sources.end() || b == sources.end() || a > b ||
        (within ? options.mode == MatchMode::kLink : options.mode == MatchMode::kDedupe)) {
      return absl::InvalidArgumentError("a review is about two sources that are not compared, or in another order");
    }
  }
  return absl::OkStatus();
}

class Matcher {
 public:
  Matcher(std::span<const MatchSource> sources, const MatchPlan& plan, const MatchOptions& options)
      : sources_(sources), plan_(plan), options_(options) {
    for (const MatchSource& source : sources) {
      repeats_.push_back(options.mode != MatchMode::kLink || std::ranges::count(plan.repeats, source.name) > 0);
      clusters_.push_back({source.records, !repeats_.back()});
    }
    steps_ = 2;
    for (std::size_t a = 0; a < sources.size(); ++a) {
      for (std::size_t b = a; b < sources.size(); ++b) steps_ += Compares(a, b) ? 1 : 0;
    }
  }

  absl::StatusOr<MatchResult> Run() {
    MatchReport& report = result_.report;
    Begin("exact passes");
    exact_ = FindExactPairs(sources_, options_.mode);
    SLUIS_ASSIGN_OR_RETURN(const Clustering exact, Cluster());
    End();
    for (std::uint32_t a = 0; a < sources_.size(); ++a) {
      for (std::uint32_t b = a; b < sources_.size(); ++b) {
        if (Compares(a, b)) SLUIS_RETURN_IF_ERROR(CompareSources(exact, a, b));
      }
    }
    Begin("cluster");
    SLUIS_ASSIGN_OR_RETURN(result_.clustering, Cluster());
    for (const FixedPair& pair : exact_.refused) {
      result_.clustering.conflicts.push_back({pair, ConflictReason::kCommonValue});
      for (const RecordRef& record : {pair.a, pair.b}) {
        result_.clustering.status[record.source][record.row] = LinkStatus::kConflict;
      }
    }
    End();
    ReportPasses();
    const LinkCounts links(result_.clustering, sources_.size());
    report.pairs = links.total();
    const LinkCounts exact_links(exact, sources_.size());
    for (ComparisonReport& compared : report.comparisons) {
      const std::uint64_t all = links.between(compared.source_a, compared.source_b);
      const std::uint64_t by_exact = exact_links.between(compared.source_a, compared.source_b);
      compared.links = all - std::min(all, by_exact);
    }
    report.estimate = EstimateLinks(exact_links);
    return std::move(result_);
  }

 private:
  bool Compares(std::size_t a, std::size_t b) const {
    if (plan_.encoding.features.empty()) return false;
    return a == b ? options_.mode != MatchMode::kLink : options_.mode != MatchMode::kDedupe;
  }

  void Begin(std::string step) {
    if (options_.progress) options_.progress(step, done_, steps_);
    result_.report.steps.push_back({std::move(step), Now()});
  }
  void End() {
    ++done_;
    StepTime& step = result_.report.steps.back();
    step.seconds = Now() - step.seconds;
  }
  double Now() const { return options_.seconds ? options_.seconds() : 0; }

  absl::StatusOr<Clustering> Cluster() const {
    std::vector<SourcePairs> pairs;
    for (const CompareResult& compared : compared_) {
      pairs.push_back({compared.report.source_a, compared.report.source_b, compared.pairs});
    }
    return ClusterRecords({.sources = clusters_, .pairs = pairs, .fixed = exact_.pairs}, {.stop = options_.stop});
  }

  absl::Status CompareSources(const Clustering& exact, std::uint32_t a, std::uint32_t b) {
    const std::string what = a == b ? sources_[a].name : absl::StrCat(sources_[a].name, " with ", sources_[b].name);
    const bool repeats = repeats_[a] || repeats_[b];
    const std::span<const ReviewDecision> decisions = DecisionsOn(a, b);
    CompareSide side_a{&sources_[a], {}}, side_b{&sources_[b], {}};
    if (!repeats && !exact_.pairs.empty()) {
      side_a.left_out = LinkedWith(exact, a, b);
      side_b.left_out = LinkedWith(exact, b, a);
    }
    const CompareSide* const other = a == b ? nullptr : &side_b;
    const std::uint64_t seed = SeedOf(a, b);
    ComparisonKey key{};
    std::optional<CompareResult> compared;
    if (options_.store != nullptr) {
      options_.store->Between(sources_[a].name, sources_[b].name);
      key = KeyOfComparison(side_a, DigestOfSource(a), other, DigestOfSource(b), repeats, plan_, seed, decisions);
      compared = FindKept(key, what, a, b);
    }
    const bool reused = compared.has_value();
    Begin(absl::StrCat(reused ? "take from an earlier run " : "compare ", what));
    if (!reused) {
      const bool field_level = plan_.encoding.profile == EncodingProfile::kFieldLevel;
      SLUIS_ASSIGN_OR_RETURN(compared, field_level
                                           ? CompareFields(side_a, other, repeats, plan_, options_, seed, decisions)
                                           : Compare(side_a, other, repeats, plan_, options_, seed));
      if (options_.store != nullptr) Keep(key, what, *compared);
    }
    ComparisonReport& report = compared->report;
    report.source_a = a;
    report.source_b = b;
    report.reused = reused;
    CheckShare(*compared);
    End();
    report.seconds = result_.report.steps.back().seconds;
    WarnOf(report);
    result_.report.comparisons.push_back(report);
    compared_.push_back(*std::move(compared));
    return absl::OkStatus();
  }

  // From the names, so that a comparison draws the same samples wherever its sources stand among the others.
  std::uint64_t SeedOf(std::uint32_t a, std::uint32_t b) const {
    const common::Hash256 hash =
        common::Sha256(absl::StrCat("sluis-comparison-seed-1 ", options_.seed, " ", sources_[a].name.size(), " ",
                                    sources_[a].name, a == b ? "" : sources_[b].name));
    return common::ReadBigEndian64(common::AsChars(hash));
  }

  const common::Hash256& DigestOfSource(std::uint32_t source) {
    digests_.resize(sources_.size());
    if (!digests_[source]) digests_[source] = DigestOf(sources_[source]);
    return *digests_[source];
  }

  std::optional<CompareResult> FindKept(const ComparisonKey& key, const std::string& what, std::uint32_t a,
                                        std::uint32_t b) {
    absl::StatusOr<std::optional<CompareResult>> kept =
        FindComparison(*options_.store, key, sources_[a], a == b ? nullptr : &sources_[b]);
    if (kept.ok()) return *std::move(kept);
    result_.report.warnings.push_back(absl::StrCat(
        "compare ", what,
        ": done again, since what an earlier run kept cannot be used: ", std::string(kept.status().message())));
    return std::nullopt;
  }

  void Keep(const ComparisonKey& key, const std::string& what, const CompareResult& compared) {
    const absl::Status kept = SaveComparison(*options_.store, key, compared);
    if (kept.ok()) return;
    result_.report.warnings.push_back(
        absl::StrCat("compare ", what, ": not kept, so that a later run does it again: ", std::string(kept.message())));
  }

  std::span<const ReviewDecision> DecisionsOn(std::uint32_t a, std::uint32_t b) const {
    for (const ReviewedComparison& review : options_.reviews) {
      if (review.source_a == sources_[a].name && review.source_b == sources_[b].name) return review.decisions;
    }
    return {};
  }

  // After the store, since it is about the run and not about the comparison.
  void CheckShare(CompareResult& compared) const {
    ScoreFit& fit = compared.report.fit;
    const ShareBounds& bounds = plan_.match_share;
    if (!fit.credible || (fit.match_share >= bounds.low && fit.match_share <= bounds.high)) return;
    const double share = fit.match_share;
    fit = ScoreFit();
    fit.why_not = absl::StrCat("its share of records with a match, ", share, ", is beyond the plan's match_share, ",
                               bounds.low, " to ", bounds.high);
    compared.report.review = {};
    compared.report.pairs_scored = 0;
    compared.pairs.clear();
  }

  void WarnOf(const ComparisonReport& compared) {
    const std::string& name_a = sources_[compared.source_a].name;
    const std::string of = compared.source_a == compared.source_b
                               ? absl::StrCat("within ", name_a, ": ")
                               : absl::StrCat(name_a, " and ", sources_[compared.source_b].name, ": ");
    std::vector<std::string>& warnings = result_.report.warnings;
    if (compared.skipped) warnings.push_back(absl::StrCat(of, "there is nothing to compare"));
    if (!compared.skipped && !compared.fit.credible) {
      warnings.push_back(absl::StrCat(of, "no credible estimate: ", compared.fit.why_not));
    }
    for (const std::string& warning : compared.candidates.warnings) warnings.push_back(of + warning);
  }

  void ReportPasses() {
    std::vector<ExactPassReport>& passes = result_.report.passes;
    for (std::size_t pass = 0; pass < plan_.passes.size(); ++pass) {
      ExactPassReport& report = passes.emplace_back();
      report.field = plan_.passes[pass].field;
      report.records = exact_.records[pass];
      report.groups = exact_.groups[pass];
      report.frequent_values = exact_.refused_groups[pass];
      report.largest_frequent = exact_.largest_refused[pass];
      report.contradicted_links = ContradictedLinks(result_.clustering, sources_, pass);
    }
    for (const FixedPair& pair : exact_.pairs) ++passes[pair.pass].pairs;
    std::vector<std::uint64_t> contradictions(passes.size());
    for (const Conflict& conflict : result_.clustering.conflicts) {
      ++passes[conflict.pair.pass].conflicts;
      if (conflict.reason != ConflictReason::kCommonValue) ++contradictions[conflict.pair.pass];
    }
    for (const FixedPair& pair : exact_.refused) ++passes[pair.pass].pairs;
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const ExactPassReport& pass = passes[i];
      if (contradictions[i] > 0) {
        result_.report.warnings.push_back(absl::StrCat("exact pass on `", pass.field, "`: ", contradictions[i],
                                                       " pairs contradict other passes or the mode; they were not "
                                                       "linked by it, and their records have the status conflict"));
      }
      if (pass.frequent_values > 0) {
        result_.report.warnings.push_back(absl::StrCat(
            "exact pass on `", pass.field, "`: ", pass.frequent_values, " values stand in more than ", kMostOfASource,
            " records of a source, the most frequent in ", pass.largest_frequent,
            " records: no person does, so they link nothing, and their records have the status conflict; declare "
            "placeholders as missingValues in the schema"));
      }
      if (pass.contradicted_links > 0) {
        result_.report.warnings.push_back(absl::StrCat("exact pass on `", pass.field, "`: ", pass.contradicted_links,
                                                       " linked pairs have different values of it"));
      }
    }
  }

  // Links of exact passes are taken for right. Of each comparison the links that were made count with its estimated
  // precision, and the matches that it estimates, with those that blocking missed, are what could have been found.
  LinkEstimate EstimateLinks(const LinkCounts& exact) const {
    LinkEstimate estimate;
    Estimate right;
    double linked = 0, matches = 0, recall_low = 0, recall_high = 0;
    bool known = false;
    for (const ComparisonReport& report : result_.report.comparisons) {
      const auto by_exact = static_cast<double>(exact.between(report.source_a, report.source_b));
      const auto by_score = static_cast<double>(report.links);
      // Where there are no matches none was missed, and none is linked.
      if (!report.skipped && !report.fit.credible && !report.fit.no_matches) return estimate;
      known = known || report.fit.credible || by_exact > 0;
      right.value += by_exact + by_score * report.fit.precision.value;
      right.low += by_exact + by_score * report.fit.precision.low;
      right.high += by_exact + by_score * report.fit.precision.high;
      linked += by_exact + by_score;
      const double here = by_exact + (report.fit.credible ? report.fit.matches / report.blocking_recall : 0);
      matches += here;
      const double scale = std::max(1e-9, report.fit.recall.value);
      recall_low += here * (report.fit.credible ? report.fit.recall.low / scale : 1);
      recall_high += here * (report.fit.credible ? report.fit.recall.high / scale : 1);
    }
    estimate.available = known;
    if (!known) return estimate;
    if (linked > 0) {
      estimate.precision = {right.value / linked, right.low / linked, right.high / linked};
    } else {
      estimate.precision = {1, 1, 1};
    }
    const double recall = matches > 0 ? std::min(1.0, right.value / matches) : 1;
    estimate.recall = {recall, matches > 0 ? std::min(1.0, recall * recall_low / matches) : 1,
                       matches > 0 ? std::min(1.0, recall * recall_high / matches) : 1};
    return estimate;
  }

  std::span<const MatchSource> sources_;
  const MatchPlan& plan_;
  const MatchOptions& options_;
  std::vector<bool> repeats_;  // by source: may hold a person more than once
  std::vector<ClusterSource> clusters_;
  ExactPairs exact_;
  std::vector<CompareResult> compared_;
  std::vector<std::optional<common::Hash256>> digests_;  // by source, if there is a store
  std::size_t steps_ = 0, done_ = 0;
  MatchResult result_;
};

}  // namespace

absl::StatusOr<MatchResult> MatchRecords(std::span<const MatchSource> sources, const MatchPlan& plan,
                                         const MatchOptions& options) {
  SLUIS_RETURN_IF_ERROR(Check(sources, plan, options));
  SLUIS_RETURN_IF_ERROR(CheckDeclarations(sources, plan, options));
  return Matcher(sources, plan, options).Run();
}

}  // namespace sluis::linker
