#include "linker/fellegi_sunter/joint_change.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace sluis::linker {
namespace {

constexpr std::size_t kMostChanges = 2;
constexpr std::size_t kTrialSteps = 10;
constexpr std::size_t kRankSteps = 2;  // of every pair of fields, before the best go on
constexpr std::size_t kRankedPairs = 5;
constexpr double kFirstShare = 0.1;
constexpr double kMinGain = 10;        // natural logarithm: beyond chance for the few hundred sets that are tried
constexpr double kLeastLogOdds = -20;  // patterns below stay no matches whatever changes: two or three fields less

constexpr PatternCode LevelBits(std::size_t field) { return PatternCode{7} << (3 * field); }

// `data` without the patterns that cannot become matches: their pairs count as other pairs.
EmData Reduce(const EmData& data, const MatchParameters& parameters) {
  EmData reduced = data;
  reduced.counts.clear();
  reduced.log_u.clear();
  const double prior = std::log(parameters.match_share) - std::log1p(-parameters.match_share);
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    // The most that a change of fields could leave: all disagreements forgiven.
    double log_odds = prior - data.log_u[i];
    for (std::size_t f = 0; f < parameters.m.size(); ++f) {
      const AgreementLevel level = LevelOf(data.counts[i].pattern, f);
      if (level != kMissingLevel) log_odds += std::log(std::max(parameters.m[f][level - 1u], data.u[f][level - 1u]));
    }
    if (log_odds < kLeastLogOdds) {
      reduced.other_pairs += static_cast<double>(data.counts[i].pairs);
    } else {
      reduced.counts.push_back(data.counts[i]);
      reduced.log_u.push_back(data.log_u[i]);
    }
  }
  return reduced;
}

double TotalPairs(const EmData& data) {
  return std::accumulate(data.counts.begin(), data.counts.end(), data.other_pairs,
                         [](double sum, const PatternCount& entry) { return sum + static_cast<double>(entry.pairs); });
}

class Search {
 public:
  Search(const EmData& data, const EmData& controls, const NonMatchModel& non_matches, const EmRun& run)
      : data_(Reduce(data, run.parameters)),
        controls_(Reduce(controls, run.parameters)),
        control_weight_(TotalPairs(data_) / TotalPairs(controls_)),
        non_matches_(non_matches),
        best_{run.parameters, 0} {
    best_ = Try({});
  }

  std::vector<JointChange> Run() {
    while (best_.parameters.changes.size() < kMostChanges && AddPair()) {
      while (AddField()) {
      }
    }
    return best_.parameters.changes;
  }

 private:
  struct Trial {
    MatchParameters parameters;
    double gain = 0;  // the objective less that of the controls
  };

  Trial Try(std::vector<JointChange> changes, std::size_t steps = kTrialSteps) {
    SetChanges(non_matches_, changes, data_);
    SetChanges(non_matches_, changes, controls_);
    MatchParameters start = best_.parameters;
    start.changes = std::move(changes);
    const EmRun run = RunEm(data_, std::move(start), steps);
    const double controls = LogLikelihood(controls_, run.parameters) * control_weight_;
    return {run.parameters, run.objective - controls};
  }

  bool Free(std::size_t field) const {
    return std::ranges::none_of(best_.parameters.changes,
                                [field](const JointChange& change) { return change.fields & LevelBits(field); });
  }

  bool Take(Trial trial) {
    if (trial.gain < best_.gain + kMinGain) return false;
    best_ = std::move(trial);
    return true;
  }

  bool AddPair() {
    std::vector<std::pair<double, PatternCode>> ranked;  // gain, fields
    const auto with = [this](PatternCode fields) {
      std::vector<JointChange> changes = best_.parameters.changes;
      changes.push_back({fields, kFirstShare});
      return changes;
    };
    for (std::size_t f = 0; f < data_.u.size(); ++f) {
      for (std::size_t g = f + 1; g < data_.u.size(); ++g) {
        if (!Free(f) || !Free(g)) continue;
        const PatternCode fields = LevelBits(f) | LevelBits(g);
        ranked.emplace_back(Try(with(fields), kRankSteps).gain, fields);
      }
    }
    std::ranges::sort(ranked, std::greater());
    ranked.resize(std::min(ranked.size(), kRankedPairs));
    Trial best = best_;
    for (const auto& [gain, fields] : ranked) {
      Trial trial = Try(with(fields));
      if (trial.gain > best.gain) best = std::move(trial);
    }
    return Take(std::move(best));
  }

  bool AddField() {
    Trial best = best_;
    for (std::size_t f = 0; f < data_.u.size(); ++f) {
      if (!Free(f)) continue;
      std::vector<JointChange> changes = best_.parameters.changes;
      changes.back().fields |= LevelBits(f);
      Trial trial = Try(std::move(changes));
      if (trial.gain > best.gain) best = std::move(trial);
    }
    return Take(std::move(best));
  }

  EmData data_;
  EmData controls_;
  double control_weight_;
  const NonMatchModel& non_matches_;
  Trial best_;
};

}  // namespace

void SetChanges(const NonMatchModel& non_matches, const std::vector<JointChange>& changes, EmData& data) {
  data.log_u_of_change.clear();
  for (const JointChange& change : changes) {
    std::vector<double>& log_u = data.log_u_of_change.emplace_back();
    for (const PatternCount& entry : data.counts) {
      log_u.push_back(non_matches.LogProbability(entry.pattern & change.fields));
    }
  }
}

std::vector<JointChange> FindJointChanges(const EmData& data, const EmData& controls, const NonMatchModel& non_matches,
                                          const EmRun& run) {
  return Search(data, controls, non_matches, run).Run();
}

}  // namespace sluis::linker
