#include "linker/fellegi_sunter/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/status.h"
#include "linker/fellegi_sunter/joint_change.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kShortIterations = 20;  // of every start, before the most promising go on
constexpr std::size_t kLongRuns = 4;
constexpr double kTooManyMatches = 1.5;  // that a record has one match is not in the model: relatives add to them
constexpr double kMinAgreement = 0.5;
constexpr std::size_t kMinStableFields = 3;
constexpr int kSampleRounds = 3;
// Of what agreement in all n fields that are there would weigh, 1 - 1.5 / n, but at most 0.75: of four fields one may
// be wrong, and of eight a twin lacks a quarter.
constexpr double kMostPresumed = 0.75, kPresumedFields = 1.5;
constexpr double kManyPresumed = 0.05;  // of the matches possible; relatives who agree so well are fewer
constexpr double kMinControlPairs = 5;
constexpr double kMaxControlShare = 0.5;

absl::Status CheckInput(const FellegiSunterPlan& plan, const FitInput& input) {
  SLUIS_RETURN_IF_ERROR(plan.Validate());
  if (input.candidates.total() > input.total_pairs) {
    return absl::InvalidArgumentError(absl::StrCat("total_pairs: ", input.total_pairs, ", but there are ",
                                                   input.candidates.total(), " candidate pairs"));
  }
  if (input.max_matches == 0 || input.max_matches > input.total_pairs) {
    return absl::InvalidArgumentError(absl::StrCat("max_matches: must be 1 to ", input.total_pairs));
  }
  if (input.candidates.total() == 0 || input.non_matches.counts.total() == 0) {
    return absl::FailedPreconditionError("nothing to estimate from: no candidate pairs, or no random ones");
  }
  std::size_t present = 0;
  const std::vector<PatternCount> counts = input.candidates.Sorted();
  for (std::size_t f = 0; f < plan.fields.size(); ++f) {
    present += std::any_of(counts.begin(), counts.end(),
                           [f](const PatternCount& entry) { return LevelOf(entry.pattern, f) != kMissingLevel; });
  }
  if (present < 2) {
    return absl::FailedPreconditionError(
        absl::StrCat("fields: ", present, " of ", plan.fields.size(),
                     " can be compared in any candidate pair; the model needs two; compare further fields"));
  }
  return absl::OkStatus();
}

EmData MakeData(const FellegiSunterPlan& plan, const FitInput& input, const NonMatchModel& non_matches) {
  EmData data;
  data.plan = &plan;
  data.counts = input.candidates.Sorted();
  for (const PatternCount& entry : data.counts) {
    data.log_u.push_back(non_matches.LogProbability(entry.pattern));
  }
  for (const NonMatchModel::Field& field : non_matches.fields()) {
    data.u.push_back(field.u);
  }
  const auto total = static_cast<double>(input.total_pairs);
  data.other_pairs = static_cast<double>(input.total_pairs - input.candidates.total());
  // A share of 1 would leave no non-matches to speak of.
  data.max_share = std::min(0.9, static_cast<double>(input.max_matches) / total);
  data.min_share = std::min(1 / total, data.max_share / 2);
  return data;
}

FitCredibility Assess(const FellegiSunterModel& model, const FitInput& input, const EmData& data) {
  const FellegiSunterPlan& plan = model.plan();
  FitCredibility result;
  double squares = 0;
  for (const PatternCount& entry : data.counts) {
    const double p = model.Probability(entry.pattern);
    const auto pairs = static_cast<double>(entry.pairs);
    result.expected_matches += pairs * p;
    result.match_variance += pairs * p * (1 - p);
    squares += pairs * p * p;
    result.claimed += p > 0.5 ? pairs : 0;
  }
  result.separation = result.expected_matches > 0 ? squares / result.expected_matches : 0;
  for (const std::vector<double>& m : model.parameters().m) {
    result.agreement += (1 - m[0]) / static_cast<double>(plan.fields.size());
  }
  double control_pairs = 0;
  if (input.non_matches.free_of_matches) {
    for (const PatternCount& entry : input.non_matches.counts.Sorted()) {
      control_pairs += model.Probability(entry.pattern) > 0.5 ? static_cast<double>(entry.pairs) : 0;
    }
    result.control =
        control_pairs * static_cast<double>(input.total_pairs) / static_cast<double>(input.non_matches.counts.total());
  }
  if (result.expected_matches < static_cast<double>(plan.min_expected_matches)) {
    result.why_not =
        absl::StrFormat("fewer than %d matches expected: too few to learn from", plan.min_expected_matches);
  } else if (result.expected_matches > kTooManyMatches * static_cast<double>(input.max_matches)) {
    result.why_not = absl::StrFormat("more matches expected than the %d possible", input.max_matches);
  } else if (result.separation < plan.min_separation) {
    result.why_not = absl::StrFormat(
        "matches and others are not told apart: separation %.2f, needed %.2f; "
        "compare further fields",
        result.separation, plan.min_separation);
  } else if (result.agreement < kMinAgreement) {
    result.why_not = absl::StrFormat("what the estimate takes for matches agrees on %.0f %% of the fields only",
                                     100 * result.agreement);
  } else if (control_pairs >= kMinControlPairs && result.control > kMaxControlShare * result.claimed) {
    result.why_not = "too many pairs of two persons look like matches: fields depend on each other; compare others";
  }
  result.credible = result.why_not.empty();
  result.expected_matches = std::min(result.expected_matches, static_cast<double>(input.max_matches));
  return result;
}

