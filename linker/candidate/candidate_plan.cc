#include "linker/candidate/candidate_plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <random>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/candidate/bit_sampling.h"
#include "linker/candidate/nearest_lists.h"
#include "linker/kernel/similarity.h"

namespace sluis::linker {
namespace {

using candidate::Agreements;
using candidate::Below;

constexpr std::uint32_t kMostKeep = 4096;
constexpr std::uint32_t kMostKeyBits = 32;
constexpr std::uint32_t kMostTables = 10'000;
constexpr std::uint64_t kBoundPairs = std::uint64_t{1} << 21;
constexpr std::uint64_t kAgreementPairs = 65'536;
constexpr std::uint64_t kMostRanked = 200'000;
constexpr std::uint64_t kPairsPerRecord = 30'000;
constexpr std::uint32_t kLeastMaxBlock = 64;

// Times in nanoseconds on one core of the machine that README.md names. Only their ratio matters, for the choice of k.
constexpr double kTimePerRow = 150;        // in a table: key, sort, gathering of the encoding
constexpr double kTimePerPairWord = 0.06;  // a comparison, by word of the encodings

// The two sources, or the one, for which a plan is made.
struct Sources {
  const EncodingTable& a;
  const EncodingTable& b;  // the same object for duplicates
  bool within;

