#include "linker/candidate/candidates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "common/status/matchers.h"
#include "linker/candidate/bit_sampling.h"
#include "tests/linker/candidate/sources.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AllPairsOf;
using testing::AppendRow;
using testing::Dedupe;
using testing::EmptyTable;
using testing::Link;
using testing::Lsh;
using testing::MakeSources;
using testing::NaiveOverlap;
using testing::PairSet;
using testing::Planted;
using testing::RandomTable;
using testing::SetOf;
using testing::Sources;
using testing::TokensOnly;

// The `keep` nearest rows of `others` for each row of `rows`, by brute force.
std::vector<std::vector<Neighbour>> NaiveNearest(const EncodingTable& rows, const EncodingTable& others, bool within,
                                                 std::uint32_t keep) {
  std::vector<std::vector<Neighbour>> lists(rows.rows());
  for (std::uint32_t i = 0; i < rows.rows(); ++i) {
    for (std::uint32_t j = 0; j < others.rows(); ++j) {
      const Overlap overlap = NaiveOverlap(rows, i, others, j);
      if ((!within || i != j) && overlap.common > 0) {
        lists[i].emplace_back(j, DiceUnits(overlap.common, overlap.bits_a, overlap.bits_b));
      }
    }
    std::sort(lists[i].begin(), lists[i].end(), std::greater<>());
    lists[i].resize(std::min<std::size_t>(lists[i].size(), keep));
  }
  return lists;
}

void ExpectLists(const NearestLists& lists, const std::vector<std::vector<Neighbour>>& expected) {
  ASSERT_EQ(lists.rows(), expected.size());
  for (std::size_t row = 0; row < expected.size(); ++row) {
    EXPECT_THAT(lists.of(row), ::testing::ElementsAreArray(expected[row])) << "row " << row;
  }
}

TEST(Exhaustive, EqualsBruteForce) {
  for (const std::uint32_t bits : {64u, 320u}) {
    EncodingTable a = RandomTable(bits, 700, 0.25, 1);
    EncodingTable b = RandomTable(bits, 1300, 0.25, 2);
    AppendRow(&a, std::vector<std::uint64_t>(bits / 64));  // without bits: a candidate of nothing
    AppendRow(&b, std::vector<std::uint64_t>(bits / 64));
    for (const unsigned threads : {1u, 3u}) {
      CandidateOptions options;
      options.keep = 7;
      const auto linked = Link(a, b, options, {}, threads);
      SLUIS_ASSERT_OK(linked);
      ExpectLists(linked->of_a, NaiveNearest(a, b, false, 7));
      ExpectLists(linked->of_b, NaiveNearest(b, a, false, 7));
      EXPECT_EQ(linked->stats.pairs_compared, a.rows() * b.rows());
      EXPECT_FALSE(linked->stats.recall.has_value());

      const auto deduped = Dedupe(a, options, {}, threads);
      SLUIS_ASSERT_OK(deduped);
      ExpectLists(deduped->of_a, NaiveNearest(a, a, true, 7));
      EXPECT_EQ(deduped->of_b.rows(), 0u);
    }
  }
}

TEST(VisitPairs, GivesTheUnionOfBothDirectionsOnceAndSorted) {
  const EncodingTable a = RandomTable(128, 90, 0.3, 3);
  const EncodingTable b = RandomTable(128, 240, 0.3, 4);
  CandidateOptions options;
  options.keep = 3;
  const auto linked = Link(a, b, options);
  SLUIS_ASSERT_OK(linked);
  PairSet expected;
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (const Neighbour neighbour : linked->of_a.of(i)) {
      expected.emplace(i, neighbour.row());
    }
  }
  for (std::uint32_t j = 0; j < b.rows(); ++j) {
    for (const Neighbour neighbour : linked->of_b.of(j)) {
      expected.emplace(neighbour.row(), j);
    }
  }
  EXPECT_GT(expected.size(), 240u * 3);
  std::vector<CandidatePair> in_parts;
  for (const auto& [begin, end] : {std::pair{0, 0}, std::pair{0, 17}, std::pair{17, 18}, std::pair{18, 90}}) {
    SLUIS_ASSERT_OK(linked->VisitPairsOf(
        begin, end,
        [&](std::span<const CandidatePair> pairs) {
          EXPECT_LT(pairs.back().a, static_cast<std::uint32_t>(end));
          in_parts.insert(in_parts.end(), pairs.begin(), pairs.end());
          return absl::OkStatus();
        },
        50));
  }
  const std::vector<CandidatePair> all = AllPairsOf(*linked, 100'000);
  EXPECT_TRUE(std::equal(in_parts.begin(), in_parts.end(), all.begin(), all.end(),
                         [](const CandidatePair& x, const CandidatePair& y) { return x.a == y.a && x.b == y.b; }));
  for (const std::size_t batch : {1u, 10u, 100'000u}) {
    EXPECT_EQ(SetOf(*linked, batch), expected);
    const std::vector<CandidatePair> pairs = AllPairsOf(*linked, batch);
    EXPECT_TRUE(std::is_sorted(pairs.begin(), pairs.end(), [](const CandidatePair& x, const CandidatePair& y) {
      return std::pair(x.a, x.b) < std::pair(y.a, y.b);
    }));
  }

  const auto deduped = Dedupe(a, options);
  SLUIS_ASSERT_OK(deduped);
  expected.clear();
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (const Neighbour neighbour : deduped->of_a.of(i)) {
      expected.emplace(std::min(i, neighbour.row()), std::max(i, neighbour.row()));
    }
  }
  EXPECT_EQ(SetOf(*deduped), expected);
}

