#include "linker/score/record_level.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/score/compared_rows.h"
#include "linker/score/relatives.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kNullPlaces = 8;  // of a list below first_null: the null is fitted to their spacings
constexpr double kFallbackShare = 0.5;  // of a record's score with itself
constexpr double kFallbackSlope = 0.1;  // log-odds per nat of score
constexpr std::size_t kFallbackRows = 1000;
// Of rows compared in full; with fewer the fit to the candidates of all rows knows more.
constexpr double kLeastLinksCompared = 20;
// Of the links to learn from, by number, since the last round: rows compared in full cost more than it would bring.
constexpr double kLeastChange = 0.02;
// Of the links of a fit; with more it is not believed, or nothing is learnt from it.
constexpr double kMostRelatives = 0.25;
constexpr double kMostRelativesLearnt = 0.05;
constexpr int kFewResamplings = 20;  // of a round that may not be the last: nothing depends on its intervals

// How records of two sources, or of one, may match.
struct Matching {
  bool within;
  std::size_t first_null;
  // Whether a record has one match at most.
  bool one_each() const { return !within && first_null == 2; }
};

// Calls `visit` with each row of `from` and those of `other` that it lists before first_null. A pair that `other` lists
// there too is left out unless it is for this call by `mine`, so that two calls give each pair once.
template <typename Visit, typename Mine>
void VisitListed(const TopLists& from, const TopLists& other, std::size_t first_null, const Mine& mine,
                 const Visit& visit) {
  for (std::uint32_t row = 0; row < from.rows(); ++row) {
    const auto others = from.others(row);
    for (std::size_t j = 0; j + 1 < first_null && others[j] != kNoRow; ++j) {
      const auto theirs = other.others(others[j]).first(first_null - 1);
      if (mine(row, others[j]) || std::find(theirs.begin(), theirs.end(), row) == theirs.end()) {
        visit(row, others[j], from.scores(row)[j]);
      }
    }
  }
}

// Pairs of the lists that may be links: mutually best if a record has one match at most, else all before first_null.
template <typename Visit>
void VisitLinks(const BothLists& lists, const Matching& matching, const Visit& visit) {
  using Row = std::uint32_t;
  if (matching.within) {
    VisitListed(
        lists.a, lists.a, matching.first_null, [](Row row, Row other) { return row < other; },
        [&](Row row, Row other, std::int32_t score) {
          visit(CandidatePair{std::min(row, other), std::max(row, other)}, score);
        });
  } else if (matching.one_each()) {
    for (Row row = 0; row < lists.a.rows(); ++row) {
      const Row best = lists.a.others(row)[0];
      if (best != kNoRow && lists.b.others(best)[0] == row) {
        visit(CandidatePair{row, best}, lists.a.scores(row)[0]);
      }
    }
  } else {
    VisitListed(
        lists.a, lists.b, matching.first_null, [](Row, Row) { return true; },
        [&](Row row, Row other, std::int32_t score) {
          visit(CandidatePair{row, other}, score);
        });
    VisitListed(
        lists.b, lists.a, matching.first_null, [](Row, Row) { return false; },
        [&](Row row, Row other, std::int32_t score) {
          visit(CandidatePair{other, row}, score);
        });
  }
}

std::vector<CandidatePair> LinksFrom(const BothLists& lists, const Matching& matching, std::int32_t least) {
  std::vector<CandidatePair> pairs;
  VisitLinks(lists, matching, [&](const CandidatePair& pair, std::int32_t score) {
    if (score >= least) {
      pairs.push_back(pair);
    }
  });
  return pairs;
}

// The links to learn from.
std::vector<CandidatePair> ConfidentPairs(const BothLists& lists, const Matching& matching, const ScoreFit& fit,
                                          const RecordLevelOptions& options) {
  std::vector<CandidatePair> pairs = LinksFrom(lists, matching, fit.confident_score);
  if (pairs.size() > options.most_learnt) {
    std::mt19937_64 random(options.fit.seed);
    for (std::size_t i = 0; i < options.most_learnt; ++i) {
      std::swap(pairs[i], pairs[i + random() % (pairs.size() - i)]);
    }
    pairs.resize(options.most_learnt);
  }
  return pairs;
}