  double rows() const { return static_cast<double>(a.rows() + (within ? 0 : b.rows())); }
  double pairs() const {
    const auto rows_a = static_cast<double>(a.rows());
    return within ? rows_a * (rows_a - 1) / 2 : rows_a * static_cast<double>(b.rows());
  }
};

absl::Status CheckOptions(const CandidateOptions& options) {
  if (options.keep == 0 || options.keep > kMostKeep) {
    return absl::InvalidArgumentError(absl::StrCat("keep: must be 1 to ", kMostKeep, " candidates a row"));
  }
  // Negated, so that NaN is refused too.
  if (!(options.recall > 0 && options.recall < 1)) {
    return absl::InvalidArgumentError("recall: must be above 0 and below 1");
  }
  if (!(options.bit_error > 0 && options.bit_error < 0.5)) {
    return absl::InvalidArgumentError("bit_error: must be above 0 and below 1/2");
  }
  if (options.max_tables == 0 || options.max_tables > kMostTables) {
    return absl::InvalidArgumentError(absl::StrCat("max_tables: must be 1 to ", kMostTables));
  }
  return absl::OkStatus();
}

// Random pairs of different rows; those with a row that has no bits are left out.
std::vector<CandidatePair> RandomPairs(const Sources& sources, std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<CandidatePair> pairs;
  pairs.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto a = static_cast<std::uint32_t>(Below(sources.a.rows(), &random));
    const auto b = static_cast<std::uint32_t>(Below(sources.b.rows(), &random));
    if ((!sources.within || a != b) && sources.a.popcount(a) > 0 && sources.b.popcount(b) > 0) {
      pairs.push_back({a, b});
    }
  }
  return pairs;
}

// The share of random pairs that agree in k bits, for k = 0 to kMostKeyBits.
std::vector<double> CollisionShares(const Sources& sources, std::span<const CandidatePair> pairs,
                                    const Agreements& agreements) {
  std::vector<double> shares(kMostKeyBits + 1);
  for (const CandidatePair& pair : pairs) {
    const double agreement = agreements.Of(sources.a.row(pair.a), sources.b.row(pair.b));
    for (std::uint32_t k = 0; k <= kMostKeyBits; ++k) {
      shares[k] += agreements.InAll(agreement, k) / static_cast<double>(pairs.size());
    }
  }
  return shares;
}

// Sets tables, key_bits, recall, expected_pairs and max_block.
void ChooseTables(const Sources& sources, const CandidateOptions& options, const Agreements& agreements,
                  const std::vector<double>& shares, CandidatePlan* plan) {
  const double row_time = kTimePerRow * sources.rows();
  const double pair_time = kTimePerPairWord * sources.a.words();
  const double budget = options.pair_budget != 0
                            ? static_cast<double>(options.pair_budget)
                            : static_cast<double>(kPairsPerRecord * std::max(sources.a.rows(), sources.b.rows()));
  double best_time = 0;
  bool best_reached = false;
  for (std::uint32_t k = 1; k <= kMostKeyBits; ++k) {
    const double meet = agreements.InAll(1 - options.bit_error, k);
    if (meet <= 0) {
      break;
    }
    const double pairs = sources.pairs() * shares[k];
    const double wanted = meet < 1 ? std::ceil(std::log1p(-options.recall) / std::log1p(-meet)) : 1;
    const double affordable =
        std::min<double>(options.max_tables, pairs > 0 ? std::floor(budget / pairs) : options.max_tables);
    const double tables = std::min(wanted, affordable);
    if (tables < 1) {
      continue;
    }
    const double recall = agreements.InAnyTable(1 - options.bit_error, k, static_cast<std::uint32_t>(tables));
    const double time = tables * (row_time + pair_time * pairs);
    const bool reached = wanted <= affordable;
    if (plan->tables == 0 || (reached ? !best_reached || time < best_time : !best_reached && recall > plan->recall)) {
      plan->tables = static_cast<std::uint32_t>(tables);
      plan->key_bits = k;
      plan->recall = recall;
      plan->expected_pairs = tables * pairs;
      best_time = time;
      best_reached = reached;
    }
  }
  if (plan->tables == 0) {
    plan->warnings.push_back(
        "Hamming LSH: no table of 1 to 32 bits is within the budget of pairs; candidates come from exact tokens only");
    return;
  }
  if (!best_reached) {
    plan->warnings.push_back(absl::StrCat("Hamming LSH: recall ", plan->recall, " at a bit error of ",
                                          options.bit_error, " instead of ", options.recall,
                                          "; raise the budget of pairs or the number of tables for more"));
  }
  // Blocks of at most B records compare at most (rows / B) (B / 2)^2 pairs of two sources, (rows / B) B^2 / 2 of one.
  const double table_pairs = plan->expected_pairs / plan->tables;
  const double block = 4 * table_pairs * (sources.within ? 2 : 4) / sources.rows();
  plan->max_block = static_cast<std::uint32_t>(std::clamp<double>(block, kLeastMaxBlock, 1e9));
}

// Sets dice_bound: down to it, `keep` random rows of the smaller table are expected to be compared with a row.
absl::Status ChooseBound(const Sources& sources, const Agreements& agreements, std::span<const CandidatePair> pairs,
                         CandidatePlan* plan) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<Overlap> overlaps, PairScores(pairs, sources.a, sources.b));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> nearest;  // similarity, index in pairs
  nearest.reserve(pairs.size());
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    nearest.emplace_back(DiceUnits(overlaps[i].common, overlaps[i].bits_a, overlaps[i].bits_b), i);
  }
  const auto end = nearest.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(nearest.size(), kMostRanked));
  std::nth_element(nearest.begin(), end, nearest.end(), std::greater<>());
  std::sort(nearest.begin(), end, std::greater<>());
  const double wanted = static_cast<double>(plan->keep) * static_cast<double>(pairs.size()) /
                        static_cast<double>(std::min(sources.a.rows(), sources.b.rows()));
  double expected = 0;
  for (auto ranked = nearest.begin(); ranked != end && expected < wanted; ++ranked) {
    const CandidatePair& pair = pairs[ranked->second];
    const double agreement = agreements.Of(sources.a.row(pair.a), sources.b.row(pair.b));
    expected += plan->tables > 0 ? agreements.InAnyTable(agreement, plan->key_bits, plan->tables) : 1;
    plan->dice_bound = ranked->first;
  }
  if (expected < wanted && end == nearest.end()) {
    plan->dice_bound = 0;  // not even all pairs are as many
  }
  return absl::OkStatus();
}