TEST(VisitPairs, EndsWithTheVisitorsStatus) {
  const EncodingTable a = RandomTable(128, 90, 0.3, 5);
  const auto found = Dedupe(a, {});
  SLUIS_ASSERT_OK(found);
  int calls = 0;
  const auto visit = [&](std::span<const CandidatePair> pairs) {
    EXPECT_FALSE(pairs.empty());
    ++calls;
    return absl::AbortedError("enough");
  };
  EXPECT_THAT(found->VisitPairs(visit, 10), StatusIs(absl::StatusCode::kAborted, "enough"));
  EXPECT_EQ(calls, 1);
}

TEST(Lsh, FindsPlantedCopiesAsOftenAsComputed) {
  for (const double error : {0.1, 0.2, 0.25}) {
    const Sources sources = MakeSources(512, 4000, 4000, 0.4, 2, error, 31);
    CandidateOptions options = Lsh();
    options.recall = 0.7;
    options.bit_error = 0.2;
    options.keep = 200;  // so that hardly any pair is lost to the bound or to nearer ones
    const auto plan = PlanCandidates(sources.a, sources.b, options);
    SLUIS_ASSERT_OK(plan);
    const auto found = FindCandidates(sources.a, sources.b, {}, *plan);
    SLUIS_ASSERT_OK(found);
    const PairSet pairs = SetOf(*found);
    const candidate::Agreements agreements(plan->bit_weights);
    double computed = 0;
    double variance = 0;
    double recalled = 0;
    for (const Planted& planted : sources.planted) {
      const double probability = agreements.InAnyTable(
          agreements.Of(sources.a.row(planted.a), sources.b.row(planted.b)), plan->key_bits, plan->tables);
      computed += probability;
      variance += probability * (1 - probability);
      recalled += static_cast<double>(pairs.count({planted.a, planted.b}));
    }
    const auto count = static_cast<double>(sources.planted.size());
    // Four standard deviations of the sum of independent draws; the tables, which all pairs share, and blocks that were
    // split add up to 1 %.
    EXPECT_NEAR(recalled / count, computed / count, 4 * std::sqrt(variance) / count + 0.01) << "error " << error;
    if (error == 0.2) {
      EXPECT_NEAR(computed / count, plan->recall, 0.02);
    }
    if (error <= 0.2) {
      ASSERT_TRUE(found->stats.recall.has_value());
      EXPECT_NEAR(found->stats.recall->computed, computed / count, 0.06) << "error " << error;
      EXPECT_NEAR(found->stats.recall->found, recalled / count, 0.06) << "error " << error;
    }
  }
}

