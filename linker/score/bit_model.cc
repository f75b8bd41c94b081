#include "linker/score/bit_model.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/kernel/parallel.h"

namespace sluis::linker {
namespace {

constexpr double kLeastError = 0.02;
constexpr double kMostError = 0.5;
constexpr double kPriorPairs = 20;          // imagined pairs that smooth what is learnt
constexpr double kMaxWeight = 10;           // nats
constexpr double kByteSteps = 250;          // of kMaxByteWeight; eight roundings add at most 4
constexpr double kMinUnit = 1e-3;           // nats; keeps scores of a model without information within 32 bits
constexpr std::int32_t kFine = 64;          // row scores are summed in this part of a step, and rounded once
constexpr double kLeastProbability = 0.02;  // of a bit unset in both, in the prior

template <typename Visit>
void VisitSetBits(std::span<const std::uint64_t> words, const Visit& visit) {
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t word = words[w]; word != 0; word &= word - 1) {
      visit(64 * w + static_cast<std::size_t>(std::countr_zero(word)));
    }
  }
}

absl::Status CheckFrequencies(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("bit frequencies: ", a.size(), " of source a, ", b.size(), " of source b; they must be equal"));
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(a[i] > 0 && a[i] < 1 && b[i] > 0 && b[i] < 1)) {
      return absl::InvalidArgumentError(absl::StrCat("bit frequencies: that of bit ", i, " is not between 0 and 1"));
    }
  }
  return absl::OkStatus();
}

// What is known of the matches: numbers of pairs by the values of each bit.
struct Counts {
  std::vector<double> both, only_a, only_b;
  double pairs = 0;
  double error = kPriorError;

  explicit Counts(std::size_t bits) : both(bits), only_a(bits), only_b(bits) {}
};

// Bit by bit the four weights of the values (in a, in b): both, only a, only b, neither.
struct BitWeight {
  double both, only_a, only_b, neither;
};

// `without`: one pair less of the value at hand, counted `directions` times.
BitWeight WeightOf(const Counts& counts, std::size_t i, double pa, double pb, bool without, double directions) {
  const double p = (pa + pb) / 2;
  const double q11 = p * (1 - counts.error);
  const double q10 = p * counts.error;
  const double q00 = std::max(1 - q11 - 2 * q10, kLeastProbability);
  const double less = without ? directions : 0;
  const double total = counts.pairs - less + kPriorPairs * (q11 + 2 * q10 + q00);
  const double neither = counts.pairs - counts.both[i] - counts.only_a[i] - counts.only_b[i];
  // A pair in both directions adds one to each of only_a and only_b, and two elsewhere.
  const double less_only = without ? 1 : 0;
  const auto weight = [&](double count, double prior, double at_random) {
    return std::log((std::max(count, 0.0) + kPriorPairs * prior) / total / at_random);
  };
  return {weight(counts.both[i] - less, q11, pa * pb), weight(counts.only_a[i] - less_only, q10, pa * (1 - pb)),
          weight(counts.only_b[i] - less_only, q10, (1 - pa) * pb), weight(neither - less, q00, (1 - pa) * (1 - pb))};
}

BitModel FromCounts(const Counts& counts, std::span<const double> pa, std::span<const double> pb) {
  BitModel model;
  model.error = counts.error;
  for (std::size_t i = 0; i < pa.size(); ++i) {
    const BitWeight weight = WeightOf(counts, i, pa[i], pb[i], false, 1);
    model.w11.push_back(weight.both);
    model.w10.push_back(weight.only_a);
    model.w01.push_back(weight.only_b);
    model.w00.push_back(weight.neither);
  }
  return model;
}

// Visits the bits that are set in both rows (keep 3), in x only (1) or in y only (2).
template <typename Visit>
void VisitValue(std::span<const std::uint64_t> x, std::span<const std::uint64_t> y, int keep, const Visit& visit) {
  for (std::size_t w = 0; w < x.size(); ++w) {
    const std::uint64_t word = ((keep & 1) != 0 ? x[w] : ~x[w]) & ((keep & 2) != 0 ? y[w] : ~y[w]);
    VisitSetBits(std::span(&word, 1), [&](std::size_t bit) { visit(64 * w + bit); });
  }
}