// The pairs of all lists with the table's log-odds, by a, then b, each once.
std::vector<ScoredPair> ListedPairs(const BothLists& lists, bool within, const ScoreFit& fit, float least, float most) {
  std::vector<ScoredPair> pairs;
  const auto add = [&](const TopLists& from, bool swapped) {
    for (std::uint32_t row = 0; row < from.rows(); ++row) {
      for (std::size_t j = 0; j < from.k() && from.others(row)[j] != kNoRow; ++j) {
        const std::int32_t score = from.scores(row)[j];
        const auto at = static_cast<float>(fit.log_odds.At(score));
        const float log_odds = score < fit.threshold ? std::min(at, most) : at;
        if (log_odds < least) {
          break;  // scores descend, and the table with them
        }
        std::uint32_t a = row;
        std::uint32_t b = from.others(row)[j];
        if (swapped || (within && b < a)) {
          std::swap(a, b);
        }
        pairs.push_back({a, b, log_odds});
      }
    }
  };
  add(lists.a, false);
  add(lists.b, true);
  // Within a source the two directions may differ by a step of rounding: the higher one stays.
  std::sort(pairs.begin(), pairs.end(), [](const ScoredPair& x, const ScoredPair& y) {
    return x.a != y.a ? x.a < y.a : x.b != y.b ? x.b < y.b : x.log_odds > y.log_odds;
  });
  pairs.erase(std::unique(pairs.begin(), pairs.end(),
                          [](const ScoredPair& x, const ScoredPair& y) { return x.a == y.a && x.b == y.b; }),
              pairs.end());
  return pairs;
}

// Where a record has one match at most candidates compete: the odds of a pair are its own over those of all pairs that
// would exclude it and of both records having no match.
void Compete(std::size_t rows_a, std::size_t rows_b, double no_match, std::vector<ScoredPair>* pairs) {
  std::vector<double> sums_a(rows_a);
  std::vector<double> sums_b(rows_b);
  for (const ScoredPair& pair : *pairs) {
    sums_a[pair.a] += std::exp(pair.log_odds);
    sums_b[pair.b] += std::exp(pair.log_odds);
  }
  for (ScoredPair& pair : *pairs) {
    const double odds = std::exp(pair.log_odds);
    const double others = std::max(0.0, sums_a[pair.a] - odds) + std::max(0.0, sums_b[pair.b] - odds);
    pair.log_odds -= static_cast<float>(std::log(no_match + others));
  }
}

std::vector<ScoredPair> ScorePairs(const BothLists& lists, const Matching& matching, const ScoreFit& fit, float least) {
  // Competing may raise log-odds by this and no more.
  const auto raise = static_cast<float>(-std::log(fit.no_match_odds));
  std::vector<ScoredPair> pairs = ListedPairs(lists, matching.within, fit, least - raise, -raise);
  if (matching.one_each()) {
    Compete(lists.a.rows(), lists.b.rows(), fit.no_match_odds, &pairs);
    std::erase_if(pairs, [least](const ScoredPair& pair) { return pair.log_odds < least; });
  }
  return pairs;
}

// Half of the score that the median record has with itself. Most records that share nothing score below 0.
std::int32_t FallbackThreshold(const PairScorer& scorer, const EncodingTable& table) {
  std::vector<CandidatePair> selves;
  for (std::uint32_t row = 0; row < std::min(table.rows(), kFallbackRows); ++row) {
    selves.push_back({row, row});
  }
  const auto overlaps = WeightedOverlaps(selves, table, table, scorer.weights());
  if (!overlaps.ok() || selves.empty()) {
    return kLinkNothing;
  }
  const auto scores_a = scorer.RowScoresA(table);
  const auto scores_b = scorer.RowScoresB(table);
  std::vector<std::int32_t> scores;
  for (std::size_t row = 0; row < selves.size(); ++row) {
    scores.push_back((*overlaps)[row] + scores_a[row] + scores_b[row]);
  }
  const auto median = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2);
  std::nth_element(scores.begin(), median, scores.end());
  return *median > 0 ? static_cast<std::int32_t>(kFallbackShare * *median) : kLinkNothing;
}