TEST(Lsh, ComparesWhatMeetsInATableAndNothingElse) {
  // Against a naive reading of the plan: same drawn bits, same bound, blocks not split.
  const Sources sources = MakeSources(256, 300, 400, 0.4, 3, 0.1, 32);
  CandidateOptions options = Lsh();
  options.recall = 0.5;
  options.max_block = 1'000'000;
  auto plan = PlanCandidates(sources.a, sources.b, options);
  SLUIS_ASSERT_OK(plan);
  plan->keep = 400;
  plan->dice_bound = DiceUnits(45, 100, 100);
  const auto found = FindCandidates(sources.a, sources.b, {}, *plan);
  SLUIS_ASSERT_OK(found);
  PairSet expected;
  std::uint64_t met = 0;
  for (std::uint32_t table = 0; table < plan->tables; ++table) {
    const auto bits = candidate::DrawBits(plan->bit_weights, plan->key_bits, plan->seed, table);
    for (std::uint32_t i = 0; i < sources.a.rows(); ++i) {
      for (std::uint32_t j = 0; j < sources.b.rows(); ++j) {
        const bool meet = std::all_of(bits.begin(), bits.end(), [&](std::uint16_t bit) {
          return ((sources.a.row(i)[bit / 64] ^ sources.b.row(j)[bit / 64]) >> (bit % 64)) % 2 == 0;
        });
        met += meet ? 1 : 0;
        if (meet && NaiveOverlap(sources.a, i, sources.b, j).DiceAtLeast({45, 100})) {
          expected.emplace(i, j);
        }
      }
    }
  }
  EXPECT_EQ(SetOf(*found), expected);
  EXPECT_EQ(found->stats.pairs_compared, met);
  ASSERT_EQ(found->stats.passes.size(), 1u);
  EXPECT_EQ(found->stats.passes[0].name, "lsh");
  EXPECT_EQ(found->stats.passes[0].split_blocks, 0u);
}

TEST(Threads, DoNotChangeTheResult) {
  const Sources sources = MakeSources(256, 3000, 2500, 0.35, 3, 0.15, 33);
  CandidateOptions options = Lsh();
  options.max_block = 20;  // many are split
  options.keep = 5;
  std::vector<std::uint64_t> tokens_a(3000);
  std::vector<std::uint64_t> tokens_b(2500);
  for (std::size_t r = 0; r < tokens_a.size(); ++r) {
    tokens_a[r] = r % 100;
  }
  for (std::size_t r = 0; r < tokens_b.size(); ++r) {
    tokens_b[r] = r % 90;
  }
  const std::vector<TokenPass> tokens = {{"code", tokens_a, tokens_b}};
  const auto one = Link(sources.a, sources.b, options, tokens, 1);
  SLUIS_ASSERT_OK(one);
  EXPECT_GT(one->stats.passes[1].split_blocks, 0u);
  for (const unsigned threads : {2u, 5u}) {
    const auto more = Link(sources.a, sources.b, options, tokens, threads);
    SLUIS_ASSERT_OK(more);
    for (std::uint32_t r = 0; r < sources.a.rows(); ++r) {
      ASSERT_THAT(more->of_a.of(r), ::testing::ElementsAreArray(one->of_a.of(r)));
    }
    for (std::uint32_t r = 0; r < sources.b.rows(); ++r) {
      ASSERT_THAT(more->of_b.of(r), ::testing::ElementsAreArray(one->of_b.of(r)));
    }
    EXPECT_EQ(more->stats.pairs_compared, one->stats.pairs_compared);
    EXPECT_EQ(more->stats.passes[1].split_records, one->stats.passes[1].split_records);
  }
}

TEST(Tokens, EqualOnesAreComparedAndMissingOnesNever) {
  const EncodingTable a = RandomTable(128, 60, 0.4, 34);
  const EncodingTable b = RandomTable(128, 80, 0.4, 35);
  // Tokens that agree in their low or high halves only must not be taken for equal.
  const auto token = [](std::size_t value) { return value % 4 == 0 ? 0 : std::uint64_t{value % 3} << 32 | value % 4; };
  std::vector<std::uint64_t> tokens_a(60);
  std::vector<std::uint64_t> tokens_b(80);
  for (std::size_t r = 0; r < 60; ++r) {
    tokens_a[r] = token(r);
  }
  for (std::size_t r = 0; r < 80; ++r) {
    tokens_b[r] = token(3 * r + 1);
  }
  const auto plan = PlanCandidates(a, b, Lsh());
  SLUIS_ASSERT_OK(plan);
  CandidatePlan tokens_only = TokensOnly(*plan);
  tokens_only.keep = 80;
  const auto found = FindCandidates(a, b, std::vector<TokenPass>{{"code", tokens_a, tokens_b}}, tokens_only);
  SLUIS_ASSERT_OK(found);
  PairSet expected;
  for (std::uint32_t i = 0; i < 60; ++i) {
    for (std::uint32_t j = 0; j < 80; ++j) {
      if (tokens_a[i] != 0 && tokens_a[i] == tokens_b[j] && NaiveOverlap(a, i, b, j).common > 0) {
        expected.emplace(i, j);
      }
    }
  }
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(SetOf(*found), expected);

  const auto within = FindDuplicates(a, std::vector<TokenPass>{{"code", tokens_a, {}}}, tokens_only);
  SLUIS_ASSERT_OK(within);
  expected.clear();
  for (std::uint32_t i = 0; i < 60; ++i) {
    for (std::uint32_t j = i + 1; j < 60; ++j) {
      if (tokens_a[i] != 0 && tokens_a[i] == tokens_a[j]) {
        expected.emplace(i, j);
      }
    }
  }
  EXPECT_EQ(SetOf(*within), expected);
}