absl::StatusOr<Counts> CountPairs(const EncodingTable& a, const EncodingTable& b, std::span<const CandidatePair> pairs,
                                  std::span<const double> frequencies_a, std::span<const double> frequencies_b,
                                  bool within) {
  SLUIS_RETURN_IF_ERROR(CheckFrequencies(frequencies_a, frequencies_b));
  if (a.bits() != b.bits() || a.bits() != frequencies_a.size()) {
    return absl::InvalidArgumentError(absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(),
                                                   " in table b, ", frequencies_a.size(),
                                                   " frequencies; they must be equal"));
  }
  Counts counts(a.bits());
  double set = 0;
  const auto add = [&](std::span<const std::uint64_t> x, std::span<const std::uint64_t> y) {
    VisitValue(x, y, 3, [&](std::size_t bit) { ++counts.both[bit]; });
    VisitValue(x, y, 1, [&](std::size_t bit) { ++counts.only_a[bit]; });
    VisitValue(x, y, 2, [&](std::size_t bit) { ++counts.only_b[bit]; });
    ++counts.pairs;
  };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].a >= a.rows() || pairs[i].b >= b.rows()) {
      return absl::InvalidArgumentError(
          absl::StrCat("pair ", i, ": names a row beyond its table (", a.rows(), " and ", b.rows(), " rows)"));
    }
    const double directions = within ? 2 : 1;
    add(a.row(pairs[i].a), b.row(pairs[i].b));
    if (within) {
      add(b.row(pairs[i].b), a.row(pairs[i].a));
    }
    set += directions * (a.popcount(pairs[i].a) + b.popcount(pairs[i].b));
  }
  double common = 0;
  for (const double both : counts.both) {
    common += both;
  }
  if (set > 0) {
    counts.error = std::clamp(1 - 2 * common / set, kLeastError, kMostError);
  }
  return counts;
}

std::int32_t Fine(double weight, double unit) {
  return static_cast<std::int32_t>(std::lround(std::clamp(weight, -kMaxWeight, kMaxWeight) / unit * kFine));
}

std::vector<std::int32_t> RowScores(const EncodingTable& table, std::span<const std::int32_t> fine,
                                    std::int64_t constant, unsigned threads) {
  std::vector<std::int32_t> scores(table.rows());
  kernel::InThreads(threads, [&](unsigned t) {
    const kernel::Range range = kernel::PartOf(table.rows(), t, threads);
    for (std::size_t r = range.begin; r < range.end; ++r) {
      std::int64_t sum = constant;
      VisitSetBits(table.row(r), [&](std::size_t bit) { sum += fine[bit]; });
      scores[r] = static_cast<std::int32_t>((sum + kFine / 2) >> 6);
    }
  });
  return scores;
}
static_assert(kFine == 1 << 6);

}  // namespace

std::vector<double> BitFrequencies(const EncodingTable& table, unsigned threads) {
  std::vector<std::uint64_t> counts(table.bits());
  kernel::InThreads(threads, [&](unsigned t) {
    const kernel::Range range = kernel::PartOf(table.rows(), t, threads);
    std::vector<std::uint64_t> own(table.bits());
    for (std::size_t r = range.begin; r < range.end; ++r) {
      VisitSetBits(table.row(r), [&](std::size_t bit) { ++own[bit]; });
    }
    for (std::size_t bit = 0; bit < own.size(); ++bit) {
      std::atomic_ref(counts[bit]).fetch_add(own[bit], std::memory_order_relaxed);
    }
  });
  std::vector<double> frequencies(table.bits());
  std::transform(counts.begin(), counts.end(), frequencies.begin(), [&](std::uint64_t count) {
    return (static_cast<double>(count) + 0.5) / (static_cast<double>(table.rows()) + 1);
  });
  return frequencies;
}

absl::StatusOr<BitModel> BitModel::Prior(std::span<const double> frequencies_a, std::span<const double> frequencies_b,
                                         double error) {
  SLUIS_RETURN_IF_ERROR(CheckFrequencies(frequencies_a, frequencies_b));
  if (!(error > 0 && error <= kMostError)) {
    return absl::InvalidArgumentError("bit model: the error must be above 0 and at most 0.5");
  }
  Counts none(frequencies_a.size());
  none.error = error;
  return FromCounts(none, frequencies_a, frequencies_b);
}