// One round: the lists under a model, and what they say.
struct Round {
  BitModel model;
  double unit = 1;
  BothLists lists;
  std::optional<Controls> controls;       // if all pairs were compared
  std::optional<ComparedLists> compared;  // if they were not, and the fit rests on these
  ScoreFit fit;
  std::size_t learnt_from = 0;
  SectionWeight section;
  double relatives = 0;  // share of the links before they were taken off
};

class Rounds {
 public:
  Rounds(const EncodingTable& a, const EncodingTable* b, CandidateScorer& candidates, const RecordLevelOptions& options)
      : a_(a),
        b_(b == nullptr ? a : *b),
        within_(b == nullptr),
        candidates_(candidates),
        options_(options),
        frequencies_a_(BitFrequencies(a, options.fit.threads)),
        frequencies_b_(within_ ? frequencies_a_ : BitFrequencies(b_, options.fit.threads)) {}

  // A round with the model learnt from `pairs`; none: with the prior model.
  absl::StatusOr<Round> Run(std::span<const CandidatePair> pairs) {
    Round round;
    round.learnt_from = pairs.size();
    round.section = {options_.stable_begin == 0 ? a_.bits() : options_.stable_begin, options_.stable_weight};
    if (pairs.empty()) {
      SLUIS_ASSIGN_OR_RETURN(round.model, BitModel::Prior(frequencies_a_, frequencies_b_));
    } else {
      SLUIS_ASSIGN_OR_RETURN(round.model, BitModel::Learn(a_, b_, pairs, frequencies_a_, frequencies_b_, within_));
    }
    round.model.Weigh(round.section);
    SLUIS_ASSIGN_OR_RETURN(const PairScorer scorer, PairScorer::Make(round.model));
    round.unit = scorer.unit();
    SLUIS_ASSIGN_OR_RETURN(round.lists, candidates_.Top(scorer, Places()));
    SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int32_t> scores, LeaveOneOut(pairs, &round));
    SLUIS_RETURN_IF_ERROR(CompareInFull(pairs, scores, scorer, &round));
    FitOptions fit_options = options_.fit;
    fit_options.resamplings = std::min(fit_options.resamplings, kFewResamplings);
    const EncodingTable& smaller = b_.rows() < a_.rows() ? b_ : a_;
    if (smaller.rows() < kLeastRows) {
      fit_options.fallback_threshold = FallbackThreshold(scorer, smaller);
    }
    SLUIS_RETURN_IF_ERROR(Fit(fit_options, &round));
    if (!round.fit.credible && round.fit.threshold != kLinkNothing) {
      const double at = round.fit.threshold;
      round.fit.log_odds = {{at, at + 1}, {0, kFallbackSlope * scorer.unit()}};
    }
    return round;
  }

  // Fits to the rows that were compared in full if there are any and they have enough links, else to all lists.
  absl::Status Fit(const FitOptions& options, Round* round) const {
    if (round->compared) {
      const ComparedLists& compared = *round->compared;
      SLUIS_ASSIGN_OR_RETURN(round->fit,
                             FitScores(compared.a, &compared.b, options, &compared.controls, &compared.mutual));
      if (round->fit.credible && round->fit.links >= kLeastLinksCompared) {
        CarryOver(options.blocking_recall, round);
        return absl::OkStatus();
      }
      round->compared.reset();
    }
    SLUIS_ASSIGN_OR_RETURN(round->fit, FitScores(round->lists.a, within_ ? nullptr : &round->lists.b, options,
                                                 round->controls ? &*round->controls : nullptr));
    return TakeOffRelatives(round);
  }

  // Where no controls tell how alike relatives are, they pass for matches: those among the links count as false, and a
  // fit that links many is no longer credible.
  absl::Status TakeOffRelatives(Round* round) const {
    ScoreFit& fit = round->fit;
    const Matching matching{within_, options_.fit.first_null};
    if (matching.one_each() || options_.stable_begin == 0 || !fit.credible) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(const Relatives relatives,
                           CountRelatives(a_, b_, LinksFrom(round->lists, matching, fit.threshold), frequencies_a_,
                                          frequencies_b_, options_.stable_begin));
    round->relatives = relatives.share;
    if (relatives.share == 0) return absl::OkStatus();
    if (relatives.share > kMostRelatives) {
      fit = ScoreFit();
      fit.log_odds = {{0}, {-LogOddsTable::kMost}};
      fit.why_not =
          "much of what stands out from strangers disagrees in what a person keeps when moving, as relatives do: "
          "duplicates cannot be told from them";
      return absl::OkStatus();
    }
    const double right = std::max(0.0, fit.precision.value - relatives.share) * fit.links;
    fit.precision = {fit.precision.value * (1 - relatives.share), fit.precision.low * (1 - relatives.most),
                     fit.precision.high};
    const double matches = std::max(fit.matches - relatives.share * fit.links, right);
    const double scale = matches > 0 && fit.recall.value > 0 ? right / matches / fit.recall.value : 0;
    fit.recall.value *= scale;
    fit.recall.low *= std::min(scale, 1.0);
    fit.recall.high = std::max(fit.recall.high * scale, fit.recall.value);
    fit.matches = matches;
    fit.match_share = matches / static_cast<double>(std::min(a_.rows(), b_.rows()));
    if (relatives.share > kMostRelativesLearnt) fit.confident_score = kLinkNothing;
    return absl::OkStatus();
  }

 private:
  std::size_t Places() const { return options_.fit.first_null + kNullPlaces; }

  // Compares controls with their own source, or, if candidates are blocked, rows drawn with both, unless sources repeat
  // people, which are no controls then.
  absl::Status CompareInFull(std::span<const CandidatePair> learnt, std::span<const std::int32_t> learnt_scores,
                             const PairScorer& scorer, Round* round) {
    if (within_ || options_.fit.first_null != 2 || std::min(a_.rows(), b_.rows()) < kLeastRows) {
      return absl::OkStatus();
    }
    const ExhaustiveOptions run{.threads = options_.fit.threads, .stop = options_.stop};
    const std::uint64_t seed = options_.fit.seed;
    if (round->lists.pairs == std::uint64_t{a_.rows()} * b_.rows()) {
      round->controls.emplace();
      SLUIS_ASSIGN_OR_RETURN(round->controls->a, ControlRows(a_, scorer, Places(), options_.most_controls, seed, run));
      SLUIS_ASSIGN_OR_RETURN(round->controls->b, ControlRows(b_, scorer, Places(), options_.most_controls, seed, run));
      return absl::OkStatus();
    }
    if (!drawn_) {
      SLUIS_ASSIGN_OR_RETURN(drawn_, ComparedRows::Draw(a_, b_, options_.compared_pairs, seed));
    }
    SLUIS_ASSIGN_OR_RETURN(round->compared,
                           drawn_->Compare(round->model, Places(), learnt, learnt_scores, round->lists, run));
    return absl::OkStatus();
  }

  // Makes a fit to the rows drawn one to all rows. What blocking missed of the links is seen in those rows, so recall
  // does without `blocking_recall`; matches are those of all rows, less what it says, as in a fit to candidates.
  void CarryOver(double blocking_recall, Round* round) const {
    ScoreFit& fit = round->fit;
    const double found = round->compared->Found(fit.threshold) / blocking_recall;
    for (double* part : {&fit.recall.value, &fit.recall.low, &fit.recall.high}) {
      *part *= found;
    }
    fit.links = static_cast<double>(LinksFrom(round->lists, {within_, options_.fit.first_null}, fit.threshold).size());
    fit.matches = fit.links * fit.precision.value / fit.recall.value * blocking_recall;
    fit.match_share = fit.matches / static_cast<double>(std::min(a_.rows(), b_.rows()));
  }

  // Gives the pairs that were learnt from the scores that the others give them, and returns those.
  absl::StatusOr<std::vector<std::int32_t>> LeaveOneOut(std::span<const CandidatePair> pairs, Round* round) const {
    std::vector<std::int32_t> lowered;
    if (pairs.empty()) {
      return lowered;
    }
    SLUIS_ASSIGN_OR_RETURN(
        const std::vector<double> scores,
        BitModel::LeaveOneOutScores(a_, b_, pairs, frequencies_a_, frequencies_b_, within_, round->section));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto score = static_cast<std::int32_t>(std::lround(scores[i] / round->unit));
      round->lists.a.Lower(pairs[i].a, score, pairs[i].b);
      (within_ ? round->lists.a : round->lists.b).Lower(pairs[i].b, score, pairs[i].a);
      lowered.push_back(score);
    }
    return lowered;
  }

  const EncodingTable& a_;
  const EncodingTable& b_;
  const bool within_;
  CandidateScorer& candidates_;
  const RecordLevelOptions& options_;
  const std::vector<double> frequencies_a_;
  const std::vector<double> frequencies_b_;
  std::optional<ComparedRows> drawn_;  // if candidates turn out to be blocked
};

}  // namespace