TEST(Cancellation, EndsTheSearch) {
  const Sources sources = MakeSources(128, 2000, 2000, 0.3, 2, 0.1, 41);
  for (const std::uint64_t exhaustive_pairs : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    CandidateOptions options;
    options.exhaustive_pairs = exhaustive_pairs;
    const auto plan = PlanCandidates(sources.a, sources.b, options);
    SLUIS_ASSERT_OK(plan);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(FindCandidates(sources.a, sources.b, {}, *plan, {.threads = 2, .stop = stop.get_token()}),
                StatusIs(absl::StatusCode::kCancelled, "stopped on request"));
  }
}

TEST(Cancellation, CanComeFromTheProgress) {
  const Sources sources = MakeSources(128, 2000, 2000, 0.3, 2, 0.1, 42);
  CandidateOptions options = Lsh();
  options.recall = 0.99;
  options.bit_error = 0.3;
  const auto plan = PlanCandidates(sources.a, sources.b, options);
  SLUIS_ASSERT_OK(plan);
  ASSERT_GT(plan->tables, 3u);
  std::vector<CandidateProgress> seen;
  SLUIS_EXPECT_OK(FindCandidates(sources.a, sources.b, {}, *plan,
                                 {.progress = [&](const CandidateProgress& progress) { seen.push_back(progress); }}));
  ASSERT_EQ(seen.size(), plan->tables);
  EXPECT_EQ(seen.back().passes_done, plan->tables);
  EXPECT_EQ(seen.back().passes, plan->tables);
  EXPECT_GT(seen.back().pairs_compared, seen.front().pairs_compared);

  std::stop_source stop;
  std::uint32_t done = 0;
  const auto progress = [&](const CandidateProgress& now) {
    done = now.passes_done;
    if (done == 2) {
      stop.request_stop();
    }
  };
  EXPECT_THAT(FindCandidates(sources.a, sources.b, {}, *plan, {.stop = stop.get_token(), .progress = progress}),
              StatusIs(absl::StatusCode::kCancelled, ""));
  EXPECT_EQ(done, 2u);
}

TEST(FindCandidates, RefusesBadArguments) {
  const EncodingTable a = RandomTable(128, 100, 0.3, 43);
  const EncodingTable wide = RandomTable(192, 100, 0.3, 44);
  const auto plan = PlanCandidates(a, a, Lsh());
  SLUIS_ASSERT_OK(plan);
  EXPECT_THAT(FindCandidates(a, wide, {}, *plan), StatusIs(absl::StatusCode::kInvalidArgument, "encoding width"));
  EXPECT_THAT(FindCandidates(wide, wide, {}, *plan), StatusIs(absl::StatusCode::kInvalidArgument, "plan: made for"));
  CandidatePlan no_keep = *plan;
  no_keep.keep = 0;
  EXPECT_THAT(FindCandidates(a, a, {}, no_keep), StatusIs(absl::StatusCode::kInvalidArgument, "plan: keep"));
  EXPECT_THAT(FindCandidates(a, a, {}, *plan, {.threads = 0}), StatusIs(absl::StatusCode::kInvalidArgument, "threads"));
  const std::vector<std::uint64_t> tokens(99);
  EXPECT_THAT(FindCandidates(a, a, std::vector<TokenPass>{{"postcode", tokens, tokens}}, *plan),
              StatusIs(absl::StatusCode::kInvalidArgument, "token pass postcode"));
}

TEST(FindCandidates, AcceptsEmptyAndTinyTables) {
  const EncodingTable empty = EmptyTable(128);
  for (const std::size_t rows : {1u, 2u, 3u}) {
    const EncodingTable tiny = RandomTable(128, rows, 0.3, 45);
    for (const auto& options : {Lsh(), CandidateOptions()}) {
      SLUIS_EXPECT_OK(Link(tiny, tiny, options, {}, 2));
      SLUIS_EXPECT_OK(Dedupe(tiny, options, {}, 2));
      const auto none = Link(empty, tiny, options, {}, 2);
      SLUIS_ASSERT_OK(none);
      EXPECT_TRUE(SetOf(*none).empty());
      SLUIS_EXPECT_OK(Link(tiny, empty, options));
    }
  }
  SLUIS_EXPECT_OK(Dedupe(empty, Lsh()));
}

}  // namespace
}  // namespace sluis::linker