absl::StatusOr<BitModel> BitModel::Learn(const EncodingTable& a, const EncodingTable& b,
                                         std::span<const CandidatePair> pairs, std::span<const double> frequencies_a,
                                         std::span<const double> frequencies_b, bool within) {
  SLUIS_ASSIGN_OR_RETURN(const Counts counts, CountPairs(a, b, pairs, frequencies_a, frequencies_b, within));
  return FromCounts(counts, frequencies_a, frequencies_b);
}

absl::StatusOr<std::vector<double>> BitModel::LeaveOneOutScores(const EncodingTable& a, const EncodingTable& b,
                                                                std::span<const CandidatePair> pairs,
                                                                std::span<const double> frequencies_a,
                                                                std::span<const double> frequencies_b, bool within,
                                                                const SectionWeight& section) {
  SLUIS_ASSIGN_OR_RETURN(const Counts counts, CountPairs(a, b, pairs, frequencies_a, frequencies_b, within));
  // Each value that a pair has is one less in the counts of the others, so one table serves all pairs.
  std::vector<BitWeight> weights;
  double neither = 0;
  for (std::size_t i = 0; i < a.bits(); ++i) {
    weights.push_back(WeightOf(counts, i, frequencies_a[i], frequencies_b[i], true, within ? 2 : 1));
    if (i >= section.begin) {
      weights[i].both *= section.factor;
      weights[i].only_a *= section.factor;
      weights[i].only_b *= section.factor;
      weights[i].neither *= section.factor;
    }
    neither += weights[i].neither;
  }
  std::vector<double> scores;
  for (const CandidatePair& pair : pairs) {
    double score = neither;
    VisitValue(a.row(pair.a), b.row(pair.b), 3,
               [&](std::size_t bit) { score += weights[bit].both - weights[bit].neither; });
    VisitValue(a.row(pair.a), b.row(pair.b), 1,
               [&](std::size_t bit) { score += weights[bit].only_a - weights[bit].neither; });
    VisitValue(a.row(pair.a), b.row(pair.b), 2,
               [&](std::size_t bit) { score += weights[bit].only_b - weights[bit].neither; });
    scores.push_back(score);
  }
  return scores;
}

void BitModel::Weigh(const SectionWeight& section) {
  for (std::vector<double>* weights : {&w11, &w10, &w01, &w00}) {
    for (std::size_t i = section.begin; i < weights->size(); ++i) {
      (*weights)[i] *= section.factor;
    }
  }
}

absl::StatusOr<PairScorer> PairScorer::Make(const BitModel& model) {
  const std::size_t bits = model.w11.size();
  if (model.w10.size() != bits || model.w01.size() != bits || model.w00.size() != bits) {
    return absl::InvalidArgumentError("bit model: its four vectors must have one entry per bit each");
  }
  std::vector<double> overlap(bits);
  double largest_byte = 0;
  for (std::size_t i = 0; i < bits; ++i) {
    overlap[i] = std::clamp(model.w11[i] - model.w10[i] - model.w01[i] + model.w00[i], -kMaxWeight, kMaxWeight);
  }
  for (std::size_t begin = 0; begin < bits; begin += 8) {
    double sum = 0;
    for (std::size_t i = begin; i < std::min(begin + 8, bits); ++i) {
      sum += std::abs(overlap[i]);
    }
    largest_byte = std::max(largest_byte, sum);
  }
  const double unit = std::max(largest_byte / kByteSteps, kMinUnit);
  std::vector<std::int32_t> weights(bits);
  std::transform(overlap.begin(), overlap.end(), weights.begin(),
                 [&](double weight) { return static_cast<std::int32_t>(std::lround(weight / unit)); });
  SLUIS_ASSIGN_OR_RETURN(BitWeights bit_weights, BitWeights::Create(weights));
  PairScorer scorer(std::move(bit_weights));
  scorer.unit_ = unit;
  for (std::size_t i = 0; i < bits; ++i) {
    scorer.constant_ += Fine(model.w00[i], unit);
    scorer.fine_a_.push_back(Fine(model.w10[i] - model.w00[i], unit));
    scorer.fine_b_.push_back(Fine(model.w01[i] - model.w00[i], unit));
  }
  return scorer;
}

std::vector<std::int32_t> PairScorer::RowScoresA(const EncodingTable& table, unsigned threads) const {
  return RowScores(table, fine_a_, constant_, threads);
}

std::vector<std::int32_t> PairScorer::RowScoresB(const EncodingTable& table, unsigned threads) const {
  return RowScores(table, fine_b_, 0, threads);
}

}  // namespace sluis::linker