std::unique_ptr<CandidateScorer> ChooseCandidates(const EncodingTable& a, const EncodingTable* b,
                                                  CandidateBatches batches, const ExhaustiveOptions& options,
                                                  std::uint64_t max_pairs) {
  const std::uint64_t pairs =
      b == nullptr ? std::uint64_t{a.rows()} * a.rows() / 2 : std::uint64_t{a.rows()} * b->rows();
  return pairs <= max_pairs ? ScoreExhaustively(a, b, options) : ScoreCandidates(a, b, std::move(batches), options);
}

absl::StatusOr<RecordLevelFit> FitRecordLevel(const EncodingTable& a, const EncodingTable* b,
                                              CandidateScorer& candidates, const RecordLevelOptions& options) {
  const bool within = b == nullptr;
  const EncodingTable& other = within ? a : *b;
  const Matching matching{within, options.fit.first_null};
  if (a.bits() != other.bits() || options.rounds < 0) {
    return absl::InvalidArgumentError(absl::StrCat("record-level fit: encodings of ", a.bits(), " and ", other.bits(),
                                                   " bits, ", options.rounds,
                                                   " rounds; widths must be equal and rounds not negative"));
  }
  Rounds rounds(a, b, candidates, options);
  SLUIS_ASSIGN_OR_RETURN(Round round, rounds.Run({}));
  int learnt = 0;
  for (; learnt < options.rounds && round.fit.credible; ++learnt) {
    const std::vector<CandidatePair> pairs = ConfidentPairs(round.lists, matching, round.fit, options);
    if (pairs.size() < std::max<std::size_t>(options.least_learnt, 1)) {
      break;
    }
    const auto more = static_cast<double>(pairs.size()) - static_cast<double>(round.learnt_from);
    if (round.compared && std::abs(more) < kLeastChange * static_cast<double>(round.learnt_from)) {
      break;
    }
    SLUIS_ASSIGN_OR_RETURN(Round next, rounds.Run(pairs));
    if (!next.fit.credible) {
      break;
    }
    round = std::move(next);
  }
  if (round.fit.credible && options.fit.resamplings > kFewResamplings) {
    SLUIS_RETURN_IF_ERROR(rounds.Fit(options.fit, &round));
  }
  RecordLevelFit result;
  result.pairs = ScorePairs(round.lists, matching, round.fit, options.least_log_odds);
  result.links = LinksFrom(round.lists, matching, round.fit.threshold);
  result.model = std::move(round.model);
  result.unit = round.unit;
  result.fit = std::move(round.fit);
  result.pairs_scored = round.lists.pairs;
  result.learnt_from = round.learnt_from;
  result.rounds = learnt;
  result.relatives = round.relatives;
  return result;
}

}  // namespace sluis::linker
