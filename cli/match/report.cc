#include "cli/match/report.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace sluis::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kReportFormat = 1;

ordered_json Json(const linker::Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
}

ordered_json Json(const Input& input) {
  ordered_json fields = ordered_json::array();
  for (const FieldReport& field : input.fields) {
    fields.push_back(
        {{"name", field.name}, {"missing", field.missing}, {"constant", field.constant}, {"warnings", field.warnings}});
  }
  return {{"source", input.source.name},
          {"file", input.check.file},
          {"records", input.source.records},
          {"warnings", input.check.warnings},
          {"fields", std::move(fields)}};
}

ordered_json Json(const linker::ExactPassReport& pass) {
  return {{"kind", "exact"},
          {"field", pass.field},
          {"records", pass.records},
          {"groups", pass.groups},
          {"pairs", pass.pairs},
          {"conflicts", pass.conflicts},
          {"frequent_values", pass.frequent_values},
          {"largest_frequent", pass.largest_frequent},
          {"contradicted_links", pass.contradicted_links}};
}

ordered_json Json(const linker::CandidateStats& stats) {
  ordered_json passes = ordered_json::array();
  for (const linker::PassStats& pass : stats.passes) {
    passes.push_back({{"name", pass.name},
                      {"blocks", pass.blocks},
                      {"pairs", pass.pairs},
                      {"largest_block", pass.largest_block},
                      {"split_blocks", pass.split_blocks},
                      {"split_records", pass.split_records},
                      {"skipped_blocks", pass.skipped_blocks},
                      {"skipped_records", pass.skipped_records}});
  }
  ordered_json json = {{"passes", std::move(passes)}, {"recall_at_bit_error", stats.recall_at_bit_error}};
  if (stats.recall) {
    json["recall"] = {{"sampled_rows", stats.recall->sampled_rows},
                      {"matches", stats.recall->matches},
                      {"computed", stats.recall->computed},
                      {"found", stats.recall->found}};
  }
  return json;
}

ordered_json Json(std::span<const linker::FieldWeights> fields) {
  ordered_json json = ordered_json::array();
  for (const linker::FieldWeights& field : fields) {
    json.push_back({{"name", field.name},
                    {"m", field.m},
                    {"u", field.u},
                    {"weights", field.weights},
                    {"depends_on", field.depends_on}});
  }
  return json;
}

ordered_json Json(const linker::ComparisonReport& compared, std::span<const Input> inputs) {
  ordered_json json = {{"kind", "probabilistic"},
                       {"source_a", inputs[compared.source_a].source.name},
                       {"source_b", inputs[compared.source_b].source.name},
                       {"rows_a", compared.rows_a},
                       {"rows_b", compared.rows_b},
                       {"pairs_compared", compared.pairs_compared},
                       {"exhaustive", compared.exhaustive},
                       {"pairs_scored", compared.pairs_scored},
                       {"reused", compared.reused},
                       {"links", compared.links},
                       {"seconds", compared.seconds}};
  if (!compared.exhaustive) {
    json["blocking"] = Json(compared.candidates);
    json["blocking_recall"] = compared.blocking_recall;
  }
  if (compared.skipped) {
    json["skipped"] = true;
    return json;
  }
  const linker::ScoreFit& fit = compared.fit;
  json["credible"] = fit.credible;
  if (!fit.credible) {
    json["why_not"] = fit.why_not;
    return json;
  }
  json["precision"] = Json(fit.precision);
  json["recall"] = Json(fit.recall);
  json["model"] = {{"matches", fit.matches}, {"match_share", fit.match_share}};
  if (!compared.field_weights.empty()) {
    json["model"]["fields"] = Json(compared.field_weights);
    json["review"] = {{"patterns", compared.review.patterns.size()},
                      {"decided_patterns", compared.reviewed_patterns},
                      {"decided_pairs", compared.reviewed_pairs}};
    return json;
  }
  json["model"].update({{"threshold", fit.threshold},
                        {"bit_error", compared.bit_error},
                        {"stable_weight", compared.stable_weight},
                        {"null_a", {{"alpha", fit.null_a.alpha}, {"gamma", fit.null_a.gamma}}},
                        {"null_b", {{"alpha", fit.null_b.alpha}, {"gamma", fit.null_b.gamma}}},
                        {"log_odds", {{"scores", fit.log_odds.scores}, {"log_odds", fit.log_odds.log_odds}}}});
  return json;
}

struct StatusCounts {
  std::uint64_t records = 0, linked = 0, single = 0, conflict = 0;
};

