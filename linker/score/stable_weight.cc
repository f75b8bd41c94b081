#include "linker/score/stable_weight.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "common/status/status.h"

namespace sluis::linker {
namespace {

constexpr std::array kWeights = {0.0, 1.0, 2.5, 5.0};
constexpr double kNearlyAlone = 12;      // relatives are hardly nearer than namesakes
constexpr double kLeastConfirmed = 0.5;  // of a weight's links
constexpr int kResamplings = 20;         // intervals are not looked at

struct Trial {
  double weight = 1;
  double worth = 0;  // true links expected, less false ones
  std::vector<CandidatePair> links;
};

bool Before(const CandidatePair& x, const CandidatePair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; }

// Share of `links` that are among `others`. Both sorted.
double Confirmed(const std::vector<CandidatePair>& links, const std::vector<CandidatePair>& others) {
  const auto confirmed = std::ranges::count_if(
      links, [&](const CandidatePair& link) { return std::ranges::binary_search(others, link, Before); });
  return links.empty() ? 0 : static_cast<double>(confirmed) / static_cast<double>(links.size());
}

}  // namespace

absl::StatusOr<double> ChooseStableWeight(const EncodingTable& a, const EncodingTable* b,
                                          const RecordLevelOptions& options, const ExhaustiveOptions& run) {
  if (options.stable_begin == 0) {
    return 1;
  }
  const std::unique_ptr<CandidateScorer> scorer = ScoreExhaustively(a, b, run);
  std::vector<Trial> trials;
  bool relatives = false;
  const auto try_weight = [&](double weight) -> absl::Status {
    RecordLevelOptions trial = options;
    trial.stable_weight = weight;
    trial.rounds = std::min(options.rounds, 1);
    trial.fit.resamplings = kResamplings;
    SLUIS_ASSIGN_OR_RETURN(RecordLevelFit fitted, FitRecordLevel(a, b, *scorer, trial));
    relatives = relatives || fitted.relatives > 0;
    if (fitted.fit.credible) {
      std::ranges::sort(fitted.links, Before);
      const auto links = static_cast<double>(fitted.links.size());
      trials.push_back({weight, links * (2 * fitted.fit.precision.value - 1), std::move(fitted.links)});
    }
    return absl::OkStatus();
  };
  for (const double weight : kWeights) {
    SLUIS_RETURN_IF_ERROR(try_weight(weight));
  }
  if (relatives) {
    SLUIS_RETURN_IF_ERROR(try_weight(kNearlyAlone));
  }
  if (trials.empty()) {
    return 1;
  }
  const std::vector<CandidatePair> surest = trials.back().links;
  std::erase_if(trials, [&](const Trial& trial) { return Confirmed(trial.links, surest) < kLeastConfirmed; });
  const auto best = std::ranges::max_element(trials, {}, &Trial::worth);
  return best == trials.end() ? 1 : best->weight;
}

}  // namespace sluis::linker
