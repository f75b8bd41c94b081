#include "linker/candidate/candidates.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/candidate/bit_sampling.h"
#include "linker/candidate/block_pass.h"
#include "linker/candidate/match_sample.h"
#include "linker/kernel/parallel.h"

namespace sluis::linker {
namespace {

using candidate::BlockComparer;
using candidate::MatchSample;
using candidate::ProbableMatch;
using candidate::Search;
using candidate::SimilarPair;
using kernel::InThreads;
using kernel::PartOf;
using kernel::Range;

constexpr double kLeastMatches = 10;  // in a sample that recall is estimated from

absl::Status CheckArguments(const EncodingTable& a, const EncodingTable& b, bool within,
                            std::span<const TokenPass> tokens, const CandidatePlan& plan, const CandidateRun& run) {
  if (a.words() != b.words()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(), " in table b; they must be equal"));
  }
  if (!plan.exhaustive && plan.bit_weights.size() != a.bits()) {
    return absl::InvalidArgumentError(absl::StrCat("plan: made for encodings of ", plan.bit_weights.size(),
                                                   " bits, but the tables have ", a.bits(), "; make a plan for them"));
  }
  if (plan.keep == 0 || plan.key_bits > 32 || plan.dice_bound > kDiceOne) {
    return absl::InvalidArgumentError("plan: keep, key_bits or dice_bound is outside its range; make a plan");
  }
  if (run.threads == 0) {
    return absl::InvalidArgumentError("threads: must be at least 1");
  }
  for (const TokenPass& pass : tokens) {
    if (pass.a.size() != a.rows() || pass.b.size() != (within ? 0 : b.rows())) {
      return absl::InvalidArgumentError(absl::StrCat("token pass ", pass.name, ": has ", pass.a.size(), " and ",
                                                     pass.b.size(), " tokens for ", a.rows(), " and ",
                                                     within ? 0 : b.rows(), " rows; one a row is needed"));
    }
  }
  return absl::OkStatus();
}

// Offers to each row of `queries` all rows of `others`; each thread takes queries for itself.
void CompareWithAll(const EncodingTable& queries, const EncodingTable& others, const Search& search,
                    NearestLists* lists) {
  constexpr std::size_t kQueriesAtOnce = 512;
  constexpr std::size_t kOthersAtOnce = 1024;
  std::atomic<std::size_t> next = 0;
  InThreads(search.threads, [&](unsigned) {
    BlockComparer comparer(queries, others, search.instructions);
    std::vector<std::uint32_t> some;
    std::vector<std::uint32_t> others_some;
    for (;;) {
      const std::size_t begin = next.fetch_add(kQueriesAtOnce);
      if (begin >= queries.rows()) {
        break;
      }
      some.resize(std::min(kQueriesAtOnce, queries.rows() - begin));
      std::iota(some.begin(), some.end(), static_cast<std::uint32_t>(begin));
      for (std::size_t other = 0; other < others.rows() && !search.stop.stop_requested(); other += kOthersAtOnce) {
        others_some.resize(std::min(kOthersAtOnce, others.rows() - other));
        std::iota(others_some.begin(), others_some.end(), static_cast<std::uint32_t>(other));
        // What is farther than all that these lists hold already would not stay.
        std::uint32_t bound = kDiceOne;
        for (const std::uint32_t row : some) {
          bound = std::min(bound, lists->Farthest(row).dice_units());
        }
        comparer.Compare(some, others_some, std::max(bound, search.plan.dice_bound),
                         [&](std::span<const SimilarPair> pairs) {
                           for (const SimilarPair& pair : pairs) {
                             if (!search.within || pair.a != pair.b) {
                               lists->Offer(pair.a, Neighbour(pair.b, pair.dice_units));
                             }
                           }
                         });
      }
    }
  });
}

void RunExhaustive(const Search& search, CandidateStats* stats) {
  CompareWithAll(search.a, search.b, search, search.of_a);
  if (!search.within) {
    CompareWithAll(search.b, search.a, search, search.of_b);
  }
  const std::uint64_t rows = search.a.rows();
  const std::uint64_t pairs =
      search.within ? rows * (rows - std::min<std::uint64_t>(rows, 1)) / 2 : rows * search.b.rows();
  const std::uint64_t records = search.within ? rows : rows + search.b.rows();
  stats->passes.push_back(
      {.name = "exhaustive", .blocks = pairs > 0 ? 1u : 0u, .pairs = pairs, .largest_block = pairs > 0 ? records : 0});
  stats->pairs_compared = pairs;
}

void RunPasses(const Search& search, std::span<const TokenPass> tokens, const CandidateRun& run,
               CandidateStats* stats) {
  candidate::BlockPass pass(search);
  const std::uint32_t passes = search.plan.tables + static_cast<std::uint32_t>(tokens.size());
  std::uint32_t done = 0;
  const auto finish_pass = [&](std::uint64_t pairs) {
    stats->pairs_compared += pairs;
    if (run.progress) {
      run.progress({++done, passes, stats->pairs_compared});
    }
  };
  for (std::uint32_t i = 0; i < tokens.size() && !search.stop.stop_requested(); ++i) {
    PassStats& pass_stats = stats->passes.emplace_back();
    pass_stats.name = tokens[i].name;
    pass.RunTokens(tokens[i], i, &pass_stats);
    finish_pass(pass_stats.pairs);
  }
  if (search.plan.tables == 0) {
    return;
  }
  PassStats& lsh = stats->passes.emplace_back();
  lsh.name = "lsh";
  for (std::uint32_t table = 0; table < search.plan.tables && !search.stop.stop_requested(); ++table) {
    const std::uint64_t pairs_before = lsh.pairs;
    pass.RunTable(table, &lsh);
    finish_pass(lsh.pairs - pairs_before);
  }
}