// Sets keep and memory_bytes.
absl::Status FitMemory(const Sources& sources, const CandidateOptions& options, CandidatePlan* plan) {
  const std::uint64_t rows_a = sources.a.rows();
  const std::uint64_t rows_b = sources.within ? rows_a : sources.b.rows();
  const std::uint64_t rows = sources.within ? rows_a : rows_a + rows_b;
  // Searching: keyed rows and their buffer, blocks, and a block of all rows that is split. Result: where each row of
  // a has its further pairs.
  const std::uint64_t fixed = (plan->exhaustive ? 0 : 72 * rows) + 8 * rows_a;
  const std::uint64_t per_candidate = 8 * rows + 4 * rows_b;
  const std::uint64_t least = fixed + per_candidate;
  if (options.memory_bytes < least) {
    return absl::InvalidArgumentError(absl::StrCat("memory_bytes: ", options.memory_bytes, ", but one candidate a row ",
                                                   "needs ", least, "; allow more or split the sources"));
  }
  const std::uint64_t keep =
      std::min<std::uint64_t>(options.keep, std::max<std::uint64_t>(1, std::max(rows_a, rows_b)));
  plan->keep = static_cast<std::uint32_t>(
      per_candidate == 0 ? keep : std::min(keep, (options.memory_bytes - fixed) / per_candidate));
  if (plan->keep < keep) {
    plan->warnings.push_back(
        absl::StrCat("keep: ", plan->keep, " candidates a row instead of ", keep, ", to stay within memory_bytes"));
  }
  plan->memory_bytes = fixed + per_candidate * plan->keep;
  return absl::OkStatus();
}

absl::StatusOr<CandidatePlan> MakePlan(const Sources& sources, const CandidateOptions& options) {
  if (sources.a.words() != sources.b.words()) {
    return absl::InvalidArgumentError(absl::StrCat("encoding width: ", sources.a.bits(), " bits in table a, ",
                                                   sources.b.bits(), " in table b; they must be equal"));
  }
  SLUIS_RETURN_IF_ERROR(CheckOptions(options));
  CandidatePlan plan;
  plan.exhaustive = sources.pairs() <= static_cast<double>(options.exhaustive_pairs) || sources.pairs() <= 0;
  plan.seed = options.seed;
  plan.bit_error = options.bit_error;
  plan.max_token_block = std::max<std::uint32_t>(options.max_token_block, 2);
  SLUIS_RETURN_IF_ERROR(FitMemory(sources, options, &plan));
  if (plan.exhaustive) {
    plan.recall = 1;
    plan.expected_pairs = sources.pairs();
    return plan;
  }
  plan.bit_weights = candidate::BitWeights(sources.a, sources.b);
  const Agreements agreements(plan.bit_weights);
  const std::vector<CandidatePair> pairs =
      RandomPairs(sources, static_cast<std::uint64_t>(std::min<double>(kBoundPairs, sources.pairs())), options.seed);
  if (pairs.empty() || agreements.effective_bits() < 1) {
    plan.warnings.push_back("Hamming LSH: no bit varies within both sources; candidates come from exact tokens only");
  } else {
    const std::size_t some = std::min<std::size_t>(pairs.size(), kAgreementPairs);
    ChooseTables(sources, options, agreements, CollisionShares(sources, std::span(pairs).first(some), agreements),
                 &plan);
    if (options.max_block != 0) {
      plan.max_block = std::max<std::uint32_t>(options.max_block, 2);
    }
  }
  SLUIS_RETURN_IF_ERROR(ChooseBound(sources, agreements, pairs, &plan));
  return plan;
}

}  // namespace

absl::StatusOr<CandidatePlan> PlanCandidates(const EncodingTable& a, const EncodingTable& b,
                                             const CandidateOptions& options) {
  return MakePlan({a, b, /*within=*/false}, options);
}

absl::StatusOr<CandidatePlan> PlanDuplicates(const EncodingTable& table, const CandidateOptions& options) {
  return MakePlan({table, table, /*within=*/true}, options);
}

}  // namespace sluis::linker
