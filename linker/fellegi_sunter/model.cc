#include "linker/fellegi_sunter/model.h"

#include <algorithm>
#include <cmath>

#include "common/status/status.h"

namespace sluis::linker {
namespace {

constexpr double kMaxLogOdds = 50;
constexpr double kTermShape = 0.5;

}  // namespace

FellegiSunterModel::FellegiSunterModel(FellegiSunterPlan plan, NonMatchModel non_matches, MatchParameters parameters)
    : plan_(std::move(plan)),
      non_matches_(std::move(non_matches)),
      parameters_(std::move(parameters)),
      prior_log_odds_(std::log(parameters_.match_share) - std::log1p(-parameters_.match_share)) {
  for (const std::vector<double>& m : parameters_.m) {
    std::vector<double>& logs = log_m_.emplace_back(1, 0.0);
    for (const double value : m) {
      logs.push_back(std::log(value));
    }
  }
}

double FellegiSunterModel::LogOdds(PatternCode pattern) const {
  if (const auto review = reviewed_.find(pattern); review != reviewed_.end()) {
    return review->second;
  }
  double sum = prior_log_odds_ - non_matches_.LogProbability(pattern);
  sum += LogM(pattern);
  for (const JointChange& change : parameters_.changes) {
    const PatternCode levels = pattern & change.fields;
    sum += LogOfChange(change.share, LogM(levels), non_matches_.LogProbability(levels));
  }
  return std::clamp(sum, -kMaxLogOdds, kMaxLogOdds);
}

double FellegiSunterModel::LogM(PatternCode pattern) const {
  double sum = 0;
  for (std::size_t f = 0; f < log_m_.size(); ++f) {
    sum += log_m_[f][LevelOf(pattern, f)];
  }
  return sum;
}

double FellegiSunterModel::Probability(PatternCode pattern) const { return 1 / (1 + std::exp(-LogOdds(pattern))); }

double FellegiSunterModel::TermAdjustment(std::size_t field, std::uint32_t others, std::uint64_t total) const {
  const double u = non_matches_.fields()[field].u.back();
  const double share = (others + kTermShape) / (static_cast<double>(total) + kTermShape / u);
  return std::clamp(std::log(u / share), -plan_.max_term_adjustment, plan_.max_term_adjustment);
}

bool FellegiSunterModel::Adjusts(PatternCode pattern, std::size_t field) const {
  const auto exact = [&](std::size_t f) { return LevelOf(pattern, f) == LevelCount(plan_.fields[f]); };
  if (!exact(field) || reviewed_.contains(pattern)) {
    return false;
  }
  const int parent = non_matches_.fields()[field].parent;
  return parent < 0 || !exact(static_cast<std::size_t>(parent));
}

std::vector<FieldWeights> FellegiSunterModel::Weights() const {
  std::vector<FieldWeights> all;
  for (std::size_t f = 0; f < plan_.fields.size(); ++f) {
    const NonMatchModel::Field& field = non_matches_.fields()[f];
    FieldWeights weights{plan_.fields[f].name, parameters_.m[f], field.u, {}, {}};
    for (std::size_t l = 0; l < field.u.size(); ++l) {
      weights.weights.push_back(std::log(weights.m[l] / weights.u[l]));
    }
    if (field.parent >= 0) {
      weights.depends_on = plan_.fields[static_cast<std::size_t>(field.parent)].name;
    }
    all.push_back(std::move(weights));
  }
  return all;
}

absl::StatusOr<TermTable> CountAllTerms(FieldColumns a, FieldColumns b) {
  SLUIS_RETURN_IF_ERROR(CheckComparable(a, b, a.size()));
  TermTable terms;
  for (std::size_t f = 0; f < a.size(); ++f) {
    terms.push_back(CountTerms(a[f], b[f]));
  }
  return terms;
}

}  // namespace sluis::linker