struct Candidate {
  EmRun run;
  FitCredibility credibility;
};

Candidate Choose(const FellegiSunterPlan& plan, const FitInput& input, const NonMatchModel& non_matches,
                 const EmData& data, std::size_t& start_count) {
  std::vector<EmRun> runs;
  for (MatchParameters& start : Starts(data)) {
    runs.push_back(RunEm(data, std::move(start), std::min(kShortIterations, plan.max_iterations)));
  }
  start_count = runs.size();
  std::stable_sort(runs.begin(), runs.end(), [](const EmRun& x, const EmRun& y) { return x.objective > y.objective; });
  runs.resize(std::min(runs.size(), kLongRuns));
  std::optional<Candidate> best;
  for (EmRun& run : runs) {
    if (!run.converged && run.iterations < plan.max_iterations) {
      const std::size_t done = run.iterations;
      run = RunEm(data, std::move(run.parameters), plan.max_iterations - done);
      run.iterations += done;
    }
    FitCredibility credibility = Assess(FellegiSunterModel(plan, non_matches, run.parameters), input, data);
    const bool better =
        !best || (credibility.credible != best->credibility.credible ? credibility.credible
                                                                     : run.objective > best->run.objective);
    if (better) {
      best = Candidate{std::move(run), std::move(credibility)};
    }
  }
  return *std::move(best);
}

// `chosen` with the joint changes that the data show, if there are any.
Candidate WithChanges(const FellegiSunterPlan& plan, const FitInput& input, const NonMatchModel& non_matches,
                      std::span<const WeightedPattern> sample, EmData data, Candidate chosen) {
  EmData controls = data;
  controls.other_pairs = 0;
  controls.counts.clear();
  controls.log_u.clear();
  for (const WeightedPattern& entry : sample) {
    controls.counts.push_back({entry.pattern, static_cast<std::uint64_t>(entry.weight)});
  }
  for (const PatternCount& entry : controls.counts) {
    controls.log_u.push_back(non_matches.LogProbability(entry.pattern));
  }
  std::vector<JointChange> changes = FindJointChanges(data, controls, non_matches, chosen.run);
  if (changes.empty()) return chosen;
  SetChanges(non_matches, changes, data);
  MatchParameters start = chosen.run.parameters;
  start.changes = std::move(changes);
  EmRun run = RunEm(data, std::move(start), plan.max_iterations);
  FitCredibility credibility = Assess(FellegiSunterModel(plan, non_matches, run.parameters), input, data);
  if (chosen.credibility.credible && !credibility.credible) return chosen;
  return {std::move(run), std::move(credibility)};
}

double TotalWeight(std::span<const WeightedPattern> sample) {
  double total = 0;
  for (const WeightedPattern& entry : sample) total += entry.weight;
  return total;
}