StatusCounts CountStatuses(const linker::Clustering& clustering) {
  StatusCounts counts;
  for (const auto& source : clustering.status) {
    counts.records += source.size();
    for (const linker::LinkStatus status : source) {
      ++(status == linker::LinkStatus::kLinked   ? counts.linked
         : status == linker::LinkStatus::kSingle ? counts.single
                                                 : counts.conflict);
    }
  }
  return counts;
}

std::ptrdiff_t Reused(const linker::MatchReport& report) {
  return std::ranges::count_if(report.comparisons, &linker::ComparisonReport::reused);
}

std::string Percent(const linker::Estimate& estimate) {
  char text[80];
  std::snprintf(text, sizeof(text), "%.4f (%.4f to %.4f)", estimate.value, estimate.low, estimate.high);
  return text;
}

}  // namespace

std::string_view ModeName(linker::MatchMode mode) {
  switch (mode) {
    case linker::MatchMode::kLink:
      return "link";
    case linker::MatchMode::kDedupe:
      return "dedupe";
    case linker::MatchMode::kLinkAndDedupe:
      return "link-and-dedupe";
  }
  return "";
}

ordered_json ReportJson(const RunReport& run, std::span<const Input> inputs, const linker::MatchPlan& plan,
                        const linker::MatchResult& result) {
  ordered_json json = {{"format", kReportFormat}, {"mode", ModeName(run.mode)}};
  json["seed"] = run.seed ? ordered_json(*run.seed) : ordered_json(nullptr);
  json["threads"] = run.threads;
  json["plan"] = PlanJson(plan);
  json["inputs"] = ordered_json::array();
  for (const Input& input : inputs) json["inputs"].push_back(Json(input));
  json["reused_comparisons"] = Reused(result.report);
  json["passes"] = ordered_json::array();
  for (const auto& pass : result.report.passes) json["passes"].push_back(Json(pass));
  for (const auto& compared : result.report.comparisons) json["passes"].push_back(Json(compared, inputs));
  const StatusCounts counts = CountStatuses(result.clustering);
  json["links"] = {{"records", counts.records},    {"entities", result.clustering.entities.size()},
                   {"pairs", result.report.pairs}, {"linked", counts.linked},
                   {"single", counts.single},      {"conflict", counts.conflict}};
  const linker::LinkEstimate& estimate = result.report.estimate;
  json["estimate"] = {{"available", estimate.available}};
  if (estimate.available) {
    json["estimate"]["precision"] = Json(estimate.precision);
    json["estimate"]["recall"] = Json(estimate.recall);
  }
  if (!run.review.is_null()) json["review"] = run.review;
  json["warnings"] = run.warnings;
  json["times"] = ordered_json::array();
  for (const linker::StepTime& step : run.steps) {
    json["times"].push_back({{"step", step.step}, {"seconds", step.seconds}});
  }
  json["peak_memory_bytes"] = run.peak_memory_bytes;
  return json;
}

std::string ReportText(const RunReport& run, std::span<const Input> inputs, const linker::MatchResult& result) {
  std::string text;
  for (const Input& input : inputs) {
    absl::StrAppend(&text, input.source.name, ": ", input.source.records, " records\n");
  }
  for (const linker::ExactPassReport& pass : result.report.passes) {
    absl::StrAppend(&text, "exact pass on `", pass.field, "`: ", pass.pairs - pass.conflicts, " pairs linked, ",
                    pass.conflicts, " in conflict\n");
  }
  if (const std::ptrdiff_t reused = Reused(result.report); reused > 0) {
    absl::StrAppend(&text, reused, " of ", result.report.comparisons.size(),
                    " comparisons were taken from an earlier run\n");
  }
  const StatusCounts counts = CountStatuses(result.clustering);
  absl::StrAppend(&text, counts.records, " records are ", result.clustering.entities.size(),
                  " entities: ", counts.linked, " records linked, ", counts.single, " single");
  if (counts.conflict > 0) absl::StrAppend(&text, ", ", counts.conflict, " in conflict");
  text += "\n";
  if (result.report.estimate.available) {
    absl::StrAppend(&text, "estimated without truth, with 90 % intervals: precision ",
                    Percent(result.report.estimate.precision), ", recall ", Percent(result.report.estimate.recall),
                    "\n");
  } else if (!result.report.comparisons.empty()) {
    text += "no credible estimate of precision and recall; see the warnings\n";
  }
  for (const std::string& warning : run.warnings) absl::StrAppend(&text, "warning: ", warning, "\n");
  return text;
}

}  // namespace sluis::cli
