#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/kernel.h"
#include "linker/kernel/similarity.h"
#include "linker/kernel/weighted.h"

namespace sluis::linker {

// The share of set bits that is assumed to be lost or gained between two encodings of one person, before anything is
// learnt. Too high a value costs little: it only flattens the weights.
inline constexpr double kPriorError = 0.2;

// Returns for each bit the share of rows that set it, (count + 1/2) / (rows + 1), hence never 0 or 1. One pass.
[[nodiscard]] std::vector<double> BitFrequencies(const EncodingTable& table, unsigned threads = 1);

// A factor on the weights of the bits from `begin` on.
struct SectionWeight {
  std::size_t begin = 0;
  double factor = 1;
};

// How much each bit speaks for or against two encodings being of one person: natural logarithms of the ratio of its
// probability among matches to that among pairs at random, for each combination of its values in a and b. A pair's
// score is their sum, as if bits were independent. They are not, so the score ranks pairs but is no log-odds;
// score_fit.h calibrates it.
struct BitModel {
  std::vector<double> w11;  // set in both
  std::vector<double> w10;  // set in a only
  std::vector<double> w01;
  std::vector<double> w00;
  double error = kPriorError;  // as assumed or estimated

  // The model before any match is known: a match's bit is set in both with probability p (1 - error), in either alone
  // with p * error, p the mean of the frequencies. Errors: INVALID_ARGUMENT if the frequencies differ in length or are
  // outside (0, 1), or `error` is outside (0, 0.5].
  [[nodiscard]] static absl::StatusOr<BitModel> Prior(std::span<const double> frequencies_a,
                                                      std::span<const double> frequencies_b,
                                                      double error = kPriorError);

  // The model learnt from `pairs`, taken to be matches. Each bit's counts are smoothed by 20 imagined pairs that behave
  // as Prior at the error estimated from all bits together (within [0.02, 0.5]). Without pairs this is Prior.
  // `within`: a pair counts in both directions, so that the model is symmetric. Errors: INVALID_ARGUMENT as Prior, or
  // if tables and frequencies differ in width or a pair names a row beyond its table.
  [[nodiscard]] static absl::StatusOr<BitModel> Learn(const EncodingTable& a, const EncodingTable& b,
                                                      std::span<const CandidatePair> pairs,
                                                      std::span<const double> frequencies_a,
                                                      std::span<const double> frequencies_b, bool within = false);

  // Returns the score in nats of each pair under the model learnt from the others. Under a model that was learnt from
  // it as well, a pair scores too high, the more so the fewer pairs there are: by about 3 bits() / pairs nats in all,
  // which would let a false pair confirm itself. `section`: as Weigh. Arguments and errors as Learn.
  [[nodiscard]] static absl::StatusOr<std::vector<double>> LeaveOneOutScores(
      const EncodingTable& a, const EncodingTable& b, std::span<const CandidatePair> pairs,
      std::span<const double> frequencies_a, std::span<const double> frequencies_b, bool within = false,
      const SectionWeight& section = {});

  // Multiplies the weights of a section's bits. Bits of features that depend on each other say less than their number,
  // so one section may deserve more weight than the other.
  void Weigh(const SectionWeight& section);
};

// A bit model in integers. The score of a pair is
//   row_score_a + row_score_b + weighted overlap,   in steps of unit() nats,
// because log-likelihood ratios of bits that only one row sets, or none, can be moved into the rows. All three are
// integers, so a score is the same number on every machine and by every kernel. Weights beyond 10 nats are cut there.
// One step is the largest sum of weights in a byte divided by 250, about 0.1 nats.
class PairScorer {
 public:
  // Errors: INVALID_ARGUMENT if the model's vectors differ in length or have no valid width.
  [[nodiscard]] static absl::StatusOr<PairScorer> Make(const BitModel& model);

  double unit() const { return unit_; }
  std::uint32_t bits() const { return weights_.bits(); }
  const BitWeights& weights() const { return weights_; }

  // The part of the scores that depends on one row, for each row of a table on the respective side. Precondition: the
  // table has bits().
  [[nodiscard]] std::vector<std::int32_t> RowScoresA(const EncodingTable& table, unsigned threads = 1) const;
  [[nodiscard]] std::vector<std::int32_t> RowScoresB(const EncodingTable& table, unsigned threads = 1) const;

 private:
  explicit PairScorer(BitWeights weights) : weights_(std::move(weights)) {}

  BitWeights weights_;
  double unit_ = 1;
  std::int64_t constant_ = 0;         // in 1/64 of a step, with side a
  std::vector<std::int32_t> fine_a_;  // likewise
  std::vector<std::int32_t> fine_b_;
};

}  // namespace sluis::linker