void WarnOfBlocks(const Search& search, CandidateStats* stats) {
  for (const PassStats& pass : stats->passes) {
    const std::uint32_t bound = pass.name == "lsh" ? search.plan.max_block : search.plan.max_token_block;
    if (pass.skipped_blocks > 0) {
      stats->warnings.push_back(
          absl::StrCat("pass ", pass.name, ": ", pass.skipped_blocks, " blocks with ", pass.skipped_records,
                       " records in all not compared, since each has more than ", bound,
                       " records that agree in all bits tried; other passes may still find their pairs"));
    }
  }
}

bool Holds(const NearestLists& lists, std::uint32_t row, std::uint32_t other) {
  const std::span<const Neighbour> list = lists.of(row);
  return std::any_of(list.begin(), list.end(), [&](Neighbour neighbour) { return neighbour.row() == other; });
}

std::optional<RecallEstimate> EstimateRecall(const Search& search, const MatchSample& sample) {
  const candidate::Agreements agreements(search.plan.bit_weights);
  RecallEstimate estimate;
  estimate.sampled_rows = sample.rows;
  for (const ProbableMatch& match : sample.matches) {
    const double agreement = agreements.Of(search.a.row(match.a), search.b.row(match.b));
    const NearestLists& other_lists = search.within ? *search.of_a : *search.of_b;
    const bool found = Holds(*search.of_a, match.a, match.b) || Holds(other_lists, match.b, match.a);
    estimate.matches += match.probability;
    estimate.computed += match.probability * agreements.InAnyTable(agreement, search.plan.key_bits, search.plan.tables);
    estimate.found += found ? match.probability : 0;
  }
  if (estimate.matches < kLeastMatches) {
    return std::nullopt;
  }
  estimate.computed /= estimate.matches;
  estimate.found /= estimate.matches;
  return estimate;
}

absl::StatusOr<Candidates> Find(const EncodingTable& a, const EncodingTable& b, bool within,
                                std::span<const TokenPass> tokens, const CandidatePlan& plan, const CandidateRun& run) {
  SLUIS_RETURN_IF_ERROR(CheckArguments(a, b, within, tokens, plan, run));
  SLUIS_ASSIGN_OR_RETURN(const kernel::InstructionSet* const instructions, kernel::SelectInstructionSet(run.kernel));
  Candidates result;
  result.of_a = NearestLists(a.rows(), plan.keep);
  result.of_b = NearestLists(within ? 0 : b.rows(), plan.keep);
  result.stats.warnings = plan.warnings;
  result.stats.recall_at_bit_error = plan.recall;
  const Search search{a, b, within, plan, *instructions, run.threads, run.stop, &result.of_a, &result.of_b};
  MatchSample sample;
  if (plan.exhaustive) {
    RunExhaustive(search, &result.stats);
  } else if (a.rows() > 0 && b.rows() > 0) {
    sample = candidate::SampleMatches(search);
    RunPasses(search, tokens, run, &result.stats);
  }
  if (run.stop.stop_requested()) {
    return absl::CancelledError("looking for candidates: stopped on request");
  }
  InThreads(run.threads, [&](unsigned t) {
    const Range part_a = PartOf(result.of_a.rows(), t, run.threads);
    const Range part_b = PartOf(result.of_b.rows(), t, run.threads);
    result.of_a.Finish(part_a.begin, part_a.end);
    result.of_b.Finish(part_b.begin, part_b.end);
  });
  result.further = FurtherPairs(result.of_a, result.of_b, run.threads);
  if (!plan.exhaustive) {
    result.stats.recall = EstimateRecall(search, sample);
    WarnOfBlocks(search, &result.stats);
  }
  return result;
}

}  // namespace

absl::StatusOr<Candidates> FindCandidates(const EncodingTable& a, const EncodingTable& b,
                                          std::span<const TokenPass> tokens, const CandidatePlan& plan,
                                          const CandidateRun& run) {
  return Find(a, b, /*within=*/false, tokens, plan, run);
}

absl::StatusOr<Candidates> FindDuplicates(const EncodingTable& table, std::span<const TokenPass> tokens,
                                          const CandidatePlan& plan, const CandidateRun& run) {
  return Find(table, table, /*within=*/true, tokens, plan, run);
}

absl::Status Candidates::VisitPairs(const CandidateVisitor& visit, std::size_t batch) const {
  return VisitPairsOf(0, of_a.rows(), visit, batch);
}

absl::Status Candidates::VisitPairsOf(std::size_t begin, std::size_t end, const CandidateVisitor& visit,
                                      std::size_t batch) const {
  const bool within = of_b.rows() == 0;
  std::vector<CandidatePair> pairs;
  for (std::size_t row = begin; row < end; ++row) {
    const auto a = static_cast<std::uint32_t>(row);
    const auto first = static_cast<std::ptrdiff_t>(pairs.size());
    for (const Neighbour neighbour : of_a.of(a)) {
      if (!within || a < neighbour.row()) {
        pairs.push_back({a, neighbour.row()});
      }
    }
    for (const std::uint32_t b : further.of(a)) {
      pairs.push_back({a, b});
    }
    std::sort(pairs.begin() + first, pairs.end(),
              [](const CandidatePair& x, const CandidatePair& y) { return x.b < y.b; });
    if (!pairs.empty() && (pairs.size() >= batch || row + 1 == end)) {
      SLUIS_RETURN_IF_ERROR(visit(pairs));
      pairs.clear();
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
