#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/score/bit_model.h"
#include "linker/score/score_fit.h"
#include "linker/score/scored_pair.h"
#include "linker/score/top_lists.h"

namespace sluis::linker {

// Up to so many pairs are compared without blocking.
inline constexpr std::uint64_t kMaxExhaustivePairs = 200'000'000;

// Returns ScoreExhaustively if there are at most `max_pairs` pairs, else ScoreCandidates; `b` null: within a.
[[nodiscard]] std::unique_ptr<CandidateScorer> ChooseCandidates(const EncodingTable& a, const EncodingTable* b,
                                                                CandidateBatches batches,
                                                                const ExhaustiveOptions& options,
                                                                std::uint64_t max_pairs = kMaxExhaustivePairs);

struct RecordLevelOptions {
  FitOptions fit;
  // Times that the bit model is learnt anew from the links at hand.
  int rounds = 3;
  // Fewer confident links teach nothing; of more than the most, a random sample is learnt from.
  std::size_t least_learnt = 20;
  std::size_t most_learnt = 50'000;
  // Of each source as many rows, by the seed, are compared with their own source as negative controls (control.h), if
  // the sources have a person once and were compared in full.
  std::size_t most_controls = 2000;
  // If they have a person once and candidates are blocked, as many pairs as this, about, are compared of rows drawn by
  // the seed from either source, with all of the other; but those of 500 rows of the smaller source at least
  // (compared_rows.h).
  std::uint64_t compared_pairs = 100'000'000;
  // Where the encodings' stable section begins (EncodingPlan::FirstSectionBits); 0: they have none.
  std::size_t stable_begin = 0;
  // A factor on the weights of its bits (ChooseStableWeight).
  double stable_weight = 1;
  // Of the comparison with controls; that of candidates has one of its own.
  std::stop_token stop = {};
  // Pairs with lower log-odds are not returned.
  float least_log_odds = -3;
};

struct RecordLevelFit {
  BitModel model;   // the one that `fit` and `pairs` rest on
  double unit = 1;  // nats of one score step
  ScoreFit fit;
  // By a, then b, each once; within a source a < b. A score below fit.threshold never gives log-odds above 0.
  std::vector<ScoredPair> pairs;
  // The links that the estimates of `fit` are about, from fit.threshold on: mutually best pairs between sources that
  // hold a person once (fit.first_null 2), else all that either record lists before first_null.
  std::vector<CandidatePair> links;
  std::uint64_t pairs_scored = 0;  // in one round
  std::size_t learnt_from = 0;     // links; 0: the prior model
  int rounds = 0;                  // learnt
  // Of the links that the scores gave, the share that are relatives (relatives.h), 0 if not beyond chance. They count
  // as false in `fit`, which from a quarter on is not credible.
  double relatives = 0;
};

// Links two sources at record level, or one within itself (`b` null), without truth: scores the candidates by the prior
// bit model, fits the null, learns the model from links above an estimated precision of 0.95, and begins
// again, up to `rounds` times. A round whose fit is not credible is discarded, and the one before it stands.
//
// Of blocked candidates between sources that hold a person once, the fit is to rows drawn that are compared in full,
// controls included; all candidates are scored by it, and all confident links teach. Rounds end when there are hardly
// more or fewer of those. If the rows drawn have fewer than 20 links, the fit is to the lists of candidates, without
// controls, as it is for repeated people.
//
// Within a source and between sources that repeat people no controls tell how alike relatives are. If the encodings
// have a stable section, links that disagree there too often for one person's records are taken for relatives: they
// count as false, nothing is learnt from a fit of which they are more than 5 %, and with more than 25 % it is not
// credible.
//
// If no fit is credible, `pairs` is empty. With fewer than kLeastRows rows nothing can be fitted: the threshold then is
// half of the score that the median record of the smaller source has with itself under the prior model, and pairs get a
// tenth of their distance from it as log-odds (fit.credible stays false).
//
// Deterministic by the seed, whatever the threads. Errors: those of `candidates` and FitScores; CANCELLED after a stop;
// INVALID_ARGUMENT if the tables differ in width or rounds are negative.
[[nodiscard]] absl::StatusOr<RecordLevelFit> FitRecordLevel(const EncodingTable& a, const EncodingTable* b,
                                                            CandidateScorer& candidates,
                                                            const RecordLevelOptions& options);

}  // namespace sluis::linker