// `sample` without what agrees in so much that it may be a match, before anything is known of matches: in all fields,
// or in those that a person keeps when moving. Relatives of one address agree in neither, but for twins and namesakes.
std::vector<WeightedPattern> WithoutPresumed(const FellegiSunterPlan& plan, std::span<const WeightedPattern> sample) {
  const NonMatchModel marginal = NonMatchModel::Learn(plan, sample, false);
  std::vector<std::vector<double>> weights;  // by field and level code
  for (std::size_t f = 0; f < plan.fields.size(); ++f) {
    const FieldRule& rule = plan.fields[f];
    const std::vector<double> prior = PriorCounts(rule);
    std::vector<double>& of_field = weights.emplace_back(1, 0.0);
    for (std::size_t l = 0; l < prior.size(); ++l) {
      of_field.push_back(std::log(prior[l] / rule.prior_strength / marginal.fields()[f].u[l]));
    }
  }
  const auto agrees = [&](PatternCode pattern, bool stable_only) {
    double weight = 0, most = 0;
    std::size_t present = 0;
    for (std::size_t f = 0; f < weights.size(); ++f) {
      const AgreementLevel level = LevelOf(pattern, f);
      if (level == kMissingLevel || (stable_only && !plan.fields[f].stable)) continue;
      weight += weights[f][level];
      most += weights[f].back();
      ++present;
    }
    if (present < (stable_only ? kMinStableFields : 2)) return false;
    return weight > std::min(1 - kPresumedFields / static_cast<double>(present), kMostPresumed) * most;
  };
  std::vector<WeightedPattern> rest;
  for (const WeightedPattern& entry : sample) {
    if (!agrees(entry.pattern, false) && !agrees(entry.pattern, true)) rest.push_back(entry);
  }
  return rest;
}

}  // namespace

absl::StatusOr<FellegiSunterFit> FitFellegiSunter(const FellegiSunterPlan& plan, const FitInput& input) {
  SLUIS_RETURN_IF_ERROR(CheckInput(plan, input));
  std::vector<WeightedPattern> sample;
  for (const PatternCount& entry : input.non_matches.counts.Sorted()) {
    sample.push_back({entry.pattern, static_cast<double>(entry.pairs)});
  }
  bool dependence = input.non_matches.free_of_matches;
  if (!dependence) {
    std::vector<WeightedPattern> rest = WithoutPresumed(plan, sample);
    const double presumed = (1 - TotalWeight(rest) / TotalWeight(sample)) * static_cast<double>(input.total_pairs);
    if (presumed <= kManyPresumed * static_cast<double>(input.max_matches)) {
      sample = std::move(rest);
      dependence = true;
    }
  }
  const std::vector<WeightedPattern> all = sample;
  for (int round = 1;; ++round) {
    const NonMatchModel non_matches = NonMatchModel::Learn(plan, sample, dependence);
    const EmData data = MakeData(plan, input, non_matches);
    std::size_t starts = 0;
    Candidate chosen = Choose(plan, input, non_matches, data, starts);
    if (dependence) chosen = WithChanges(plan, input, non_matches, sample, data, std::move(chosen));
    FellegiSunterModel model(plan, non_matches, chosen.run.parameters);
    if (dependence || round == kSampleRounds) {
      return FellegiSunterFit{std::move(model), std::move(chosen.credibility), chosen.run.objective,
                              starts,           chosen.run.iterations,         chosen.run.converged};
    }
    for (std::size_t i = 0; i < sample.size(); ++i) {
      sample[i].weight = all[i].weight * (1 - model.Probability(sample[i].pattern));
    }
  }
}

absl::StatusOr<std::vector<ScoredPair>> ScorePairs(const FellegiSunterFit& fit, const FieldComparer& comparer,
                                                   const TermTable& terms, std::span<const CandidatePair> pairs) {
  if (!fit.credibility.credible) {
    return absl::FailedPreconditionError(absl::StrCat("the fit is not credible: ", fit.credibility.why_not));
  }
  const FellegiSunterModel& model = fit.model;
  const std::size_t fields = model.plan().fields.size();
  if (!terms.empty() && terms.size() != fields) {
    return absl::InvalidArgumentError(absl::StrCat("terms of ", terms.size(), " fields, needed ", fields));
  }
  SLUIS_ASSIGN_OR_RETURN(const std::vector<PatternCode> patterns, comparer.Compare(pairs));
  std::vector<ScoredPair> scored;
  scored.reserve(pairs.size());
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    double log_odds = model.LogOdds(patterns[p]);
    for (std::size_t f = 0; f < terms.size(); ++f) {
      const std::vector<std::uint32_t>& others = terms[f].others;
      if (others.empty() || !model.Adjusts(patterns[p], f)) {
        continue;
      }
      if (pairs[p].a >= others.size()) {
        return absl::InvalidArgumentError(absl::StrCat("terms of field ", f, ": not those of source a"));
      }
      log_odds += model.TermAdjustment(f, others[pairs[p].a], terms[f].total);
    }
    scored.push_back({pairs[p].a, pairs[p].b, static_cast<float>(log_odds)});
  }
  return scored;
}

}  // namespace sluis::linker
